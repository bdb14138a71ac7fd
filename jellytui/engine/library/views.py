"""LibraryViews: the library's pages, read from SQLite only, so that they work with the server gone."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from jellytui.engine.library.listing import row_ids_sql
from jellytui.engine.library.search import TABLES, best_matches
from jellytui.engine.models import Album, Artist, Item, ItemType, Listing, Playlist, SearchResults, Track
from jellytui.engine.storage.database import Reader

T = TypeVar("T")

_TYPES: dict[ItemType, type[Item]] = {"track": Track, "album": Album, "artist": Artist, "playlist": Playlist}
# What is not in `body`: it changes by listening, or is counted.
_COLUMNS: dict[ItemType, str] = {
    "track": "i.play_count, i.last_played_at",
    "album": """(SELECT count(*) FROM tracks t WHERE t.album_id = i.id) AS track_count,
        (SELECT coalesce(sum(t.duration_ms), 0) FROM tracks t WHERE t.album_id = i.id) AS duration_ms""",
    "artist": """(SELECT count(*) FROM track_artists c WHERE c.artist_id = i.id) AS track_count,
        (SELECT count(DISTINCT c.album_id) FROM track_artists c WHERE c.artist_id = i.id) AS album_count""",
    "playlist": """(SELECT count(*) FROM playlist_entries e CROSS JOIN tracks t ON t.id = e.track_id
            WHERE e.playlist_id = i.id) AS track_count,
        (SELECT coalesce(sum(t.duration_ms), 0) FROM playlist_entries e CROSS JOIN tracks t ON t.id = e.track_id
            WHERE e.playlist_id = i.id) AS duration_ms""",
}


class LibraryViews:
    """Implements backend.Views, and what engine and commands read of the mirror besides. Needs only the file's path."""

    def __init__(self, path: Path) -> None:
        # Two readers: a page of rows never waits behind the ids of a long list.
        self._lists = _Interruptible(Reader(path))
        self._pages = _Interruptible(Reader(path))

    async def row_ids(self, listing: Listing) -> array[int]:
        """The row ids of a listing in its order. Cancelling the caller breaks the query off.

        Raises UsageError for a scope that the kind does not have.
        """
        sql, parameters = row_ids_sql(listing)
        return await self._lists.run(lambda connection: _ids(connection, sql, parameters))

    async def rows(self, kind: ItemType, row_ids: Sequence[int]) -> list[Item | None]:
        """The items of these row ids in their order; None where a row is gone."""
        sql, wanted = rows_sql(kind, "row_id"), json.dumps(list(row_ids))
        return await self._pages.run(lambda connection: _items(connection, kind, sql, wanted))

    async def item(self, kind: ItemType, item_id: str) -> Item | None:
        """One item by its Jellyfin id."""
        return (await self._by_ids(kind, [item_id]))[0]

    async def row_id(self, kind: ItemType, item_id: str) -> int | None:
        """The row id of an item."""
        sql = f"SELECT i.row_id FROM {TABLES[kind]} i WHERE i.id = :id"  # noqa: S608
        found = await self._pages.run(lambda connection: _ids(connection, sql, {"id": item_id}))
        return found[0] if found else None

    async def search(self, query: str, limit: int) -> SearchResults:
        """The best matches by kind, at most `limit` of each. Cancelling the caller breaks it off."""

        def work(connection: sqlite3.Connection) -> dict[ItemType, tuple[Any, ...]]:
            return {kind: _best(connection, kind, query, limit) for kind in TABLES}

        found = await self._lists.run(work)
        return SearchResults(
            artists=found["artist"], albums=found["album"], tracks=found["track"], playlists=found["playlist"]
        )

    async def tracks(self, ids: Sequence[str]) -> list[Track]:
        """The tracks of these ids in their order; those that the mirror does not hold are left out."""
        return [track for track in await self._by_ids("track", ids) if isinstance(track, Track)]

    async def tracks_of_album(self, album_id: str) -> list[Track]:
        """An album's tracks by disc and number."""
        return await self.tracks_of(Listing(kind="track", scope="album", parent=album_id))

    async def tracks_of_artist(self, artist_id: str) -> list[Track]:
        """All tracks by an artist, and those of his albums, album by album."""
        return await self.tracks_of(Listing(kind="track", scope="artist", parent=artist_id))

    async def tracks_of_playlist(self, playlist_id: str) -> list[Track]:
        """A playlist's tracks in its own order, duplicates kept."""
        return await self.tracks_of(Listing(kind="track", scope="playlist", parent=playlist_id))

    async def favorite_tracks(self) -> list[Track]:
        """All favourite tracks."""
        return await self.tracks_of(Listing(kind="track", scope="favorites"))

    async def tracks_of(self, listing: Listing) -> list[Track]:
        """The tracks of a listing, all at once."""
        rows = await self.rows("track", await self.row_ids(listing))
        return [track for track in rows if isinstance(track, Track)]

    async def close(self) -> None:
        """Breaks off what runs and closes the connections."""
        await asyncio.gather(self._lists.close(), self._pages.close())

    async def _by_ids(self, kind: ItemType, ids: Sequence[str]) -> list[Item | None]:
        sql, wanted = rows_sql(kind, "id"), json.dumps(list(ids))
        return await self._pages.run(lambda connection: _items(connection, kind, sql, wanted))


