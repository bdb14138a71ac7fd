"""Windows: what is far from where the download is comes beside it, whatever the server answers, and is let go again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from jellytui.demo.server import DemoServer
from tests.engine.downloads.conftest import Rig, rig_for
from tests.engine.downloads.stream.test_reading import SLOW, STREAMS, song_of
from tests.support.clock import ManualClock
from tests.support.streaming import Asked, read_on
from tests.support.waiting import until

FAR = 2_000_000
"""A place that is not waited for."""


async def test_a_busy_server_is_asked_for_a_window_again_when_it_says_so(
    song_server: DemoServer, tmp_path: Path, clock: ManualClock
) -> None:
    async with rig_for(song_server, tmp_path, clock) as rig:
        song = song_of(rig, "wav")
        content = song.file.read_bytes()
        rig.server.faults.add("drip", route=STREAMS, rate=SLOW // 10, times=1)
        headers = {"Retry-After": "7"}
        rig.server.faults.add("status", route=STREAMS, status=503, headers=headers, nth=2, times=1)
        file = await rig.manager.open_stream(song.id)
        await read_on(file, 0, 65536)
        reading = asyncio.create_task(read_on(file, FAR, 65536))
        await until(lambda: 7.0 in clock.slept)
        assert Asked.of(rig.asked(song.id)).starts == [0, FAR]
        await clock.advance(7.0)
        assert await reading == content[FAR : FAR + 65536]
        assert await read_on(file, FAR + 1_000_000, 65536) == content[FAR + 1_000_000 : FAR + 1_065_536]
        assert rig.part(song.id).stat().st_size < FAR
        assert Asked.of(rig.asked(song.id)).starts[:3] == [0, FAR, FAR]
        file.close()


@pytest.mark.parametrize("kind", ["status", "reset"])
async def test_a_server_that_brings_no_window_is_asked_less_and_less_often(
    song_server: DemoServer, tmp_path: Path, clock: ManualClock, kind: str
) -> None:
    async with rig_for(song_server, tmp_path, clock) as rig:
        song = song_of(rig, "wav")
        rig.server.faults.add("drip", route=STREAMS, rate=SLOW // 10, times=1)
        rig.server.faults.add(kind, route=STREAMS, status=500, nth=2, times=6)
        file = await rig.manager.open_stream(song.id)
        await read_on(file, 0, 65536)
        reading = asyncio.create_task(read_on(file, FAR, 65536))
        pauses_s = [1.0, 3.0, 10.0, 10.0, 10.0, 10.0]
        for number, pause_s in enumerate(pauses_s, start=1):
            await until(lambda number=number: [s for s in clock.slept if s in pauses_s] == pauses_s[:number])  # type: ignore[misc]
            assert len(rig.asked(song.id)) == 1 + number
            await clock.advance(pause_s)
        assert len(await reading) == 65536
        file.close()


@pytest.mark.parametrize("status", [200, 416])
async def test_a_server_without_ranges_is_not_asked_for_a_window_again(listening: Rig, status: int) -> None:
    song = song_of(listening, "wav")
    drip = listening.server.faults.add("drip", route=STREAMS, rate=SLOW // 5, times=1)
    listening.server.faults.add("status", route=STREAMS, status=status, nth=2)
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, 65536)
    reading = asyncio.create_task(read_on(file, FAR, 65536))
    await until(lambda: file.window is not None and not file.window.is_open)
    drip.rate = 0
    assert await reading == song.file.read_bytes()[FAR : FAR + 65536]
    assert Asked.of(listening.asked(song.id)).starts == [0, FAR]
    file.close()
