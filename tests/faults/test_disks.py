"""Real disks that fill up, turn read-only, are pulled out or belong to somebody else: the queue waits, says why, keeps
every byte, and goes on by itself.

Mounting needs root; a folder of another user needs setpriv for root, and nothing for everybody else.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from jellytui.config import DownloadSettings, Settings
from jellytui.demo.library import Library
from jellytui.demo.server import DemoServer
from tests.engine.downloads.conftest import Rig, rig_for
from tests.support.clock import ManualClock
from tests.support.program import JELLYTUI, Home
from tests.support.waiting import until

DOWNLOAD = "/items/*/download"
OVERLAP = 64 * 1024


class Stick:
    """A memory stick of so many MB (a tmpfs), seen at `place` while it is plugged in."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self._inside = folder / "stick"
        self.place = folder / "downloads"
        self._inside.mkdir()
        self.place.mkdir()
        _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(self._inside))
        self.plug_in()

    def plug_in(self) -> None:
        """It is there, with what was on it."""
        _run("mount", "--bind", str(self._inside), str(self.place))

    def pull_out(self) -> None:
        """It is gone, though files on it are open."""
        _run("umount", "--lazy", str(self.place))

    def grow(self, megabytes: int) -> None:
        """Makes room, as deleting other files does."""
        _run("mount", "-o", f"remount,size={megabytes}m", str(self._inside))

    def lock(self, is_locked: bool) -> None:
        """Moves the little switch that keeps everybody from writing."""
        _run("mount", "-o", f"remount,bind,{'ro' if is_locked else 'rw'}", str(self.place))

    def throw_away(self) -> None:
        """Takes the mounts away, whatever a test has left."""
        for folder in (self.place, self._inside):
            subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Stick]:
    """4 MB: room for one song and a half. Skips where nobody may mount."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root may mount disks: real ones are not tested here")
    try:
        stick = Stick(tmp_path, 4)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"disks cannot be mounted here: {error.stderr.decode().strip()}")
    yield stick
    stick.throw_away()


@pytest_asyncio.fixture
async def on_stick(stick: Stick, noise: Library, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Rig]:
    """An engine whose downloads lie on the stick."""
    folder = noise.tracks[0].file.parents[2]
    async with DemoServer(folder, library=noise, relay=True) as server, rig_for(server, tmp_path, clock) as rig:
        assert rig.root == stick.place
        yield rig


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def hold_reason(rig: Rig) -> str:
    return (await rig.manager.summary()).hold_reason or ""


async def look_again(clock: ManualClock) -> None:
    """The ten seconds after which the engine looks at the disk again."""
    await until(lambda: clock.sleepers)
    for _ in range(3):
        await clock.advance(10)


async def until_full(rig: Rig) -> None:
    """Writes to the database until its disk has no room."""
    with contextlib.suppress(sqlite3.OperationalError):
        for number in range(10_000):
            await rig.manager.notes.set(f"note {number}", "x" * 1000)
        pytest.fail("the disk of the database is not full")


async def test_two_songs_on_a_disk_with_room_for_one_and_a_half_wait_with_every_byte(
    on_stick: Rig, stick: Stick, clock: ManualClock
) -> None:
    songs = on_stick.songs[:2]
    on_stick.server.faults.add("drip", route=DOWNLOAD, rate=8_000_000, times=2)
    for song in songs:
        await on_stick.manager.wishes.download_item(song.id)
    await until(lambda: on_stick.manager.runner.disk_problem)
    await on_stick.until_idle()
    assert "is full. Free some space" in await hold_reason(on_stick)
    for song in songs:
        row = await on_stick.row(song.id)
        assert (row.status, row.retry_count, row.wait_reason) == ("pending", 0, "disk")
    kept = {song.id: on_stick.part(song.id).stat().st_size for song in songs}
    assert sum(kept.values()) > 3_500_000

    stick.grow(64)
    await look_again(clock)
    for song in songs:
        await on_stick.until_status(song.id, "completed")
        await on_stick.whole(song.id)
        assert on_stick.asked(song.id)[-1].headers["range"] == f"bytes={kept[song.id] - OVERLAP}-"
    assert await hold_reason(on_stick) == ""


async def test_a_full_disk_with_the_database_on_it_stops_the_queue_and_not_for_good(
    on_stick: Rig, stick: Stick, clock: ManualClock
) -> None:
    songs = on_stick.songs[:3]
    await on_stick.stop()
    for file in on_stick.folder.glob("jellytui.db*"):
        shutil.move(file, stick.place)
    on_stick.folder = stick.place
    stick.grow(16)
    await on_stick.start()
    on_stick.server.faults.add("drip", route=DOWNLOAD, rate=2_000_000, times=2)
    for song in songs:
        await on_stick.manager.wishes.download_item(song.id)
    for song in songs[:2]:
        part = on_stick.part(song.id)
        await until(lambda part=part: part.exists() and part.stat().st_size >= 1_000_000)  # type: ignore[misc]
    filler = stick.place / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as writer:
        while True:
            writer.write(bytes(4096))
    await until_full(on_stick)
    await until(lambda: on_stick.manager.runner.disk_problem)
    await on_stick.until_idle()
    assert "Free some space" in await hold_reason(on_stick)
    # How they ended could not be written down.
    assert "downloading" in {row.status for row in (await on_stick.rows()).values()}
    await look_again(clock)
    assert on_stick.manager.runner.disk_problem is not None

    filler.unlink()
    stick.grow(64)
    await look_again(clock)
    for song in songs:
        await on_stick.until_status(song.id, "completed")
        await on_stick.whole(song.id)


async def test_a_disk_that_turns_read_only_plays_on_and_is_waited_for_also_after_a_restart(
    on_stick: Rig, stick: Stick, clock: ManualClock
) -> None:
    first, second = on_stick.songs[:2]
    stick.grow(64)
    await on_stick.manager.wishes.download_item(first.id)
    await on_stick.until_status(first.id, "completed")
    on_stick.server.faults.add("close", route=DOWNLOAD, after_bytes=1_300_000, times=1)
    await on_stick.manager.wishes.download_item(second.id)
    row = await on_stick.until_row(second.id, lambda row: row.wait_reason == "retry")
    await on_stick.until_idle()

    stick.lock(True)
    await on_stick.manager.acts.resume([row.id])
    await until(lambda: on_stick.manager.runner.disk_problem)
    assert "cannot be written. Mount it for writing" in await hold_reason(on_stick)
    await on_stick.restart()
    assert "cannot be written. Mount it for writing" in await hold_reason(on_stick)
    assert await on_stick.manager.local_path(first.id) is not None
    row = await on_stick.row(second.id)
    assert (row.status, row.bytes_downloaded) == ("pending", 1_300_000)

    stick.lock(False)
    await look_again(clock)
    await on_stick.until_status(second.id, "completed")
    await on_stick.whole(second.id)
    assert on_stick.asked(second.id)[-1].headers["range"] == f"bytes={1_300_000 - OVERLAP}-"


async def test_a_stick_pulled_out_in_the_middle_is_waited_for_and_its_place_is_left_empty(
    on_stick: Rig, stick: Stick, clock: ManualClock
) -> None:
    song, other = on_stick.songs[:2]
    stick.grow(64)
    on_stick.server.faults.add("drip", route=DOWNLOAD, rate=4_000_000, times=1)
    await on_stick.manager.wishes.download_item(song.id)
    await until(lambda: on_stick.part(song.id).exists() and on_stick.part(song.id).stat().st_size > 1_000_000)
    stick.pull_out()
    await until(lambda: on_stick.manager.runner.disk_problem)
    await on_stick.until_idle()
    assert "is not there. Connect its disk" in await hold_reason(on_stick)
    await on_stick.manager.wishes.download_item(other.id)
    await look_again(clock)
    assert not list(stick.place.iterdir())

    stick.plug_in()
    kept = on_stick.part(song.id).stat().st_size
    assert kept > 1_000_000
    await look_again(clock)
    for each in (song, other):
        await on_stick.until_status(each.id, "completed")
        await on_stick.whole(each.id)
    assert on_stick.asked(song.id)[-1].headers["range"] == f"bytes={kept - OVERLAP}-"


async def test_a_stick_that_is_out_at_the_start_keeps_its_downloads(
    on_stick: Rig, stick: Stick, clock: ManualClock
) -> None:
    song = on_stick.songs[0]
    await on_stick.manager.wishes.download_item(song.id)
    await on_stick.until_status(song.id, "completed")
    await on_stick.stop()
    stick.pull_out()
    on_stick.settings = Settings(downloads=DownloadSettings(folder=str(on_stick.root)))
    await on_stick.start()
    assert "is not there. Connect its disk" in await hold_reason(on_stick)
    assert (await on_stick.row(song.id)).status == "completed"
    assert not list(stick.place.iterdir())
    stick.plug_in()
    await look_again(clock)
    await until(lambda: on_stick.manager.runner.disk_problem is None)
    await on_stick.manager.caretaker.swept()
    await on_stick.whole(song.id)


@pytest.fixture
def as_stranger() -> Callable[[Path, bool], None]:
    """Gives a folder to another user alone, or back."""

    def give(folder: Path, is_strange: bool) -> None:
        if os.geteuid() == 0:
            owner = 65534 if is_strange else 0
            os.chown(folder, owner, owner)
        folder.chmod((0o700 if os.geteuid() == 0 else 0o000) if is_strange else 0o700)

    return give


@pytest.fixture
def unprivileged() -> list[str]:
    """What makes a command mind permissions, also root's."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and setpriv is not here to keep it from that")
    capabilities = "-dac_override,-dac_read_search"
    return ["setpriv", f"--bounding-set={capabilities}", f"--inh-caps={capabilities}"]


