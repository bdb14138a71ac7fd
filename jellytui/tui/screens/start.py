"""What stands there until the backend is open: a name, nothing that moves."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static


class StartScreen(Screen[None]):
    """The first paint."""

    def compose(self) -> ComposeResult:
        yield Static("jellytui", id="start")
