"""The download engine in a process of its own: manager, worker, files, fsync and SQLite, asked for so many files.

Run as a program it reads a Job from standard input and writes what it took as JSON.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from jellytui.config import DownloadSettings, ServerSettings, Settings
from jellytui.engine.bus import EventBus
from jellytui.engine.clock import SystemClock
from jellytui.engine.downloads.manager import DownloadManager
from jellytui.engine.events import DownloadEvent, Event
from jellytui.engine.jellyfin.client import JellyfinClient
from jellytui.engine.jellyfin.media import MediaClient
from jellytui.engine.models import Account, Track
from jellytui.engine.storage.database import Database
from tests.support.catalogue import LinkInMemory

ALBUM = "album"


class Job(msgspec.Struct, kw_only=True):
    """What to fetch, and into which folder."""

    account: Account
    token: str
    item_ids: list[str]
    concurrency: int
    folder: str


class Took(msgspec.Struct, kw_only=True):
    """What it took, from the request until the last row said completed."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    """The most memory that the whole process ever held."""


def run_job(job: Job) -> Took:
    """Runs a job in a new process."""
    words = [sys.executable, "-m", __name__]
    done = subprocess.run(words, input=msgspec.json.encode(job), stdout=subprocess.PIPE, check=True, timeout=120)
    return msgspec.json.decode(done.stdout, type=Took)


class AlbumInMemory:
    """The catalogue: one album of all tracks. Nothing is followed, and nobody has covers or words."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._tracks = list(tracks)

    async def tracks(self, ids: Sequence[str]) -> list[Track]:
        known = {track.id: track for track in self._tracks}
        return [known[item_id] for item_id in ids if item_id in known]

    async def tracks_of_album(self, album_id: str) -> list[Track]:
        return self._tracks

    async def tracks_of_artist(self, artist_id: str) -> list[Track]:
        return []

    async def tracks_of_playlist(self, playlist_id: str) -> list[Track]:
        return []

    async def favorite_tracks(self) -> list[Track]:
        return []

    async def path(self, item_id: str, tag: str) -> None:
        """No covers."""

    async def get(self, item_id: str) -> None:
        """No words."""


class FreeNetwork:
    """A link that costs nothing."""

    is_metered = False

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        return lambda: None


@asynccontextmanager
async def started_manager(
    account: Account,
    token: str,
    folder: Path,
    tracks: Sequence[Track],
    bus: EventBus,
    *,
    concurrency: int,
    online: bool,
) -> AsyncIterator[DownloadManager]:
    """A download engine with a database of its own."""
    clock = SystemClock()
    database = await Database.open(folder / "jellytui.db")
    client = JellyfinClient(account=account, token=token, server=ServerSettings(), clock=clock)
    album = AlbumInMemory(tracks)
    manager = DownloadManager(
        account=account,
        database=database,
        root=folder / "downloads",
        media=MediaClient(client=client),
        client=client,
        connection=LinkInMemory(is_online=online),
        catalogue=album,
        mirror=album,
        covers=album,
        lyrics=album,
        bus=bus,
        settings=Settings(downloads=DownloadSettings(concurrency=concurrency)),
        clock=clock,
        network=FreeNetwork(),
        free_floor_bytes=0,
    )
    if online:  # as the app does at its start; what is loaded late for a request is there then
        await client.public_info()
    await manager.start()
    try:
        yield manager
    finally:
        await manager.stop()
        await client.close()
        await database.close()


async def _fetch(job: Job) -> Took:
    bus = EventBus()
    bus.bind(asyncio.get_running_loop())
    tracks = [Track(id=item_id, name=f"Track {number}", number=number) for number, item_id in enumerate(job.item_ids)]
    waiting = set(job.item_ids)
    all_done = asyncio.Event()

    def hear(event: Event) -> None:
        assert isinstance(event, DownloadEvent)
        if event.type == "failed":
            raise RuntimeError(event.download.error_message)
        if event.type == "completed":
            waiting.discard(event.download.item_id)
            if not waiting:
                all_done.set()

    bus.subscribe([DownloadEvent], hear)
    async with started_manager(
        job.account, job.token, Path(job.folder), tracks, bus, concurrency=job.concurrency, online=True
    ) as manager:
        began_at, cpu_began_at = time.perf_counter(), time.process_time()
        await manager.wishes.download_album(ALBUM)
        async with asyncio.timeout(100):
            await all_done.wait()
        seconds, cpu_seconds = time.perf_counter() - began_at, time.process_time() - cpu_began_at
    return Took(seconds=seconds, cpu_seconds=cpu_seconds, peak_bytes=_peak_bytes())


def _peak_bytes() -> int:
    """Linux's own mark: the one of getrusage begins with the size of the process that started this one."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    marks = dict(line.split(":", 1) for line in status.read_text(encoding="ascii").splitlines())
    return int(marks["VmHWM"].split()[0]) * 1024


if __name__ == "__main__":
    took = asyncio.run(_fetch(msgspec.json.decode(sys.stdin.buffer.read(), type=Job)))
    sys.stdout.buffer.write(msgspec.json.encode(took))
