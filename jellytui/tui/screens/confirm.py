"""A question in place of the key hints, answered with one key; nothing else moves."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget

from jellytui.tui.format import width, wrap


class Question(Widget):
    """The question and the two keys, in as many lines as that takes."""

    def __init__(self, question: str, yes: str) -> None:
        super().__init__(id="confirm")
        self._question = question
        self._yes = yes

    def render(self) -> Content:
        answers = [
            ("y", "bold $text-key"),
            (f" {self._yes}  ", "$text-dim"),
            ("n", "bold $text-key"),
            (" no", "$text-dim"),
        ]
        *above, last = wrap(self._question, self.size.width)
        has_room = width(last) + 2 + sum(width(text) for text, _ in answers) <= self.size.width
        words = "\n".join([*above, last])
        return Content.assemble((words, "bold $warning"), "  " if has_room else "\n", *answers)

    def on_resize(self) -> None:
        lines = self.render().plain.count("\n") + 1
        if self.styles.height is None or self.styles.height.value != lines:
            self.styles.height = lines


class Confirm(ModalScreen[bool]):
    """`Confirm("Delete 4 downloads of Raíces?", "delete")`: y or enter is True; n, q or escape False."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "answer(True)", show=False),
        Binding("n,q,escape", "answer(False)", show=False),
    ]

    def __init__(self, question: str, yes: str) -> None:
        super().__init__()
        self._question = question
        self._yes = yes

    def compose(self) -> ComposeResult:
        yield Question(self._question, self._yes)

    def action_answer(self, is_yes: bool) -> None:
        self.dismiss(is_yes)
