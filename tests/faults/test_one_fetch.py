"""One fetch on a bad network, heard by real libmpv: right samples, no byte twice, and the server's file on the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from jellytui.demo.library import DemoTrack
from jellytui.engine.downloads.stream.reader import StreamReader
from jellytui.engine.downloads.stream.side import TAIL_BYTES
from jellytui.engine.downloads.transfer.resume import OVERLAP
from jellytui.engine.player.sound import SoundStarted, stream_uri
from tests.engine.downloads.conftest import Rig
from tests.engine.downloads.stream.test_reading import SLOW, STREAMS, song_of
from tests.support.hearing import RATE, Samples, dumped, open_ear
from tests.support.libmpv import needs_libmpv
from tests.support.streaming import CODECS, Asked, range_of, read_on
from tests.support.waiting import until

pytestmark = needs_libmpv


async def heard(rig: Rig, uri: str, start_ms: int = 0) -> Samples:
    """What is heard of a stream or file from a place on to its end; it must end by itself."""
    async with open_ear("pcm", rig.manager.open_stream) as ear:
        ended = await ear.until_ended(ear.sound.load(uri, start_ms=start_ms, gain_db=None))
        assert (ended.reason, ended.error) == ("eof", None)
    return dumped()


async def heard_after(rig: Rig, uri: str, places_ms: Sequence[int]) -> Samples:
    """What is heard to the end by somebody who jumps from place to place, and listens from the last."""
    async with open_ear("pcm", rig.manager.open_stream) as ear:
        ear.sound.set_paused(True)
        load_id = ear.sound.load(uri, start_ms=0, gain_db=None)
        await until(lambda: ear.of(SoundStarted))
        await ear.jump(*places_ms)
        ear.sound.set_paused(False)
        ended = await ear.until_ended(load_id)
        assert (ended.reason, ended.error) == ("eof", None)
    return dumped()


async def is_heard_rightly(rig: Rig, song: DemoTrack, start_ms: int = 0) -> None:
    """Asserts that the stream sounds like the file, and that the file stays."""
    streamed = await heard(rig, stream_uri(song.id), start_ms)
    file = await rig.manager.open_stream(song.id)
    assert await read_on(file) == song.file.read_bytes()
    file.close()
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)
    local = await heard(rig, str(song.file), start_ms)
    assert len(local) > RATE * 5
    assert np.array_equal(streamed, local)


async def is_sought_rightly(rig: Rig, song: DemoTrack, *, seconds: float, song_line: float) -> None:
    """Asserts that each jump in a song of that length is heard as in the file while it comes `song_line` times as fast
    as the music; what is asked for beside it comes at once."""
    drip = rig.server.faults.add("drip", route=STREAMS, rate=round(song.size / seconds * song_line), times=1)
    for route in ((0.48, 0.8), (0.95, 0.48), (0.8, 0.1)):
        places_ms = [round(share * seconds * 1000) for share in route]
        if route[-1] == 0.1:
            drip.rate = 0  # or the rest of it would be waited for
        streamed = await heard_after(rig, stream_uri(song.id), places_ms)
        local = await heard_after(rig, str(song.file), places_ms)
        rate = 48_000 if song.file.suffix == ".opus" else RATE
        assert len(local) / rate == pytest.approx(seconds - places_ms[-1] / 1000, abs=0.03)
        assert np.array_equal(streamed, local)
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)
    came = what_came(rig, song)
    assert [count for asked, count in came if asked == (0, None)] == [song.size]
    beside = [asked for asked, _ in came if asked not in ((0, None), tail_of(song))]
    assert len(came) - len(beside) <= 2
    assert all(start > 0 and end is None for start, end in beside)
    # FLAC looks at several places for each jump, and the sockets take more of a window than is read of it.
    assert sum(count for asked, count in came if asked in beside) < 6 * song.size
    # An MP3 is read up to the place; all others jump.
    assert beside or song.file.suffix == ".mp3"


def tail_of(song: DemoTrack) -> tuple[int, int]:
    """What is asked for beside the whole where a container is read from its end too."""
    return (song.size - TAIL_BYTES, song.size - 1)


def what_came(rig: Rig, song: DemoTrack) -> list[tuple[tuple[int, int | None], int]]:
    """The ranges that were asked for, each with how many bytes of it came."""
    return [(range_of(sent.range), sent.body_bytes) for sent in rig.sent(song.id)]


def resumed_at(rig: Rig, song: DemoTrack, after_bytes: int) -> list[int]:
    """Where each request began; asserts that each but the last was cut after that many bytes, and the last not."""
    *cut, last = what_came(rig, song)
    assert [(end, count) for (_, end), count in cut] == [(None, after_bytes)] * len(cut)
    (start, end), count = last
    assert (end, count) == (None, song.size - start)
    return [start for (start, _), _ in [*cut, last]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where audiodump.wav goes."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("container", list(CODECS))
async def test_each_container_sounds_as_from_disk_and_comes_once(listening: Rig, container: str) -> None:
    song = song_of(listening, container)
    await is_heard_rightly(listening, song)
    assert set(Asked.of(listening.asked(song.id)).ranges) <= {(0, None), tail_of(song)}


@pytest.mark.parametrize("container", list(CODECS))
async def test_each_container_begins_in_the_middle_on_a_slow_line(listening: Rig, container: str) -> None:
    song = song_of(listening, container)
    listening.server.faults.add("drip", route=STREAMS, rate=SLOW, times=1)
    await is_heard_rightly(listening, song, start_ms=14_000)


@pytest.mark.parametrize("container", list(CODECS))
async def test_each_container_can_be_sought_in_beyond_what_is_here(real_time: Rig, container: str) -> None:
    await is_sought_rightly(real_time, song_of(real_time, container), seconds=20.0, song_line=2.5)


@pytest.mark.parametrize("kind", ["close", "reset"])
async def test_a_connection_that_breaks_is_not_heard(listening: Rig, kind: str) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add(kind, route=STREAMS, after_bytes=900_000, times=3)
    await is_heard_rightly(listening, song)
    starts = resumed_at(listening, song, after_bytes=900_000)
    assert len(starts) == 4
    for before, after in pairwise(starts):
        # What an RST overtakes has not been read.
        assert before <= after <= before + 900_000 - OVERLAP
        assert kind == "reset" or after == before + 900_000 - OVERLAP


async def test_silence_of_the_line_is_waited_out(listening: Rig) -> None:
    song = song_of(listening, "mp3")
    listening.read_timeout_s = 0.3
    await listening.restart()
    listening.server.faults.add("stall", route=STREAMS, after_bytes=400_000, times=2)
    await is_heard_rightly(listening, song)
    step = 400_000 - OVERLAP
    assert resumed_at(listening, song, after_bytes=400_000) == [0, step, 2 * step]


async def test_a_server_in_maintenance_is_waited_for(listening: Rig) -> None:
    song = song_of(listening, "wav")
    listening.server.faults.add("close", route=STREAMS, after_bytes=300_000, times=1)
    listening.server.faults.add("status", route=STREAMS, status=503, headers={"Retry-After": "5"}, nth=2, times=3)
    hearing = asyncio.create_task(is_heard_rightly(listening, song))
    for _ in range(3):
        await until(lambda: not listening.link.is_online or hearing.done())
        listening.link.is_online = True
    await hearing
    ranges = [asked for asked, _ in what_came(listening, song)]
    assert ranges == [(0, None), *[(300_000 - OVERLAP, None)] * 4]


async def test_a_server_that_restarts_is_waited_for(listening: Rig) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("drip", route=STREAMS, rate=2 * SLOW, times=1)
    hearing = asyncio.create_task(is_heard_rightly(listening, song))
    await until(lambda: listening.part(song.id).exists() and listening.part(song.id).stat().st_size > 200_000)
    await listening.server.stop()
    await until(lambda: not listening.link.is_online)
    await listening.server.start()
    listening.link.is_online = True
    await hearing
    assert OVERLAP < Asked.of(listening.asked(song.id)).starts[-1] < song.size


@pytest.mark.parametrize("way", ["halt", "load"])
async def test_stopping_ends_a_wait_at_once(listening: Rig, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setattr("jellytui.engine.downloads.stream.reader._ASK_AGAIN_S", 600.0)  # or that would end it
    listening.read_timeout_s = 600.0
    await listening.restart()
    song, other = song_of(listening, "flac"), song_of(listening, "mp3")
    listening.server.faults.add("stall", route=f"*/{song.id}/stream", after_bytes=500_000)
    files: list[StreamReader] = []

    async def open_stream(item_id: str) -> StreamReader:
        files.append(await listening.manager.open_stream(item_id))
        return files[-1]

    async with open_ear("null", open_stream) as ear:
        ear.sound.load(stream_uri(song.id), start_ms=0, gain_db=None)
        await until(lambda: ear.of(SoundStarted) and files[0].starving_at is not None)
        if way == "halt":
            ear.sound.halt()
        else:
            ear.sound.load(stream_uri(other.id), start_ms=0, gain_db=None)
            await until(lambda: len(ear.of(SoundStarted)) == 2)
        await until(lambda: not listening.manager.leases.is_held(song.id))
        assert (await listening.row(song.id)).status == "paused"
