"""How fast 100,000 tracks are queued, and what they cost in memory while they wait; each in a process of its own."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jellytui.engine.bus import EventBus
from jellytui.engine.models import Account, Track
from tests.bench.flow.engine import ALBUM, started_manager
from tests.bench.flow.machine import facts

ROWS = 100_000
SOME = 1000


def run() -> None:
    """Prints rows a second and megabytes for each thousand rows."""
    subprocess.run([sys.executable, "-m", __name__], check=True, timeout=120)
    print(facts())


async def _measure() -> None:
    account = Account(
        server_url="http://127.0.0.1:9",
        server_id="server",
        server_name="Nobody",
        server_version="10.11.0",
        user_id="user",
        user_name="demo",
        device_id="bench",
    )
    bus = EventBus()
    bus.bind(asyncio.get_running_loop())
    tracks = [_track(number) for number in range(ROWS)]
    with tempfile.TemporaryDirectory(prefix="jellytui-bench-") as name:
        folder = Path(name)
        # Away from the server: nothing begins, and everything waits.
        async with started_manager(account, "", folder, tracks, bus, concurrency=4, online=False) as manager:
            await manager.wishes.download_item(tracks[0].id)  # all that is loaded late is loaded
            before = _resident_bytes()
            began_at = time.perf_counter()
            await manager.wishes.download_album(ALBUM)
            seconds = time.perf_counter() - began_at
            await manager.summary()
            held = _resident_bytes() - before
            file_bytes = (folder / "jellytui.db").stat().st_size
            counted = (await manager.summary()).queued_count
    if counted != ROWS:
        raise RuntimeError(f"{counted} rows are queued, not {ROWS}")
    print(
        f"{ROWS:,} rows queued in {seconds:.2f} s: {ROWS / seconds:,.0f} rows/s, events and all, on the disk of {name}"
    )
    print(f"memory they hold: {held / ROWS * SOME / 1e6:.2f} MB for {SOME:,} rows; database {file_bytes / 1e6:.0f} MB")


def _track(number: int) -> Track:
    return Track(
        id=f"{number:032x}",
        name=f"A song with a name of usual length, {number}",
        album="An album",
        album_id=f"{number // 12:032x}",
        artists=("Somebody",),
        artist_ids=("somebody",),
        number=number % 12,
        container="flac",
        duration_ms=240_000,
    )


def _resident_bytes() -> int:
    """What the process holds just now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    asyncio.run(_measure())
