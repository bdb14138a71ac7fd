"""Moves rows of the downloads table: claims, outcomes, progress. Every WHERE comes from state.py.

Each claim raises `generation`; what an attempt writes later holds only while the row still is that claim's, so that
a pause, a cancel and an attempt that ends can never overwrite each other.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jellytui.engine.clock import Clock, timestamp
from jellytui.engine.downloads.rows.listing import info_of
from jellytui.engine.downloads.state import Act, sources, target
from jellytui.engine.downloads.transfer.resume import Body, Held
from jellytui.engine.models import DownloadInfo, DownloadStatus, Origin
from jellytui.engine.storage.database import Database, Transaction

_SAVE = """UPDATE downloads SET bytes_downloaded = json_extract(said.value, '$.here'),
               progress = json_extract(said.value, '$.share'),
               durable_bytes = json_extract(said.value, '$.durable'), boot_id = ?
           FROM json_each(?) AS said WHERE downloads.id = json_extract(said.value, '$.id')
           AND generation = json_extract(said.value, '$.generation') AND +status = ?"""
"""The plus: by the rows' ids, never by the index of the states, which may hold thousands."""
_RETURNING = """RETURNING *, EXISTS (SELECT 1 FROM wants w WHERE w.download_id = downloads.id
    AND w.wanted_by NOT IN ('stream', 'queue', 'album')) AS is_users,
    (SELECT group_concat(w.wanted_by, char(10)) FROM wants w WHERE w.download_id = downloads.id) AS wanted_by"""
"""The row as the statement leaves it, with all that `info_of` needs: nobody has to read it again to tell of it."""

CONDEMNED = "removal"
"""The wait reason of a row that is being removed: a mark, so that a crash in between is noticed."""

PAUSED_ALL = "paused_all"
"""The name in `downloads_state` under which it stands that everything is paused."""

CLAIM = """
UPDATE downloads SET status = 'downloading', generation = generation + 1, started_at = coalesce(started_at, :now),
    wait_reason = NULL, next_attempt_at = NULL, error_message = NULL
WHERE id = (
    SELECT id FROM downloads
    WHERE status IN ('pending', 'downloading') AND status = 'pending' AND next_attempt_at IS NULL {only}
    ORDER BY priority DESC, queued_at ASC, id LIMIT 1
) AND status = 'pending'
{returning}
"""
"""The next row's claim; it repeats the index's own condition, or SQLite would scan. When a wait is over is the
runner's to say (`end_waits`), by a clock that nobody sets."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A row that is being fetched, as the attempt needs it."""

    id: int
    item_id: str
    user_id: str
    priority: int
    generation: int
    origin: Origin
    file_path: str | None
    mime_type: str | None
    container: str
    expected_size: int | None
    source_etag: str | None
    held: Held
    bytes_downloaded: int
    durable_bytes: int
    boot_id: str | None
    retry_count: int
    furthest_bytes: int
    duration_ms: int
    is_users: bool
    """Whether a user wants it, and not only the cache or a listener."""
    is_unmetered_only: bool
    """Whether it waits on a metered link."""
    is_successor: bool
    """Whether it comes for a file that is here and plays meanwhile: the server has replaced it."""
    info: DownloadInfo
    """The row as the claim left it."""
    was: DownloadStatus = "pending"
    """The state that it was claimed from."""


