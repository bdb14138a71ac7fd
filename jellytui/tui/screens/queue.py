"""The queue."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from jellytui.tui.keymap import bindings
from jellytui.tui.screens.base import BaseScreen


class QueueScreen(BaseScreen):
    """The queue."""

    TAB = "queue"
    BINDINGS = bindings("queue")

    def compose_middle(self) -> ComposeResult:
        yield Static("")
