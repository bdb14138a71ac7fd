"""What a user does to downloads, against a real server: asked for, paused, resumed, cancelled, deleted, put first."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from jellytui.config import DownloadSettings, Settings
from jellytui.engine.errors import NotFoundError, UsageError
from tests.engine.downloads.conftest import Rig
from tests.support.clock import ManualClock
from tests.support.waiting import settle, until

DOWNLOAD = "/items/*/download"
SLOW: dict[str, Any] = {"kind": "drip", "route": DOWNLOAD, "rate": 2_000_000}


async def under_way(rig: Rig, item_id: str, least: int = 200_000) -> int:
    """Waits until so many bytes of a running download are here; its row's number."""
    await rig.manager.wishes.download_item(item_id)
    row = await rig.until_status(item_id, "downloading")
    await until(lambda: row.id in rig.manager.runner.running)
    transfer = rig.manager.runner.running[row.id]
    await until(lambda: transfer.bytes_here >= least)
    return row.id


async def test_a_track_comes_down_and_is_exactly_the_servers_file(rig: Rig) -> None:
    song = rig.songs[0]
    row = await rig.manager.wishes.download_item(song.id)
    assert (row.status, row.item_id, row.wanted_by) == ("pending", song.id, ("user",))
    await rig.until_status(song.id, "completed", "failed")
    await rig.whole(song.id)
    assert await rig.manager.offline.is_available(song.id)


async def test_an_album_comes_down_in_its_order_two_at_a_time(rig: Rig) -> None:
    rig.server.faults.add(**SLOW)
    rows = await rig.manager.wishes.download_album(rig.songs[0].album_id or "")
    assert [row.item_id for row in rows] == [song.id for song in rig.songs]
    most = 0
    while any(row.status != "completed" for row in (await rig.rows()).values()):
        most = max(most, len(rig.manager.runner.running))
        await asyncio.sleep(0.005)
    assert most == 2
    order = [event.download.item_id for event in rig.events if event.type == "started"]
    assert order == [song.id for song in rig.songs]
    for song in rig.songs:
        await rig.whole(song.id)


async def test_an_unknown_track_is_said_to_be_unknown(rig: Rig) -> None:
    with pytest.raises(NotFoundError, match="jellytui sync"):
        await rig.manager.wishes.download_item("f" * 32)
    with pytest.raises(NotFoundError):
        await rig.manager.wishes.download_album("f" * 32)


async def test_a_pause_keeps_what_came_and_a_resume_asks_only_for_the_rest(rig: Rig) -> None:
    song = rig.songs[0]
    rig.server.faults.add(**SLOW, times=1)
    download_id = await under_way(rig, song.id)
    (row,) = await rig.manager.acts.pause([download_id])
    kept = rig.part(song.id).stat().st_size
    assert (row.status, row.bytes_downloaded) == ("paused", kept)
    assert kept >= 200_000
    assert row.progress == pytest.approx(kept / song.size)
    await settle()
    assert len(rig.asked(song.id)) == 1

    (row,) = await rig.manager.acts.resume([download_id])
    assert row.status == "pending"
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)
    assert rig.asked(song.id)[1].headers["range"] == f"bytes={kept - 65536}-"


async def test_a_pause_in_the_middle_of_anything_never_loses_the_row(rig: Rig) -> None:
    song = rig.songs[0]
    rig.server.faults.add(**SLOW)
    row = await rig.manager.wishes.download_item(song.id)
    for rounds in range(15):
        for _ in range(rounds * 3):
            await asyncio.sleep(0)
        assert (await rig.manager.acts.pause([row.id]))[0].status == "paused"
        assert not rig.manager.runner.running
        assert (await rig.manager.acts.resume([row.id]))[0].status in ("pending", "downloading")
    rig.server.faults.clear()
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)


async def test_pause_all_outlives_a_restart_and_holds_what_is_added_later(rig: Rig) -> None:
    first, second = rig.songs[:2]
    rig.server.faults.add(**SLOW, times=1)
    await under_way(rig, first.id)
    await rig.manager.acts.pause_all()
    await rig.restart()
    await rig.manager.wishes.download_item(second.id)
    await settle()
    assert {row.status for row in (await rig.rows()).values()} == {"paused"}
    summary = await rig.manager.summary()
    assert (summary.paused_all, summary.paused_count) == (True, 2)
    assert summary.hold_kind == "paused"
    assert summary.hold_reason

    await rig.manager.acts.resume_all()
    for song in (first, second):
        await rig.until_status(song.id, "completed")
        await rig.whole(song.id)
    assert not (await rig.manager.summary()).paused_all


