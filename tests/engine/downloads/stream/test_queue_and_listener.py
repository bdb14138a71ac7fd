"""A listener and the queue: the one joins the other's downloads, and nothing that holds the queue holds the music."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from jellytui.config import CacheSettings, DownloadSettings, Settings
from jellytui.demo.library import DemoTrack
from jellytui.demo.server import DemoServer
from jellytui.engine.errors import DiskError, JellytuiError, NotFoundError, ServerUnreachableError
from tests.engine.downloads.conftest import Rig, rig_for
from tests.engine.downloads.stream.test_reading import SLOW, STREAMS, song_of
from tests.support.streaming import Asked, QuickClock, read_on
from tests.support.waiting import until


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
