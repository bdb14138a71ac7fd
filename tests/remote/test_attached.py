"""A face that outlives its engine: what only reads is asked again, what was missed is told."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from jellytui.config import PlayerSettings, Settings
from jellytui.engine.errors import EngineGoneError
from jellytui.engine.events import DownloadEvent
from jellytui.engine.models import DownloadsSummary
from jellytui.paths import Paths, paths_below
from jellytui.remote.attach import EngineLock
from jellytui.remote.attached import AttachedBackend
from jellytui.remote.server import RemoteServer
from tests.remote import test_remote
from tests.remote.test_remote import SmallEngine

ACCOUNT = replace(test_remote.ACCOUNT, server_url="http://127.0.0.1:9")
"""Where nobody answers, and no name is looked up."""
IDS = (ACCOUNT.server_id, ACCOUNT.user_id)
SETTINGS = Settings(player=PlayerSettings(audio_output="null"))


class Holder:
    """Another process's engine: it holds the lock and answers little."""

    def __init__(self, engine: SmallEngine, server: RemoteServer, lock: EngineLock) -> None:
        self.engine = engine
        self.server = server
        self.lock = lock

    @classmethod
    async def start(cls, paths: Paths) -> Holder:
        lock = EngineLock.take(paths.lock_file(*IDS))
        assert lock is not None
        engine = SmallEngine(paths.database_file(*IDS))
        server = RemoteServer(engine, paths.socket_file(*IDS), paths.database_file(*IDS))
        await server.start()
        return cls(engine, server, lock)

    async def die(self) -> None:
        await self.server.stop()
        await self.engine.close()
        self.lock.release()


def engine_is_elsewhere(face: AttachedBackend) -> bool:
    return not face.hosts_the_engine


async def test_a_face_takes_over_from_a_holder_that_ends(tmp_path: Path) -> None:
    paths = paths_below(tmp_path)
    holder = await Holder.start(paths)
    face = await AttachedBackend.open(paths, SETTINGS, ACCOUNT, "token")
    assert engine_is_elsewhere(face)
    reading = asyncio.create_task(face.call("get_downloads_summary"))
    writing = asyncio.create_task(face.call("await_sync"))
    async with face.events([DownloadEvent]) as events, asyncio.timeout(30):
        listening = asyncio.create_task(events.batch())
        while len(holder.engine.called) < 2:
            await asyncio.sleep(0)
        await holder.die()
        with pytest.raises(EngineGoneError):
            await writing
        assert isinstance(await reading, DownloadsSummary)
        assert not engine_is_elsewhere(face)
        assert not listening.done(), "nothing was missed"
        listening.cancel()
    await face.close()


async def test_the_lock_is_free_again_when_a_face_that_took_over_closes(tmp_path: Path) -> None:
    paths = paths_below(tmp_path)
    holder = await Holder.start(paths)
    face = await AttachedBackend.open(paths, SETTINGS, ACCOUNT, "token")
    assert EngineLock.take(paths.lock_file(*IDS)) is None
    await holder.die()
    await face.call("get_player")
    assert EngineLock.take(paths.lock_file(*IDS)) is None
    await face.close()
    lock = EngineLock.take(paths.lock_file(*IDS))
    assert lock is not None
    lock.release()


async def test_downloads_that_moved_between_two_engines_are_told(tmp_path: Path) -> None:
    paths = paths_below(tmp_path)
    first = await AttachedBackend.open(paths, SETTINGS, ACCOUNT, "token")
    await first.close()
    with closing(sqlite3.connect(paths.database_file(*IDS))) as database, database:
        columns = "item_id, user_id, status, queued_at, error_message"
        database.execute(
            f"INSERT INTO downloads ({columns}) VALUES ('t1', 'u1', 'failed', '2026-01-01T00:00:00.000000Z', 'gone')"
        )
        database.execute("INSERT INTO wants (download_id, wanted_by) SELECT id, 'user' FROM downloads")
    holder = await Holder.start(paths)
    face = await AttachedBackend.open(paths, SETTINGS, ACCOUNT, "token")
    async with face.events([DownloadEvent]) as events, asyncio.timeout(30):
        listening = asyncio.create_task(events.batch())
        await face.call("get_queue")
        await holder.die()
        (event,) = await listening
        assert isinstance(event, DownloadEvent)
        assert (event.type, event.download.item_id, event.download.error_message) == ("failed", "t1", "gone")
    await face.close()
