"""PlayingSide: what plays, with its cover and what comes next, at the right of a wide library."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from jellytui.engine.models import Track
from jellytui.tui.format import cut, duration, fit
from jellytui.tui.session import Session
from jellytui.tui.stores.base import Keys
from jellytui.tui.widgets.cover import Cover
from jellytui.tui.widgets.pane import PaneTitle

_UPCOMING = 20
_HEAD_LINES = 5


class PlayingWords(Widget):
    """The track, its artist, its album; below them as many of the next tracks as have room."""

    track: reactive[Track | None] = reactive(None)
    upcoming: reactive[tuple[Track, ...]] = reactive(())

    def render(self) -> Content:
        track, room = self.track, self.size.width
        if track is None:
            return Content.styled("Nothing plays.", "$text-dim")
        album = " · ".join(part for part in (track.album, str(track.year or "")) if part)
        lines: list[Content | str] = [
            Content.styled(cut(track.name, room), "bold $primary"),
            cut(", ".join(track.artists), room),
            Content.styled(cut(album, room), "$text-dim"),
        ]
        shown = self.upcoming[: max(0, self.size.height - _HEAD_LINES)]
        if shown:
            lines += ["", Content.styled("NEXT", "bold $text-dim")]
        for coming in shown:
            time = f"{duration(coming.duration_ms):>7}"
            lines.append(Content.assemble(fit(coming.name, room - len(time)), (time, "$text-dim")))
        return Content("\n").join(lines)


class PlayingSide(Vertical):
    """Follows the player while the library is seen; reads the cover only where it is shown."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def compose(self) -> ComposeResult:
        yield PaneTitle()
        yield Cover(id="side-cover")
        yield PlayingWords()

    def on_mount(self) -> None:
        self.query_one(PaneTitle).title = "PLAYING"

    def on_show(self) -> None:
        self.update(frozenset({"track", "queue"}))

    def update(self, keys: Keys) -> None:
        """Takes what changed in the player."""
        if self.display and self.size.width and keys & {"track", "queue"}:
            self.run_worker(self._read("track" in keys), group="side", exit_on_error=False)

    async def _read(self, is_other_track: bool) -> None:
        from jellytui.tui.screens.base import screen_of

        words, player = self.query_one(PlayingWords), self._session.player
        words.track = track = player.track
        words.upcoming = await player.upcoming(_UPCOMING)
        if not is_other_track:
            return
        path = None
        if track is not None and track.image_item_id:
            ask = screen_of(self).jellytui.ask
            path = await ask("get_cover", item_id=track.image_item_id, tag=track.image_tag)
        if track is player.track:
            self.query_one(Cover).show(path)
