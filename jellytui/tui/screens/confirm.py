"""A question in place of the key hints, answered with one key; nothing else moves."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static


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
        line = Content.assemble(
            (self._question, "bold $warning"),
            ("  y", "bold $text-key"),
            (f" {self._yes}  ", "$text-dim"),
            ("n", "bold $text-key"),
            (" no", "$text-dim"),
        )
        yield Static(line, id="confirm")

    def action_answer(self, is_yes: bool) -> None:
        self.dismiss(is_yes)
