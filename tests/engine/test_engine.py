"""The engine as a whole: what it leaves behind when it cannot start, and commands whose callers go."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from jellytui.config import Settings
from jellytui.engine.commands import running
from jellytui.engine.commands.registry import Registry, cancellable
from jellytui.engine.downloads.manager import DownloadManager
from jellytui.engine.engine import Engine
from jellytui.engine.errors import EngineGoneError
from jellytui.engine.models import Account
from jellytui.engine.player.player import Player
from jellytui.engine.services import Services
from jellytui.engine.storage.database import Database
from jellytui.paths import paths_below
from tests.engine.player.conftest import tracks
from tests.support.clock import ManualClock
from tests.support.sound import NullSound
from tests.support.waiting import until

ACCOUNT = Account(
    server_url="http://127.0.0.1:9",
    server_id="s1",
    server_name="attic",
    server_version="12.0.0",
    user_id="u1",
    user_name="demo",
    device_id="d1",
)


async def test_an_engine_that_cannot_start_lets_go_of_everything(tmp_path: Path) -> None:
    paths = paths_below(tmp_path)
    file = paths.database_file(ACCOUNT.server_id, ACCOUNT.user_id)
    file.parent.mkdir(parents=True)
    await (await Database.open(file)).close()
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE queue_entries")  # the last part, the player, finds nothing to read
    threads, tasks = set(threading.enumerate()), asyncio.all_tasks()
    with pytest.raises(sqlite3.OperationalError, match="queue_entries"):
        await Engine.start(account=ACCOUNT, token="t", paths=paths, settings=Settings())
    assert asyncio.all_tasks() == tasks
    left = [thread for thread in set(threading.enumerate()) - threads if not thread.name.startswith("asyncio_")]
    for thread in left:
        await asyncio.to_thread(thread.join, 5)
    assert not [thread.name for thread in left if thread.is_alive()]


class Gate:
    """Commands that wait at a gate, and how far they came."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.came: list[str] = []

    def commands(self) -> Registry:
        async def change(services: Services) -> str:
            """Does a thing in two steps."""
            return await self._pass("change")

        @cancellable
        async def look(services: Services) -> str:
            """Looks for long."""
            return await self._pass("look")

        async def break_down(services: Services) -> str:
            """Goes wrong."""
            await self._pass("break_down")
            raise ZeroDivisionError

        return Registry([change, look, break_down])

    async def _pass(self, name: str) -> str:
        self.came.append(f"{name} begun")
        await self.opened.wait()
        self.came.append(f"{name} done")
        return name


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr("jellytui.engine.engine.registry", gate.commands)
    return gate


@pytest.fixture
def sound(monkeypatch: pytest.MonkeyPatch) -> NullSound:
    sound = NullSound(ManualClock())
    monkeypatch.setattr("jellytui.engine.engine.Player", partial(Player, sound=sound))
    return sound


@pytest_asyncio.fixture
async def engine(gate: Gate, sound: NullSound, tmp_path: Path) -> AsyncIterator[Engine]:
    engine = await Engine.start(account=ACCOUNT, token="t", paths=paths_below(tmp_path), settings=Settings())
    yield engine
    await engine.close()


async def give_up(call: asyncio.Task[object]) -> None:
    """The caller goes."""
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_command_that_changes_something_is_done_whole_when_its_caller_goes(engine: Engine, gate: Gate) -> None:
    call = asyncio.create_task(engine.call("change"))
    await until(lambda: gate.came)
    await give_up(call)
    gate.opened.set()
    await until(lambda: gate.came == ["change begun", "change done"])


async def test_a_command_that_is_made_to_be_cancelled_ends_with_its_caller(engine: Engine, gate: Gate) -> None:
    call = asyncio.create_task(engine.call("look"))
    await until(lambda: gate.came)
    await give_up(call)
    gate.opened.set()
    assert await engine.call("change") == "change"
    assert gate.came == ["look begun", "change begun", "change done"]


async def test_a_command_that_breaks_for_nobody_is_in_the_log(
    engine: Engine, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    call = asyncio.create_task(engine.call("break_down"))
    await until(lambda: gate.came)
    await give_up(call)
    gate.opened.set()
    await until(lambda: [record for record in caplog.records if record.levelno == logging.ERROR and record.exc_info])


async def test_an_engine_that_ends_waits_for_what_is_being_changed_and_takes_no_more(
    engine: Engine, gate: Gate
) -> None:
    call = asyncio.create_task(engine.call("change"))
    await until(lambda: gate.came)
    closing = asyncio.create_task(engine.close())
    await asyncio.sleep(0)
    with pytest.raises(EngineGoneError, match="ending"):
        await engine.call("change")
    assert not closing.done()
    gate.opened.set()
    await closing
    assert await call == "change"


async def test_an_engine_that_ends_does_not_wait_for_ever(
    engine: Engine, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_CLOSE_TIMEOUT_S", 0.05)
    call = asyncio.create_task(engine.call("change"))
    await until(lambda: gate.came)
    await engine.close()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert gate.came == ["change begun"]


async def test_a_face_that_goes_in_the_middle_of_a_skip_leaves_the_next_track_playing(
    sound: NullSound, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await Engine.start(account=ACCOUNT, token="t", paths=paths_below(tmp_path), settings=Settings())
    player = engine._services.player
    await player.play_tracks(tracks("abc"))
    await until(lambda: player.state.status == "playing")
    asked, answered = asyncio.Event(), asyncio.Event()

    async def slow(self: DownloadManager, item_id: str) -> Path | None:
        asked.set()
        await answered.wait()
        return None

    monkeypatch.setattr(DownloadManager, "local_path", slow)
    call = asyncio.create_task(engine.call("next_track"))
    await asked.wait()
    await give_up(call)
    answered.set()
    await until(lambda: sound.playing and sound.playing.uri == "jellytui://b")
    await until(lambda: player.state.status == "playing")
    assert player.state.track
    assert player.state.track.id == "b"
    await engine.close()
