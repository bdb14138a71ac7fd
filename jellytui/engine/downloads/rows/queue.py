"""Moves rows of the downloads table: claims, outcomes, progress. Every WHERE comes from state.py.

Each claim raises `generation`; what an attempt writes later holds only while the row still is that claim's, so that
a pause, a cancel and an attempt that ends can never overwrite each other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from jellytui.engine.clock import Clock, timestamp
from jellytui.engine.downloads.state import Act, sources, target
from jellytui.engine.downloads.transfer.refusal import LONGEST_WAIT_S
from jellytui.engine.downloads.transfer.resume import Body, Held
from jellytui.engine.models import Origin
from jellytui.engine.storage.database import Database, Transaction

_RETURNING = """RETURNING *, EXISTS (SELECT 1 FROM wants w WHERE w.download_id = downloads.id
    AND w.wanted_by NOT IN ('stream', 'queue', 'album')) AS is_users"""

CLAIM = """
UPDATE downloads SET status = 'downloading', generation = generation + 1, started_at = coalesce(started_at, :now),
    wait_reason = NULL, next_attempt_at = NULL, error_message = NULL
WHERE id = (
    SELECT id FROM downloads
    WHERE status IN ('pending', 'downloading') AND status = 'pending'
      AND (next_attempt_at IS NULL OR next_attempt_at <= :now OR next_attempt_at > :horizon)
      {only}
    ORDER BY priority DESC, queued_at ASC, id LIMIT 1
) AND status = 'pending'
{returning}
"""
"""The next row's claim. It repeats the index's own condition, or SQLite would scan; a time beyond the horizon means
that the clock was set back, so it counts as due."""


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
    durable_bytes: int
    boot_id: str | None
    retry_count: int
    furthest_bytes: int
    duration_ms: int
    is_users: bool
    """Whether a user wants it, and not only the cache or a listener."""


def claim_of(row: sqlite3.Row) -> Claim:
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
        durable_bytes=row["durable_bytes"],
        boot_id=row["boot_id"],
        retry_count=row["retry_count"],
        furthest_bytes=row["furthest_bytes"],
        duration_ms=row["duration_ms"],
        is_users=bool(row["is_users"]),
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
        async with self._database.transaction() as tx:
            row = await tx.fetch_one(
                CLAIM.format(only="AND is_unmetered_only = 0" if is_metered else "", returning=_RETURNING),
                self._times(self._clock.now()),
            )
        return None if row is None else claim_of(row)

    async def claim_for_listener(self, download_id: int) -> Claim | None:
        """Takes this very row for a listener, also a paused or failed one; None when it is running or complete."""
        async with self._database.transaction() as tx:
            rows = await tx.fetch_all(
                f"""UPDATE downloads SET status = ?, generation = generation + 1, wait_reason = NULL,
                    started_at = coalesce(started_at, ?), next_attempt_at = NULL, error_message = NULL
                    WHERE id = ? AND status IN ({_quoted(sources("listen"))}) {_RETURNING}""",  # noqa: S608
                (target("listen"), timestamp(self._clock.now()), download_id),
            )
        return claim_of(rows[0]) if rows else None

    async def next_due_at(self) -> str | None:
        """When the earliest of the rows that wait for a retry is due."""
        row = await self._database.fetch_one(
            """SELECT min(next_attempt_at) FROM downloads
               WHERE status IN ('pending', 'downloading') AND status = 'pending'"""
        )
        return row[0] if row else None

    async def move(self, download_id: int, act: Act, **fields: Any) -> bool:
        """Moves a row by an act with other columns; False when its state does not allow it."""
        async with self._database.transaction() as tx:
            return await move(tx, download_id, act, **fields) > 0

    async def settle(self, claim: Claim, act: Act, **fields: Any) -> bool:
        """Ends an attempt by an act; False when somebody else has decided about the row meanwhile."""
        assignments = {"status": target(act), **fields}
        columns = ", ".join(f"{name} = :{name}" for name in assignments)
        sql = (
            f"UPDATE downloads SET {columns} WHERE id = :id AND generation = :claimed "  # noqa: S608
            f"AND status IN ({_quoted(sources(act))})"
        )
        return await self._database.execute(sql, {**assignments, "id": claim.id, "claimed": claim.generation}) > 0

    async def began(self, claim: Claim, body: Body) -> None:
        """Stores the validators of a body that begins at byte 0; the `.part` is empty now."""
        await self._database.execute(
            """UPDATE downloads SET etag = ?, last_modified = ?, file_size = ?, mime_type = ?, bytes_downloaded = 0,
               progress = 0, durable_bytes = 0 WHERE id = ? AND generation = ? AND status = 'downloading'""",
            (body.etag, body.last_modified, body.total, body.mime_type, claim.id, claim.generation),
        )

    async def save_progress(self, progress: Iterable[Progress], boot_id: str) -> None:
        """Writes how far all running attempts are, in one transaction."""
        async with self._database.transaction() as tx:
            await tx.execute_many(
                """UPDATE downloads SET bytes_downloaded = ?, progress = ?, durable_bytes = ?, boot_id = ?
                   WHERE id = ? AND generation = ? AND status = 'downloading'""",
                [
                    (
                        one.bytes_downloaded,
                        fraction(one.bytes_downloaded, one.total),
                        one.durable_bytes,
                        boot_id,
                        one.id,
                        one.generation,
                    )
                    for one in progress
                ],
            )

    async def recover(self) -> None:
        """After a start nothing is running: what was is pending again."""
        await self._database.execute("UPDATE downloads SET status = 'pending' WHERE status = 'downloading'")

    def _times(self, now: datetime) -> dict[str, str]:
        return {"now": timestamp(now), "horizon": timestamp(now + timedelta(seconds=LONGEST_WAIT_S + 60))}


async def move(tx: Transaction, download_id: int, act: Act, **fields: Any) -> int:
    """Moves one row by an act within a transaction; how many rows changed (0 or 1).

    Raises the claim's generation too, so that an attempt that runs on cannot write any more.
    """
    assignments = {"status": target(act), **fields}
    columns = ", ".join(f"{name} = :{name}" for name in assignments)
    return await tx.execute(
        f"UPDATE downloads SET {columns}, generation = generation + 1 "  # noqa: S608
        f"WHERE id = :id AND status IN ({_quoted(sources(act))})",
        {**assignments, "id": download_id},
    )


def fraction(here: int, total: int | None) -> float:
    """Progress from 0.0 to 1.0; 0.0 while the length is unknown."""
    return min(1.0, here / total) if total else 0.0


def _quoted(statuses: Iterable[str]) -> str:
    return ", ".join(f"'{status}'" for status in statuses)
