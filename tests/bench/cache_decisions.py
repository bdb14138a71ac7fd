"""How fast the cache decides where the downloads table has 100,000 rows, database and all."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from jellytui.config import CacheSettings, Settings
from jellytui.engine.bus import EventBus
from jellytui.engine.clock import SystemClock
from jellytui.engine.downloads.cache import SmartCache
from jellytui.engine.downloads.cache.policy import StorageChanged, WindowMoved, decide
from jellytui.engine.downloads.cache.state import CacheState, Window, Wish
from jellytui.engine.downloads.disk import Disk
from jellytui.engine.downloads.rows.cached import CachedRow
from jellytui.engine.models import QueueWindow, Track
from jellytui.engine.storage.database import Database
from tests.support.cache_downloads import DownloadsInTable

ROWS = 100_000
SIZE = 8_000_000
ROUNDS = 15


def run() -> None:
    """Prints the policy's speed alone, then with the database."""
    songs = [Track(id=f"s{number}", name="", duration_ms=240_000, album_id=f"a{number // 12}") for number in range(12)]
    rows = [CachedRow(download_id=number, item_id=f"i{number}", bytes_here=SIZE) for number in range(ROWS)]
    window = Window(current="s0", upcoming=tuple(Wish(song, SIZE) for song in songs[1:6]), is_playing=True)
    used = ROWS * SIZE
    free = CacheState(window=window, used_bytes=used)
    full = CacheState(window=window, used_bytes=used, evictable=rows)
    roomy, tight = CacheSettings(storage_limit=2 * used), CacheSettings(storage_limit=used - 1)
    room_left = _median(lambda: decide(free, WindowMoved(), roomy))
    at_limit = _median(lambda: decide(full, StorageChanged(), tight))
    print(f"policy, room left: {1 / room_left:,.0f} decisions/s")
    print(f"policy, at the limit with {ROWS:,} rows that may go: {1 / at_limit:,.0f} decisions/s")
    asyncio.run(_with_database(songs))


def _median(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


async def _with_database(songs: list[Track]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(Path(folder) / "jellytui.db")
        async with database.transaction() as tx:
            await tx.execute_many(
                """INSERT INTO downloads (item_id, user_id, status, file_size, bytes_downloaded, origin, last_access)
                   VALUES (?, 'user', 'completed', ?, ?, 'stream', ?)""",
                [(f"i{number}", SIZE, SIZE, number) for number in range(ROWS)],
            )
            await tx.execute(
                "INSERT INTO wants SELECT id, CASE id % 2 WHEN 0 THEN 'user' ELSE 'stream' END FROM downloads"
            )
        bus, clock = EventBus(), SystemClock()
        downloads = DownloadsInTable(database, bus, clock)
        disk = Disk(Path(folder))
        disk.prepare(may_make=True)
        cache = SmartCache(
            downloads=downloads,
            catalogue=downloads,
            database=database,
            bus=bus,
            settings=Settings(cache=CacheSettings(storage_limit=ROWS * SIZE)),
            clock=clock,
            disk=disk,
        )
        window = QueueWindow(current=songs[0], upcoming=tuple(songs[1:6]))
        seconds = await _median_of(lambda: cache.on_track_started(window))
        print(f"a track started, {ROWS:,} rows: {seconds * 1000:7.1f} ms, on a reader's thread")
        seconds = await _median_of(lambda: cache.on_track_played(songs[0]))
        print(f"a track played,  {ROWS:,} rows: {seconds * 1000:7.1f} ms")
        await cache.stop()
        await database.close()


async def _median_of(work: Callable[[], Awaitable[object]]) -> float:
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        await work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)