def claim_of(row: sqlite3.Row, was: DownloadStatus = "pending") -> Claim:
    """A row of the table as a claim."""
    return Claim(
        id=row["id"],
        item_id=row["item_id"],
        user_id=row["user_id"],
        priority=row["priority"],
        generation=row["generation"],
        origin=row["origin"],
        file_path=row["file_path"],
        mime_type=row["mime_type"],
        container=row["container"],
        expected_size=row["expected_size"],
        source_etag=row["source_etag"],
        held=Held(total=row["file_size"], etag=row["etag"], last_modified=row["last_modified"]),
        bytes_downloaded=row["bytes_downloaded"],
        durable_bytes=row["durable_bytes"],
        boot_id=row["boot_id"],
        retry_count=row["retry_count"],
        furthest_bytes=row["furthest_bytes"],
        duration_ms=row["duration_ms"],
        is_users=bool(row["is_users"]),
        is_unmetered_only=bool(row["is_unmetered_only"]),
        is_successor=row["completed_at"] is not None,
        info=info_of(row),
        was=was,
    )


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a running attempt is, for one write of all of them."""

    id: int
    generation: int
    bytes_downloaded: int
    durable_bytes: int
    total: int | None


class QueueRows:
    """The queue in SQLite."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def claim(self, *, is_metered: bool) -> Claim | None:
        """Takes the next row that may start; on a metered link only those told to go anyway."""
        row = await self._database.fetch_one(
            CLAIM.format(only="AND is_unmetered_only = 0" if is_metered else "", returning=_RETURNING),
            {"now": timestamp(self._clock.now())},
        )
        return None if row is None else claim_of(row)

    async def claim_for_listener(self, download_id: int, *, at_once: bool) -> Claim | None:
        """Takes this very row for a listener; `at_once` also a paused, failed or waiting one.

        None when it may not be taken: it runs, is complete, or waits.
        """
        allowed = sources("listen") if at_once else sources("claim")
        waiting = "" if at_once else "AND next_attempt_at IS NULL"
        async with self._database.transaction() as tx:
            before = await tx.fetch_one("SELECT status FROM downloads WHERE id = ?", (download_id,))
            row = await tx.fetch_one(
                f"""UPDATE downloads SET status = ?, generation = generation + 1, wait_reason = NULL,
                    started_at = coalesce(started_at, ?), next_attempt_at = NULL, error_message = NULL
                    WHERE id = ? AND status IN ({_quoted(allowed)}) {waiting} {_RETURNING}""",  # noqa: S608
                (target("listen"), timestamp(self._clock.now()), download_id),
            )
        return None if row is None or before is None else claim_of(row, before["status"])

    async def waiting(self) -> list[tuple[int, str]]:
        """The rows that wait for a moment, and which; read once, at the start."""
        rows = await self._database.fetch_all(
            "SELECT id, next_attempt_at FROM downloads WHERE status = 'pending' AND next_attempt_at IS NOT NULL"
        )
        return [(row["id"], row["next_attempt_at"]) for row in rows]

    async def end_waits(self, download_ids: Sequence[int]) -> None:
        """The moment of these rows has come; they keep their place in the queue."""
        await self._database.execute(
            """UPDATE downloads SET next_attempt_at = NULL
               WHERE status = 'pending' AND id IN (SELECT value FROM json_each(?))""",
            (json.dumps(list(download_ids)),),
        )

    async def set_wait_reason(self, reason: str) -> list[int]:
        """Says of all pending rows that wait for nothing else why they do not start; those rows."""
        rows = await self._database.fetch_all(
            """UPDATE downloads SET wait_reason = ? WHERE status = 'pending' AND wait_reason IS NULL
               AND is_unmetered_only = 1 RETURNING id""",
            (reason,),
        )
        return [row["id"] for row in rows]

    async def end_wait_reason(self, reason: str) -> list[int]:
        """What they waited for is over; the rows that did."""
        rows = await self._database.fetch_all(
            "UPDATE downloads SET wait_reason = NULL WHERE status = 'pending' AND wait_reason = ? RETURNING id",
            (reason,),
        )
        return [row["id"] for row in rows]

    async def move(self, download_ids: Sequence[int], act: Act, **fields: Any) -> list[int]:
        """Moves rows by an act, with other columns; those that changed: the state of the others does not allow it."""
        async with self._database.transaction() as tx:
            return await move(tx, download_ids, act, **fields)

    async def go_on(self, download_ids: Sequence[int], **fields: Any) -> None:
        """Resumes rows without the user's asking for it: where he has paused everything they wait with the rest."""
        async with self._database.transaction() as tx:
            resumed = await move(tx, download_ids, "resume", **fields)
            if await is_all_paused(tx):
                await move(tx, resumed, "pause")

    async def condemn(self, download_ids: Sequence[int]) -> None:
        """Stops rows and marks them: whatever happens, they go, with their files."""
        async with self._database.transaction() as tx:
            await move(tx, download_ids, "pause")
            await tx.execute(
                "UPDATE downloads SET wait_reason = ? WHERE id IN (SELECT value FROM json_each(?))",
                (CONDEMNED, json.dumps(list(download_ids))),
            )

    async def condemned(self) -> list[int]:
        """The rows that are marked."""
        rows = await self._database.fetch_all("SELECT id FROM downloads WHERE wait_reason = ?", (CONDEMNED,))
        return [row["id"] for row in rows]

    async def pardon(self, download_ids: Sequence[int]) -> None:
        """Takes the mark off rows: they stay, because their files cannot go."""
        async with self._database.transaction() as tx:
            await pardon(tx, download_ids)

    async def delete(self, download_ids: Sequence[int]) -> None:
        """Takes rows out of the table; their files are gone already."""
        await self._database.execute(
            f"""DELETE FROM downloads WHERE id IN (SELECT value FROM json_each(?))
                AND status IN ({_quoted(sources("delete"))})""",  # noqa: S608
            (json.dumps(list(download_ids)),),
        )

    async def settle(self, claim: Claim, act: Act, **fields: Any) -> DownloadInfo | None:
        """Ends an attempt by an act; the row as it is now, None when somebody else has decided about it meanwhile."""
        assignments = {"status": target(act), **fields}
        columns = ", ".join(f"{name} = :{name}" for name in assignments)
        sql = (
            f"UPDATE downloads SET {columns} WHERE id = :id AND generation = :claimed "  # noqa: S608
            f"AND status IN ({_quoted(sources(act))}) {_RETURNING}"
        )
        row = await self._database.fetch_one(sql, {**assignments, "id": claim.id, "claimed": claim.generation})
        return None if row is None else info_of(row)

    async def began(self, claim: Claim, body: Body) -> None:
        """Stores the validators of a body that begins at byte 0; the `.part` is empty now."""
        await self._database.execute(
            """UPDATE downloads SET etag = ?, last_modified = ?, file_size = ?, mime_type = ?, bytes_downloaded = 0,
               progress = 0, durable_bytes = 0 WHERE id = ? AND generation = ? AND status = 'downloading'""",
            (body.etag, body.last_modified, body.total, body.mime_type, claim.id, claim.generation),
        )

    async def save_progress(self, progress: Iterable[Progress], boot_id: str) -> None:
        """Writes how far all running attempts are, in one statement."""
        saved = [_saved(one, one.generation) for one in progress]
        await self._database.execute(_SAVE, (boot_id, json.dumps(saved), "downloading"))

    async def keep_progress(self, progress: Iterable[Progress], boot_id: str) -> None:
        """Writes how far attempts had come that a pause has ended: the row is one generation on."""
        saved = [_saved(one, one.generation + 1) for one in progress]
        await self._database.execute(_SAVE, (boot_id, json.dumps(saved), "paused"))

    async def release_all_but(self, download_ids: Sequence[int]) -> None:
        """Makes rows pending that say that they are being fetched, but for those that really are."""
        await self._database.execute(
            f"""UPDATE downloads SET status = ?, generation = generation + 1
                WHERE status IN ({_quoted(sources("release"))}) AND id NOT IN (SELECT value FROM json_each(?))""",  # noqa: S608
            (target("release"), json.dumps(list(download_ids))),
        )

    async def recover(self) -> None:
        """After a start nothing is running: what was is pending again, and what held it may be over."""
        await self._database.execute(
            """UPDATE downloads SET status = 'pending', wait_reason = NULL WHERE status = 'downloading'
               OR (status = 'pending' AND wait_reason IN ('disk', 'metered'))"""
        )


