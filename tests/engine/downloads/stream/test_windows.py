"""Windows: what is far from where the download is comes beside it, whatever the server answers, and is let go again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from jellytui.demo.server import DemoServer
from jellytui.engine.clock import SystemClock
from tests.engine.downloads.conftest import Rig, rig_for
from tests.engine.downloads.stream.test_reading import SLOW, STREAMS, song_of
from tests.support.clock import ManualClock
from tests.support.hearing import noise, write
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


def side_tasks() -> int:
    return sum(task.get_name() == "side window" for task in asyncio.all_tasks())


@pytest.mark.parametrize("is_completed", [False, True])
async def test_a_full_window_is_ended_once_the_download_has_passed_it(tmp_path: Path, is_completed: bool) -> None:
    write(tmp_path / "song.wav", noise(200.0))
    async with DemoServer(tmp_path, relay=True) as server, rig_for(server, tmp_path, SystemClock()) as rig:
        (song,) = rig.songs
        drip = server.faults.add("drip", route=STREAMS, rate=200_000, times=1)
        file = await rig.manager.open_stream(song.id)
        await read_on(file, 0, 65536)
        await read_on(file, FAR, 65536)
        window = file.window
        assert window is not None
        await until(lambda: window.is_full)
        drip.rate = 0 if is_completed else 10_000_000
        if is_completed:
            await rig.until_status(song.id, "completed")
        else:
            await until(lambda: rig.part(song.id).stat().st_size > window.end)
        assert await read_on(file, FAR + 65536, 65536) == song.file.read_bytes()[FAR + 65536 : FAR + 131_072]
        await until(lambda: not side_tasks())
        assert not window.is_open
        assert is_completed or (await rig.row(song.id)).status == "downloading"
        file.close()