async def test_one_paused_row_stays_paused_over_a_restart_while_others_go_on(rig: Rig) -> None:
    first, second = rig.songs[:2]
    rig.server.faults.add(**SLOW)
    paused = await under_way(rig, first.id)
    await rig.manager.acts.pause([paused])
    await rig.manager.wishes.download_item(second.id)
    await rig.restart()
    rig.server.faults.clear()
    await rig.until_status(second.id, "completed")
    assert (await rig.row(first.id)).status == "paused"


async def test_a_restart_in_the_middle_goes_on_where_it_was(rig: Rig) -> None:
    song = rig.songs[0]
    rig.server.faults.add(**SLOW, times=1)
    await under_way(rig, song.id)
    await rig.restart()
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)
    start = int(rig.asked(song.id)[1].headers["range"].removeprefix("bytes=").rstrip("-"))
    assert start >= 200_000 - 65536


async def test_cancel_takes_row_part_and_empty_folders_away(rig: Rig) -> None:
    song = rig.songs[0]
    rig.server.faults.add(**SLOW)
    download_id = await under_way(rig, song.id)
    await rig.manager.acts.cancel([download_id])
    assert await rig.rows() == {}
    assert not rig.manager.runner.running
    assert [path.name for path in rig.root.rglob("*")] == [".jellytui-downloads"]
    assert rig.events[-1].type == "removed"
    with pytest.raises(NotFoundError):
        await rig.manager.acts.cancel([download_id])


async def test_cancelling_what_is_complete_says_how_to_delete_it(rig: Rig) -> None:
    song = rig.songs[0]
    await rig.manager.wishes.download_item(song.id)
    row = await rig.until_status(song.id, "completed")
    with pytest.raises(UsageError, match="Delete"):
        await rig.manager.acts.cancel([row.id])
    await rig.whole(song.id)


async def test_delete_takes_file_folders_and_row_away_and_it_can_come_again(rig: Rig) -> None:
    first, second = rig.songs[:2]
    for song in (first, second):
        await rig.manager.wishes.download_item(song.id)
    rows = [await rig.until_status(song.id, "completed") for song in (first, second)]
    await rig.manager.acts.delete([rows[0].id])
    assert set(await rig.rows()) == {second.id}
    await rig.whole(second.id)
    assert not [path for path in rig.root.rglob("*") if path.stem == first.id or path.name == first.id[:2]]
    assert not await rig.manager.offline.is_available(first.id)
    await rig.manager.wishes.download_item(first.id)
    await rig.until_status(first.id, "completed")
    await rig.whole(first.id)


async def test_what_is_being_read_is_deleted_once_it_is_let_go(rig: Rig) -> None:
    song = rig.songs[0]
    await rig.manager.wishes.download_item(song.id)
    row = await rig.until_status(song.id, "completed")
    with rig.manager.lease(song.id):
        await rig.manager.acts.delete([row.id])
        path = await rig.manager.local_path(song.id)
        assert path is not None
        assert path.read_bytes() == song.file.read_bytes()
    await until(lambda: not path.exists())
    await until(lambda: rig.events[-1].type == "removed")
    assert await rig.rows() == {}


async def test_what_is_being_read_when_the_engine_ends_is_deleted_by_the_next_start(rig: Rig) -> None:
    song, wanted = rig.songs[:2]
    for one in (song, wanted):
        await rig.manager.wishes.download_item(one.id)
        await rig.until_status(one.id, "completed")
    with rig.manager.lease(song.id), rig.manager.lease(wanted.id):
        await rig.manager.acts.delete([(await rig.row(one.id)).id for one in (song, wanted)])
        await rig.manager.wishes.download_item(wanted.id)
        await rig.stop()
    await rig.start()
    assert set(await rig.rows()) == {wanted.id}
    assert not [path for path in rig.root.rglob("*") if path.stem == song.id]
    await rig.whole(wanted.id)


async def test_what_is_asked_for_again_while_it_waits_to_be_deleted_stays(rig: Rig) -> None:
    song = rig.songs[0]
    await rig.manager.wishes.download_item(song.id)
    row = await rig.until_status(song.id, "completed")
    with rig.manager.lease(song.id):
        await rig.manager.acts.delete([row.id])
        await rig.manager.wishes.download_item(song.id)
    await settle()
    await rig.whole(song.id)


