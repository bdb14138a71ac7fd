"""The library: artists, albums, tracks, playlists, favourites, and what is downloaded, always from the mirror."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import ClassVar

from textual.app import ComposeResult
from textual.worker import Worker

from jellytui.engine.models import Album, Artist, Item, Listing, Playlist, Track
from jellytui.tui.format import count, number
from jellytui.tui.keymap import bindings
from jellytui.tui.library.item_list import ItemList
from jellytui.tui.library.panes import LibraryPanes
from jellytui.tui.library.playing_side import PlayingSide
from jellytui.tui.library.views import View, neighbour, view_named
from jellytui.tui.screens.item_screen import ItemScreen
from jellytui.tui.stores.base import Keys
from jellytui.tui.stores.downloads import ROWS

PLAYED_AT_ONCE = 2_000
"""Tracks: of a longer list the queue gets those from the cursor on (a queue of 20,000 helps nobody, peers.md 3)."""

TYPED_AHEAD_SECONDS = 0.1

_COUNTED = {"artists": "artist", "albums": "album", "tracks": "track", "playlists": "playlist"}
"""What a phase of the sync reads."""


class LibraryScreen(ItemScreen):
    """Three panes at 80 columns, what plays beside them from 120 on, one pane below 70."""

    TAB = "library"
    HINTS: ClassVar[tuple[str, ...]] = (
        "play",
        "enqueue",
        "download",
        "favorite",
        "next_view",
        "search",
        "filter",
        "pane_right",
        "pane_left",
    )
    BINDINGS = bindings("library")

    def compose_middle(self) -> ComposeResult:
        yield LibraryPanes(self.session)

    def on_mount(self) -> None:
        self.follow(self.session.library, self._on_library)
        self.follow(self.session.connection, self._on_connection)
        self.follow(self.session.downloads, self._on_downloads)
        self.follow(self.session.player, self._on_player)
        self._say_why_empty()
        self.show_view(self.panes.view)

    @property
    def panes(self) -> LibraryPanes:
        """The lists."""
        return self.query_one(LibraryPanes)

    def current_item(self) -> Item | None:
        return self.panes.item

    async def settle(self) -> None:
        await self.panes.settle()

    # Views

    def show_view(self, view: View) -> None:
        """Shows another view of the library."""
        self.panes.set_view(view)
        self._say_why_empty()
        self._reload()

    def _reload(self) -> None:
        _: Worker[None] = self.run_worker(self.panes.reload, group="reload", exclusive=True, exit_on_error=False)

    async def open_item(self, item: Item) -> None:
        """Shows an item where it stands: an artist among the artists, a track in its album."""
        match item:
            case Artist():
                await self._open("artists", item)
            case Playlist():
                await self._open("playlists", item)
            case Album():
                await self._open("albums", item)
            case Track():
                album = await self.session.backend.views.item("album", item.album_id) if item.album_id else None
                if album is None:
                    await self._open("tracks", item)
                    return
                await self._open("albums", album)
                await self.panes.list_of("tracks").point_at(item)

    async def _open(self, view_name: str, item: Item) -> None:
        """Opens a view with the cursor of its first pane on an item, and goes on to what that holds."""
        self.panes.set_view(view_named(view_name))
        self._say_why_empty()
        await self.panes.reload()
        await self.panes.point_at(item)
        self.panes.step(1)

    # What changed

    def _on_library(self, keys: Keys) -> None:
        if "library" in keys:
            self._reload()
        if keys & {"library", "sync"}:
            self._say_why_empty()
        self.panes.refresh_changed()

    def _on_connection(self, _keys: Keys) -> None:
        self._say_why_empty()
        self.panes.refresh_changed()
        if self.session.connection.is_online:
            self.query_one(PlayingSide).update(frozenset({"track"}))  # its cover may have been out of reach

    def _on_downloads(self, keys: Keys) -> None:
        self.panes.refresh_changed()
        if ROWS in keys and self.panes.view.name == "downloaded":
            self._reload()

    def _on_player(self, keys: Keys) -> None:
        self.panes.refresh_changed()
        self.query_one(PlayingSide).update(keys)

    def _say_why_empty(self) -> None:
        """Teaches the next key, or says what the first sync is doing."""
        library, connection = self.session.library, self.session.connection
        text = self.panes.view.empty
        if library.is_empty:
            sync = library.sync
            if library.is_syncing and sync.total:
                total = count(sync.total, _COUNTED.get(sync.phase, "item"))
                text = f"Reading the library: {number(sync.done)} of {total}."
            elif library.is_syncing or sync.status == "never":
                text = f"Reading the library of {connection.server_name or 'the server'}."
            elif sync.problem is not None:
                text = f"{sync.problem.text} u tries again."
            if not connection.is_online and connection.state.reason:
                text = connection.state.reason
        self.panes.set_empty_text(text)

    # Playing

    def play_current(self) -> None:
        self.act(self._play)

    def on_virtual_list_chosen(self) -> None:
        self.play_current()

    async def _play(self, item: Item) -> None:
        """Plays an artist, album or playlist whole; a track with the list that the cursor stands in, from there on."""
        if isinstance(item, Track):
            await self._play_from(item, self.panes.list)
        else:
            await self.play_whole(item)

    async def _play_from(self, track: Track, tracks: ItemList) -> None:
        at, total, listing = tracks.item_number, tracks.item_count, tracks.listing
        match listing:
            case Listing(scope="album", query=""):
                await self.jellytui.ask("play_album", album_id=listing.parent, start_track_id=track.id)
                return
            case Listing(scope="playlist", query=""):
                await self.jellytui.ask("play_playlist", playlist_id=listing.parent, start_index=at)
                return
        first = 0 if total <= PLAYED_AT_ONCE else min(at, total - PLAYED_AT_ONCE)
        items = await tracks.items_from(first, PLAYED_AT_ONCE)
        ids = [item.id for item in items]
        start = ids.index(track.id) if track.id in ids else 0
        await self.jellytui.ask("play_items", item_ids=ids, start_index=start)
        if total > PLAYED_AT_ONCE:
            self.jellytui.say(f"Playing from here: {number(PLAYED_AT_ONCE)} of {count(total, 'track')}.")

    # Actions

    def action_next_view(self) -> None:
        self.show_view(neighbour(self.panes.view, 1))

    def action_previous_view(self) -> None:
        self.show_view(neighbour(self.panes.view, -1))

    def action_view_artists(self) -> None:
        self.show_view(view_named("artists"))

    def action_view_albums(self) -> None:
        self.show_view(view_named("albums"))

    def action_view_tracks(self) -> None:
        self.show_view(view_named("tracks"))

    def action_view_playlists(self) -> None:
        self.show_view(view_named("playlists"))

    def action_view_favorites(self) -> None:
        self.show_view(view_named("favorites"))

    def action_view_downloaded(self) -> None:
        self.show_view(view_named("downloaded"))

    def action_filter(self) -> None:
        self.panes.start_filter()

    def action_pane_left(self) -> None:
        """Drops the filter, else goes to the pane before, else shows a view's own lists again."""
        if self.panes.has_filter:
            self.run_worker(self.panes.drop_filter(), group="back", exit_on_error=False)
        elif not self.panes.step(-1):
            self.run_worker(self.panes.close_opened(), group="back", exit_on_error=False)

    async def action_pane_right(self) -> None:
        self.panes.open_current()
        # Keys typed ahead are about what the pane is going to show, unless that takes too long.
        with suppress(TimeoutError):
            async with asyncio.timeout(TYPED_AHEAD_SECONDS):
                await self.panes.settle()

    def action_next_pane(self) -> None:
        self.panes.step(1, is_round=True)

    def action_previous_pane(self) -> None:
        self.panes.step(-1, is_round=True)
