"""Reading a track while it comes: what is read is what the server has, and no byte comes twice."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from jellytui.demo.library import DemoTrack
from jellytui.demo.server import DemoServer
from jellytui.engine.clock import SystemClock
from jellytui.engine.downloads.stream.leftovers import CLEAR_EVERY_S, LEFTOVER_AGE_S
from jellytui.engine.downloads.stream.listeners import LINGER_S
from jellytui.engine.downloads.stream.side import TAIL_BYTES
from jellytui.engine.downloads.stream.window import AHEAD_BYTES
from jellytui.engine.downloads.transfer.resume import OVERLAP
from jellytui.engine.errors import DiskError, JellytuiError, NotFoundError
from jellytui.engine.jellyfin.wire.sockets import READ_BYTES
from tests.engine.downloads.conftest import Rig, rig_for
from tests.support.clock import ManualClock
from tests.support.hearing import noise, write
from tests.support.streaming import CODECS, Asked, read_on
from tests.support.waiting import settle, until

STREAMS = "*/stream"
SLOW = 1_500_000
"""Bytes a second."""


def song_of(rig: Rig, container: str) -> DemoTrack:
    return next(song for song in rig.songs if song.file.suffix == f".{container}")


async def test_what_is_read_is_the_servers_file_and_so_is_what_stays(listening: Rig) -> None:
    song = song_of(listening, "flac")
    file = await listening.manager.open_stream(song.id)
    assert await asyncio.to_thread(file.size) == song.size
    assert await read_on(file) == song.file.read_bytes()
    file.close()
    row = await listening.until_status(song.id, "completed")
    assert (row.origin, row.priority) == ("stream", 300)
    await listening.whole(song.id)
    assert Asked.of(listening.asked(song.id)).ranges == ((0, None),)
    await until(lambda: not listening.manager.leases.is_held(song.id))
    assert (await listening.row(song.id)).wanted_by == ()


async def test_the_head_is_read_long_before_the_rest_is_there(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("drip", route=STREAMS, rate=SLOW)
    file = await listening.manager.open_stream(song.id)
    assert await read_on(file, 0, 128 * 1024) == song.file.read_bytes()[: 128 * 1024]
    assert listening.part(song.id).stat().st_size < song.size / 4
    file.close()


async def test_the_last_bytes_come_though_the_line_falls_silent_after_them(listening: Rig) -> None:
    song = song_of(listening, "wav")
    listening.server.faults.add("stall", route=STREAMS, after_bytes=300_000, times=1)
    file = await listening.manager.open_stream(song.id)
    (running,) = listening.manager.runner.running.values()
    await until(lambda: running.bytes_here == 300_000)
    async with asyncio.timeout(1.5):  # the silent connection counts as broken after two seconds
        assert len(await read_on(file, 0, 300_000)) == 300_000
    file.close()


async def test_two_readers_share_one_fetch(listening: Rig) -> None:
    song = song_of(listening, "flac")
    files = [await listening.manager.open_stream(song.id) for _ in range(2)]
    found = await asyncio.gather(*(read_on(file) for file in files))
    assert found == [song.file.read_bytes()] * 2
    assert len(listening.asked(song.id)) == 1
    for file in files:
        file.close()


async def test_a_track_that_is_here_is_read_from_the_disk(listening: Rig) -> None:
    song = song_of(listening, "mp3")
    await listening.manager.wishes.download_item(song.id)
    await listening.until_status(song.id, "completed")
    asked = len(listening.asked(song.id))
    file = await listening.manager.open_stream(song.id)
    assert await read_on(file) == song.file.read_bytes()
    assert len(listening.asked(song.id)) == asked
    assert listening.manager.leases.is_held(song.id)
    file.close()
    file.close()
    await until(lambda: not listening.manager.leases.is_held(song.id))
    assert (await listening.row(song.id)).wanted_by == ("user",)


async def test_the_first_of_many_that_is_here_is_found_in_their_order(listening: Rig) -> None:
    songs = [song_of(listening, container) for container in ("mp3", "opus")]
    for song in songs:
        await listening.manager.wishes.download_item(song.id)
        await listening.until_status(song.id, "completed")
    others = [f"{number:032x}" for number in range(1000)]
    first, second = (song.id for song in songs)
    assert await listening.manager.first_local([*others, second, first]) == second
    path = await listening.manager.local_path(second)
    assert path
    path.unlink()
    assert await listening.manager.first_local([*others, second, first]) == first
    assert await listening.manager.first_local(others) is None


async def test_a_file_that_has_vanished_is_fetched_again(listening: Rig) -> None:
    song = song_of(listening, "mp3")
    await listening.manager.wishes.download_item(song.id)
    row = await listening.until_status(song.id, "completed")
    (listening.root / (row.file_path or "")).unlink()
    file = await listening.manager.open_stream(song.id)
    assert await read_on(file) == song.file.read_bytes()
    file.close()
    await listening.until_status(song.id, "completed")
    await listening.whole(song.id)


async def test_what_is_far_away_comes_through_a_window(listening: Rig) -> None:
    song = song_of(listening, "wav")
    whole = song.file.read_bytes()
    listening.server.faults.add("drip", route=STREAMS, rate=SLOW)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 65536)
    place = song.size - 1_200_000
    assert await read_on(file, place, 200_000) == whole[place : place + 200_000]
    assert listening.part(song.id).stat().st_size < song.size / 2
    assert Asked.of(listening.asked(song.id)).starts == [0, place]
    listening.server.faults.clear()
    assert await read_on(file) == whole
    file.close()
    await listening.until_status(song.id, "completed")
    await listening.whole(song.id)


async def test_a_window_reads_no_further_ahead_than_it_may(tmp_path: Path) -> None:
    write(tmp_path / "song.wav", noise(200.0))  # 35 MB: a window and the sockets on its way hold less
    async with DemoServer(tmp_path, relay=True) as server, rig_for(server, tmp_path, SystemClock()) as rig:
        (song,) = rig.songs
        server.faults.add("drip", route=STREAMS, rate=200_000, times=1)
        file = await rig.manager.open_stream(song.id)
        await read_on(file, 0, 65536)
        place = 4_000_000
        content = song.file.read_bytes()
        assert await read_on(file, place, 65536) == content[place : place + 65536]
        window = file.window
        assert window is not None
        await until(lambda: window.is_full)
        held = window.end
        await until(lambda: rig.sent(song.id)[0].body_bytes > 500_000)
        assert (window.is_open, window.end) == (True, held)
        assert held <= place + 65536 + AHEAD_BYTES + READ_BYTES
        beside = rig.sent(song.id)[1]
        assert beside.body_bytes < song.size - place
        # It goes on as it is read.
        assert await read_on(file, place + 65536, 8_000_000) == content[place + 65536 : place + 65536 + 8_000_000]
        assert len(rig.sent(song.id)) == 2
        file.close()


@pytest.mark.parametrize("container", list(CODECS))
async def test_the_tail_comes_with_the_head_where_opening_reads_it(listening: Rig, container: str) -> None:
    song = song_of(listening, container)
    listening.server.faults.add("drip", route=STREAMS, rate=SLOW // 4)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 65536)
    tail = (song.size - TAIL_BYTES, song.size - 1)
    reads_it = container in ("ogg", "opus", "m4a")
    if reads_it:
        await until(lambda: tail in Asked.of(listening.asked(song.id)).ranges)
        assert await read_on(file, tail[0]) == song.file.read_bytes()[tail[0] :]
    assert Asked.of(listening.asked(song.id)).ranges == ((0, None), *([tail] if reads_it else []))
    file.close()


async def test_a_length_that_the_server_does_not_tell_is_not_made_up(listening: Rig) -> None:
    song = song_of(listening, "mp3")
    listening.server.faults.add("headers", route=STREAMS, headers={"content-length": None})
    file = await listening.manager.open_stream(song.id)
    assert await asyncio.to_thread(file.size) is None
    assert await read_on(file) == song.file.read_bytes()
    file.close()


async def test_a_wait_ends_when_it_is_cancelled(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("stall", route=STREAMS, after_bytes=100_000)
    file = await listening.manager.open_stream(song.id)
    reading = asyncio.create_task(read_on(file))
    await until(lambda: file.starving_at is not None)
    file.cancel()
    with pytest.raises(JellytuiError):
        await reading
    file.close()


async def test_what_is_left_early_stays_and_is_gone_on_with(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("drip", route=STREAMS, rate=SLOW, times=1)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 300_000)
    file.close()
    row = await listening.until_status(song.id, "paused")
    await listening.until_idle()
    held = listening.part(song.id).stat().st_size
    assert 300_000 <= held < song.size / 2
    assert (row.wanted_by, (await listening.row(song.id)).bytes_downloaded) == ((), held)
    again = await listening.manager.open_stream(song.id)
    assert await read_on(again) == song.file.read_bytes()
    again.close()
    await listening.until_status(song.id, "completed")
    assert Asked.of(listening.asked(song.id)).ranges == ((0, None), (held - OVERLAP, None))
    await listening.whole(song.id)


async def test_what_is_half_here_is_finished_without_a_listener(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("drip", route=STREAMS, rate=4 * SLOW, times=1)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, song.size * 2 // 3)
    file.close()
    await listening.until_status(song.id, "completed")
    await listening.whole(song.id)
    assert (await listening.row(song.id)).wanted_by == ()


async def test_a_new_start_does_not_go_on_with_what_was_listened_to(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("drip", route=STREAMS, rate=SLOW)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 65536)
    await listening.restart()
    row = await listening.row(song.id)
    assert (row.status, row.wanted_by) == ("paused", ())
    with pytest.raises(JellytuiError):
        await read_on(file)
    file.close()


async def test_what_nobody_went_on_with_for_a_day_goes_at_the_next_start(listening: Rig) -> None:
    old, young = song_of(listening, "flac"), song_of(listening, "wav")
    listening.server.faults.add("drip", route=STREAMS, rate=SLOW)
    for song in (old, young):
        file = await listening.manager.open_stream(song.id)
        await read_on(file, 0, 65536)
        file.close()
        await listening.until_status(song.id, "paused")
    await listening.until_idle()
    a_day_ago = time.time() - 25 * 3600
    os.utime(listening.part(old.id), (a_day_ago, a_day_ago))
    await listening.restart()
    assert [row.item_id for row in await listening.manager.listing.all()] == [young.id]
    assert (listening.part(old.id).exists(), listening.part(young.id).exists()) == (False, True)


async def test_what_nobody_went_on_with_for_a_day_goes_within_the_hour(rig: Rig, clock: ManualClock) -> None:
    song = rig.songs[0]
    rig.server.faults.add("drip", route=STREAMS, rate=SLOW)
    file = await rig.manager.open_stream(song.id)
    await read_on(file, 0, 65536)
    file.close()
    await settle()
    await clock.advance(LINGER_S)
    await rig.until_status(song.id, "paused")
    await rig.until_idle()
    moment = clock.now().timestamp() - LEFTOVER_AGE_S + 1.5 * CLEAR_EVERY_S
    os.utime(rig.part(song.id), (moment, moment))
    await clock.advance(CLEAR_EVERY_S)
    await until(lambda: clock.slept.count(CLEAR_EVERY_S) == 2)
    assert rig.part(song.id).exists()
    await clock.advance(CLEAR_EVERY_S)
    await until(lambda: not rig.part(song.id).exists())
    async with asyncio.timeout(10):
        while await rig.manager.listing.all():
            await asyncio.sleep(0.01)


async def test_what_was_left_early_is_no_download_for_anybody(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("drip", route=STREAMS, rate=SLOW, times=1)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 100_000)
    file.close()
    await listening.until_status(song.id, "paused")
    await listening.until_idle()
    await until(lambda: listening.events[-1].type == "removed")
    summary = await listening.manager.summary()
    assert await listening.manager.downloads() == await listening.manager.downloads("paused") == []
    assert (summary.paused_count, summary.bytes_total) == (0, 0)
    assert summary.cache_bytes >= 100_000

    listening.server.faults.add("stall", route="*/download", times=1)
    await listening.manager.wishes.download_item(song.id)
    assert [row.item_id for row in await listening.manager.downloads()] == [song.id]


async def test_a_track_of_which_nothing_came_leaves_no_row(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("status", route=STREAMS, status=404)
    file = await listening.manager.open_stream(song.id)
    with pytest.raises(NotFoundError):
        await read_on(file)
    file.close()
    async with asyncio.timeout(10):
        while await listening.manager.listing.all():
            await asyncio.sleep(0.01)
    assert not listening.part(song.id).exists()


async def test_a_file_whose_disk_is_away_is_not_lost(rig: Rig) -> None:
    song = rig.songs[0]
    await rig.manager.wishes.download_item(song.id)
    row = await rig.until_status(song.id, "completed")
    rig.root.rename(rig.root.with_name("pulled out"))
    with pytest.raises(DiskError, match="is not there"):
        await read_on(await rig.manager.open_stream(song.id))
    assert (await rig.row(song.id)) == row
