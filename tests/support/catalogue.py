"""A server's catalogue in memory, with the methods of JellyfinClient that the library uses, and faults on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from email.utils import format_datetime
from typing import Any, TypeVar

import msgspec

from jellytui.engine.clock import Clock
from jellytui.engine.errors import JellytuiError, NotFoundError, ServerError
from jellytui.engine.events import SyncState
from jellytui.engine.jellyfin.records import Library, Page, PlaylistEntry, UserData
from jellytui.engine.library.syncing.sync import LibrarySync
from jellytui.engine.models import Album, Artist, Lyrics, Playlist, Track

T = TypeVar("T")

MUSIC = "library"


class CatalogueInMemory:
    """`calls` holds what was asked; `before` is run ahead of each call and may raise or change what is there; a page
    of tracks takes `pace_s` of the clock."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.libraries = [Library(MUSIC, "Music")]
        self.tracks: dict[str, list[Track]] = {MUSIC: []}
        self.albums: list[Album] = []
        self.artists: list[Artist] = []
        self.lists: list[tuple[Playlist, list[str]]] = []
        self.favorites: set[str] = set()
        self.saved_at: dict[str, str] = {}
        self.user_data_of: dict[str, UserData] = {}
        self.words: dict[str, Lyrics] = {}
        self.images: dict[tuple[str, str], bytes] = {}
        self.broken_tracks: set[str] = set()
        self.pace_s = 0.0
        self.date: str | None = None
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.before: Callable[[str, tuple[Any, ...]], None] = lambda name, arguments: None

    def asked(self, name: str) -> list[tuple[Any, ...]]:
        """The arguments of each call of one method."""
        return [arguments for called, arguments in self.calls if called == name]

    async def music_libraries(self) -> list[Library]:
        self._hear("music_libraries")
        return self.libraries

    async def tracks_page(
        self, library_id: str, start: int, limit: int, *, with_total: bool, saved_since: str | None = None
    ) -> Page[Track]:
        self._hear("tracks_page", library_id, start, limit, saved_since)
        await self.clock.sleep(self.pace_s)
        page = self._page(self._since(self.tracks[library_id], saved_since), start, limit, with_total)
        if any(track.id in self.broken_tracks for track in page.items):
            raise ServerError("music answered with an error (500). Its log says more.")
        return page

    async def albums_page(
        self, library_id: str, start: int, limit: int, *, with_total: bool, saved_since: str | None = None
    ) -> Page[Album]:
        self._hear("albums_page", library_id, start, limit, saved_since)
        return self._page(self._since(self.albums, saved_since), start, limit, with_total)

    async def artists_page(self, library_id: str, start: int, limit: int, *, with_total: bool) -> Page[Artist]:
        self._hear("artists_page", library_id, start, limit)
        return self._page(self.artists, start, limit, with_total)

    async def playlists(self) -> list[Playlist]:
        self._hear("playlists")
        return [playlist for playlist, _ in self.lists]

    async def playlist_entries(self, playlist_id: str) -> list[PlaylistEntry]:
        self._hear("playlist_entries", playlist_id)
        ids = next(ids for playlist, ids in self.lists if playlist.id == playlist_id)
        return [PlaylistEntry(entry_id=track_id, track_id=track_id) for track_id in ids]

    async def favorite_ids(self) -> frozenset[str]:
        self._hear("favorite_ids")
        return frozenset(self.favorites)

    async def set_favorite(self, item_id: str, is_favorite: bool) -> None:
        self._hear("set_favorite", item_id, is_favorite)
        (self.favorites.add if is_favorite else self.favorites.discard)(item_id)

    async def user_data(self, item_id: str) -> UserData:
        self._hear("user_data", item_id)
        return self._user_data(item_id)

    async def mark_played(self, item_id: str, played_at: str) -> None:
        self._hear("mark_played", item_id, played_at)
        self.count(item_id, played_at)

    async def set_last_played(self, item_id: str, played_at: str) -> None:
        self._hear("set_last_played", item_id, played_at)
        data = self._user_data(item_id)
        self.user_data_of[item_id] = msgspec.structs.replace(data, last_played_at=played_at)

    async def lyrics(self, item_id: str) -> Lyrics:
        self._hear("lyrics", item_id)
        return self.words.get(item_id, Lyrics(item_id=item_id))

    async def image(self, item_id: str, tag: str, size_px: int) -> bytes:
        self._hear("image", item_id, tag, size_px)
        if (item_id, tag) not in self.images:
            raise NotFoundError("music does not have that (any more).")
        return self.images[item_id, tag]

    def count(self, item_id: str, played_at: str) -> None:
        """One play more, as the server counts it."""
        data = self._user_data(item_id)
        self.user_data_of[item_id] = msgspec.structs.replace(
            data, play_count=data.play_count + 1, last_played_at=played_at, is_played=True
        )

    def _user_data(self, item_id: str) -> UserData:
        if not any(track.id == item_id for tracks in self.tracks.values() for track in tracks):
            raise NotFoundError("music does not have that (any more).")
        return self.user_data_of.get(item_id, UserData(item_id=item_id))

    def _since(self, items: Iterable[Any], since: str | None) -> list[Any]:
        return [item for item in items if since is None or self.saved_at.get(item.id, "") >= since]

    def _page(self, items: Sequence[T], start: int, limit: int, with_total: bool) -> Page[T]:
        date = self.date or format_datetime(self.clock.now(), usegmt=True)
        return Page(tuple(items[start : start + limit]), len(items) if with_total else None, date)

    def _hear(self, name: str, *arguments: Any) -> None:
        self.calls.append((name, arguments))
        self.before(name, arguments)


class LinkInMemory:
    """A connection that the test switches; `failures` holds what it was told."""

    def __init__(self, *, is_online: bool = True) -> None:
        self.is_online = is_online
        self.failures: list[JellytuiError] = []

    async def wait_online(self) -> None:
        import asyncio

        while not self.is_online:
            await asyncio.sleep(0.001)

    def report_failure(self, error: JellytuiError) -> None:
        self.failures.append(error)
        self.is_online = False

    def report_success(self) -> None:
        self.is_online = True


def artist(name: str, **more: Any) -> Artist:
    """An artist whose id is made of his name."""
    return Artist(**{"id": f"artist-{name}", "name": name, **more})


def album(name: str, by: str = "Ana", **more: Any) -> Album:
    """An album whose id is made of its name."""
    return Album(
        **{
            "id": f"album-{name}",
            "name": name,
            "album": name,
            "artists": (by,),
            "artist_ids": (f"artist-{by}",),
            **more,
        }
    )


def track(name: str, of: str = "First", by: str = "Ana", **more: Any) -> Track:
    """A track of an album by an artist; its id is made of its name."""
    usual: dict[str, Any] = {
        "id": f"track-{name}",
        "name": name,
        "album": of,
        "album_id": f"album-{of}",
        "artists": (by,),
        "artist_ids": (f"artist-{by}",),
        "album_artist": by,
        "album_artist_id": f"artist-{by}",
        "disc": 1,
        "duration_ms": 180_000,
    }
    return Track(**{**usual, **more})


async def synced(sync: LibrarySync, *, full: bool = False) -> SyncState:
    """Asks for a round and waits until it ends; how it ended stands in the state's status and problem."""
    sync.request(full)
    return await sync.wait()
