"""Reads rows of the downloads table: as DownloadInfo, and as totals."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from jellytui.engine.errors import NotFoundError
from jellytui.engine.models import DownloadInfo, DownloadStatus, Track
from jellytui.engine.storage.database import Database, Reader

USERS_WANT = "w.wanted_by NOT IN ('stream', 'queue', 'album')"
"""The condition that a row of `wants w` is a user's."""

WHOLE_IS_HERE = "d.completed_at IS NOT NULL AND d.file_path IS NOT NULL"
"""The condition that a row of `downloads d` has a whole file: it is completed, or its file was replaced on the server
and the new one is still to come."""

SELECT = """
SELECT d.*, (SELECT group_concat(w.wanted_by, char(10)) FROM wants w WHERE w.download_id = d.id) AS wanted_by
FROM downloads d
"""

_TOTALS = f"""
SELECT d.status, EXISTS (SELECT 1 FROM wants w WHERE w.download_id = d.id AND {USERS_WANT}) AS is_users,
       d.status IN ('paused', 'failed')
       AND NOT EXISTS (SELECT 1 FROM wants w WHERE w.download_id = d.id) AS is_left_over,
       count(*) AS number, total(d.bytes_downloaded) AS here,
       total(coalesce(d.file_size, d.expected_size, d.bytes_downloaded)) AS whole
FROM downloads d GROUP BY 1, 2, 3
"""  # noqa: S608
_COMPLETED = f"""
SELECT d.*, t.body FROM downloads d LEFT JOIN tracks t ON t.id = d.item_id WHERE {WHOLE_IS_HERE}
ORDER BY d.album_artist, d.album, d.album_id, d.disc, d.number, d.name, d.id
"""  # noqa: S608

_AS_ASKED = " ORDER BY d.queued_at, d.id"
_IN_QUEUE_ORDER = " ORDER BY d.priority DESC, d.queued_at, d.id"


def info_of(row: sqlite3.Row) -> DownloadInfo:
    """A row of `SELECT` as the faces see it."""
    return DownloadInfo(
        id=row["id"],
        item_id=row["item_id"],
        user_id=row["user_id"],
        file_path=row["file_path"],
        file_size=row["file_size"] or row["expected_size"],
        mime_type=row["mime_type"],
        status=row["status"],
        progress=row["progress"],
        bytes_downloaded=row["bytes_downloaded"],
        priority=row["priority"],
        error_message=row["error_message"],
        retry_count=row["retry_count"],
        queued_at=row["queued_at"],
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        name=row["name"],
        album=row["album"],
        artists=artists_of(row),
        album_id=row["album_id"],
        disc=row["disc"],
        number=row["number"],
        duration_ms=row["duration_ms"],
        origin=row["origin"],
        wanted_by=tuple(sorted((row["wanted_by"] or "").split())),
        next_attempt_at=row["next_attempt_at"],
        wait_reason=row["wait_reason"],
        cleared_at=row["cleared_at"],
        gone_on_server=bool(row["gone_on_server"]),
    )


def is_left_over(info: DownloadInfo) -> bool:
    """Whether a row is what a listener left behind: nobody wants it, nothing goes on with it, and no list shows it."""
    return info.status in ("paused", "failed") and not info.wanted_by


def track_of(row: sqlite3.Row) -> Track:
    """The track as it was when it was queued: what offline lists show where the mirror has lost it."""
    return Track(
        id=row["item_id"],
        name=row["name"],
        album=row["album"],
        artists=artists_of(row),
        album_id=row["album_id"],
        album_artist=row["album_artist"],
        disc=row["disc"],
        number=row["number"],
        year=row["year"],
        duration_ms=row["duration_ms"],
        container=row["container"],
        image_item_id=row["image_item_id"],
        image_tag=row["image_tag"],
    )


def _newest_track_of(row: sqlite3.Row) -> Track:
    return track_of(row) if row["body"] is None else msgspec.json.decode(row["body"], type=Track)