class _Interruptible:
    """A reader whose work is broken off when its caller is cancelled (textual.md 3.5)."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._running: object = None
        self._is_closed = False

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        token = object()

        def marked(connection: sqlite3.Connection) -> T:
            self._running = token
            try:
                return work(connection)
            finally:
                self._running = None

        while True:
            try:
                return await self._reader.run(marked)
            except asyncio.CancelledError:
                if self._running is token:
                    self._reader.interrupt()
                raise
            except sqlite3.OperationalError as error:
                if "interrupted" not in str(error):
                    raise
                if self._is_closed:
                    raise asyncio.CancelledError from error
                # Meant for the work before this one, which had just ended: once more.

    async def close(self) -> None:
        self._is_closed = True
        await self._reader.close()


def rows_sql(kind: ItemType, key: str) -> str:
    """The statement for the items whose `key` (id or row_id) stands in the JSON array `:wanted`, in its order."""
    return f"""SELECT i.row_id, i.body, f.item_id IS NOT NULL AS is_favorite, {_COLUMNS[kind]}
        FROM json_each(:wanted) w LEFT JOIN {TABLES[kind]} i ON i.{key} = w.value
        LEFT JOIN favorites f ON f.item_id = i.id ORDER BY w.key"""  # noqa: S608


def _ids(connection: sqlite3.Connection, sql: str, parameters: dict[str, Any]) -> array[int]:
    """Built here, in the reader's thread, so that the loop does not stand still for a long list."""
    cursor = connection.cursor()
    cursor.row_factory = None
    return array("q", [row_id for (row_id,) in cursor.execute(sql, parameters)])


def _items(connection: sqlite3.Connection, kind: ItemType, sql: str, wanted: str) -> list[Item | None]:
    decoder = msgspec.json.Decoder(_TYPES[kind])
    return [_item(row, decoder) for row in connection.execute(sql, {"wanted": wanted})]


def _item(row: sqlite3.Row, decoder: msgspec.json.Decoder[Item]) -> Item | None:
    if row["row_id"] is None:
        return None
    facts = {name: row[name] for name in row.keys()[3:]}
    return msgspec.structs.replace(decoder.decode(row["body"]), is_favorite=bool(row["is_favorite"]), **facts)


def _best(connection: sqlite3.Connection, kind: ItemType, query: str, limit: int) -> tuple[Item, ...]:
    plan = best_matches(kind, query)
    if plan is None:
        return ()
    sql, parameters = plan
    wanted = json.dumps(list(_ids(connection, sql, {**parameters, "limit": limit})))
    items = _items(connection, kind, rows_sql(kind, "row_id"), wanted)
    return tuple(item for item in items if item is not None)
