"""Pausing and listening: what the user has paused plays on, and waits once it is left."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from jellytui.engine.downloads.stream.listeners import LINGER_S
from tests.engine.downloads.conftest import Rig
from tests.engine.downloads.stream.test_reading import SLOW, STREAMS, song_of
from tests.support.clock import ManualClock
from tests.support.streaming import read_on
from tests.support.waiting import settle, until


def slow_down(rig: Rig, rate: int) -> None:
    """So many bytes a second come of each file, whoever asks for it."""
    for route in ("*/download", STREAMS):
        rig.server.faults.add("drip", route=route, rate=rate)


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
    slow_down(listening, 4 * SLOW)
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
    slow_down(listening, SLOW)
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
    slow_down(listening, SLOW)
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
    slow_down(listening, SLOW)
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
    slow_down(listening, SLOW)
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
    slow_down(listening, SLOW)
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
