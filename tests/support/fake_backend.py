"""A Backend in memory: views over lists of models, calls recorded, events pushed by the test."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from types import TracebackType
from typing import Any

import msgspec

from jellytui.engine.commands import registry
from jellytui.engine.errors import JellytuiError
from jellytui.engine.events import ConnectionState, Event, FavoriteState, LibraryState, StateEvent, SyncState
from jellytui.engine.models import (
    Account,
    Album,
    Artist,
    DownloadInfo,
    DownloadsSummary,
    Item,
    ItemType,
    Listing,
    Lyrics,
    Playlist,
    QueuePage,
    SearchResults,
    Track,
)

ACCOUNT = Account(
    server_url="http://attic:8096",
    server_id="server",
    server_name="attic",
    server_version="10.11.0",
    user_id="user",
    user_name="ana",
    device_id="device",
)


class FakeStream:
    """Events pushed by the test, states conflated by key, the retained ones first."""

    def __init__(self, kinds: tuple[type[Event], ...] | None, on_close: Callable[[FakeStream], None]) -> None:
        self.kinds = kinds
        self._waiting: dict[object, Event] = {}
        self._arrived = asyncio.Event()
        self._is_closed = False
        self._on_close = on_close

    def accept(self, event: Event) -> None:
        if self.kinds is not None and not isinstance(event, self.kinds):
            return
        self._waiting[event.key if isinstance(event, StateEvent) else object()] = event
        self._arrived.set()

    async def batch(self) -> list[Event]:
        await self._arrived.wait()
        events = list(self._waiting.values())
        self._waiting.clear()
        if not self._is_closed:
            self._arrived.clear()
        return events

    async def __aiter__(self) -> AsyncIterator[Event]:
        while events := await self.batch():
            for event in events:
                yield event

    async def __aenter__(self) -> FakeStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._is_closed = True
        self._arrived.set()
        self._on_close(self)


class FakeViews:
    """Listings over lists; a row id is the index in the list of its kind."""

    def __init__(self, items: dict[ItemType, list[Any]], playlist_tracks: dict[str, list[str]]) -> None:
        self.items = items
        self.playlist_tracks = playlist_tracks
        self.downloaded: set[str] = set()
        self.rows_asked = 0

    async def row_ids(self, listing: Listing) -> array[int]:
        await asyncio.sleep(0)
        rows = self.items[listing.kind]
        if listing.scope == "playlist":
            by_id = {track.id: index for index, track in enumerate(rows)}
            return array("q", [by_id[track_id] for track_id in self.playlist_tracks[listing.parent]])
        words = listing.query.casefold().split()
        return array(
            "q",
            [
                index
                for index, item in enumerate(rows)
                if self._is_in(item, listing) and all(word in _text(item) for word in words)
            ],
        )

    async def rows(self, kind: ItemType, row_ids: Sequence[int]) -> list[Item | None]:
        await asyncio.sleep(0)
        self.rows_asked += len(row_ids)
        rows = self.items[kind]
        return [rows[row_id] if 0 <= row_id < len(rows) else None for row_id in row_ids]

    async def item(self, kind: ItemType, item_id: str) -> Item | None:
        return next((item for item in self.items[kind] if item.id == item_id), None)

    async def row_id(self, kind: ItemType, item_id: str) -> int | None:
        return next((index for index, item in enumerate(self.items[kind]) if item.id == item_id), None)

    def _is_in(self, item: Any, listing: Listing) -> bool:
        match listing.scope:
            case "artist":
                return listing.parent in item.artist_ids
            case "album":
                return bool(item.album_id == listing.parent)
            case "favorites":
                return bool(item.is_favorite)
            case "downloaded":
                return item.id in self.downloaded
        return True


class FakeBackend:
    """`calls` holds what was asked; `answers` maps a command to its result, an error to raise or a function.

    What the engine's registry would refuse fails the test: an unknown command, arguments that it does not take.
    """

    def __init__(
        self,
        *,
        artists: Iterable[Artist] = (),
        albums: Iterable[Album] = (),
        tracks: Iterable[Track] = (),
        playlists: Iterable[Playlist] = (),
        playlist_tracks: dict[str, list[str]] | None = None,
        account: Account = ACCOUNT,
    ) -> None:
        items: dict[ItemType, list[Any]] = {
            "artist": list(artists),
            "album": list(albums),
            "track": list(tracks),
            "playlist": list(playlists),
        }
        self.account = account
        self.views = FakeViews(items, playlist_tracks or {})
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.downloads: list[DownloadInfo] = []
        self.is_closed = False
        self.answers: dict[str, Any] = {
            "get_downloads": lambda user_id, status_filter=None: [
                row for row in self.downloads if status_filter in (None, row.status)
            ],
            "get_downloads_summary": DownloadsSummary(),
            "get_queue": lambda start=0, limit=200: QueuePage(
                version=0, start=start, length=0, current_index=None, entries=()
            ),
            "get_cover": None,
            "get_lyrics": lambda item_id: Lyrics(item_id=item_id),
            "search_library": self._search,
            "set_favorite": self._set_favorite,
        }
        self._registry = registry()
        self._streams: list[FakeStream] = []
        self._retained: dict[str, Event] = {}
        self.push(ConnectionState(status="online", server_name=account.server_name))
        self.push(
            LibraryState(
                version=1,
                tracks=len(items["track"]),
                albums=len(items["album"]),
                artists=len(items["artist"]),
                playlists=len(items["playlist"]),
            ),
            SyncState(status="done", finished_at="2026-01-02T03:04:05Z"),
        )

    async def call(self, name: str, /, **arguments: Any) -> Any:
        msgspec.convert(arguments, self._registry[name].arguments)
        self.calls.append((name, arguments))
        answer = self.answers.get(name)
        if isinstance(answer, JellytuiError):
            raise answer
        result = answer(**arguments) if callable(answer) else answer
        return await result if asyncio.iscoroutine(result) else result

    def called(self, name: str) -> list[dict[str, Any]]:
        """The arguments of each call of one command."""
        return [arguments for called, arguments in self.calls if called == name]

    def events(self, kinds: Iterable[type[Event]] | None = None) -> FakeStream:
        stream = FakeStream(None if kinds is None else tuple(kinds), self._forget)
        for event in self._retained.values():
            stream.accept(event)
        self._streams.append(stream)
        return stream

    def push(self, *events: Event) -> None:
        """Publishes events, as the engine would."""
        for event in events:
            if isinstance(event, StateEvent) and event.retained:
                self._retained[event.key] = event
            for stream in self._streams:
                stream.accept(event)

    async def close(self) -> None:
        self.is_closed = True
        for stream in list(self._streams):
            stream.close()

    def _forget(self, stream: FakeStream) -> None:
        if stream in self._streams:
            self._streams.remove(stream)

    def _search(self, query: str, limit: int = 50) -> SearchResults:
        words = query.casefold().split()

        def found(kind: ItemType) -> tuple[Any, ...]:
            return tuple(item for item in self.views.items[kind] if all(word in _text(item) for word in words))[:limit]

        return SearchResults(
            artists=found("artist"), albums=found("album"), tracks=found("track"), playlists=found("playlist")
        )

    def _set_favorite(self, item_id: str, is_favorite: bool) -> bool:
        self.push(FavoriteState(item_id=item_id, is_favorite=is_favorite))
        return is_favorite


def _text(item: Item) -> str:
    return " ".join((item.name, item.album, *item.artists)).casefold()
