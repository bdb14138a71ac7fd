"""Upkeep under the real manager: downloads at work move along, and a start puts right what a crash left."""

from __future__ import annotations

import os
from pathlib import Path

from tests.engine.downloads.conftest import Rig
from tests.support.clock import ManualClock
from tests.support.waiting import until

DOWNLOAD = "/items/*/download"


async def test_a_download_under_way_goes_on_in_the_new_folder(rig: Rig, clock: ManualClock, tmp_path: Path) -> None:
    done, running = rig.songs[0], rig.songs[1]
    await rig.manager.wishes.download_item(done.id)
    await rig.until_status(done.id, "completed")
    rig.server.faults.add("stall", route=DOWNLOAD, after_bytes=600_000, times=1)
    await rig.manager.wishes.download_item(running.id)
    await until(lambda: rig.part(running.id).exists() and rig.part(running.id).stat().st_size >= 500_000)
    new = tmp_path / "another disk"

    await rig.manager.caretaker.move(new)

    assert rig.manager.files.root == new
    assert rig.part(running.id).is_relative_to(new)
    assert rig.part(running.id).stat().st_size >= 500_000
    assert "moved" in ((await rig.manager.summary()).hold_reason or "")
    await until(lambda: clock.sleepers)
    for _ in range(3):
        await clock.advance(10)
    await rig.until_status(running.id, "completed")
    assert not rig.root.exists()
    rig.root = new
    await rig.whole(done.id)
    await rig.whole(running.id)
    # What had come was not fetched twice.
    assert rig.asked(running.id)[-1].headers["range"] != "bytes=0-"
    await rig.restart()
    assert await rig.manager.local_path(running.id) == new / str((await rig.row(running.id)).file_path)


async def test_a_crash_between_rename_and_row_costs_no_second_download(rig: Rig) -> None:
    song = rig.songs[0]
    await rig.manager.wishes.download_item(song.id)
    await rig.until_status(song.id, "completed")
    await rig.manager.caretaker.swept()
    await rig.database.execute(
        "UPDATE downloads SET status = 'downloading', file_path = NULL, completed_at = NULL, bytes_downloaded = 0"
    )
    asked = len(rig.asked(song.id))

    await rig.restart()

    await rig.whole(song.id)
    assert len(rig.asked(song.id)) == asked


async def test_a_deleted_file_comes_down_again_by_itself(rig: Rig) -> None:
    song = rig.songs[0]
    await rig.manager.wishes.download_item(song.id)
    row = await rig.until_status(song.id, "completed")
    rig.manager.files.remove(rig.root / str(row.file_path))

    await rig.restart()
    await rig.manager.caretaker.swept()

    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)


async def test_a_file_at_a_path_of_ones_own_that_has_become_shorter_comes_down_again(rig: Rig) -> None:
    song = rig.songs[0]
    await rig.manager.wishes.download_item(song.id, "Mine/song.wav")
    await rig.until_status(song.id, "completed")
    await rig.manager.caretaker.swept()
    os.truncate(rig.root / "Mine" / "song.wav", 1000)
    await rig.restart()
    await until(lambda: len(rig.asked(song.id)) == 2)
    await rig.until_status(song.id, "completed", "failed")
    await rig.whole(song.id)
