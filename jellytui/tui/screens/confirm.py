"""A question in place of the key hints, answered with one key; nothing else moves."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget

from jellytui.tui.format import cut, width


class Question(Widget):
    """The question and the two keys; where there is no room it is the question that gives way."""

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
        room = self.size.width - sum(width(text) for text, _ in answers) - 2
        return Content.assemble((cut(self._question, room), "bold $warning"), "  ", *answers)


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
