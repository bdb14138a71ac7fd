"""What plays now."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from jellytui.tui.keymap import bindings
from jellytui.tui.screens.base import BaseScreen


class NowPlayingScreen(BaseScreen):
    """What plays now."""

    TAB = "playing"
    BINDINGS = bindings("playing")

    def compose_middle(self) -> ComposeResult:
        yield Static("")
