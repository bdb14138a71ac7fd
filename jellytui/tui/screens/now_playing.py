"""What plays now: cover, facts, words, and what comes next."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from jellytui.engine.errors import JellytuiError
from jellytui.engine.models import Item, Lyrics, Track
from jellytui.tui.keymap import bindings
from jellytui.tui.library.rows import download_sign
from jellytui.tui.resources import styles_dir
from jellytui.tui.screens.item_screen import ItemScreen
from jellytui.tui.stores.base import Keys
from jellytui.tui.widgets.cover import Cover
from jellytui.tui.widgets.lyrics import LyricsView
from jellytui.tui.widgets.pane import Pane
from jellytui.tui.widgets.playing_parts import Facts, Heading, Transport, Upcoming
from jellytui.tui.widgets.queue_list import QueueList

NEXT_TRACKS = 3


class NowPlayingScreen(ItemScreen):
    """At 80 columns cover and words side by side; from 120 the queue beside them."""

    TAB = "playing"
    HINTS = (
        "toggle_pause",
        "next_track",
        "seek_back",
        "seek_forward",
        "follow_lyrics",
        "shuffle",
        "repeat",
        "download",
    )
    BINDINGS = bindings("playing")
    CSS_PATH: ClassVar[list[Any]] = [styles_dir() / "now_playing.tcss"]

    _is_lacking = False
    """Whether cover or words could not be asked for, since the server was away."""

    def compose_middle(self) -> ComposeResult:
        with Horizontal(id="playing"):
            with Vertical(id="playing-cover"):
                yield Cover(id="cover")
                yield Heading(id="heading-wide")
                yield Facts()
            with Vertical(id="playing-words"):
                yield Heading(id="heading")
                yield LyricsView()
                yield Upcoming()
            yield Pane(QueueList(self.session), id="playing-queue")
        yield Transport()

    def on_mount(self) -> None:
        self.follow(self.session.player, self._on_change)
        self.follow(self.session.downloads, self._on_downloads)
        self.follow(self.session.connection, self._on_connection)
        self._on_connection(frozenset())
        self.query_one("#playing-queue", Pane).heading.title = "QUEUE"
        self.query_one(LyricsView).focus()
        self._on_change(frozenset({"track", "player", "queue"}))

    def current_item(self) -> Item | None:
        return self.session.player.track

    def play_current(self) -> None:
        self.send("toggle_pause")

    def action_follow_lyrics(self) -> None:
        is_following = self.query_one(LyricsView).toggle_follow()
        self.jellytui.say("The words follow the song." if is_following else "The words stay where they are.")

    def on_cover_decoded(self, event: Cover.Decoded) -> None:
        for heading in self.query(Heading):
            heading.title.accent = event.accent if self.app.current_theme.dark else ""

    def _on_change(self, keys: Keys) -> None:
        player = self.session.player
        self.query_one(Transport).show(player.state)
        self.query_one(Facts).show(player.state)
        if "track" in keys:
            for heading in self.query(Heading):
                heading.title.track = player.track
            self.run_worker(self._read_track(player.track), group="track", exclusive=True, exit_on_error=False)
        if keys & {"track", "queue"}:
            self.run_worker(self._read_queue(), group="queue", exclusive=True, exit_on_error=False)
        self.query_one(LyricsView).set_position(player.state.position_ms)
        self._on_downloads(keys)

    def _on_downloads(self, _keys: Keys) -> None:
        track = self.session.player.track
        row = self.session.downloads.item_download(track.id) if track else None
        for heading in self.query(Heading):
            heading.button.display = track is not None
            heading.button.is_cached = row is not None and row.status == "completed" and not row.is_kept
            heading.button.download = None if row is None else (row.status, row.progress)
        upcoming = self.query_one(Upcoming)
        upcoming.rows = tuple((track, download_sign(self.session, track.id)) for track, _ in upcoming.rows)
        self.query_one(QueueList).refresh_changed()

    def _on_connection(self, _keys: Keys) -> None:
        self.query_one(Transport).trouble = self.session.connection.state.reason
        if self._is_lacking and self.session.connection.is_online:
            self._is_lacking = False
            self.run_worker(
                self._read_track(self.session.player.track), group="track", exclusive=True, exit_on_error=False
            )

    async def _read_track(self, track: Track | None) -> None:
        cover, lyrics = self.query_one(Cover), self.query_one(LyricsView)
        lyrics.show(None)
        if track is None:
            cover.show(None)
            return
        path = None
        if track.image_item_id and self.jellytui.settings.screen.artwork != "off":
            path = await self.jellytui.ask("get_cover", item_id=track.image_item_id, tag=track.image_tag)
        cover.show(path)
        words: Lyrics | None = await self.jellytui.ask("get_lyrics", item_id=track.id)
        lyrics.show(words)
        self._is_lacking = not self.session.connection.is_online and (path is None or words is None)
        lyrics.set_position(self.session.player.state.position_ms)

    async def _read_queue(self) -> None:
        try:
            tracks = await self.session.player.upcoming(NEXT_TRACKS)
        except JellytuiError:
            # The engine went away; the top bar says so.
            return
        self.query_one(Upcoming).rows = tuple((track, download_sign(self.session, track.id)) for track in tracks)
        await self.query_one(QueueList).update()
