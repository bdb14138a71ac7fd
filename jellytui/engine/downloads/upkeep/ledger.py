"""The sweep's side of the downloads table: rows in batches by id, and the acts that mend them.

Every write names the generation that was read, so that a row that was claimed, paused or deleted meanwhile stays as
it is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from jellytui.engine.clock import Clock, timestamp
from jellytui.engine.downloads.rows.queue import fraction, is_all_paused
from jellytui.engine.downloads.rows.requests import USER_PRIORITY
from jellytui.engine.downloads.state import Act, sources, target
from jellytui.engine.downloads.transfer.boot import boot_id
from jellytui.engine.downloads.upkeep.judge import Row, Verdict
from jellytui.engine.downloads.upkeep.survey import OnDisk
from jellytui.engine.models import CACHE_WANTS, Track
from jellytui.engine.storage.database import Database, Transaction

_COLUMNS = """id, item_id, name, status, generation, file_path, file_size, expected_size, bytes_downloaded,
    durable_bytes, boot_id, completed_at"""
_CACHE = ", ".join(f"'{name}'" for name in CACHE_WANTS)


class Ledger:
    """Reads and mends rows of one account."""

    def __init__(self, database: Database, clock: Clock, user_id: str) -> None:
        self._database = database
        self._clock = clock
        self.user_id = user_id

    async def counts(self) -> dict[str, int]:
        """How many rows there are by shelf (the first two signs of the id)."""
        rows = await self._database.fetch_all(
            "SELECT substr(item_id, 1, 2) AS shelf, count(*) AS number FROM downloads WHERE user_id = ? GROUP BY 1",
            (self.user_id,),
        )
        return {row["shelf"]: row["number"] for row in rows}

    async def rows(self, first: str, end: str | None) -> list[Row]:
        """The rows whose id is from `first` on and before `end`."""
        condition = "user_id = ? AND item_id >= ?" + ("" if end is None else " AND item_id < ?")
        values = (self.user_id, first) if end is None else (self.user_id, first, end)
        rows = await self._database.fetch_all(f"SELECT {_COLUMNS} FROM downloads WHERE {condition}", values)  # noqa: S608
        return [_row_of(row) for row in rows]

    async def downloading(self) -> list[Row]:
        """The rows that say that they are being fetched."""
        rows = await self._database.fetch_all(
            f"SELECT {_COLUMNS} FROM downloads WHERE status IN ('pending', 'downloading') AND status = 'downloading'"  # noqa: S608
        )
        return [_row_of(row) for row in rows]

    async def chosen_paths(self, account: str) -> dict[str, str]:
        """The whole files that lie elsewhere in the root than below the account's folder, with their items."""
        rows = await self._database.fetch_all(
            """SELECT file_path, item_id FROM downloads WHERE user_id = ? AND completed_at IS NOT NULL
               AND file_path IS NOT NULL AND substr(file_path, 1, ?) <> ?""",
            (self.user_id, len(account) + 1, f"{account}/"),
        )
        return {row["file_path"]: row["item_id"] for row in rows}

    async def nameless(self) -> list[str]:
        """The ids of files that were taken up while the library did not know them."""
        rows = await self._database.fetch_all("SELECT item_id FROM downloads WHERE album_id = ''")
        return [row["item_id"] for row in rows]

    async def name(self, tracks: Sequence[Track]) -> None:
        """Gives rows what the library knows of their tracks."""
        async with self._database.transaction() as tx:
            for track in tracks:
                assignments = ", ".join(f"{name} = :{name}" for name in _facts_of(track))
                await tx.execute(
                    f"UPDATE downloads SET {assignments} WHERE item_id = :item_id",  # noqa: S608
                    {**_facts_of(track), "item_id": track.id},
                )

    async def mend(self, verdicts: Sequence[Verdict]) -> tuple[list[Verdict], list[Verdict]]:
        """Mends rows, in one transaction: (those mended, those of them whose row is gone now)."""
        mended, gone = [], []
        async with self._database.transaction() as tx:
            is_held = await is_all_paused(tx)
            for verdict in verdicts:
                if verdict.row is None:
                    continue
                if verdict.kind in ("lost", "wrong_size", "damaged") and await self._forget(tx, verdict.row):
                    mended.append(verdict)
                    gone.append(verdict)
                elif await self._mend(tx, verdict, verdict.row, is_held=is_held):
                    mended.append(verdict)
        return mended, gone

    async def take_up(self, files: Sequence[tuple[Track, OnDisk]]) -> list[str]:
        """Makes rows of the user's for files that have none; the ids of the items that are new."""
        now = timestamp(self._clock.now())
        rows = [
            {
                **_facts_of(track),
                "item_id": track.id,
                "user_id": self.user_id,
                "file_path": file.path,
                "file_size": file.size,
                "bytes_downloaded": file.size,
                "progress": 1.0,
                "status": "completed",
                "priority": USER_PRIORITY,
                "origin": "user",
                "queued_at": now,
                "completed_at": now,
            }
            for track, file in files
        ]
        if not rows:
            return []
        names = ", ".join(rows[0])
        places = ", ".join(f":{name}" for name in rows[0])
        asked = (self.user_id, msgspec.json.encode([track.id for track, _ in files]).decode())
        ours = "user_id = ? AND item_id IN (SELECT value FROM json_each(?))"
        async with self._database.transaction() as tx:
            there = await tx.fetch_all(f"SELECT id FROM downloads WHERE {ours}", asked)  # noqa: S608
            # Some may have got a row meanwhile.
            await tx.execute_many(f"INSERT OR IGNORE INTO downloads ({names}) VALUES ({places})", rows)  # noqa: S608
            old = msgspec.json.encode([row["id"] for row in there]).decode()
            new = f"FROM downloads WHERE {ours} AND id NOT IN (SELECT value FROM json_each(?))"  # noqa: S608
            await tx.execute(f"INSERT INTO wants SELECT id, 'user' {new}", (*asked, old))
            taken = await tx.fetch_all(f"SELECT item_id {new}", (*asked, old))
        return [row["item_id"] for row in taken]

    async def is_unneeded(self, item_id: str) -> bool:
        """Whether no row of the item is unfinished, so that no `.part` can be of use."""
        row = await self._database.fetch_one(
            "SELECT 1 FROM downloads WHERE user_id = ? AND item_id = ? AND status <> 'completed'",
            (self.user_id, item_id),
        )
        return row is None

    async def ids_of(self, item_ids: Sequence[str]) -> list[int]:
        """The numbers of these items' rows."""
        rows = await self._database.fetch_all(
            "SELECT id FROM downloads WHERE user_id = ? AND item_id IN (SELECT value FROM json_each(?))",
            (self.user_id, msgspec.json.encode(list(item_ids)).decode()),
        )
        return [row["id"] for row in rows]

    async def _mend(self, tx: Transaction, verdict: Verdict, row: Row, *, is_held: bool) -> bool:
        size = verdict.file.size if verdict.file else 0
        here = {"bytes_downloaded": verdict.bytes_here, "progress": fraction(verdict.bytes_here, row.known_size)}
        match verdict.kind:
            case "finished":
                act: Act = "complete" if row.status == "downloading" else "find"
                whole = {"bytes_downloaded": size, "file_size": size, "progress": 1.0, "file_path": verdict.path}
                now = timestamp(self._clock.now())
                calm = {"error_message": None, "wait_reason": None, "next_attempt_at": None, "retry_count": 0}
                return await _shift(tx, row, act, **whole, **calm, completed_at=now)
            case "interrupted":
                return await _shift(tx, row, "release", **here)
            case "progress":
                sql = """UPDATE downloads SET bytes_downloaded = ?, progress = ?, durable_bytes = min(durable_bytes, ?)
                    WHERE id = ? AND generation = ? AND status = ? AND bytes_downloaded = ?"""
                read = (row.id, row.generation, row.status, row.bytes_downloaded)
                values = (*here.values(), verdict.bytes_here, *read)
                return await tx.execute(sql, values) > 0
            case "moved":
                sql = """UPDATE OR IGNORE downloads SET file_path = ?, file_size = ?
                    WHERE id = ? AND generation = ? AND status = 'completed'"""
                return await tx.execute(sql, (verdict.path, size, row.id, row.generation)) > 0
            case "lost" | "wrong_size" | "damaged":
                anew = {"completed_at": None, "cleared_at": None, "durable_bytes": 0}
                is_mended = await _shift(tx, row, "lose", **here, **anew, file_path=chosen_path(row))
                if is_mended and is_held:
                    await tx.execute("UPDATE downloads SET status = 'paused' WHERE id = ?", (row.id,))
                return is_mended
            case _:
                return False

    async def _forget(self, tx: Transaction, row: Row) -> bool:
        """Drops the row of a lost file that only the cache wanted; whether it was such a one."""
        sql = f"""DELETE FROM downloads WHERE id = ? AND generation = ? AND status = 'completed' AND NOT EXISTS (
            SELECT 1 FROM wants w WHERE w.download_id = downloads.id AND w.wanted_by NOT IN ({_CACHE}))"""  # noqa: S608
        return await tx.execute(sql, (row.id, row.generation)) > 0


