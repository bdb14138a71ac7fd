"""One life of the download engine, in a process of its own that somebody kills: random acts, each told in a diary.

Forked from a process that has everything imported, so that a life begins in milliseconds (house.py).
"""

from __future__ import annotations

import asyncio
import mmap
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from jellytui.config import ServerSettings, Settings
from jellytui.engine.bus import EventBus
from jellytui.engine.clock import SystemClock
from jellytui.engine.downloads.manager import DownloadManager
from jellytui.engine.downloads.ports import MediaResponse
from jellytui.engine.errors import JellytuiError
from jellytui.engine.jellyfin.client import JellyfinClient
from jellytui.engine.jellyfin.media import MediaClient
from jellytui.engine.models import Account, Track
from jellytui.engine.storage.database import Database
from tests.engine.downloads.conftest import CoversInMemory, LyricsInMemory, NetworkInMemory
from tests.support.catalogue import LinkInMemory

COUNT_BYTES = 8
FILE_EVENTS = frozenset({"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir"})
"""What Python tells its audit hooks right before the engine does it to the disk."""


@dataclass(frozen=True, kw_only=True)
class Life:
    """What a life is to do. `is_last` is one that goes on until everything asked for is here, and does nothing else."""

    folder: Path
    account: Account
    token: str
    tracks: tuple[Track, ...]
    seed: int
    is_last: bool = False
    fatal_event: int = 0
    """Which act on the disk it does not survive; 0: it waits for its killer."""
    dies: Literal["before", "after"] = "before"
    """Whether it dies before that act, or soon after it (it tells its killer)."""


@dataclass(frozen=True)
class Counted:
    """A response that tells how far the worker has read."""

    response: MediaResponse
    tell: Callable[[int], None]
    start: int

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self.response.headers

    def hurry(self) -> None:
        self.response.hurry()

    async def chunks(self, patience_s: Callable[[], float] | None = None) -> AsyncIterator[bytes]:
        position = self.start if self.status == 206 else 0
        async for chunk in self.response.chunks(patience_s):
            position += len(chunk)
            self.tell(position)
            yield chunk


class CountingMedia:
    """Writes how far each file was read into memory that outlives the process."""

    def __init__(self, media: MediaClient, counts: mmap.mmap, tracks: Sequence[Track]) -> None:
        self._media = media
        self._counts = counts
        self._tracks = tracks

    @asynccontextmanager
    async def open(
        self, url: str, *, start: int = 0, end: int | None = None, if_range: str | None = None, authorized: bool
    ) -> AsyncIterator[MediaResponse]:
        place = next(number for number, track in enumerate(self._tracks) if track.id in url) * COUNT_BYTES

        def tell(position: int) -> None:
            self._counts[place : place + COUNT_BYTES] = position.to_bytes(COUNT_BYTES, "little")

        async with self._media.open(url, start=start, end=end, if_range=if_range, authorized=authorized) as response:
            yield Counted(response, tell, start)


