"""One fetch through outages of true length, at the speed of music (make test-slow)."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from jellytui.demo.server import DemoServer
from jellytui.engine.events import PlayerState, TrackStarted
from tests.engine.downloads.conftest import rig_for
from tests.engine.downloads.stream.test_reading import STREAMS, song_of
from tests.faults.test_one_fetch_player import Listener
from tests.support.libmpv import needs_libmpv
from tests.support.streaming import QuickClock
from tests.support.waiting import until

pytestmark = [needs_libmpv, pytest.mark.slow]

CUT_BYTES = 500_000
"""Not three seconds of the song."""


async def _plays_through(listener: Listener, stalled_s: float) -> None:
    """Asserts that the song stalls for that long at least, and then plays from its place to its end."""
    loop = asyncio.get_running_loop()

    def is_stalled() -> bool:
        return listener.state.status == "stalled"

    async with asyncio.timeout(10):
        while not is_stalled():
            await asyncio.sleep(0.05)
    stalled_at, place_ms = loop.time(), listener.state.position_ms
    async with asyncio.timeout(stalled_s + 40):
        while is_stalled():
            await asyncio.sleep(0.05)
    assert loop.time() - stalled_at > stalled_s - 4
    assert listener.state.position_ms >= place_ms - 200
    async with asyncio.timeout(60):
        await listener.player.wait_until_stopped()
    states = [event for event in listener.events if isinstance(event, PlayerState) and event.track is not None]
    positions = [state.position_ms for state in states if state.status != "stopped"]
    assert all(later >= earlier - 200 for earlier, later in pairwise(positions))
    assert max(positions) > 17_000
    assert len([event for event in listener.events if isinstance(event, TrackStarted)]) == 1
    assert listener.problems == []
    song = song_of(listener.rig, "wav")
    await listener.rig.until_status(song.id, "completed")
    await listener.rig.whole(song.id)


async def test_silence_of_twelve_seconds(song_server: DemoServer, tmp_path: Path) -> None:
    async with rig_for(song_server, tmp_path, QuickClock(1.0)) as rig:
        rig.read_timeout_s = 12.0
        await rig.restart()
        rig.server.faults.add("stall", route=STREAMS, after_bytes=CUT_BYTES, times=1)
        listener = Listener(rig, "null")
        await listener.player.start()
        await listener.play("wav")
        await _plays_through(listener, 12.0)
        await listener.player.stop()


async def test_a_minute_of_maintenance(song_server: DemoServer, tmp_path: Path) -> None:
    async with rig_for(song_server, tmp_path, QuickClock(1.0)) as rig:
        rig.server.faults.add("close", route=STREAMS, after_bytes=CUT_BYTES, times=1)
        away = rig.server.faults.add("status", route=STREAMS, status=503, headers={"Retry-After": "5"}, nth=2)
        listener = Listener(rig, "null")
        await listener.player.start()
        await listener.play("wav")
        await until(lambda: away.hits)
        asyncio.get_running_loop().call_later(60.0, rig.server.faults.clear)
        await _plays_through(listener, 60.0)
        await listener.player.stop()


async def test_a_server_that_is_away_for_half_a_minute(song_server: DemoServer, tmp_path: Path) -> None:
    async with rig_for(song_server, tmp_path, QuickClock(1.0)) as rig:
        rig.server.faults.add("stall", route=STREAMS, after_bytes=CUT_BYTES, times=1)
        listener = Listener(rig, "null")
        await listener.player.start()
        await listener.play("wav")
        await until(lambda: listener.state.status == "playing")
        await rig.server.stop()

        async def come_back() -> None:
            await asyncio.sleep(30.0)
            await rig.server.start()

        coming = asyncio.create_task(come_back())
        await _plays_through(listener, 30.0)
        await coming
        await listener.player.stop()