async def move(tx: Transaction, download_ids: Sequence[int], act: Act, **fields: Any) -> list[int]:
    """Moves rows by an act within a transaction; those that changed.

    Raises the claims' generation too, so that an attempt that runs on cannot write any more.
    """
    assignments = {"status": target(act), **fields}
    columns = ", ".join(f"{name} = :{name}" for name in assignments)
    rows = await tx.fetch_all(
        f"UPDATE downloads SET {columns}, generation = generation + 1 "  # noqa: S608
        f"WHERE id IN (SELECT value FROM json_each(:ids)) AND status IN ({_quoted(sources(act))}) RETURNING id",
        {**assignments, "ids": json.dumps(list(download_ids))},
    )
    changed = {row["id"] for row in rows}
    return [download_id for download_id in download_ids if download_id in changed]


async def is_all_paused(tx: Transaction) -> bool:
    """Whether the user has paused everything."""
    row = await tx.fetch_one("SELECT value FROM downloads_state WHERE name = ?", (PAUSED_ALL,))
    return row is not None and row["value"] == "1"


async def pardon(tx: Transaction, download_ids: Sequence[int]) -> None:
    """Takes the mark off rows within a transaction."""
    await tx.execute(
        "UPDATE downloads SET wait_reason = NULL WHERE wait_reason = ? AND id IN (SELECT value FROM json_each(?))",
        (CONDEMNED, json.dumps(list(download_ids))),
    )


def fraction(here: int, total: int | None) -> float:
    """Progress from 0.0 to 1.0; 0.0 while the length is unknown."""
    return min(1.0, here / total) if total else 0.0


def _saved(one: Progress, generation: int) -> dict[str, float]:
    return {
        "id": one.id,
        "generation": generation,
        "here": one.bytes_downloaded,
        "share": fraction(one.bytes_downloaded, one.total),
        "durable": one.durable_bytes,
    }


def _quoted(statuses: Iterable[str]) -> str:
    return ", ".join(f"'{status}'" for status in statuses)
