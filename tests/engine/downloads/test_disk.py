"""The disk below the downloads: full, gone, refused; the queue waits, says why, and goes on by itself."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from jellytui.config import DownloadSettings, Settings
from jellytui.engine.downloads.disk import Disk, words
from jellytui.engine.downloads.files import MARKER, DownloadFiles
from jellytui.engine.errors import DiskError
from tests.engine.downloads.conftest import Rig
from tests.support.clock import ManualClock
from tests.support.waiting import until

DOWNLOAD = "/items/*/download"
FULL = 1 << 60


async def hold_reason(rig: Rig) -> str:
    return (await rig.manager.summary()).hold_reason or ""


async def test_a_full_disk_holds_the_queue_and_costs_no_attempt(rig: Rig, clock: ManualClock) -> None:
    rig.manager.disk.free_floor_bytes = FULL
    await rig.manager.wishes.download_album(rig.songs[0].album_id or "")
    await until(lambda: rig.manager.runner.disk_problem)
    await rig.until_idle()
    rows = await rig.rows()
    assert {row.status for row in rows.values()} == {"pending"}
    assert {row.retry_count for row in rows.values()} == {0}
    assert "full" in await hold_reason(rig)
    assert (await rig.manager.summary()).hold_kind == "disk"
    await clock.advance(10)
    assert "full" in await hold_reason(rig)

    rig.manager.disk.free_floor_bytes = 0
    await until(lambda: clock.sleepers)
    for _ in range(3):
        await clock.advance(10)
    for song in rig.songs:
        await rig.until_status(song.id, "completed")
        await rig.whole(song.id)
    assert await hold_reason(rig) == ""


async def test_a_disk_that_is_full_halfway_keeps_what_came(rig: Rig, clock: ManualClock) -> None:
    song = rig.songs[0]
    rig.server.faults.add("close", route=DOWNLOAD, after_bytes=1_500_000, times=1)
    await rig.manager.wishes.download_item(song.id)
    await rig.until_row(song.id, lambda row: row.wait_reason == "retry")
    rig.manager.disk.free_floor_bytes = FULL
    await rig.attempt_after(song.id, 5)
    row = await rig.until_row(song.id, lambda row: row.wait_reason == "disk")
    assert row.bytes_downloaded == rig.part(song.id).stat().st_size == 1_500_000
    rig.manager.disk.free_floor_bytes = 0
    await rig.until_idle()
    await clock.advance(10)
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)
    assert rig.asked(song.id)[-1].headers["range"] == f"bytes={1_500_000 - 65536}-"


async def test_a_folder_that_vanishes_in_the_middle_is_waited_for_and_never_made_anew(
    rig: Rig, clock: ManualClock
) -> None:
    song = rig.songs[0]
    rig.server.faults.add("drip", route=DOWNLOAD, rate=2_000_000, times=1)
    await rig.manager.wishes.download_item(song.id)
    row = await rig.until_status(song.id, "downloading")
    await until(lambda: row.id in rig.manager.runner.running)
    away = rig.root.with_name("pulled out")
    rig.root.rename(away)
    await until(lambda: rig.manager.runner.disk_problem)
    assert "not there" in await hold_reason(rig)
    await rig.until_idle()
    assert (await rig.row(song.id)).status == "pending"
    await clock.advance(10)
    assert not rig.root.exists()

    away.rename(rig.root)
    await clock.advance(10)
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)


async def test_a_configured_folder_whose_disk_is_away_at_the_start_is_not_made_and_nothing_is_lost(
    rig: Rig, clock: ManualClock
) -> None:
    song = rig.songs[0]
    rig.settings = Settings(downloads=DownloadSettings(folder=str(rig.root)))
    await rig.restart()
    await rig.manager.wishes.download_item(song.id)
    await rig.until_status(song.id, "completed")
    await rig.stop()
    away = rig.root.with_name("pulled out")
    rig.root.rename(away)

    await rig.start()
    assert not rig.root.exists()
    assert "not there" in await hold_reason(rig)
    assert (await rig.row(song.id)).status == "completed"
    assert await rig.manager.local_path(song.id) is None
    await rig.manager.wishes.download_item(rig.songs[1].id)

    away.rename(rig.root)
    await clock.advance(10)
    await rig.until_status(rig.songs[1].id, "completed")
    await rig.whole(song.id)
    await rig.whole(rig.songs[1].id)


async def test_while_the_folder_is_away_whole_files_are_not_deleted_and_what_has_not_come_is(
    rig: Rig, clock: ManualClock
) -> None:
    song, other = rig.songs[:2]
    await rig.manager.wishes.download_item(song.id)
    whole = await rig.until_status(song.id, "completed")
    away = rig.root.with_name("pulled out")
    rig.root.rename(away)
    await rig.manager.wishes.download_item(other.id)
    waiting = await rig.until_row(other.id, lambda row: row.wait_reason == "disk")
    with pytest.raises(DiskError, match="is not there"):
        await rig.manager.acts.delete([whole.id, waiting.id])
    assert {row.status for row in (await rig.rows()).values()} == {"completed", "pending"}
    await rig.manager.acts.cancel([waiting.id])
    away.rename(rig.root)
    assert set(await rig.rows()) == {song.id}
    await rig.whole(song.id)
    await rig.manager.acts.delete([whole.id])
    assert not list(rig.root.rglob("*.flac"))


async def test_one_file_that_cannot_be_written_fails_alone(rig: Rig) -> None:
    song, other = rig.songs[:2]
    shelf = rig.part(song.id).parent
    shelf.parent.mkdir(parents=True)
    shelf.write_bytes(b"in the way")
    await rig.manager.wishes.download_item(song.id)
    await rig.manager.wishes.download_item(other.id)
    row = await rig.until_status(song.id, "failed")
    assert "cannot be written" in (row.error_message or "")
    await rig.until_status(other.id, "completed")
    await rig.whole(other.id)


@pytest.mark.parametrize("has_links", [True, False])
async def test_what_somebody_puts_at_a_path_of_ones_own_while_the_track_comes_is_not_overwritten(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    if not has_links:
        monkeypatch.setattr(os, "link", _no_links)
    song = rig.songs[0]
    rig.server.faults.add("drip", route=DOWNLOAD, rate=2_000_000, times=1)
    row = await rig.manager.wishes.download_item(song.id, "Mine/song.wav")
    await until(lambda: rig.part(song.id).exists())
    own = rig.root / "Mine" / "song.wav"
    own.parent.mkdir()
    own.write_bytes(b"recorded at home")
    rig.server.faults.clear()
    failed = await rig.until_status(song.id, "failed", "completed")
    assert own.read_bytes() == b"recorded at home"
    assert "song.wav is there already" in (failed.error_message or "")
    await rig.until_idle()
    assert rig.part(song.id).read_bytes() == song.file.read_bytes()
    own.rename(own.with_name("home.wav"))
    await rig.manager.acts.resume([row.id])
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)
    assert own.read_bytes() == song.file.read_bytes()


def _no_links(*_: object, **__: object) -> None:
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "full"),
        (errno.EDQUOT, "full"),
        (errno.EROFS, "cannot be written. Mount"),
        (errno.EACCES, "may not be read or written by this user"),
        (errno.ENODEV, "not there"),
        (errno.EIO, "not there"),
    ],
)
def test_every_error_of_a_disk_is_said_with_what_to_do(tmp_path: Path, number: int, said: str) -> None:
    disk = Disk(tmp_path, free_floor_bytes=0)
    disk.prepare(may_make=True)
    error = OSError(number, "text", "name")
    assert said in words(error, tmp_path)
    assert disk.concerns_all(error) == (number != errno.EACCES)


def test_a_commit_that_a_crash_broke_off_with_both_names_there_is_ended(tmp_path: Path) -> None:
    files = DownloadFiles(root=tmp_path, server_id="server", user_id="user")
    (tmp_path / MARKER).touch()
    part, final = files.part_of("abc"), tmp_path / "Mine" / "song.flac"
    for folder in (part.parent, final.parent):
        files.make_folder(folder)
    part.write_bytes(b"music")
    os.link(part, final)
    files.commit(part, "Mine/song.flac", may_replace=False)
    assert (final.read_bytes(), part.exists()) == (b"music", False)


def test_an_empty_mount_point_is_not_the_folder(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="not there"):
        Disk(tmp_path).prepare(may_make=False)
    with pytest.raises(DiskError, match="not there"):
        Disk(tmp_path).check()
    assert Disk(tmp_path).free_bytes() is None
