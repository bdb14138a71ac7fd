"""Rows and disk are reconciled both ways, at a start and beside a queue at work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jellytui.engine.downloads.disk import DISK_CHECK_EVERY_S
from jellytui.engine.downloads.files import MARKER
from jellytui.engine.downloads.upkeep.judge import Verdict
from jellytui.engine.downloads.upkeep.ledger import Ledger
from jellytui.engine.downloads.upkeep.survey import OnDisk
from jellytui.engine.errors import DiskError
from jellytui.engine.events import DownloadEvent, UpkeepState
from jellytui.engine.models import Track
from tests.engine.downloads.upkeep.conftest import MUSIC, USER, House
from tests.support.waiting import until

DAY_S = 24 * 3600.0


async def test_at_a_start_what_was_running_is_completed_where_the_whole_file_is_there_and_else_pending(
    house: House,
) -> None:
    await house.add_row("renamed", "downloading", file_size=len(MUSIC), retry_count=2)
    house.add_file("renamed")
    await house.add_row("halfway", "downloading", file_size=100, bytes_downloaded=10)
    house.add_part("halfway", b"x" * 50)

    await house.caretaker.recover()

    renamed, halfway = await house.row("renamed"), await house.row("halfway")
    assert (renamed["status"], renamed["progress"], renamed["retry_count"]) == ("completed", 1.0, 0)
    assert renamed["file_path"] == house.files.path_of("renamed", "flac")
    assert (halfway["status"], halfway["bytes_downloaded"], halfway["progress"]) == ("pending", 50, 0.5)
    assert house.woken


async def test_a_file_of_a_wrong_length_is_not_taken_for_the_whole(house: House) -> None:
    await house.add_row("short", "downloading", file_size=len(MUSIC))
    house.add_file("short", MUSIC[:-1])
    await house.caretaker.recover()
    assert (await house.row("short"))["status"] == "pending"


async def test_a_completed_row_without_its_file_is_pending_again_and_a_cached_one_is_gone(house: House) -> None:
    await house.add_row("users")
    await house.add_row("caches", wanted_by="queue", origin="queue")

    async with house.bus.listen([DownloadEvent]) as events:
        report = await house.caretaker.sweep()
        batch = [event for event in await events.batch() if isinstance(event, DownloadEvent)]
    told = {(event.type, event.download.item_id) for event in batch}

    row = await house.row("users")
    assert (row["status"], row["bytes_downloaded"], row["completed_at"], row["file_path"]) == ("pending", 0, None, None)
    assert await house.info("caches") is None
    assert report.counts == {"lost": 2}
    assert told == {("queued", "users"), ("removed", "caches")}


async def test_while_everything_is_paused_a_lost_file_does_not_start_by_itself(house: House) -> None:
    await house.database.execute("INSERT INTO downloads_state VALUES ('paused_all', '1')")
    await house.add_row("users")
    await house.caretaker.sweep()
    assert (await house.row("users"))["status"] == "paused"


async def test_a_completed_row_with_another_length_is_fetched_again_and_a_cached_one_deleted(house: House) -> None:
    await house.add_row("users")
    users = house.add_file("users", MUSIC + b"tag")
    await house.add_row("caches", wanted_by="stream", origin="stream")
    caches = house.add_file("caches", b"half")

    report = await house.caretaker.sweep()

    assert report.counts == {"wrong_size": 2}
    assert (await house.row("users"))["status"] == "pending"
    assert users.exists()  # until the new one replaces it
    assert await house.info("caches") is None
    assert not caches.exists()


async def test_a_file_that_the_user_moved_inside_the_root_is_followed(house: House) -> None:
    await house.add_row("moved")
    house.write("Favourites/Jazz/moved.flac")
    await house.add_row("other")
    house.write("Favourites/other.flac", b"another length")
    await house.add_row("theirs")
    house.write("server/another/th/theirs.flac")  # another account's own

    report = await house.caretaker.sweep()

    row = await house.row("moved")
    assert (row["status"], row["file_path"]) == ("completed", "Favourites/Jazz/moved.flac")
    assert report.counts == {"moved": 1, "lost": 2}
    assert (await house.caretaker.verify(is_repairing=False, is_deep=False)).counts == {}


async def test_a_file_without_a_row_is_taken_up_as_the_users_with_the_librarys_names(house: House) -> None:
    house.mirror.known["known"] = Track(
        id="known", name="So What", album="Kind of Blue", artists=("Miles",), album_id="a"
    )
    house.add_file("known")
    house.add_file("unknown", b"?" * 10, ending="mp3")

    report = await house.caretaker.sweep()

    known, unknown = await house.info("known"), await house.info("unknown")
    assert known is not None
    assert unknown is not None
    assert (known.status, known.name, known.album, known.wanted_by) == (
        "completed",
        "So What",
        "Kind of Blue",
        ("user",),
    )
    assert (known.file_size, known.progress, known.file_path) == (
        len(MUSIC),
        1.0,
        house.files.path_of("known", "flac"),
    )
    assert (unknown.name, unknown.file_size) == ("unknown", 10)
    assert report.counts == {"unrecorded": 2}


async def test_what_was_taken_up_without_a_name_gets_it_once_the_library_knows(house: House) -> None:
    house.add_file("late")
    await house.caretaker.sweep()
    house.mirror.known["late"] = Track(id="late", name="Blue in Green", album="Kind of Blue", album_id="a")

    await house.caretaker.name_strays()

    info = await house.info("late")
    assert info is not None
    assert (info.name, info.album, info.status) == ("Blue in Green", "Kind of Blue", "completed")


async def test_foreign_files_are_left_alone(house: House) -> None:
    account = house.root / house.files.account
    foreign = [
        house.write(str(house.files.account / "ab" / "notes.txt")),
        house.write(str(house.files.account / "ab" / "a b.flac")),
        house.write("Artist/Album/song.flac"),
        house.write("server/another/ab/abc.flac"),
    ]
    (account / "cd").mkdir()
    (account / "cd" / "cdef.flac").symlink_to(foreign[0])

    report = await house.caretaker.sweep()

    assert report.counts == {}
    assert await house.snapshot() == []
    assert all(path.exists() for path in foreign)


async def test_a_part_without_a_row_goes_after_a_day(house: House) -> None:
    old = house.add_part("old", age_s=DAY_S + 1)
    young = house.add_part("young", age_s=DAY_S - 60)
    from_the_future = house.add_part("future", age_s=-DAY_S)

    await house.caretaker.sweep()

    assert [path.exists() for path in (old, young, from_the_future)] == [False, True, True]
    assert not old.parent.exists()  # nor the folder that it leaves empty


async def test_paused_and_pending_rows_show_what_is_really_here(house: House) -> None:
    await house.add_row("paused", "paused", file_size=100, bytes_downloaded=90)
    house.add_part("paused", b"x" * 40)
    await house.add_row("bare", "pending", file_size=100, bytes_downloaded=90)
    await house.add_row("cut", "paused", file_size=100, bytes_downloaded=90, durable_bytes=30, boot_id="another boot")
    house.add_part("cut", b"x" * 90)

    await house.caretaker.sweep()

    here = {item_id: (await house.row(item_id))["bytes_downloaded"] for item_id in ("paused", "bare", "cut")}
    # After a power cut only what was flushed counts (downloads-playback.md 1.4).
    assert here == {"paused": 40, "bare": 0, "cut": 30}
    assert (await house.row("paused"))["progress"] == 0.4


async def test_an_unfinished_row_whose_whole_file_is_there_is_completed(house: House) -> None:
    for status in ("pending", "paused", "failed"):
        await house.add_row(status, status, expected_size=len(MUSIC), error_message="?")
        house.add_file(status)
    await house.add_row("chosen", "pending", file_path="Mine/song.flac")
    house.write("Mine/song.flac")  # without a known length a chosen name proves nothing

    await house.caretaker.sweep()

    for status in ("pending", "paused", "failed"):
        row = await house.row(status)
        assert (row["status"], row["error_message"]) == ("completed", None)
    assert (await house.row("chosen"))["status"] == "pending"


async def test_a_root_that_is_not_there_changes_nothing_and_is_swept_once_it_comes_back(house: House) -> None:
    await house.add_row("here")
    house.add_file("here")
    await house.add_row("lost")
    away = house.root.rename(house.root.with_name("away"))
    before = (await house.row("here"), await house.row("lost"))

    with pytest.raises(DiskError, match="not there"):
        await house.caretaker.sweep()
    with pytest.raises(DiskError):
        await house.caretaker.recover()
    assert (await house.row("here"), await house.row("lost")) == before

    house.root.mkdir()  # the empty mount point
    house.caretaker.start()
    await until(lambda: house.clock.sleepers == 1)
    assert (await house.row("lost"))["status"] == "completed"
    house.root.rmdir()
    away.rename(house.root)
    await house.clock.advance(DISK_CHECK_EVERY_S)
    await house.caretaker.swept()
    assert (await house.row("here"))["status"] == "completed"
    assert (await house.row("lost"))["status"] == "pending"


async def test_a_disk_pulled_in_the_middle_is_not_taken_for_an_empty_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.add_row("here")
    house.add_file("here")
    scan = os.scandir

    def pulled(folder: Path) -> object:
        if (house.root / MARKER).exists():
            house.root.rename(house.root.with_name("away"))
            house.root.mkdir()
        return scan(folder)

    before = await house.snapshot()
    monkeypatch.setattr(os, "scandir", pulled)
    with pytest.raises(DiskError):
        await house.caretaker.sweep()
    monkeypatch.undo()
    assert await house.snapshot() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_a_shelf_that_may_not_be_read_is_not_taken_for_an_empty_one(house: House) -> None:
    await house.add_row("here")
    shelf = house.add_file("here").parent
    before = await house.snapshot()
    shelf.chmod(0)
    try:
        with pytest.raises(DiskError):
            await house.caretaker.sweep()
    finally:
        shelf.chmod(0o700)
    assert await house.snapshot() == before


async def test_a_row_that_is_claimed_between_looking_and_mending_stays_as_it_is(house: House) -> None:
    await house.add_row("claimed", "paused", file_size=100, bytes_downloaded=90)
    ledger = Ledger(house.database, house.clock, USER)
    (row,) = await ledger.rows("cl", None)
    await house.database.execute("UPDATE downloads SET generation = generation + 1, status = 'downloading'")
    before = await house.snapshot()

    for kind in ("finished", "progress", "interrupted", "lost", "moved"):
        verdict = Verdict(kind=kind, item_id="claimed", row=row, file=OnDisk("x", 100, 0.0))
        assert await ledger.mend([verdict]) == ([], [])

    assert await house.snapshot() == before


async def test_numbers_that_were_written_between_looking_and_mending_stay(house: House) -> None:
    await house.add_row("paused", "paused", file_size=100, bytes_downloaded=10)
    house.add_part("paused", b"x" * 40)
    ledger = Ledger(house.database, house.clock, USER)
    (row,) = await ledger.rows("pa", None)
    verdict = Verdict(kind="progress", item_id="paused", row=row, file=OnDisk("x", 40, 0.0), bytes_here=40)
    await house.database.execute("UPDATE downloads SET bytes_downloaded = 90, progress = 0.9")  # its attempt has ended
    assert await ledger.mend([verdict]) == ([], [])
    assert (await house.row("paused"))["bytes_downloaded"] == 90


async def test_what_is_being_played_is_left_alone(house: House) -> None:
    await house.add_row("played")
    house.add_file("played", MUSIC + b"x")
    with house.leases.hold("played"):
        report = await house.caretaker.verify(is_repairing=True, is_deep=False)
        assert (await house.row("played"))["status"] == "completed"
        (finding,) = report.findings
        assert "played" in finding.note
        assert not finding.is_repaired


async def test_a_sweep_tells_in_words_what_concerns_the_user(house: House) -> None:
    house.add_file("one")
    await house.add_row("two")
    async with house.bus.listen([UpkeepState]) as events:
        await house.caretaker.sweep()
        (state,) = await events.batch()
    assert isinstance(state, UpkeepState)
    assert state.text == "Downloads: 1 file newly found and taken up, 1 file missing and to be downloaded again."


async def test_many_files_are_taken_up_in_batches_and_then_agree(house: House) -> None:
    for number in range(2500):
        house.add_file(f"{number:032x}"[::-1])
    await house.caretaker.sweep()
    assert len(await house.snapshot()) == 2500
    report = await house.caretaker.sweep()
    assert (report.counts, report.rows, report.files) == ({}, 2500, 2500)