class Known:
    """The catalogue: the songs of one album."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._tracks = {track.id: track for track in tracks}

    async def tracks(self, ids: Sequence[str]) -> list[Track]:
        return [self._tracks[item_id] for item_id in ids if item_id in self._tracks]

    async def tracks_of_album(self, album_id: str) -> list[Track]:
        return list(self._tracks.values())

    tracks_of_artist = tracks_of_playlist = tracks_of_album

    async def favorite_tracks(self) -> list[Track]:
        return []


class Living:
    """The engine of a life, and what it does."""

    def __init__(self, life: Life, killer: Connection) -> None:
        self._life = life
        self._killer = killer
        self._dice = random.Random(life.seed)
        self._takes_away = 2 if self._dice.random() < 0.4 else 0
        """How often it deletes, cancels and evicts; most lives only let things come."""
        self._diary = os.open(life.folder / "diary", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._manager: DownloadManager

    def tell(self, *words: str) -> None:
        """Writes a line that a kill cannot take back."""
        os.write(self._diary, f"{' '.join(words)}\n".encode())

    async def run(self) -> None:
        """Lives; returns only where the life is the last."""
        life = self._life
        with (life.folder / "counts").open("r+b") as file:
            counts = mmap.mmap(file.fileno(), 0)
        bus = EventBus()
        bus.bind(asyncio.get_running_loop())
        database = await Database.open(life.folder / "jellytui.db")
        clock = SystemClock()
        client = JellyfinClient(account=life.account, token=life.token, server=ServerSettings(), clock=clock)
        catalogue = Known(life.tracks)
        self._manager = DownloadManager(
            account=life.account,
            database=database,
            root=life.folder / "downloads",
            media=CountingMedia(MediaClient(client=client), counts, life.tracks),
            client=client,
            connection=LinkInMemory(),
            catalogue=catalogue,
            mirror=catalogue,
            covers=CoversInMemory(),
            lyrics=LyricsInMemory(),
            bus=bus,
            settings=Settings(),
            clock=clock,
            network=NetworkInMemory(),
            free_floor_bytes=0,
        )
        await self._manager.start()
        if life.is_last:
            await self._end_well()
            await client.close()
            await database.close()
            return
        self._killer.send_bytes(b"alive")
        rows = await self._manager.downloads()
        if rows and all(row.status == "completed" for row in rows):
            await self._told("delete", life.tracks, self._manager.acts.delete([row.id for row in rows]))
        await self._told("ask", life.tracks, self._manager.wishes.download_album(life.tracks[0].album_id))
        while True:
            await self._act()
            await asyncio.sleep(self._dice.choice((0.0, 0.005, 0.04, 0.15)))

    async def _end_well(self) -> None:
        await self._manager.acts.resume_all()
        await self._manager.acts.retry_failed()
        await self._manager.caretaker.swept()
        while any(row.status != "completed" for row in await self._manager.downloads()):
            await asyncio.sleep(0.02)
        await self._manager.stop()

    # What a user and the cache do.

    async def _act(self) -> None:
        track = self._dice.choice(self._life.tracks)
        acts = self._manager.acts
        kinds = ["ask", "album", "resume"] * 4 + ["pause", "pause all", "resume all", "prioritize", "cache"] * 2
        kind = self._dice.choice(kinds + ["delete", "cancel", "delete all", "evict"] * self._takes_away)
        row = await self._manager.listing.by_item(track.id)
        match kind:
            case "ask":
                await self._told("ask", [track], self._manager.wishes.download_item(track.id))
            case "album":
                await self._told("ask", self._life.tracks, self._manager.wishes.download_album(track.album_id))
            case "delete all":
                rows = await self._manager.downloads()
                await self._told("delete", self._life.tracks, acts.delete([each.id for each in rows]))
            case "delete" | "cancel" if row is not None:
                act = acts.delete if kind == "delete" else acts.cancel
                await self._told("delete", [track], act([row.id]))
            case "pause" | "resume" | "prioritize" if row is not None:
                await getattr(acts, kind)([row.id])
            case "pause all":
                await acts.pause_all()
                await asyncio.sleep(0.01)
                await acts.resume_all()
            case "resume all":
                await acts.resume_all()
            case "cache" if row is None:
                await self._manager.want([track], "queue")
            case "evict":
                self.tell("begin", "evict", "-")
                await self._manager.withdraw([each.id for each in self._life.tracks], "queue")
                await self._manager.evict([each.id for each in await self._manager.downloads()])

    async def _told(self, act: str, tracks: Sequence[Track], work: Coroutine[Any, Any, object]) -> None:
        """An act whose end is a promise; one that is refused has promised nothing."""
        for track in tracks:
            self.tell("begin", act, track.id)
        try:
            await work
        except JellytuiError:
            act = f"no-{act}"
        for track in tracks:
            self.tell("done", act, track.id)


def live(life: Life, killer: Connection) -> None:
    """The process's whole work; what goes wrong is in the file `errors`."""
    errors = os.open(life.folder / "errors", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(errors, sys.stderr.fileno())
    if life.fatal_event:
        _die_at(life, killer)
    asyncio.run(Living(life, killer).run())


def _die_at(life: Life, killer: Connection) -> None:
    left = life.fatal_event
    root = str(life.folder / "downloads")

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal left
        if event not in FILE_EVENTS or not str(args[0]).startswith(root):
            return
        left -= 1
        if left == 0 and life.dies == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        elif left == 0:
            killer.send_bytes(b"now")

    sys.addaudithook(hook)
