"""What plays now: cover, facts, words, and what comes next."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from jellytui.engine.events import PlayerState
from jellytui.engine.models import Item, Lyrics, Track
from jellytui.tui import format as fmt
from jellytui.tui.keymap import bindings
from jellytui.tui.resources import styles_dir
from jellytui.tui.screens.item_screen import ItemScreen
from jellytui.tui.stores.base import Keys
from jellytui.tui.widgets.cover import Cover
from jellytui.tui.widgets.download_button import DownloadButton, sm
from jellytui.tui.widgets.lyrics import LyricsView
from jellytui.tui.widgets.pane import Pane
from jellytui.tui.widgets.player_bar import facts_line
from jellytui.tui.widgets.queue_list import QueueList

NEXT_TRACKS = 3


class Title(Widget):
    """Three lines: the track in the cover's colour, its artist, its album with year and place."""

    track: reactive[Track | None] = reactive(None)
    accent: reactive[str] = reactive("")

    def render(self) -> Content:
        track, room = self.track, self.size.width
        if track is None:
            return Content.styled("Nothing plays.\nPress 1 for the library, enter on an album.", "$text-dim")
        place = f"track {track.number}" if track.number else ""
        album = " · ".join(part for part in (track.album, str(track.year or ""), place) if part)
        return Content.assemble(
            (fmt.cut(track.name, room), f"bold {self.accent or '$primary'}"),
            "\n",
            (fmt.cut(", ".join(track.artists), room), "$foreground"),
            "\n",
            (fmt.cut(album, room), "$text-dim"),
        )


class Upcoming(Widget):
    """The next few tracks under a heading."""

    rows: reactive[tuple[tuple[Track, str], ...]] = reactive(())
    """Each track with the sign of its download."""

    def render(self) -> Content:
        if not self.rows:
            return Content("")
        room = self.size.width
        lines = [Content.styled("NEXT", "bold $text-dim")]
        for track, sign in self.rows:
            head = f"{track.number or '':>2} {sign} "
            name = fmt.fit(track.name, room - 5 - 8)
            lines.append(
                Content.assemble((head, "$text-dim"), name, (f"{fmt.duration(track.duration_ms):>8}", "$text-dim"))
            )
        return Content("\n").join(lines)


class Transport(Widget):
    """One centred line: shuffle, back, pause, on, repeat; and the facts of the sound above it."""

    state: reactive[tuple[str, str, bool, str]] = reactive(("", "stopped", False, "off"))
    """Facts, status, whether shuffled, repeat."""

    def show(self, player: PlayerState) -> None:
        """Takes what is drawn of the player's state."""
        facts = player.waiting_for or facts_line(player, is_short=False)
        self.state = (facts, player.status, player.is_shuffled, player.repeat)

    def render(self) -> Content:
        facts, status, is_shuffled, repeat = self.state
        button = "▌▌" if status == "playing" else "▶ "
        signs = [
            (f"⤨ {'on ' if is_shuffled else 'off'}", "$primary" if is_shuffled else "$text-dim"),
            ("     ⏮      ", "$foreground"),
            (button, "bold $primary"),
            ("      ⏭     ", "$foreground"),
            (f"↻ {repeat}", "$text-dim" if repeat == "off" else "$primary"),
        ]
        indent = " " * max(0, (self.size.width - sum(fmt.width(text) for text, _ in signs)) // 2)
        return Content.assemble((fmt.cut(facts, self.size.width), "$text-dim"), "\n\n", indent, *signs)


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

    def compose_middle(self) -> ComposeResult:
        with Horizontal(id="playing"):
            with Vertical(id="playing-cover"):
                yield Cover(id="cover")
            with Vertical(id="playing-words"):
                yield Title()
                yield DownloadButton("lg")
                yield LyricsView()
                yield Upcoming()
            yield Pane(QueueList(self.session), id="playing-queue")
        yield Transport()

    def on_mount(self) -> None:
        self.follow(self.session.player, self._on_change)
        self.follow(self.session.downloads, self._on_downloads)
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
        self.query_one(Title).accent = event.accent if self.app.current_theme.dark else ""

    def _on_change(self, keys: Keys) -> None:
        player = self.session.player
        self.query_one(Transport).show(player.state)
        if "track" in keys:
            self.query_one(Title).track = player.track
            self.run_worker(self._read_track(player.track), group="track", exclusive=True, exit_on_error=False)
        if keys & {"track", "queue"}:
            self.run_worker(self._read_queue(), group="queue", exclusive=True, exit_on_error=False)
        self.query_one(LyricsView).set_position(player.state.position_ms)
        self._on_downloads(keys)

    def _on_downloads(self, _keys: Keys) -> None:
        downloads, track = self.session.downloads, self.session.player.track
        self.query_one(DownloadButton).display = track is not None
        self.query_one(DownloadButton).download = downloads.item_state(track.id) if track else None
        upcoming = self.query_one(Upcoming)
        upcoming.rows = tuple((track, sm(downloads.item_state(track.id))[0]) for track, _ in upcoming.rows)
        self.query_one(QueueList).refresh_changed()

    async def _read_track(self, track: Track | None) -> None:
        cover, lyrics = self.query_one(Cover), self.query_one(LyricsView)
        lyrics.show(None)
        if track is None:
            cover.show(None)
            return
        path = None
        if track.image_item_id:
            path = await self.jellytui.ask("get_cover", item_id=track.image_item_id, tag=track.image_tag)
        cover.show(path)
        words: Lyrics | None = await self.jellytui.ask("get_lyrics", item_id=track.id)
        lyrics.show(words)
        lyrics.set_position(self.session.player.state.position_ms)

    async def _read_queue(self) -> None:
        tracks = await self.session.player.upcoming(NEXT_TRACKS)
        downloads = self.session.downloads
        self.query_one(Upcoming).rows = tuple((track, sm(downloads.item_state(track.id))[0]) for track in tracks)
        await self.query_one(QueueList).update()