async def test_clear_takes_rows_off_the_list_and_no_file_away(rig: Rig) -> None:
    song = rig.songs[0]
    await rig.manager.wishes.download_item(song.id)
    await rig.until_status(song.id, "completed")
    assert await rig.manager.acts.clear_completed() == 1
    assert (await rig.row(song.id)).cleared_at
    assert await rig.manager.acts.clear_completed() == 0
    await rig.whole(song.id)
    await rig.manager.wishes.download_item(song.id)
    assert (await rig.row(song.id)).cleared_at is None


async def test_what_is_put_first_comes_before_what_was_asked_for_earlier(rig: Rig) -> None:
    rig.settings = Settings(downloads=DownloadSettings(concurrency=1))
    rig.link.is_online = False
    await rig.restart()
    rows = await rig.manager.wishes.download_album(rig.songs[0].album_id or "")
    (row,) = await rig.manager.acts.prioritize([rows[2].id])
    assert row.priority == 100
    rig.link.is_online = True
    for song in rig.songs:
        await rig.until_status(song.id, "completed")
    order = [event.download.item_id for event in rig.events if event.type == "started"]
    assert order == [rig.songs[index].id for index in (2, 0, 1, 3)]


async def test_a_request_for_what_is_on_its_way_joins_it(rig: Rig) -> None:
    song = rig.songs[0]
    rig.server.faults.add(**SLOW, times=1)
    download_id = await under_way(rig, song.id)
    row = await rig.manager.wishes.download_item(song.id)
    assert (row.id, row.status) == (download_id, "downloading")
    assert row.bytes_downloaded >= 200_000
    await rig.until_status(song.id, "completed")
    assert len(rig.asked(song.id)) == 1


async def test_a_path_of_ones_own_is_kept_to_and_checked(rig: Rig) -> None:
    first, second = rig.songs[:2]
    await rig.manager.wishes.download_item(first.id, "Mine/first.wav")
    await rig.until_status(first.id, "completed")
    await rig.whole(first.id)
    assert (rig.root / "Mine" / "first.wav").is_file()
    for path in ("/etc/passwd", "../out.wav", "Mine/first.wav", "a.part", "", "."):
        with pytest.raises(UsageError):
            await rig.manager.wishes.download_item(second.id, path)
    with pytest.raises(UsageError, match="already"):
        await rig.manager.wishes.download_item(first.id, "Mine/again.wav")
    assert set(await rig.rows()) == {first.id}


async def test_a_hostile_id_never_reaches_a_path(rig: Rig) -> None:
    track = rig.catalogue.known[rig.songs[0].id]
    rig.catalogue.known["../../x"] = replace(track, id="../../x")
    with pytest.raises(UsageError):
        await rig.manager.wishes.download_item("../../x")
    assert await rig.rows() == {}


async def test_a_metered_link_holds_a_request_until_told_to_go_anyway(rig: Rig) -> None:
    first, second = rig.songs[:2]
    rig.server.faults.add(**SLOW, times=1)
    await under_way(rig, first.id)
    rig.network.set(True)
    await rig.until_row(first.id, lambda row: row.wait_reason == "metered")
    kept = rig.part(first.id).stat().st_size
    await rig.manager.wishes.download_item(second.id)
    assert (await rig.row(second.id)).wait_reason == "metered"
    summary = await rig.manager.summary()
    assert summary.hold_kind == "metered"
    assert "costs money" in (summary.hold_reason or "")

    await rig.manager.acts.download_anyway([(await rig.row(second.id)).id])
    await rig.until_status(second.id, "completed")
    assert (await rig.row(first.id)).status == "pending"

    rig.network.set(False)
    await rig.until_status(first.id, "completed")
    await rig.whole(first.id)
    assert rig.asked(first.id)[1].headers["range"] == f"bytes={kept - 65536}-"


async def test_resume_tries_at_once_what_waits_for_its_next_attempt(rig: Rig) -> None:
    song = rig.songs[0]
    rig.server.faults.add("status", route=DOWNLOAD, status=500, times=1)
    await rig.manager.wishes.download_item(song.id)
    row = await rig.until_row(song.id, lambda row: row.next_attempt_at)
    await rig.manager.acts.resume([row.id])
    await rig.until_status(song.id, "completed")


