"""Windows: what is far from where the download is comes beside it, whatever the server answers, and is let go again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from jellytui.demo.server import DemoServer
from jellytui.engine.clock import SystemClock
from jellytui.engine.downloads.stream.window import AHEAD_BYTES
from jellytui.engine.jellyfin.media import MediaResponse
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


async def test_a_window_ends_where_the_download_is_though_its_reader_stands_still(tmp_path: Path) -> None:
    write(tmp_path / "song.wav", noise(200.0))
    async with DemoServer(tmp_path, relay=True) as server, rig_for(server, tmp_path, SystemClock()) as rig:
        (song,) = rig.songs
        drip = server.faults.add("drip", route=STREAMS, rate=200_000, times=1)
        server.faults.add("drip", route=STREAMS, rate=500_000, nth=2)
        file = await rig.manager.open_stream(song.id)
        await read_on(file, 0, 65536)
        await read_on(file, FAR, 65536)
        window = file.window
        assert window is not None
        drip.rate = 10_000_000
        await until(lambda: not window.is_open)
        assert (await rig.row(song.id)).status == "downloading"
        assert file.window is window
        assert not window.is_full
        file.close()


class Line:
    """A line that all answers share: it brings as many pieces as the test grants, by turns to all who read."""

    PIECE = 8 * 1024

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pieces = 0
        """That may still come."""
        self._permits = asyncio.Semaphore(0)
        chunks = MediaResponse.chunks

        async def shared(
            response: MediaResponse, patience_s: Callable[[], float] | None = None
        ) -> AsyncIterator[bytes]:
            async for chunk in chunks(response, patience_s):
                for begin in range(0, len(chunk), self.PIECE):
                    await self._permits.acquire()
                    self.pieces -= 1
                    yield chunk[begin : begin + self.PIECE]

        monkeypatch.setattr(MediaResponse, "chunks", shared)

    async def bring(self, pieces: int) -> None:
        """Lets so many more come, and waits until they have."""
        self.grant(pieces)
        await until(lambda: not self.pieces)

    def grant(self, pieces: int) -> None:
        self.pieces += pieces
        for _ in range(pieces):
            self._permits.release()

    async def bring_until(self, reading: asyncio.Task[bytes]) -> bytes:
        """Lets come what it takes to read that."""
        while not reading.done():
            await self.bring(1)
        return await reading


@pytest.mark.parametrize("window_bytes", [AHEAD_BYTES, 256 * 1024])
async def test_a_jump_is_heard_without_a_stall_on_a_line_that_both_share(
    listening: Rig, monkeypatch: pytest.MonkeyPatch, window_bytes: int
) -> None:
    """Windows of 256 KiB are full with less than ten seconds in them, as is what has many bits a second."""
    monkeypatch.setattr("jellytui.engine.downloads.stream.window.AHEAD_BYTES", window_bytes)
    song, line, step, place = song_of(listening, "wav"), Line(monkeypatch), 4 * Line.PIECE, 1_400_000
    file = await listening.manager.open_stream(song.id)
    await line.bring_until(asyncio.create_task(read_on(file, 0, step)))
    heard = await line.bring_until(asyncio.create_task(read_on(file, place, step)))
    (transfer,) = listening.manager.runner.running.values()
    here = transfer.bytes_here
    for _ in range(60):
        await line.bring(6)  # one and a half times as many as are heard
        assert file.ahead_bytes() >= step
        heard += await read_on(file, place + len(heard), step)
    content = song.file.read_bytes()
    assert heard == content[place : place + len(heard)]
    assert transfer.bytes_here - here > 20 * 2 * Line.PIECE
    line.grant(song.size)
    assert await read_on(file) == content
    file.close()
    await listening.until_status(song.id, "completed")
    await listening.whole(song.id)
    assert Asked.of(listening.asked(song.id)).starts == [0, place]


async def test_a_download_that_made_way_goes_on_when_the_window_breaks_and_no_other_comes(
    listening: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    song, line = song_of(listening, "wav"), Line(monkeypatch)
    listening.server.faults.add("close", route=STREAMS, after_bytes=100_000, nth=2, times=1)
    listening.server.faults.add("status", route=STREAMS, status=416, nth=3)
    file = await listening.manager.open_stream(song.id)
    await line.bring_until(asyncio.create_task(read_on(file, 0, 65536)))
    await line.bring_until(asyncio.create_task(read_on(file, FAR, 65536)))
    (transfer,) = listening.manager.runner.running.values()
    here = transfer.bytes_here
    await line.bring(2)
    assert transfer.bytes_here == here
    line.grant(song.size)
    assert await read_on(file, FAR + 65536) == song.file.read_bytes()[FAR + 65536 :]
    file.close()
    await listening.until_status(song.id, "completed")
    await listening.whole(song.id)