def test_a_folder_that_another_user_keeps_closed_is_named_and_nothing_is_lost(
    noise: Library, tmp_path: Path, as_stranger: Callable[[Path, bool], None], unprivileged: list[str]
) -> None:
    song, other = noise.tracks[:2]
    with DemoServer.in_thread(song.file.parents[2], library=noise) as server:
        home = Home.make(tmp_path / "home")
        home.sign_in(server.url)
        for words in (["sync"], ["download", song.id, "--wait"]):
            assert home.run(*words).returncode == 0
        files = home.folder / "data" / "downloads"

        def downloads(*words: str) -> subprocess.CompletedProcess[str]:
            command = [*unprivileged, *JELLYTUI, *words]
            return subprocess.run(
                command, env=home.environment, capture_output=True, text=True, timeout=60, check=False
            )

        as_stranger(files, True)
        queued = downloads("download", other.id)
        listed = downloads("downloads")
        said = listed.stdout + listed.stderr
        assert (queued.returncode, listed.returncode) == (0, 0), queued.stderr
        assert f"{files} may not be read or written by this user. Change its permissions." in " ".join(said.split())
        assert "Traceback" not in queued.stderr + listed.stderr
        rows = downloads("downloads", "--json").stdout
        assert {row["item_id"]: row["status"] for row in json.loads(rows)} == {
            song.id: "completed",
            other.id: "pending",
        }

        as_stranger(files, False)
        done = downloads("download", other.id, "--wait")
        assert done.returncode == 0, done.stderr
        (file,) = files.rglob(f"{other.id}.*")
        assert file.read_bytes() == other.file.read_bytes()
