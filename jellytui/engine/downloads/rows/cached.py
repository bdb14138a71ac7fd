"""Reads of the downloads table for the cache: what it holds, what may go, and what it remembers of plays and evictions.

Sums over the whole table run on a reader of their own, so that they hold up no download's write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jellytui.engine.clock import timestamp
from jellytui.engine.models import CACHE_WANTS, DownloadStatus, Origin
from jellytui.engine.storage.database import Database, Reader

_IS_USERS = """EXISTS (SELECT 1 FROM wants w WHERE w.download_id = d.id
    AND w.wanted_by NOT IN ('stream', 'queue', 'album'))"""
_OLD = "(CASE WHEN d.status <> 'completed' AND d.completed_at IS NOT NULL THEN d.replaced_size ELSE 0 END)"
"""The file that plays until its successor is here."""
_HERE = f"""({_OLD} + CASE WHEN d.status = 'completed' THEN coalesce(d.file_size, d.bytes_downloaded)
    ELSE d.bytes_downloaded END)"""
_BLOCK_BYTES = 4096
_BLOCKS = f"(({_HERE} + {_BLOCK_BYTES - 1}) / {_BLOCK_BYTES} * {_BLOCK_BYTES})"
"""A file takes whole blocks of the disk."""

_COLUMNS = f"""d.id, d.item_id, d.name, d.status, d.priority, d.last_access, {_BLOCKS} AS here, {_OLD} AS old,
    coalesce(d.file_size, d.expected_size, 0) AS expected, d.duration_ms, d.container,
    (SELECT group_concat(w.wanted_by, char(10)) FROM wants w WHERE w.download_id = d.id) AS wanted_by"""  # noqa: S608 - made of the constants above

_ORDER = "d.status = 'completed', d.last_access, d.completed_at, d.id"
"""The first to go first."""

_BATCH = 500
_CACHE_WANTS = frozenset(CACHE_WANTS)

_BITS_PER_MS = {"flac": 1000, "alac": 1000, "wav": 1411, "aiff": 1411, "aif": 1411, "ape": 900, "wv": 900, "dsf": 5645}
_LOSSY_BITS_PER_MS = 256


@dataclass(frozen=True, kw_only=True)
class CachedRow:
    """One download as the cache sees it; sizes in bytes."""

    download_id: int
    item_id: str
    name: str = ""
    status: DownloadStatus = "completed"
    priority: int = 0
    bytes_here: int = 0
    """On the disk now, the `.part` included, and the file that is to be replaced."""
    bytes_replaced: int = 0
    """Of these, that file's."""
    bytes_expected: int = 0
    """What the whole file takes, as far as known."""
    last_access: int = 0
    """Grows with each play; 0 for what was never played."""
    wanted_by: frozenset[str] = frozenset()

    @property
    def is_users(self) -> bool:
        """Whether somebody wants it who is not the cache."""
        return not self.wanted_by <= _CACHE_WANTS

    @property
    def is_coming(self) -> bool:
        """Whether it is queued or on its way: that counts as stock."""
        return self.status in ("pending", "downloading")

    @property
    def is_left(self) -> bool:
        """Whether a listener left it early and nobody wants it now; what the user has paused keeps its wants."""
        return self.status == "paused" and not self.wanted_by

    @property
    def is_stock(self) -> bool:
        """Whether it is here or will be."""
        return self.status == "completed" or self.is_coming

    @property
    def bytes_reserved(self) -> int:
        """What its download will still write."""
        return max(0, self.bytes_expected + self.bytes_replaced - self.bytes_here) if self.is_coming else 0


@dataclass(frozen=True)
class Use:
    """How much of the disk one origin takes."""

    origin: Origin
    files: int
    size: int