def artists_of(row: sqlite3.Row) -> tuple[str, ...]:
    """The names in the row's JSON array."""
    return msgspec.json.decode(row["artists"], type=tuple[str, ...])


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Counts and bytes over all rows, as of the last write; what listeners left behind counts as bytes only."""

    counts: dict[str, int]
    unfinished_downloaded: int
    unfinished_total: int
    user_bytes: int
    cache_bytes: int


class Listing:
    """The rows as lists and totals. What looks at the whole table does so on a reader of its own, in its thread, so
    that 100,000 rows hold up neither a write nor the loop; `close` lets it go."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reader = Reader(database.path.absolute())

    async def close(self) -> None:
        """Lets the reader go."""
        await self._reader.close()

    async def get(self, download_id: int) -> DownloadInfo:
        """One row. Raises NotFoundError."""
        row = await self._database.fetch_one(f"{SELECT} WHERE d.id = ?", (download_id,))
        if row is None:
            raise NotFoundError(f"There is no download {download_id}.")
        return info_of(row)

    async def by_ids(self, download_ids: Sequence[int]) -> list[DownloadInfo]:
        """These rows in their order, missing ones left out."""
        found: dict[int, DownloadInfo] = {}
        for start in range(0, len(download_ids), 500):
            batch = download_ids[start : start + 500]
            marks = ",".join("?" * len(batch))
            rows = await self._database.fetch_all(f"{SELECT} WHERE d.id IN ({marks})", batch)
            found |= {row["id"]: info_of(row) for row in rows}
        return [found[download_id] for download_id in download_ids if download_id in found]

    async def by_item(self, item_id: str) -> DownloadInfo | None:
        """The row of an item."""
        row = await self._database.fetch_one(f"{SELECT} WHERE d.item_id = ?", (item_id,))
        return None if row is None else info_of(row)

    async def tracks(self, item_ids: Sequence[str]) -> list[Track]:
        """The tracks of these items' rows in their order, as they were when queued; those without a row left out."""
        rows = await self._database.fetch_all(
            "SELECT * FROM downloads WHERE item_id IN (SELECT value FROM json_each(?))", (json.dumps(list(item_ids)),)
        )
        found = {row["item_id"]: track_of(row) for row in rows}
        return [found[item_id] for item_id in item_ids if item_id in found]

    async def paths_here(self, item_ids: Sequence[str]) -> list[tuple[str, str]]:
        """Those of these items that have a whole file, in their order, with its path relative to the root."""
        rows = await self._database.fetch_all(
            f"""SELECT d.item_id, d.file_path FROM json_each(?) asked CROSS JOIN downloads d ON d.item_id = asked.value
                WHERE {WHOLE_IS_HERE} ORDER BY asked.key""",  # noqa: S608
            (json.dumps(list(item_ids)),),
        )
        return [(row["item_id"], row["file_path"]) for row in rows]

    async def has_path(self, file_path: str) -> bool:
        """Whether some row's file lies, or will lie, there."""
        return bool(await self._database.fetch_all("SELECT 1 FROM downloads WHERE file_path = ?", (file_path,)))

    async def all(self, status: DownloadStatus | None = None) -> list[DownloadInfo]:
        """All rows (of a status): unfinished ones in the queue's order, completed ones in that of asking."""
        order = _AS_ASKED if status == "completed" else _IN_QUEUE_ORDER
        condition, values = ("", ()) if status is None else ("WHERE d.status = ?", (status,))

        def work(connection: sqlite3.Connection) -> list[DownloadInfo]:
            return [info_of(row) for row in connection.execute(f"{SELECT} {condition} {order}", values)]

        return await self._reader.run(work)

    async def tracks_here(self) -> list[Track]:
        """The tracks of all rows with a whole file by artist and album, as the mirror knows them, else as they were."""

        def work(connection: sqlite3.Connection) -> list[Track]:
            return [_newest_track_of(row) for row in connection.execute(_COMPLETED)]

        return await self._reader.run(work)

    async def totals(self) -> Totals:
        """Counts and bytes; a scan of the table, so not at every event."""
        rows = await self._reader.run(lambda connection: connection.execute(_TOTALS).fetchall())
        counts: dict[str, int] = {}
        downloaded = total = users = cached = 0
        for row in rows:
            if not row["is_left_over"]:
                counts[row["status"]] = counts.get(row["status"], 0) + row["number"]
                if row["status"] != "completed":
                    downloaded += int(row["here"])
                    total += int(row["whole"])
            if row["is_users"]:
                users += int(row["here"])
            else:
                cached += int(row["here"])
        return Totals(
            counts=counts,
            unfinished_downloaded=downloaded,
            unfinished_total=total,
            user_bytes=users,
            cache_bytes=cached,
        )
