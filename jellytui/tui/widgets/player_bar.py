"""Two lines on every screen: what plays, and how far it is."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from jellytui.tui.stores.player import PlayerStore


class PlayerBar(Widget):
    """What plays."""

    def __init__(self, player: PlayerStore) -> None:
        super().__init__()
        self._player = player

    def render(self) -> Content:
        track = self._player.state.track
        return Content(track.name if track else "")
