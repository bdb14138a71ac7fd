"""What the tests of upkeep share: a real database, a real download root, and the caretaker over both."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest_asyncio

from jellytui.engine.bus import EventBus
from jellytui.engine.clock import timestamp
from jellytui.engine.downloads.announce import Announcer
from jellytui.engine.downloads.disk import Disk
from jellytui.engine.downloads.files import DownloadFiles
from jellytui.engine.downloads.leases import Leases
from jellytui.engine.downloads.rows.listing import Listing
from jellytui.engine.downloads.transfer.boot import boot_id
from jellytui.engine.downloads.upkeep.caretaker import Caretaker
from jellytui.engine.models import DownloadInfo, DownloadsSummary, Track
from jellytui.engine.storage.database import Database
from tests.support.clock import ManualClock

MUSIC = b"fLaC" + bytes(range(256)) * 4
USER = "user"


class MirrorInMemory:
    """The tracks that the library knows."""

    def __init__(self) -> None:
        self.known: dict[str, Track] = {}

    async def tracks(self, ids: Sequence[str]) -> list[Track]:
        return [self.known[item_id] for item_id in ids if item_id in self.known]


class House:
    """One account's downloads, with everything at hand."""

    def __init__(self, database: Database, root: Path) -> None:
        self.database = database
        self.root = root
        self.files = DownloadFiles(root=root, server_id="server", user_id=USER)
        self.disk = Disk(root, free_floor_bytes=0)
        self.disk.prepare(may_make=True)
        self.leases = Leases()
        self.mirror = MirrorInMemory()
        self.clock = ManualClock()
        self.bus = EventBus()
        self.bus.bind(asyncio.get_running_loop())
        self.woken = 0
        self.rests = 0
        announcer = Announcer(
            listing=Listing(database),
            bus=self.bus,
            clock=self.clock,
            live=lambda info: info,
            outline=_no_outline,
        )
        self.caretaker = Caretaker(
            user_id=USER,
            database=database,
            files=self.files,
            disk=self.disk,
            leases=self.leases,
            mirror=self.mirror,
            witness=announcer,
            wake=self._wake,
            at_rest=self._at_rest,
            changes=asyncio.Lock(),
            bus=self.bus,
            clock=self.clock,
        )

    async def add_row(self, item_id: str, status: str = "completed", *, wanted_by: str = "user", **columns: Any) -> int:
        """A row; a completed one as its commit leaves it."""
        if status == "completed":
            path, size = self.files.path_of(item_id, "flac"), len(MUSIC)
            whole = {"file_path": path, "file_size": size, "bytes_downloaded": size, "progress": 1.0}
            columns = {**whole, "completed_at": timestamp(self.clock.now()), **columns}
        values = {
            "item_id": item_id,
            "user_id": USER,
            "name": f"name of {item_id}",
            "album_id": "album",
            "status": status,
            "queued_at": timestamp(self.clock.now()),
            "boot_id": boot_id(),
            **columns,
        }
        async with self.database.transaction() as tx:
            download_id = await tx.insert(
                f"INSERT INTO downloads ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
                tuple(values.values()),
            )
            await tx.execute("INSERT INTO wants VALUES (?, ?)", (download_id, wanted_by))
        return download_id

    def add_file(self, item_id: str, content: bytes = MUSIC, *, ending: str = "flac") -> Path:
        """A file where the ids put it."""
        return self.write(self.files.path_of(item_id, ending), content)

    def add_part(self, item_id: str, content: bytes = MUSIC, *, age_s: float = 0.0) -> Path:
        """A `.part`, last written that long ago."""
        path = self.files.part_of(item_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written_at = self.clock.now().timestamp() - age_s
        os.utime(path, (written_at, written_at))
        return path

    def write(self, relative: str, content: bytes = MUSIC) -> Path:
        """A file anywhere in the root."""
        path = self.root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    async def row(self, item_id: str) -> sqlite3.Row:
        """The row of an item; fails when there is none."""
        row = await self.database.fetch_one("SELECT * FROM downloads WHERE item_id = ?", (item_id,))
        assert row is not None
        return row

    async def info(self, item_id: str) -> DownloadInfo | None:
        """The row as faces see it."""
        return await Listing(self.database).by_item(item_id)

    async def snapshot(self) -> list[tuple[Any, ...]]:
        """All rows, to see that nothing has changed."""
        return [tuple(row) for row in await self.database.fetch_all("SELECT * FROM downloads ORDER BY id")]

    def _wake(self) -> None:
        self.woken += 1

    @asynccontextmanager
    async def _at_rest(self) -> AsyncIterator[None]:
        self.rests += 1
        yield


async def _no_outline(_: int) -> DownloadsSummary:
    return DownloadsSummary()


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(tmp_path / "jellytui.db")
    yield database
    await database.close()


@pytest_asyncio.fixture
async def house(database: Database, tmp_path: Path) -> House:
    return House(database, tmp_path / "downloads")
