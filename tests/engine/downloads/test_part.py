"""The `.part`, how it becomes a file, and how fast it may grow."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from jellytui.engine.downloads.transfer.part import WRITE_BYTES, Part
from jellytui.engine.downloads.transfer.rate import Gate
from tests.engine.downloads.conftest import Rig
from tests.support.clock import ManualClock
from tests.support.waiting import until

DOWNLOAD = "/items/*/download"


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


async def test_bytes_are_gathered_and_all_are_there_once_flushed(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    part = await Part.open(tmp_path / "x.part", executor)
    await part.write(b"a" * 1000)
    assert (part.size, part.written, part.path.stat().st_size) == (1000, 0, 0)
    await part.write(b"b" * WRITE_BYTES)
    await part.flush()
    assert part.written == part.size == part.path.stat().st_size == WRITE_BYTES + 1000
    assert await part.read(999, 2) == b"ab"
    await part.close()


async def test_a_part_is_private_and_never_a_link_to_elsewhere(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    part = await Part.open(tmp_path / "x.part", executor)
    assert part.path.stat().st_mode & 0o777 == 0o600
    await part.close()
    (tmp_path / "y.part").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic links"):
        await Part.open(tmp_path / "y.part", executor)
    assert not (tmp_path / "victim").exists()


async def test_what_a_power_cut_may_have_taken_is_not_trusted(rig: Rig, clock: ManualClock) -> None:
    song = rig.songs[0]
    rig.server.faults.add("close", route=DOWNLOAD, after_bytes=1_300_000, times=1)
    await rig.manager.wishes.download_item(song.id)
    await rig.until_row(song.id, lambda row: row.next_attempt_at)
    await rig.stop()
    with closing(sqlite3.connect(rig.folder / "jellytui.db")) as connection, connection:
        connection.execute(
            "UPDATE downloads SET boot_id = 'another boot', durable_bytes = 500000, next_attempt_at = NULL"
        )
    with rig.part(song.id).open("r+b") as file:
        file.seek(500_000)
        file.write(bytes(800_000))  # as some file systems leave it
    await rig.start()
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)
    assert rig.asked(song.id)[-1].headers["range"] == f"bytes={500_000 - 65536}-"


async def test_a_slow_line_loses_no_more_than_two_seconds_to_a_crash(rig: Rig, clock: ManualClock) -> None:
    song = rig.songs[0]
    rig.server.faults.add("drip", route=DOWNLOAD, rate=200_000)
    row = await rig.manager.wishes.download_item(song.id)
    await until(lambda: row.id in rig.manager.runner.running)
    transfer = rig.manager.runner.running[row.id]
    await until(lambda: transfer.bytes_here > 50_000)
    assert rig.part(song.id).stat().st_size == 0
    await clock.advance(2)
    await until(lambda: rig.part(song.id).stat().st_size > 50_000)


async def test_the_file_is_on_the_disk_before_its_name_and_its_name_before_the_row_says_so(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    song = rig.songs[0]

    def status() -> str:
        with closing(sqlite3.connect(rig.folder / "jellytui.db")) as connection:
            return str(connection.execute("SELECT status FROM downloads").fetchone()[0])

    fsync, replace = os.fsync, Path.replace

    def seen_fsync(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        steps.append(f"fsync {name} while {status()}")
        fsync(descriptor)

    def seen_replace(path: Path, target: Path) -> Path:
        steps.append(f"rename {path.name} to {target.name} while {status()}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(Path, "replace", seen_replace)
    await rig.manager.wishes.download_item(song.id)
    await rig.until_status(song.id, "completed")
    account, user = rig.account.server_id, rig.account.user_id
    assert steps[:3] == [f"fsync {name} while downloading" for name in ("downloads", account, user)]
    assert steps[3:] == [
        f"fsync {song.id}.part while downloading",
        f"rename {song.id}.part to {song.id}.wav while downloading",
        f"fsync {song.id[:2]} while downloading",
    ]


async def test_all_downloads_together_keep_to_the_rate(clock: ManualClock) -> None:
    clock = ManualClock(is_running=True)
    gate = Gate(max_rate=1_000_000, clock=clock)
    began = clock.monotonic()

    async def transfer() -> None:
        for _ in range(100):
            await gate.admit(50_000, is_exempt=lambda: False)

    await asyncio.gather(transfer(), transfer())
    assert clock.monotonic() - began == pytest.approx(10, abs=0.5)
    began = clock.monotonic()
    await gate.admit(5_000_000, is_exempt=lambda: True)
    assert clock.monotonic() == began
