"""The downloads as the cache asks them, carried out in a real database without a network: files come when told to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from jellytui.engine.bus import EventBus
from jellytui.engine.clock import Clock, timestamp
from jellytui.engine.events import DownloadEvent
from jellytui.engine.models import DownloadInfo, Track
from jellytui.engine.storage.database import Database

CACHE = ("stream", "queue", "album")


class DownloadsInTable:
    """`calls` holds what was asked; `complete` lets a file be here; `leased` what is read."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._accesses = 0
        self.albums: dict[str, list[Track]] = {}
        self.leased: set[str] = set()
        self.calls: list[tuple[object, ...]] = []

    async def tracks_of_album(self, album_id: str) -> list[Track]:
        return self.albums.get(album_id, [])

    async def want(
        self, tracks: Sequence[Track], wanted_by: Literal["queue", "album"], *, priority: int | None = None
    ) -> list[int]:
        self.calls.append(("want", tuple(track.id for track in tracks), wanted_by, priority))
        return [await self.add(track, wanted_by, priority=priority or 0) for track in tracks]

    async def withdraw(self, item_ids: Sequence[str], wanted_by: Literal["queue", "album"]) -> None:
        self.calls.append(("withdraw", tuple(item_ids), wanted_by))
        for item_id in item_ids:
            await self._database.execute(
                "DELETE FROM wants WHERE wanted_by = ? AND download_id = (SELECT id FROM downloads WHERE item_id = ?)",
                (wanted_by, item_id),
            )
        await self._database.execute(
            """DELETE FROM downloads WHERE status <> 'completed'
               AND NOT EXISTS (SELECT 1 FROM wants WHERE download_id = downloads.id)"""
        )

    async def evict(self, download_ids: Sequence[int]) -> list[int]:
        self.calls.append(("evict", tuple(download_ids)))
        gone = []
        for download_id in download_ids:
            row = await self._database.fetch_one("SELECT item_id FROM downloads WHERE id = ?", (download_id,))
            if row is None or row["item_id"] in self.leased or await self._is_users(download_id):
                continue
            now = timestamp(self._clock.now())
            await self._database.execute("INSERT OR REPLACE INTO evictions VALUES (?, ?)", (row["item_id"], now))
            await self._database.execute("DELETE FROM downloads WHERE id = ?", (download_id,))
            gone.append(download_id)
        return gone

    async def touch(self, item_id: str) -> None:
        self._accesses += 1
        await self._database.execute(
            "UPDATE downloads SET last_access = ? WHERE item_id = ?", (self._accesses, item_id)
        )

    async def keep(self, item_ids: Sequence[str]) -> list[int]:
        return [await self.add(Track(id=item_id, name=item_id), "user") for item_id in item_ids]

    def when_full(self, make_room: Callable[[], Awaitable[bool]]) -> Callable[[], None]:
        return lambda: None

    def is_leased(self, item_id: str) -> bool:
        return item_id in self.leased

    # For the tests

    async def add(self, track: Track, wanted_by: str, *, priority: int = 0) -> int:
        """A row, or one want more of the row that is there."""
        row = await self._database.fetch_one("SELECT id FROM downloads WHERE item_id = ?", (track.id,))
        if row is None:
            async with self._database.transaction() as tx:
                download_id = await tx.insert(
                    """INSERT INTO downloads
                           (item_id, user_id, name, album_id, duration_ms, container, origin, priority)
                       VALUES (?, 'user', ?, ?, ?, ?, ?, ?)""",
                    (
                        track.id,
                        track.name,
                        track.album_id,
                        track.duration_ms,
                        track.container,
                        wanted_by if wanted_by in CACHE else "user",
                        priority,
                    ),
                )
        else:
            download_id = int(row["id"])
            await self._database.execute(
                "UPDATE downloads SET priority = max(priority, ?) WHERE id = ?", (priority, download_id)
            )
        await self._database.execute("INSERT OR IGNORE INTO wants VALUES (?, ?)", (download_id, wanted_by))
        return download_id

    async def complete(self, item_id: str, size: int) -> None:
        """The file is here; tells the bus."""
        await self._database.execute(
            """UPDATE downloads SET status = 'completed', file_size = ?1, bytes_downloaded = ?1, progress = 1.0
               WHERE item_id = ?2""",
            (size, item_id),
        )
        row = await self._database.fetch_one("SELECT id FROM downloads WHERE item_id = ?", (item_id,))
        assert row is not None
        wants = await self._database.fetch_all("SELECT wanted_by FROM wants WHERE download_id = ?", (row["id"],))
        self._bus.publish(
            DownloadEvent(
                type="completed",
                download=DownloadInfo(
                    id=row["id"], item_id=item_id, user_id="user", wanted_by=tuple(want[0] for want in wants)
                ),
            )
        )

    async def leave(self, item_id: str, size: int) -> None:
        """So much of it came, and no more comes; nobody is told."""
        await self._database.execute(
            "UPDATE downloads SET status = 'paused', bytes_downloaded = ? WHERE item_id = ?", (size, item_id)
        )

    async def items(self, status: str | None = None) -> list[str]:
        """The items that have a row."""
        rows = await self._database.fetch_all("SELECT item_id, status FROM downloads ORDER BY id")
        return [row["item_id"] for row in rows if status in (None, row["status"])]

    async def _is_users(self, download_id: int) -> bool:
        wants = await self._database.fetch_all("SELECT wanted_by FROM wants WHERE download_id = ?", (download_id,))
        return any(want["wanted_by"] not in CACHE for want in wants)
