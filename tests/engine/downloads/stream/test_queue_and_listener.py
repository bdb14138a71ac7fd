"""A listener and the queue: the one joins the other's downloads, and nothing that holds the queue holds the music."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from jellytui.config import CacheSettings, DownloadSettings, Settings
from jellytui.demo.library import DemoTrack
from jellytui.demo.server import DemoServer
from jellytui.engine.downloads.stream.listeners import LINGER_S
from jellytui.engine.errors import DiskError, JellytuiError, NotFoundError, ServerUnreachableError
from tests.engine.downloads.conftest import Rig, rig_for
from tests.engine.downloads.stream.test_reading import SLOW, STREAMS, song_of
from tests.support.clock import ManualClock
from tests.support.streaming import Asked, QuickClock, read_on
from tests.support.waiting import settle, until


async def test_a_download_that_runs_already_is_joined(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("drip", route=STREAMS, rate=2 * SLOW, times=1)
    await listening.manager.want(await listening.catalogue.tracks([song.id]), "queue")
    await until(lambda: listening.part(song.id).exists())
    file = await listening.manager.open_stream(song.id)
    assert await read_on(file) == song.file.read_bytes()
    file.close()
    await listening.until_status(song.id, "completed")
    await until(lambda: not listening.manager.leases.is_held(song.id))
    row = await listening.row(song.id)
    assert (row.origin, row.wanted_by) == ("queue", ("queue",))
    assert Asked.of(listening.asked(song.id)).ranges == ((0, None),)


async def test_a_joined_download_goes_on_for_those_who_want_it_too(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("drip", route="*/download", rate=SLOW, times=1)
    await listening.manager.wishes.download_item(song.id)
    await until(lambda: listening.part(song.id).exists())
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 200_000)
    file.close()
    await until(lambda: not listening.manager.leases.is_held(song.id))
    row = await listening.until_status(song.id, "completed")
    assert row.wanted_by == ("user",)
    await listening.whole(song.id)


async def test_a_paused_download_is_read_and_paused_again(listening: Rig) -> None:
    song = song_of(listening, "flac")
    row = await listening.manager.wishes.download_item(song.id)
    await listening.manager.acts.pause([row.id])
    await listening.until_status(song.id, "paused")
    listening.server.faults.add("drip", route=STREAMS, rate=SLOW)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 200_000)
    assert (await listening.row(song.id)).status == "downloading"
    file.close()
    assert (await listening.until_status(song.id, "paused")).wanted_by == ("user",)
    assert not any("Download" in request.path for request in listening.asked(song.id)[-1:])


async def test_a_failed_download_is_tried_again_for_a_listener(listening: Rig) -> None:
    song = song_of(listening, "mp3")
    listening.server.faults.add("status", route="*/download", status=404, times=1)
    await listening.manager.wishes.download_item(song.id)
    await listening.until_status(song.id, "failed")
    file = await listening.manager.open_stream(song.id)
    assert await read_on(file) == song.file.read_bytes()
    file.close()
    await listening.until_status(song.id, "completed")


async def test_what_the_server_refuses_does_not_become_ones_own_by_listening(listening: Rig) -> None:
    song = song_of(listening, "mp3")
    listening.server.faults.add("status", route="*/download", status=403)
    await listening.manager.wishes.download_item(song.id)
    await listening.until_status(song.id, "failed")
    file = await listening.manager.open_stream(song.id)
    assert await read_on(file) == song.file.read_bytes()
    file.close()
    row = await listening.until_row(song.id, lambda row: row.status == "completed" and not row.wanted_by)
    assert await listening.manager.evict([row.id]) == [row.id]


async def test_neither_pause_all_nor_a_metered_link_nor_the_rate_holds_the_music(
    song_server: DemoServer, tmp_path: Path
) -> None:
    async with rig_for(song_server, tmp_path, QuickClock(20.0)) as rig:
        rig.settings = Settings(downloads=DownloadSettings(concurrency=1, max_rate=1))
        await rig.restart()
        rig.network.set(True)
        await rig.manager.acts.pause_all()
        song = song_of(rig, "flac")
        file = await rig.manager.open_stream(song.id)
        assert await read_on(file) == song.file.read_bytes()
        file.close()


async def test_pausing_everything_does_not_stop_what_plays(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("drip", route=STREAMS, rate=4 * SLOW)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 100_000)
    await listening.manager.acts.pause_all()
    assert await read_on(file) == song.file.read_bytes()
    file.close()
    await listening.until_status(song.id, "completed")


async def test_what_is_listened_to_takes_no_slot_of_the_queue(listening: Rig) -> None:
    first, second, third, fourth = listening.songs[:4]
    listening.server.faults.add("drip", route=STREAMS, rate=SLOW)
    listening.server.faults.add("stall", route="*/download", after_bytes=1000)
    files = [await listening.manager.open_stream(song.id) for song in (first, second)]
    for song in (third, fourth):
        await listening.manager.wishes.download_item(song.id)
        await listening.until_status(song.id, "downloading")
    assert len(listening.manager.runner.running) == 4
    for file in files:
        file.close()


async def test_others_stop_reading_while_a_listener_has_little_ahead(listening: Rig) -> None:
    other, song = song_of(listening, "wav"), song_of(listening, "flac")
    listening.server.faults.add("drip", route="*/download", rate=SLOW)
    listening.server.faults.add("drip", route=STREAMS, rate=SLOW)
    row = await listening.manager.wishes.download_item(other.id)
    await until(lambda: listening.part(other.id).exists() and listening.manager.runner.running[row.id].bytes_here)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 100_000)
    held = listening.manager.runner.running[row.id].bytes_here
    await read_on(file, 100_000, 1_000_000)  # as it comes, so that nothing is ever ahead
    assert listening.manager.runner.running[row.id].bytes_here <= held + 256 * 1024
    file.close()
    await listening.until_status(other.id, "completed")


async def test_what_the_player_has_already_counts_as_ahead(listening: Rig) -> None:
    other, song = song_of(listening, "wav"), song_of(listening, "flac")
    listening.read_timeout_s = 60.0
    await listening.restart()
    listening.server.faults.add("stall", route=STREAMS, after_bytes=200_000, times=1)
    file = await listening.manager.open_stream(song.id)
    file.ahead_s = lambda: 1000.0
    await read_on(file, 0, 200_000)
    waiting = asyncio.create_task(read_on(file, 200_000, 1))
    await listening.manager.wishes.download_item(other.id)
    await listening.until_status(other.id, "completed")
    assert not waiting.done()
    file.close()
    with pytest.raises(JellytuiError):
        await waiting


async def test_what_was_just_left_makes_way_for_what_is_listened_to_now(rig: Rig) -> None:
    left, heard = rig.songs[:2]
    rig.server.faults.add("drip", route=STREAMS, rate=300_000)
    first = await rig.manager.open_stream(left.id)
    await read_on(first, 0, 60_000)
    second = await rig.manager.open_stream(heard.id)
    await read_on(second, 0, 20_000)
    first.close()
    transfer = rig.manager.runner.running[(await rig.row(left.id)).id]
    await until(lambda: transfer.is_left)
    here = transfer.bytes_here
    await read_on(second, 20_000, 180_000)
    assert transfer.bytes_here - here <= 64 * 1024
    again = await rig.manager.open_stream(left.id)
    await read_on(again, here, 100_000)
    again.close()
    second.close()


async def test_a_held_download_goes_on_once_it_is_the_one_that_is_listened_to(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("drip", route=STREAMS, rate=4 * SLOW, times=1)
    listening.manager.gate.hold(True)
    await listening.manager.want(await listening.catalogue.tracks([song.id]), "queue")
    await listening.until_status(song.id, "downloading")
    file = await listening.manager.open_stream(song.id)
    assert await read_on(file) == song.file.read_bytes()
    file.close()


async def test_a_track_that_is_gone_says_so_and_leaves_the_queue_alone(listening: Rig) -> None:
    song = song_of(listening, "flac")
    fault = listening.server.faults.add("status", route=STREAMS, status=404)
    file = await listening.manager.open_stream(song.id)
    with pytest.raises(NotFoundError, match="no longer has this track"):
        await asyncio.to_thread(file.size)
    with pytest.raises(NotFoundError):
        await read_on(file)
    file.close()
    await until(lambda: not listening.manager.leases.is_held(song.id))
    assert fault.hits == 1
    with pytest.raises(NotFoundError):
        await listening.manager.open_stream("f" * 32)


async def test_a_refusal_says_so(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("status", route=STREAMS, status=403, times=1)
    file = await listening.manager.open_stream(song.id)
    with pytest.raises(JellytuiError, match="may not download"):
        await read_on(file)
    again = await listening.manager.open_stream(song.id)
    assert await read_on(again) == song.file.read_bytes()
    file.close()
    again.close()


async def test_where_nothing_may_be_kept_the_player_is_told(song_server: DemoServer, tmp_path: Path) -> None:
    async with rig_for(song_server, tmp_path, QuickClock(20.0)) as rig:
        rig.settings = Settings(cache=CacheSettings(storage_limit=0))
        await rig.restart()
        with pytest.raises(DiskError):
            await rig.manager.open_stream(song_of(rig, "flac").id)
        assert await rig.rows() == {}


async def test_where_the_disk_is_full_the_player_is_told(song_server: DemoServer, tmp_path: Path) -> None:
    async with rig_for(song_server, tmp_path, QuickClock(20.0)) as rig:
        rig.free_floor_bytes = 1 << 60
        await rig.restart()
        file = await rig.manager.open_stream(song_of(rig, "flac").id)
        with pytest.raises(DiskError):
            await read_on(file)
        file.close()


async def left_early(rig: Rig) -> DemoTrack:
    """A track of which some was heard, and nobody listens any more."""
    song = song_of(rig, "flac")
    rig.server.faults.add("drip", route=STREAMS, rate=SLOW, times=1)
    file = await rig.manager.open_stream(song.id)
    await read_on(file, 0, 200_000)
    file.close()
    await until(lambda: not rig.manager.leases.is_held(song.id))
    return song


async def test_what_is_half_here_outlives_a_play_while_the_disk_is_full(listening: Rig) -> None:
    song = await left_early(listening)
    held = listening.part(song.id).read_bytes()
    listening.manager.disk.free_floor_bytes = 1 << 60
    listening.manager.runner.hold_for_disk(DiskError("full"), needed_bytes=1)
    with pytest.raises(DiskError):
        await listening.manager.open_stream(song.id)
    assert (await listening.row(song.id)).status == "paused"
    assert listening.part(song.id).read_bytes() == held


async def test_what_is_half_here_outlives_a_play_while_a_move_holds_the_queue(listening: Rig, tmp_path: Path) -> None:
    song = await left_early(listening)
    held = listening.part(song.id).read_bytes()
    await listening.manager.caretaker.move(tmp_path / "elsewhere")
    with pytest.raises(DiskError):
        await listening.manager.open_stream(song.id)
    assert (await listening.row(song.id)).status == "paused"
    assert listening.part(song.id).read_bytes() == held


async def test_where_the_database_is_full_the_player_is_told(listening: Rig) -> None:
    await listening.database.execute(
        "CREATE TRIGGER full BEFORE INSERT ON downloads BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
    )
    with pytest.raises(DiskError, match="database or disk is full"):
        await listening.manager.open_stream(song_of(listening, "flac").id)
    await listening.database.execute("DROP TRIGGER full")
    file = await listening.manager.open_stream(song_of(listening, "flac").id)
    assert await read_on(file) == song_of(listening, "flac").file.read_bytes()
    file.close()


async def test_an_end_that_cannot_be_written_is_written_later(listening: Rig, caplog: pytest.LogCaptureFixture) -> None:
    song = song_of(listening, "flac")
    await listening.database.execute(
        "CREATE TRIGGER full BEFORE DELETE ON wants BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
    )
    file = await listening.manager.open_stream(song.id)
    await read_on(file)
    file.close()
    await until(lambda: "the end of listening cannot be written" in caplog.text)
    assert listening.manager.leases.is_held(song.id)
    await listening.database.execute("DROP TRIGGER full")
    await until(lambda: not listening.manager.leases.is_held(song.id))
    assert (await listening.row(song.id)).wanted_by == ()


async def test_a_disk_that_is_full_for_another_download_is_told_to_the_player(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("drip", route=STREAMS, rate=SLOW)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 100_000)
    listening.manager.runner.hold_for_disk(DiskError("full"), needed_bytes=1 << 60)
    with pytest.raises(DiskError):
        await read_on(file)
    file.close()


async def test_a_download_that_is_deleted_while_it_plays_goes_afterwards(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("drip", route=STREAMS, rate=4 * SLOW)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 100_000)
    await listening.manager.acts.cancel([(await listening.row(song.id)).id])
    assert await read_on(file) == song.file.read_bytes()
    file.close()
    await until(lambda: not listening.manager.leases.is_held(song.id))
    async with asyncio.timeout(10):
        while await listening.rows():
            await asyncio.sleep(0.01)
    assert not listening.part(song.id).exists()


async def test_the_music_needs_no_sign_in(listening: Rig) -> None:
    song = song_of(listening, "mp3")
    listening.token = "no longer taken"
    await listening.restart()
    listening.link.is_online = False
    await listening.manager.wishes.download_item(song.id)
    file = await listening.manager.open_stream(song.id)
    assert await read_on(file) == song.file.read_bytes()
    file.close()
    assert not any("authorization" in request.headers for request in listening.asked(song.id))


async def test_with_no_server_a_track_that_has_not_begun_says_so(listening: Rig) -> None:
    song = song_of(listening, "flac")
    await listening.server.stop()
    file = await listening.manager.open_stream(song.id)
    with pytest.raises(ServerUnreachableError):
        await asyncio.to_thread(file.size)
    file.close()
    await listening.server.start()


async def test_with_no_server_what_is_here_of_a_track_is_played(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("drip", route=STREAMS, rate=SLOW, times=1)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 300_000)
    file.close()
    await listening.until_status(song.id, "paused")
    await listening.server.stop()
    again = await listening.manager.open_stream(song.id)
    assert await asyncio.to_thread(again.size) == song.size
    assert await read_on(again, 0, 300_000) == song.file.read_bytes()[:300_000]
    reading = asyncio.create_task(read_on(again, 0))
    await until(lambda: not listening.link.is_online)
    assert not reading.done()
    await listening.server.start()
    listening.link.is_online = True
    assert await reading == song.file.read_bytes()
    again.close()


async def test_resuming_everything_leaves_what_was_only_listened_to(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("drip", route=STREAMS, rate=SLOW)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 100_000)
    file.close()
    await listening.until_status(song.id, "paused")
    await listening.manager.acts.resume_all()
    assert (await listening.row(song.id)).status == "paused"


async def let_go(rig: Rig, item_id: str) -> None:
    """Waits until nobody listens to the track any more, and the queue has done what it then may."""
    await until(lambda: not rig.manager.leases.is_held(item_id))
    await settle()


@pytest.mark.parametrize("is_asked_for", [True, False])
async def test_what_was_listened_to_waits_with_everything_else_once_it_is_left(
    listening: Rig, is_asked_for: bool
) -> None:
    song = song_of(listening, "flac")
    for route in ("*/download", STREAMS):
        listening.server.faults.add("drip", route=route, rate=4 * SLOW)
    if is_asked_for:
        await listening.manager.wishes.download_item(song.id)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, song.size * 6 // 10)
    await listening.manager.acts.pause_all()
    file.close()
    await let_go(listening, song.id)
    assert (await listening.row(song.id)).status == "paused"
    assert not listening.manager.runner.running


async def test_what_is_first_listened_to_while_all_is_paused_waits_once_it_is_left(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("drip", route=STREAMS, rate=4 * SLOW)
    await listening.manager.acts.pause_all()
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, song.size * 6 // 10)
    file.close()
    await let_go(listening, song.id)
    assert (await listening.row(song.id)).status == "paused"


async def test_a_row_that_was_resumed_by_itself_goes_on_after_its_listener_though_all_is_paused(
    listening: Rig,
) -> None:
    song = song_of(listening, "flac")
    for route in ("*/download", STREAMS):
        listening.server.faults.add("drip", route=route, rate=SLOW)
    row = await listening.manager.wishes.download_item(song.id)
    await listening.manager.acts.pause_all()
    await listening.manager.acts.resume([row.id])
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 100_000)
    listening.server.faults.clear()
    file.close()
    await let_go(listening, song.id)
    await listening.until_status(song.id, "completed")


async def test_resuming_everything_holds_for_what_is_listened_to(listening: Rig) -> None:
    song = song_of(listening, "flac")
    for route in ("*/download", STREAMS):
        listening.server.faults.add("drip", route=route, rate=SLOW)
    await listening.manager.wishes.download_item(song.id)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 100_000)
    await listening.manager.acts.pause_all()
    await listening.manager.acts.resume_all()
    listening.server.faults.clear()
    file.close()
    await listening.until_status(song.id, "completed")


async def test_what_is_listened_to_at_the_end_waits_after_a_start_while_all_is_paused(listening: Rig) -> None:
    song = song_of(listening, "flac")
    for route in ("*/download", STREAMS):
        listening.server.faults.add("drip", route=route, rate=SLOW)
    await listening.manager.wishes.download_item(song.id)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 100_000)
    await listening.manager.acts.pause_all()
    await listening.stop()
    with closing(sqlite3.connect(listening.folder / "jellytui.db", isolation_level=None)) as database:
        database.execute("UPDATE downloads SET status = 'downloading'")  # as if the process was killed
    await listening.start()
    await settle()
    assert (await listening.row(song.id)).status == "paused"
    file.close()


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_the_very_track_that_plays_can_be_paused(listening: Rig, is_restarted: bool) -> None:
    song = song_of(listening, "flac")
    for route in ("*/download", STREAMS):
        listening.server.faults.add("drip", route=route, rate=SLOW)
    row = await listening.manager.wishes.download_item(song.id)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 100_000)
    await listening.manager.acts.pause([row.id])
    assert len(await read_on(file, 100_000, 200_000)) == 200_000
    if is_restarted:
        await listening.restart()
    file.close()
    await let_go(listening, song.id)
    assert (await listening.row(song.id)).status == "paused"
    assert not listening.manager.runner.running


async def test_what_is_asked_for_again_while_it_plays_is_paused_no_more(listening: Rig) -> None:
    song = song_of(listening, "flac")
    for route in ("*/download", STREAMS):
        listening.server.faults.add("drip", route=route, rate=SLOW)
    row = await listening.manager.wishes.download_item(song.id)
    await listening.manager.acts.pause([row.id])
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 100_000)
    await listening.manager.wishes.download_item(song.id)
    listening.server.faults.clear()
    file.close()
    await let_go(listening, song.id)
    await listening.until_status(song.id, "completed")


async def test_a_pause_of_what_only_a_listener_wants_holds_though_half_of_it_is_here(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("drip", route=STREAMS, rate=4 * SLOW)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, song.size * 6 // 10)
    await listening.manager.acts.pause([(await listening.row(song.id)).id])
    file.close()
    await let_go(listening, song.id)
    assert (await listening.row(song.id)).status == "paused"


async def test_what_is_left_while_it_waits_for_its_next_attempt_waits_for_nothing_once_it_may_go_on(
    rig: Rig, clock: ManualClock
) -> None:
    song = rig.songs[0]
    rig.server.faults.add("drip", route="*/download", rate=2 * SLOW, times=1)
    rig.catalogue.playlists["mix"] = await rig.catalogue.tracks([song.id])
    (row,) = await rig.manager.wishes.download_playlist("mix")
    await until(lambda: row.id in rig.manager.runner.running)
    transfer = rig.manager.runner.running[row.id]
    await until(lambda: transfer.bytes_here >= song.size * 0.6)
    await rig.manager.acts.pause([row.id])
    rig.server.faults.add("status", route=STREAMS, status=500)
    file = await rig.manager.open_stream(song.id)
    await rig.attempt_after(song.id, 1)  # then it waits three seconds, and is left within them
    await rig.until_row(song.id, lambda row: row.next_attempt_at)
    await rig.until_idle()
    file.close()
    await settle()
    await clock.advance(LINGER_S)
    await let_go(rig, song.id)
    left = await rig.row(song.id)
    assert (left.status, left.next_attempt_at) == ("paused", None)
    await clock.advance(60)
    rig.server.faults.clear()
    await rig.manager.wishes.unfollow_playlist("mix")
    await rig.until_status(song.id, "completed")
