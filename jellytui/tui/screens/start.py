"""What stands there until the backend is open: a name, nothing that moves."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static


class StartScreen(Screen[None]):
    """The first paint. Keys that are typed already are kept for the screen that comes."""

    def __init__(self) -> None:
        super().__init__()
        self.typed: list[events.Key] = []

    def compose(self) -> ComposeResult:
        yield Static("jellytui", id="start")

    def on_key(self, event: events.Key) -> None:
        if event.key != "ctrl+q":
            event.stop()
            self.typed.append(event)
