"""Puts requests into the downloads table: new rows, and the adoption of what is there or on its way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from jellytui.engine.clock import Clock, timestamp
from jellytui.engine.downloads.rows.queue import move, pardon
from jellytui.engine.models import CACHE_WANTS, Origin, Track
from jellytui.engine.storage.database import Database, Transaction

USER_PRIORITY = 0
PRIORITY_OF: dict[Origin, int] = {"stream": 300, "user": USER_PRIORITY, "queue": -100, "album": -200}
NEXT_ENTRY_PRIORITY = 200
FIRST_PRIORITY = 100
"""design.md, The download engine."""

AFRESH = {"retry_count": 0, "error_message": None, "next_attempt_at": None, "gone_on_server": 0}
"""What a row forgets when somebody wants it tried again."""

_BATCH = 5000


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Who asks for tracks, and how urgently."""

    wanted_by: str
    origin: Origin
    priority: int
    is_held: bool = False
    """Everything is paused: a new row begins as paused."""
    wait_reason: str | None = None
    """Why a new row will not start now."""
    file_path: str | None = None

    @property
    def is_users(self) -> bool:
        return self.wanted_by not in CACHE_WANTS


class Requests:
    """Adds wishes to the table, none twice."""

    def __init__(self, database: Database, clock: Clock, user_id: str) -> None:
        self._database = database
        self._clock = clock
        self._user_id = user_id
        self._newest: datetime | None = None

    async def add(self, tracks: Sequence[Track], ask: Ask) -> list[int]:
        """Queues tracks in their order, each once; the ids of their rows.

        A row that is there is adopted: it gains the want and the higher priority; a user's request revives one that
        failed or was paused, and shows a cleared one again; the cache's one that a listener left behind.
        """
        unique = list({track.id: track for track in tracks}.values())
        ids: list[int] = []
        for start in range(0, len(unique), _BATCH):
            async with self._database.transaction() as tx:
                ids += await self._add(tx, unique[start : start + _BATCH], ask)
        return ids

    async def _add(self, tx: Transaction, tracks: Sequence[Track], ask: Ask) -> list[int]:
        # Monotonic even if the clock was set back: order within an album must hold.
        newest = self._newest or await _newest(tx)
        first = max(self._clock.now(), newest + timedelta(microseconds=1))
        queued_at = {track.id: first + timedelta(microseconds=number) for number, track in enumerate(tracks)}
        there = await self._ids(tx, tracks)
        await tx.execute_many(
            """INSERT INTO downloads (item_id, user_id, file_path, status, wait_reason, priority, queued_at, name,
               album, artists, album_id, album_artist, disc, number, year, duration_ms, container, image_item_id,
               image_tag, track_etag, origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [self._new_row(track, ask, timestamp(queued_at[track.id])) for track in tracks if track.id not in there],
        )
        ids = await self._ids(tx, tracks)
        if there:
            await _adopt(tx, {ids[item_id]: timestamp(queued_at[item_id]) for item_id in there}, ask)
        await tx.execute_many(
            "INSERT OR IGNORE INTO wants VALUES (?, ?)", [(ids[track.id], ask.wanted_by) for track in tracks]
        )
        self._newest = queued_at[tracks[-1].id]
        return [ids[track.id] for track in tracks]

    async def _ids(self, tx: Transaction, tracks: Sequence[Track]) -> dict[str, int]:
        """The rows that these tracks have."""
        rows = await tx.fetch_all(
            "SELECT id, item_id FROM downloads WHERE user_id = ? AND item_id IN (SELECT value FROM json_each(?))",
            (self._user_id, json.dumps([track.id for track in tracks])),
        )
        return {row["item_id"]: row["id"] for row in rows}

    def _new_row(self, track: Track, ask: Ask, queued_at: str) -> tuple[Any, ...]:
        return (
            track.id,
            self._user_id,
            ask.file_path,
            "paused" if ask.is_held else "pending",
            None if ask.is_held else ask.wait_reason,
            ask.priority,
            queued_at,
            track.name,
            track.album,
            msgspec.json.encode(track.artists).decode(),
            track.album_id,
            track.album_artist,
            track.disc,
            track.number,
            track.year,
            track.duration_ms,
            track.container,
            track.image_item_id,
            track.image_tag,
            track.etag or None,
            ask.origin,
        )


async def _adopt(tx: Transaction, rows: dict[int, str], ask: Ask) -> None:
    """What a request means for rows that are there, each with its place in the order of asking."""
    await pardon(tx, list(rows))
    if ask.is_users:
        if not ask.is_held:
            await move(
                tx, list(rows), "resume", retry_count=0, error_message=None, next_attempt_at=None, wait_reason=None
            )
        await tx.execute(
            "UPDATE downloads SET cleared_at = NULL WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(rows)),),
        )
    elif ask.wanted_by != "stream" and not ask.is_held:
        # A listener takes what he needs himself. What the user has paused keeps its wants, and stays so.
        await move(tx, await _unwanted(tx, list(rows)), "resume", wait_reason=ask.wait_reason, **AFRESH)
    await tx.execute_many(
        "UPDATE downloads SET priority = ?, queued_at = ? WHERE id = ? AND priority < ? AND status <> 'completed'",
        [(ask.priority, queued_at, download_id, ask.priority) for download_id, queued_at in rows.items()],
    )


async def _unwanted(tx: Transaction, download_ids: Sequence[int]) -> list[int]:
    """Those of these rows that nobody wants."""
    rows = await tx.fetch_all(
        """SELECT id FROM downloads d WHERE id IN (SELECT value FROM json_each(?))
           AND NOT EXISTS (SELECT 1 FROM wants w WHERE w.download_id = d.id)""",
        (json.dumps(list(download_ids)),),
    )
    return [row["id"] for row in rows]


async def _newest(tx: Transaction) -> datetime:
    row = await tx.fetch_one("SELECT max(queued_at) FROM downloads")
    if row is None or row[0] is None:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.strptime(row[0], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
