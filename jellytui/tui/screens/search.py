"""Search as you type."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from jellytui.tui.keymap import bindings
from jellytui.tui.screens.base import BaseScreen


class SearchScreen(BaseScreen):
    """Search as you type."""

    TAB = "search"
    BINDINGS = bindings("search")

    def compose_middle(self) -> ComposeResult:
        yield Static("")
