"""The downloads."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from jellytui.tui.keymap import bindings
from jellytui.tui.screens.base import BaseScreen


class DownloadsScreen(BaseScreen):
    """The downloads."""

    TAB = "downloads"
    BINDINGS = bindings("downloads")

    def compose_middle(self) -> ComposeResult:
        yield Static("")
