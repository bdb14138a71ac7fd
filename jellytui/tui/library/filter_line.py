"""FilterLine: the words that narrow a list, typed where its title stands, so that nothing moves."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


class WordsInput(Input):
    """One line without border and without a blinking cursor, which alone would send 2 KB/s (textual.md 3.1)."""

    def __init__(self, *, placeholder: str = "", id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(placeholder=placeholder, id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False


class FilterLine(Horizontal):
    """` FILTER raí▏`. Enter or down keeps the words and goes back to the list, escape drops them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,tab", "keep", show=False),
        Binding("escape", "drop", show=False),
    ]

    class Changed(Message):
        """Other words stand there."""

        def __init__(self, line: FilterLine, words: str) -> None:
            super().__init__()
            self.line = line
            self.words = words

    class Left(Message):
        """The person has done with typing; `is_kept` is False when the filter is to go."""

        def __init__(self, line: FilterLine, is_kept: bool) -> None:
            super().__init__()
            self.line = line
            self.is_kept = is_kept

    def compose(self) -> ComposeResult:
        yield Static("FILTER ", classes="label")
        yield WordsInput(placeholder="words of names")

    @property
    def words(self) -> WordsInput:
        """Where one types."""
        return self.query_one(WordsInput)

    def open(self, words: str) -> None:
        """Takes the focus, beginning with these words."""
        with self.words.prevent(Input.Changed):
            self.words.value = words
        self.words.cursor_position = len(words)
        self.screen.set_focus(self.words)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self, event.value.strip()))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_keep()

    def on_descendant_blur(self) -> None:
        # A click elsewhere; when the terminal's window loses the focus, Textual gives it back later.
        if self.app.app_focus:
            self.action_keep()

    def action_keep(self) -> None:
        self.post_message(self.Left(self, True))

    def action_drop(self) -> None:
        self.post_message(self.Left(self, False))