class CachedRows:
    """The cache's view of the database. Close it at the end."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reader = Reader(database.path.absolute())

    async def close(self) -> None:
        """Lets go of the reader."""
        await self._reader.close()

    async def used_bytes(self) -> int:
        """Bytes on the disk that only the cache wants, unfinished downloads included."""
        sql = f"SELECT total({_BLOCKS}) FROM downloads d WHERE NOT {_IS_USERS}"  # noqa: S608
        return int((await self._all(sql))[0][0])

    async def users_bytes(self) -> int:
        """Bytes that the user's own downloads will still write, as far as their sizes are known."""
        sql = f"""SELECT total(max(0, coalesce(d.file_size, d.expected_size, 0) - d.bytes_downloaded)) FROM downloads d
            WHERE d.status IN ('pending', 'downloading') AND {_IS_USERS}"""  # noqa: S608
        return int((await self._all(sql))[0][0])

    async def uses(self) -> list[Use]:
        """Files and bytes by who asked first; whatever a user wants counts as his."""
        rows = await self._all(f"""
            SELECT CASE WHEN {_IS_USERS} THEN 'user' WHEN d.origin = 'user' THEN 'stream' ELSE d.origin END AS whose,
                   count(*) AS files, total({_BLOCKS}) AS size
            FROM downloads d WHERE {_HERE} > 0 GROUP BY 1
        """)  # noqa: S608
        return [Use(row["whose"], row["files"], int(row["size"])) for row in rows]

    async def of_items(self, item_ids: Iterable[str]) -> dict[str, CachedRow]:
        """The rows of these items, by item id."""
        wanted, found = list(dict.fromkeys(item_ids)), {}
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            sql = f"SELECT {_COLUMNS} FROM downloads d WHERE d.item_id IN ({_marks(batch)})"  # noqa: S608
            found.update({row.item_id: row for row in map(_cached, await self._all(sql, batch))})
        return found

    async def unfinished(self) -> dict[str, CachedRow]:
        """What the cache has queued, is fetching, or has of broken off downloads, by item id."""
        sql = f"""SELECT {_COLUMNS} FROM downloads d
            WHERE d.status IN ('pending', 'downloading', 'paused', 'failed') AND (NOT {_IS_USERS}
               OR EXISTS (SELECT 1 FROM wants w WHERE w.download_id = d.id AND w.wanted_by = 'queue'))"""  # noqa: S608
        return {row.item_id: row for row in map(_cached, await self._all(sql))}

    async def evictable(self, enough_bytes: int) -> list[CachedRow]:
        """What holds bytes, is not on its way and only the cache wants: broken off ones, then by last access; so many
        that they make up those bytes, for a full cache has very many."""
        sql = f"""SELECT {_COLUMNS} FROM downloads d JOIN (
                SELECT d.id, sum({_BLOCKS}) OVER (ORDER BY {_ORDER} ROWS UNBOUNDED PRECEDING) AS sum
                FROM downloads d WHERE d.status NOT IN ('pending', 'downloading') AND NOT {_IS_USERS} AND {_HERE} > 0
            ) AS goer USING (id) WHERE goer.sum - {_BLOCKS} < ? ORDER BY goer.sum"""  # noqa: S608
        return [_cached(row) for row in await self._all(sql, (enough_bytes,))]

    # What is remembered

    async def record_play(self, album_id: str, item_id: str, now: datetime) -> None:
        """A track of an album was really played: that counts towards the album, and the track may be fetched again."""
        async with self._database.transaction() as tx:
            if album_id:
                await tx.execute(
                    """INSERT INTO album_plays (album_id, item_id, played_at) VALUES (?, ?, ?)
                       ON CONFLICT DO UPDATE SET played_at = excluded.played_at""",
                    (album_id, item_id, timestamp(now)),
                )
            await tx.execute("DELETE FROM evictions WHERE item_id = ?", (item_id,))

    async def distinct_played(self, album_id: str, since: datetime) -> int:
        """How many tracks of an album were played since then."""
        sql = "SELECT count(*) FROM album_plays WHERE album_id = ? AND played_at >= ?"
        return int((await self._all(sql, (album_id, timestamp(since))))[0][0])

    async def forget(self, *, plays_before: datetime, evictions_before: datetime) -> None:
        """Drops what no decision asks for any more."""
        async with self._database.transaction() as tx:
            await tx.execute("DELETE FROM album_plays WHERE played_at < ?", (timestamp(plays_before),))
            await tx.execute("DELETE FROM evictions WHERE evicted_at < ?", (timestamp(evictions_before),))

    async def evicted(self, now: datetime, within: timedelta) -> frozenset[str]:
        """What was removed within that time and not played since; a time to come is a clock set back, and counts."""
        sql = "SELECT item_id FROM evictions WHERE evicted_at > ?"
        return frozenset(row[0] for row in await self._all(sql, (timestamp(now - within),)))

    async def add_to(self, name: str, amount: int) -> None:
        """Raises one of the cache's counters."""
        await self._database.execute(
            """INSERT INTO downloads_state VALUES (?, ?)
               ON CONFLICT DO UPDATE SET value = CAST(CAST(value AS INTEGER) + ? AS TEXT)""",
            (name, str(amount), amount),
        )

    async def counter(self, name: str) -> int:
        """One of the cache's counters, 0 at first."""
        rows = await self._all("SELECT value FROM downloads_state WHERE name = ?", (name,))
        return int(rows[0][0]) if rows else 0

    async def _all(self, sql: str, parameters: Sequence[object] = ()) -> list[sqlite3.Row]:
        return await self._reader.run(lambda connection: connection.execute(sql, parameters).fetchall())


def _cached(row: sqlite3.Row) -> CachedRow:
    return CachedRow(
        download_id=row["id"],
        item_id=row["item_id"],
        name=row["name"],
        status=row["status"],
        priority=row["priority"],
        bytes_here=row["here"],
        bytes_replaced=row["old"],
        bytes_expected=row["expected"] or guessed_bytes(row["duration_ms"], row["container"]),
        last_access=row["last_access"],
        wanted_by=frozenset((row["wanted_by"] or "").split()),
    )


def guessed_bytes(duration_ms: int, container: str) -> int:
    """A guess at a file's size from duration and container, until the server has said it."""
    return duration_ms * _BITS_PER_MS.get(container.lower().split(",")[0], _LOSSY_BITS_PER_MS) // 8


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