async def _shift(tx: Transaction, row: Row, act: Act, **fields: Any) -> bool:
    """Moves a row by an act, if it still is as it was read."""
    assignments = {"status": target(act), **fields}
    columns = ", ".join(f"{name} = :{name}" for name in assignments)
    allowed = ", ".join(f"'{status}'" for status in sources(act))
    sql = (
        f"UPDATE OR IGNORE downloads SET {columns}, generation = generation + 1 "  # noqa: S608
        f"WHERE id = :id AND generation = :read AND status IN ({allowed})"
    )
    return await tx.execute(sql, {**assignments, "id": row.id, "read": row.generation}) > 0


def chosen_path(row: Row) -> str | None:
    """The path that a user chose is kept; one made of the id is made again when the file is here."""
    path = row.file_path or ""
    return None if path.rpartition("/")[2].partition(".")[0] == row.item_id else row.file_path


def _row_of(row: sqlite3.Row) -> Row:
    is_sure = row["boot_id"] in (None, boot_id())
    return Row(
        id=row["id"],
        item_id=row["item_id"],
        name=row["name"],
        status=row["status"],
        generation=row["generation"],
        file_path=row["file_path"],
        file_size=row["file_size"],
        expected_size=row["expected_size"],
        bytes_downloaded=row["bytes_downloaded"],
        trusted_bytes=None if is_sure else row["durable_bytes"],
        completed_at=row["completed_at"],
    )


def _facts_of(track: Track) -> dict[str, Any]:
    """The columns that keep what a track is."""
    return {
        "name": track.name,
        "album": track.album,
        "artists": msgspec.json.encode(track.artists).decode(),
        "album_id": track.album_id,
        "album_artist": track.album_artist,
        "disc": track.disc,
        "number": track.number,
        "year": track.year,
        "duration_ms": track.duration_ms,
        "container": track.container,
        "image_item_id": track.image_item_id,
        "image_tag": track.image_tag,
    }
