"""One fetch on a bad network, heard by real libmpv: right samples, no byte twice, and the server's file on the disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import soundfile

from jellytui.demo.library import DemoTrack
from jellytui.engine.downloads.stream.side import TAIL_BYTES
from jellytui.engine.downloads.transfer.resume import OVERLAP
from jellytui.engine.player.sound import SoundStalled, SoundStarted, stream_uri
from tests.engine.downloads.conftest import Rig
from tests.engine.downloads.stream.test_reading import SLOW, STREAMS, song_of
from tests.support.hearing import RATE, Ear, open_ear
from tests.support.libmpv import needs_libmpv
from tests.support.streaming import CODECS, Asked, read_on
from tests.support.waiting import until

pytestmark = needs_libmpv

Samples = np.ndarray[Any, np.dtype[np.int16]]


@pytest_asyncio.fixture
async def ear(listening: Rig) -> AsyncIterator[Ear]:
    """Real libmpv that plays the rig's streams in silence, at the speed of music."""
    async with open_ear("null", listening.manager.open_stream) as ear:
        yield ear


async def heard(rig: Rig, uri: str, start_ms: int = 0) -> Samples:
    """What is heard of a stream or file from a place on to its end; it must end by itself."""
    async with open_ear("pcm", rig.manager.open_stream) as ear:
        ended = await ear.until_ended(ear.sound.load(uri, start_ms=start_ms, gain_db=None))
        assert (ended.reason, ended.error) == ("eof", None)
    dump = Path("audiodump.wav")
    samples, _ = soundfile.read(dump, dtype="int16")
    dump.unlink()
    return np.asarray(samples, dtype=np.int16)


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


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where audiodump.wav goes."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("container", list(CODECS))
async def test_each_container_sounds_as_from_disk_and_comes_once(listening: Rig, container: str) -> None:
    song = song_of(listening, container)
    await is_heard_rightly(listening, song)
    tail = (song.size - TAIL_BYTES, song.size - 1)
    assert set(Asked.of(listening.asked(song.id)).ranges) <= {(0, None), tail}


@pytest.mark.parametrize("container", list(CODECS))
async def test_each_container_begins_in_the_middle_on_a_slow_line(listening: Rig, container: str) -> None:
    song = song_of(listening, container)
    listening.server.faults.add("drip", route=STREAMS, rate=SLOW, times=1)
    await is_heard_rightly(listening, song, start_ms=14_000)


@pytest.mark.parametrize("container", list(CODECS))
async def test_each_container_can_be_sought_in_beyond_what_is_here(listening: Rig, ear: Ear, container: str) -> None:
    song = song_of(listening, container)
    listening.server.faults.add("drip", route=STREAMS, rate=SLOW // 4, times=1)
    ear.sound.set_paused(True)
    ear.sound.load(stream_uri(song.id), start_ms=0, gain_db=None)
    await until(lambda: len(ear.of(SoundStarted)) == 1)
    for count, place_ms in enumerate((16_000, 2_000, 9_500, 19_000), start=2):
        ear.sound.seek(place_ms)
        await until(lambda count=count: len(ear.of(SoundStarted)) == count)  # type: ignore[misc]
        await until(lambda place_ms=place_ms: abs(ear.sound.position_ms - place_ms) < 120)  # type: ignore[misc]


@pytest.mark.parametrize("kind", ["close", "reset"])
async def test_a_connection_that_breaks_is_not_heard(listening: Rig, kind: str) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add(kind, route=STREAMS, after_bytes=900_000, times=3)
    await is_heard_rightly(listening, song)
    ranges = Asked.of(listening.asked(song.id)).ranges
    assert len(ranges) == 4
    assert all(later - earlier > 0 for (earlier, _), (later, _) in pairwise(ranges))


async def test_silence_of_the_line_is_waited_out(listening: Rig) -> None:
    song = song_of(listening, "mp3")
    listening.read_timeout_s = 0.3
    await listening.restart()
    listening.server.faults.add("stall", route=STREAMS, after_bytes=400_000, times=2)
    await is_heard_rightly(listening, song)
    assert len(listening.asked(song.id)) == 3


async def test_a_server_in_maintenance_is_waited_for(listening: Rig) -> None:
    song = song_of(listening, "ogg")
    listening.server.faults.add("close", route=STREAMS, after_bytes=300_000, times=1)
    listening.server.faults.add("status", route=STREAMS, status=503, headers={"Retry-After": "5"}, nth=2, times=3)
    hearing = asyncio.create_task(is_heard_rightly(listening, song))
    for _ in range(3):
        await until(lambda: not listening.link.is_online or hearing.done())
        listening.link.is_online = True
    await hearing


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


async def test_a_line_at_half_the_bitrate_stalls_and_never_ends_early(listening: Rig, ear: Ear) -> None:
    song = song_of(listening, "wav")
    listening.server.faults.add("drip", route=STREAMS, rate=80_000, times=1)
    load_id = ear.sound.load(stream_uri(song.id), start_ms=0, gain_db=None)
    await until(lambda: any(event.is_stalled for event in ear.of(SoundStalled)))
    assert not ear.ended(load_id)
    stalled_at = ear.sound.position_ms
    await until(lambda: not ear.of(SoundStalled)[-1].is_stalled and ear.sound.position_ms > stalled_at)
    assert not ear.ended(load_id)


async def test_stopping_ends_a_wait_at_once(listening: Rig, ear: Ear) -> None:
    song = song_of(listening, "flac")
    listening.server.faults.add("stall", route=STREAMS, after_bytes=500_000)
    ear.sound.load(stream_uri(song.id), start_ms=0, gain_db=None)
    await until(lambda: ear.of(SoundStarted))
    ear.sound.halt()
    await until(lambda: not listening.manager.leases.is_held(song.id))
    assert (await listening.row(song.id)).status == "paused"
