"""Puts requests into the downloads table: new rows, and the adoption of what is there or on its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from jellytui.engine.clock import Clock, timestamp
from jellytui.engine.downloads.rows.queue import move
from jellytui.engine.models import Origin, Track
from jellytui.engine.storage.database import Database, Transaction

USER_PRIORITY = 0
PRIORITY_OF: dict[Origin, int] = {"stream": 300, "user": USER_PRIORITY, "queue": -100, "album": -200}
NEXT_ENTRY_PRIORITY = 200
FIRST_PRIORITY = 100
"""design.md, The download engine."""

CACHE_WANTS = ("stream", "queue", "album")
"""The wants that are not a user's."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Who asks for tracks, and how urgently."""

    wanted_by: str
    origin: Origin
    priority: int
    is_held: bool = False
    """Everything is paused: a new row begins as paused."""
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
        failed or was paused, and shows a cleared one again.
        """
        unique = list({track.id: track for track in tracks}.values())
        if not unique:
            return []
        async with self._database.transaction() as tx:
            newest = self._newest or await _newest(tx)
            ids = []
            for track in unique:
                # Monotonic even if the clock was set back: order within an album must hold.
                newest = max(self._clock.now(), newest + timedelta(microseconds=1))
                ids.append(await self._add(tx, track, ask, timestamp(newest)))
        self._newest = newest
        return ids

    async def _add(self, tx: Transaction, track: Track, ask: Ask, queued_at: str) -> int:
        row = await tx.fetch_one(
            "SELECT id, status FROM downloads WHERE user_id = ? AND item_id = ?", (self._user_id, track.id)
        )
        if row is None:
            download_id = await tx.insert(
                """INSERT INTO downloads (item_id, user_id, file_path, status, priority, queued_at, name, album,
                   artists, album_id, album_artist, disc, number, year, duration_ms, container, image_item_id, image_tag, origin)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (
                    track.id,
                    self._user_id,
                    ask.file_path,
                    "paused" if ask.is_held else "pending",
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
                    ask.origin,
                ),
            )
        else:
            download_id = int(row["id"])
            await self._adopt(tx, download_id, row["status"], ask, queued_at)
        await tx.execute("INSERT OR IGNORE INTO wants VALUES (?, ?)", (download_id, ask.wanted_by))
        return download_id

    async def _adopt(self, tx: Transaction, download_id: int, status: str, ask: Ask, queued_at: str) -> None:
        if status in ("failed", "paused") and ask.is_users and not ask.is_held:
            await move(
                tx, download_id, "resume", retry_count=0, error_message=None, next_attempt_at=None, wait_reason=None
            )
        if ask.is_users:
            await tx.execute("UPDATE downloads SET cleared_at = NULL WHERE id = ?", (download_id,))
        await tx.execute(
            "UPDATE downloads SET priority = ?, queued_at = ? WHERE id = ? AND priority < ? AND status <> 'completed'",
            (ask.priority, queued_at, download_id, ask.priority),
        )


async def _newest(tx: Transaction) -> datetime:
    row = await tx.fetch_one("SELECT max(queued_at) FROM downloads")
    if row is None or row[0] is None:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.strptime(row[0], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
