"""Plays outlive kill -9 at any moment, and reach the server once each, in order."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from jellytui.engine.bus import EventBus
from jellytui.engine.jellyfin.records import StartReport, UserData
from jellytui.engine.library.outbox import Outbox
from jellytui.engine.storage.database import Database
from tests.engine.library.test_outbox import START, add, at, emptied
from tests.support.catalogue import LinkInMemory
from tests.support.clock import ManualClock

_PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.engine.library.test_outbox_killed import run_until_killed
asyncio.run(run_until_killed(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
"""


class ServerInAFile:
    """A server whose counts outlive its clients; `hang_in` names the call that never answers."""

    def __init__(self, path: Path, hang_in: str = "") -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("CREATE TABLE IF NOT EXISTS calls (item_id TEXT, played_at TEXT)")
        self._hang_in = hang_in

    @property
    def plays(self) -> list[tuple[str, str]]:
        return self._connection.execute("SELECT item_id, played_at FROM calls ORDER BY rowid").fetchall()

    async def set_favorite(self, item_id: str, is_favorite: bool) -> None:
        raise NotImplementedError

    async def set_last_played(self, item_id: str, played_at: str) -> None:
        raise NotImplementedError

    async def user_data(self, item_id: str) -> UserData:
        dates = [played_at for found, played_at in self.plays if found == item_id]
        return UserData(item_id=item_id, play_count=len(dates), last_played_at=dates[-1] if dates else None)

    async def mark_played(self, item_id: str, played_at: str) -> None:
        if self._hang_in == "before":
            await self._hang()
        self._connection.execute("INSERT INTO calls VALUES (?, ?)", (item_id, played_at))
        if self._hang_in == "after" and len(self.plays) == 2:
            await self._hang()

    async def _hang(self) -> None:
        print(json.dumps("hanging"), flush=True)
        await asyncio.Event().wait()


async def run_until_killed(what: str, database_file: Path, server_file: Path) -> None:
    """The victim: adds plays for ever and says which are safe, or sends them and hangs."""
    database = await Database.open(database_file)
    server = ServerInAFile(server_file, hang_in=what)
    link = LinkInMemory(is_online=what != "add")
    outbox = Outbox(database=database, client=server, connection=link, bus=EventBus(), clock=ManualClock())
    number = 0
    await outbox.start()
    while what == "add":
        await outbox.add_play(
            play_id=f"play-{number:06}", track_id="track", started_at=START,
            played_at=f"2026-01-01T10:00:00.{number:06}Z", start=StartReport(is_counted=False),
        )  # fmt: skip
        print(json.dumps(f"play-{number:06}"), flush=True)
        number += 1
    await asyncio.Event().wait()


def killed(what: str, tmp_path: Path, *, after_lines: int) -> list[str]:
    """Runs the victim, kills it once it has said so many lines, and returns what it said."""
    arguments = [sys.executable, "-c", _PROGRAM, what, str(tmp_path / "jellytui.db"), str(tmp_path / "server.db")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        said = [json.loads(victim.stdout.readline()) for _ in range(after_lines)]
        victim.send_signal(signal.SIGKILL)
        said += [json.loads(line) for line in victim.stdout if line.endswith("\n")]
    return said


async def sent_by_the_next_start(tmp_path: Path) -> list[tuple[str, str]]:
    database = await Database.open(tmp_path / "jellytui.db")
    server = ServerInAFile(tmp_path / "server.db")
    outbox = Outbox(database=database, client=server, connection=LinkInMemory(), bus=EventBus(), clock=ManualClock())
    await outbox.start()
    await emptied(database)
    await outbox.stop()
    await database.close()
    return server.plays


async def test_plays_that_were_added_survive_kill_9_and_arrive_in_order(tmp_path: Path) -> None:
    said = killed("add", tmp_path, after_lines=30)

    plays = await sent_by_the_next_start(tmp_path)

    numbers = [int(played_at[20:26]) for _, played_at in plays]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= len(said)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_kill_9_while_a_play_is_sent_makes_none_twice_and_loses_none(tmp_path: Path, moment: str) -> None:
    database = await Database.open(tmp_path / "jellytui.db")
    outbox = Outbox(
        database=database,
        client=ServerInAFile(tmp_path / "server.db"),
        connection=LinkInMemory(is_online=False),
        bus=EventBus(),
        clock=ManualClock(),
    )
    for number in (1, 2, 3):
        await add(outbox, number)
    await database.close()
    assert killed(moment, tmp_path, after_lines=1) == ["hanging"]

    assert await sent_by_the_next_start(tmp_path) == [("track-one", at(number)) for number in (1, 2, 3)]
