"""The sync's own few facts in SQLite: what is finished, how far an unfinished sync is, the mirror's version."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from jellytui.engine.events import LibraryState
from jellytui.engine.storage.database import Database, Transaction

VERSION = "version"
"""Grows with every change of the mirror."""
FINISHED_AT = "finished_at"
FULL_AT = "full_at"
"""When the last full sync ended."""
WATERMARK = "watermark"
"""The server's own time since which the next sync asks for changes."""
BEGUN_AT = "begun_at"
"""When the unfinished full sync began; missing when there is none."""
NEXT_WATERMARK = "next_watermark"
"""What the unfinished full sync will leave as the watermark."""


class Place(Struct, frozen=True):
    """How far a list is read; `total` is what the server said at its first page, None before that."""

    next_index: int = 0
    total: int | None = None
    is_done: bool = False


async def read(reader: Database | Transaction, name: str) -> str | None:
    """One fact, None when it is not known."""
    row = await reader.fetch_one("SELECT value FROM sync_state WHERE name = ?", (name,))
    return None if row is None else str(row["value"])


async def write(transaction: Transaction, facts: dict[str, str | None]) -> None:
    """Sets facts; None forgets one."""
    await transaction.execute_many(
        "INSERT INTO sync_state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [(name, value) for name, value in facts.items() if value is not None],
    )
    await transaction.execute_many(
        "DELETE FROM sync_state WHERE name = ?", [(name,) for name, value in facts.items() if value is None]
    )


async def grow_version(transaction: Transaction) -> None:
    """Says that the mirror changed."""
    await transaction.execute(
        """INSERT INTO sync_state (name, value) VALUES (?, '1')
            ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1""",
        (VERSION,),
    )


async def library_state(database: Database) -> LibraryState:
    """The mirror's version and size."""
    row = await database.fetch_one(
        """SELECT (SELECT count(*) FROM tracks) AS tracks, (SELECT count(*) FROM albums) AS albums,
            (SELECT count(*) FROM artists) AS artists, (SELECT count(*) FROM playlists) AS playlists"""
    )
    version = await read(database, VERSION)
    return LibraryState(version=int(version or 0), **(dict(row) if row else {}))


async def place(database: Database, library_id: str, kind: str) -> Place:
    """How far an unfinished full sync has read a list."""
    row = await database.fetch_one(
        "SELECT next_index, total, is_done FROM sync_listings WHERE library_id = ? AND kind = ?", (library_id, kind)
    )
    return Place() if row is None else Place(row["next_index"], row["total"], bool(row["is_done"]))


async def keep_place(transaction: Transaction, library_id: str, kind: str, reached: Place) -> None:
    """Remembers how far a list is read, in the transaction that stores what was read."""
    await transaction.execute(
        """INSERT INTO sync_listings (library_id, kind, next_index, total, is_done) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (library_id, kind) DO UPDATE
            SET next_index = excluded.next_index, total = excluded.total, is_done = excluded.is_done""",
        (library_id, kind, reached.next_index, reached.total or 0, reached.is_done),
    )


async def keep_seen(transaction: Transaction, library_id: str, track_ids: Iterable[str]) -> None:
    """Remembers which tracks the unfinished full sync has met."""
    await transaction.execute_many(
        "INSERT OR IGNORE INTO sync_seen (library_id, track_id) VALUES (?, ?)",
        [(library_id, track_id) for track_id in track_ids],
    )


async def seen_count(transaction: Transaction, library_id: str) -> int:
    """How many tracks of a library the unfinished full sync has met."""
    row = await transaction.fetch_one("SELECT count(*) FROM sync_seen WHERE library_id = ?", (library_id,))
    return int(row[0]) if row else 0


async def has_seen_any(transaction: Transaction) -> bool:
    """Whether the unfinished full sync has met a single track."""
    return await transaction.fetch_one("SELECT 1 FROM sync_seen LIMIT 1") is not None


async def forget_listing(transaction: Transaction, library_id: str, kind: str) -> None:
    """Lets a list be read from its beginning again."""
    await transaction.execute("DELETE FROM sync_listings WHERE library_id = ? AND kind = ?", (library_id, kind))
    await transaction.execute("DELETE FROM sync_seen WHERE library_id = ?", (library_id,))


async def forget_listings(transaction: Transaction) -> None:
    """Forgets the unfinished full sync: it is done, or another one begins."""
    await transaction.execute("DELETE FROM sync_listings")
    await transaction.execute("DELETE FROM sync_seen")