async def test_a_waiting_row_is_tried_again_though_the_clock_was_set_back(rig: Rig, clock: ManualClock) -> None:
    song = rig.songs[0]
    rig.server.faults.add("status", route=DOWNLOAD, status=500, times=1)
    await rig.manager.wishes.download_item(song.id)
    await rig.until_row(song.id, lambda row: row.next_attempt_at)
    await rig.until_idle()
    clock.set_wall(clock.now() - timedelta(days=30))
    await clock.advance(5)
    await rig.until_status(song.id, "completed")


async def test_a_waiting_row_waits_on_after_a_restart(rig: Rig) -> None:
    song = rig.songs[0]
    rig.server.faults.add("status", route=DOWNLOAD, status=429, headers={"Retry-After": "100"}, times=1)
    await rig.manager.wishes.download_item(song.id)
    await rig.until_row(song.id, lambda row: row.next_attempt_at)
    await rig.restart()
    await rig.attempt_after(song.id, 100)
    await rig.until_status(song.id, "completed")


async def test_the_totals_add_up(rig: Rig) -> None:
    song = rig.songs[0]
    rig.server.faults.add(**SLOW, times=1)
    await under_way(rig, song.id)
    await rig.manager.wishes.download_item(rig.songs[1].id)
    await rig.until_status(rig.songs[1].id, "completed")
    await rig.until_row(song.id, lambda row: row.file_size == song.size)
    running = await rig.manager.summary()
    assert (running.active_count, running.completed_count, running.queued_count) == (1, 1, 0)
    assert 200_000 <= running.bytes_downloaded <= song.size
    assert running.free_bytes > 0
    await rig.until_status(song.id, "completed")
    done = await rig.manager.summary()
    assert (done.active_count, done.completed_count, done.bytes_total) == (0, 2, 0)
    assert done.user_bytes == song.size + rig.songs[1].size
    assert (done.cache_bytes, done.hold_reason) == (0, None)


async def test_a_delete_that_a_crash_breaks_off_is_ended_by_the_next_start(rig: Rig, clock: ManualClock) -> None:
    whole, half, kept = rig.songs[:3]
    for song in (whole, kept):
        await rig.manager.wishes.download_item(song.id)
        await rig.until_status(song.id, "completed")
    rig.server.faults.add("close", route="/items/*/download", after_bytes=1_000_000)
    await rig.manager.wishes.download_item(half.id)
    await rig.until_row(half.id, lambda row: row.wait_reason == "retry")
    await rig.until_idle()
    # What is on the disk when the process dies after the mark and before the files.
    await rig.manager.rows.condemn([(await rig.row(song.id)).id for song in (whole, half)])
    await rig.restart()
    assert set(await rig.rows()) == {kept.id}
    assert [path.stem for path in rig.root.rglob("*.*") if path.suffix in (".wav", ".part")] == [kept.id]


async def test_a_cancel_that_a_crash_breaks_off_just_after_the_rename_leaves_no_file(rig: Rig) -> None:
    song = rig.songs[0]
    rig.server.faults.add("close", route="/items/*/download", after_bytes=1_000_000)
    await rig.manager.wishes.download_item(song.id)
    row = await rig.until_row(song.id, lambda row: row.wait_reason == "retry")
    await rig.until_idle()
    await rig.manager.rows.condemn([row.id])
    await rig.stop()
    rig.part(song.id).rename(rig.part(song.id).with_suffix(".wav"))  # its row does not know it yet
    await rig.start()
    assert await rig.rows() == {}
    assert not [path for path in rig.root.rglob("*") if path.stem == song.id]


async def test_what_is_asked_for_again_after_a_broken_off_delete_stays(rig: Rig) -> None:
    song = rig.songs[0]
    await rig.manager.wishes.download_item(song.id)
    await rig.until_status(song.id, "completed")
    await rig.manager.rows.condemn([(await rig.row(song.id)).id])
    await rig.manager.wishes.download_item(song.id)
    await rig.restart()
    await rig.whole(song.id)


async def test_cancel_gives_up_for_all_of_the_users_lists_and_the_next_sync_does_not_ask_again(rig: Rig) -> None:
    song = rig.songs[0]
    rig.catalogue.playlists["mix"] = [rig.catalogue.known[song.id]]
    await rig.manager.acts.pause_all()
    await rig.manager.wishes.download_item(song.id)
    await rig.manager.wishes.download_playlist("mix")
    row = await rig.row(song.id)
    assert row.wanted_by == ("playlist:mix", "user")
    await rig.manager.acts.cancel([row.id])
    await rig.manager.sync_wants()
    assert await rig.rows() == {}
