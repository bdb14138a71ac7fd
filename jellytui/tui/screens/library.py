"""The library."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from jellytui.tui.keymap import bindings
from jellytui.tui.screens.base import BaseScreen


class LibraryScreen(BaseScreen):
    """The library."""

    TAB = "library"
    BINDINGS = bindings("library")

    def compose_middle(self) -> ComposeResult:
        yield Static("")
