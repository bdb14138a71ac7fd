"""A cache over a real database, with downloads that are only rows: what it asks of them is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jellytui.config import CacheSettings, Settings
from jellytui.engine.bus import EventBus
from jellytui.engine.downloads.cache import SmartCache
from jellytui.engine.downloads.disk import Disk
from jellytui.engine.downloads.ports import Network
from jellytui.engine.events import PlayerState
from jellytui.engine.models import QueueWindow, Track
from jellytui.engine.storage.database import Database
from tests.support.cache_downloads import DownloadsInTable
from tests.support.clock import ManualClock
from tests.support.waiting import until

Make = Callable[..., Any]
"""The `make` fixture: a House by its network and settings."""

MB = 1_000_000


def song(number: int, album: str = "", seconds: int = 200) -> Track:
    """An MP3 of 256 kbit/s, as the cache guesses: 6.4 MB in 200 s."""
    return Track(
        id=f"{album}song{number}",
        name=f"Song {number}",
        album_id=album,
        container="mp3",
        duration_ms=seconds * 1000,
    )


def window(*tracks: Track, previous: Track | None = None) -> QueueWindow:
    """The first one plays, the others follow."""
    return QueueWindow(previous=previous, current=tracks[0], upcoming=tracks[1:])


def _disk(root: Path) -> Disk:
    disk = Disk(root)
    disk.prepare(may_make=True)
    return disk


class House:
    """A cache with all that it needs."""

    def __init__(self, database: Database, root: Path, network: Network | None, **settings: Any) -> None:
        self.is_closed = False
        self.clock = ManualClock()
        self.bus = EventBus()
        self.downloads = DownloadsInTable(database, self.bus, self.clock)
        self.database = database
        self.root = root
        disk = _disk(root)
        self._make: Callable[[], SmartCache] = lambda: SmartCache(
            downloads=self.downloads,
            catalogue=self.downloads,
            database=database,
            bus=self.bus,
            settings=Settings(cache=CacheSettings(**settings)),
            clock=self.clock,
            disk=disk,
            network=network,
        )
        self.cache = self._make()

    async def play(self, track: Track, *, size: int = 6_400_000, source: Any = "server") -> None:
        """A track is streamed, heard and complete."""
        await self.downloads.add(track, "stream")
        await self.downloads.complete(track.id, size)
        self.bus.publish(PlayerState(track=track, status="playing", source=source))
        await self.cache.on_track_played(track)

    async def later(self, seconds: float = 2.0) -> None:
        """Time passes, and what waited for it is done."""
        await until(self._is_idle)
        await self.clock.advance(seconds)
        await until(self._is_idle)

    async def restart(self) -> None:
        """The engine ends, and another begins with the same files."""
        await self.cache.stop()
        self.cache = self._make()
        await self.cache.start()

    async def close(self) -> None:
        """The engine ends."""
        if not self.is_closed:
            self.is_closed = True
            await self.cache.stop()
            await self.database.close()

    def _is_idle(self) -> bool:
        """Whether all that the cache has begun waits for the clock."""
        begun = [task for task in asyncio.all_tasks() if task.get_name().startswith("cache ")]
        return len(begun) == self.clock.sleepers
