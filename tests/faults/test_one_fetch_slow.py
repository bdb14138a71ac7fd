"""One fetch through outages of true length, and over songs of true length (make test-slow)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path

import numpy as np
import pytest

from jellytui.demo.folder import scan
from jellytui.demo.library import Library
from jellytui.demo.server import DemoServer
from jellytui.engine.clock import SystemClock
from tests.engine.downloads.conftest import Rig, rig_for
from tests.engine.downloads.stream.test_reading import STREAMS, song_of
from tests.faults.test_one_fetch import is_sought_rightly
from tests.faults.test_one_fetch_player import Listener
from tests.support.hearing import dumped, samples_of
from tests.support.libmpv import needs_libmpv
from tests.support.streaming import CODECS, build_songs
from tests.support.waiting import until

pytestmark = [needs_libmpv, pytest.mark.slow]

CUT_BYTES = 500_000
"""Not three seconds of the song."""
LONG_S = 240.0


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where audiodump.wav goes."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def whole_songs(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Four minutes of noise in each container."""
    return scan(build_songs(tmp_path_factory.mktemp("whole"), LONG_S))


async def _plays_through(rig: Rig, audio_output: str, outage_s: float, outage: Coroutine[object, object, None]) -> None:
    """Plays the WAV from its beginning to its end, through an outage of that length that begins with the song: at the
    speed of music in silence ("null"), or as fast as it comes, with its samples compared ("pcm")."""
    listener = Listener(rig, audio_output)
    await listener.player.start()
    began = asyncio.get_running_loop().time()
    await listener.play("wav")
    await until(lambda: listener.state.status == "playing")
    async with asyncio.timeout(outage_s + 60), asyncio.TaskGroup() as tasks:
        tasks.create_task(outage)
        if audio_output == "null":
            await _stalls(listener, outage_s)
        await listener.player.wait_until_stopped()
    assert asyncio.get_running_loop().time() - began > outage_s
    assert listener.has_kept_its_place() > (17_000 if audio_output == "null" else 1_000)
    assert listener.problems == []
    song = song_of(rig, "wav")
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)
    await listener.player.stop()
    if audio_output == "pcm":
        assert np.array_equal(dumped(), samples_of(song.file))


async def _stalls(listener: Listener, outage_s: float) -> None:
    """Asserts that the song stands still for the outage, but for what was there, and then goes on from its place."""
    loop = asyncio.get_running_loop()

    def is_stalled() -> bool:
        return listener.state.status == "stalled"

    async with asyncio.timeout(10):
        while not is_stalled():
            await asyncio.sleep(0.05)
    stalled_at, place_ms = loop.time(), listener.state.position_ms
    async with asyncio.timeout(outage_s + 40):
        while is_stalled():
            await asyncio.sleep(0.05)
    assert loop.time() - stalled_at > outage_s - 4
    assert listener.state.position_ms >= place_ms - 200


@pytest.mark.parametrize("audio_output", ["null", "pcm"])
async def test_silence_of_twelve_seconds(song_server: DemoServer, tmp_path: Path, audio_output: str) -> None:
    async with rig_for(song_server, tmp_path, SystemClock()) as rig:
        rig.read_timeout_s = 12.0
        await rig.restart()
        rig.server.faults.add("stall", route=STREAMS, after_bytes=CUT_BYTES, times=1)
        await _plays_through(rig, audio_output, 12.0, asyncio.sleep(0))


@pytest.mark.parametrize("audio_output", ["null", "pcm"])
async def test_a_minute_of_maintenance(song_server: DemoServer, tmp_path: Path, audio_output: str) -> None:
    async with rig_for(song_server, tmp_path, SystemClock()) as rig:
        rig.server.faults.add("close", route=STREAMS, after_bytes=CUT_BYTES, times=1)
        away = rig.server.faults.add("status", route=STREAMS, status=503, headers={"Retry-After": "5"}, nth=2)

        async def end() -> None:
            await until(lambda: away.hits)
            await asyncio.sleep(60.0)
            rig.server.faults.clear()

        await _plays_through(rig, audio_output, 60.0, end())


@pytest.mark.parametrize("audio_output", ["null", "pcm"])
async def test_a_server_that_is_away_for_half_a_minute(
    song_server: DemoServer, tmp_path: Path, audio_output: str
) -> None:
    async with rig_for(song_server, tmp_path, SystemClock()) as rig:
        rig.server.faults.add("stall", route=STREAMS, after_bytes=CUT_BYTES, times=1)

        async def restart() -> None:
            await rig.server.stop()
            await asyncio.sleep(30.0)
            await rig.server.start()

        await _plays_through(rig, audio_output, 30.0, restart())


@pytest.mark.parametrize("container", list(CODECS))
async def test_songs_of_four_minutes_are_sought_in(whole_songs: Library, tmp_path: Path, container: str) -> None:
    async with (
        DemoServer(tmp_path, library=whole_songs, relay=True) as server,
        rig_for(server, tmp_path, SystemClock()) as rig,
    ):
        await is_sought_rightly(rig, song_of(rig, container), seconds=LONG_S, song_line=20.0)
