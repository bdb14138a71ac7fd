"""Each container plays from a growing file as it plays from disk, sample by sample, and can be sought in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from jellytui.engine.player.sound import SoundStarted, stream_uri
from tests.support.hearing import Ear, PartialFile, noise, open_ear, write
from tests.support.libmpv import needs_libmpv
from tests.support.waiting import until

pytestmark = needs_libmpv

_CODECS = {
    "flac": ["-c:a", "flac"],
    "mp3": ["-c:a", "libmp3lame"],
    "ogg": ["-c:a", "libvorbis"],
    "opus": ["-c:a", "libopus"],
    "m4a": ["-c:a", "aac"],  # moov last
    "wav": ["-c:a", "pcm_s16le"],
}


def _encoded(folder: Path, container: str, seconds: float) -> Path:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    source = write(folder / "source.flac", noise(seconds))
    target = folder / f"song.{container}"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(source), *_CODECS[container], str(target)]
    subprocess.run(command, check=True, timeout=60)
    return target


async def _heard(ear: Ear, uri: str, dump: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    await ear.until_ended(ear.sound.load(uri, start_ms=0, gain_db=None))
    await ear.sound.close()
    samples, _ = soundfile.read(dump, dtype="int16")
    dump.unlink()
    return np.asarray(samples, dtype=np.int16)


@pytest.mark.parametrize("container", list(_CODECS))
async def test_a_growing_file_sounds_like_the_whole_one(recorder: Ear, tmp_path: Path, container: str) -> None:
    song = _encoded(tmp_path, container, 2.0)
    content = song.read_bytes()
    recorder.files = {"a": [PartialFile(content, available=len(content))]}
    streamed = await _heard(recorder, stream_uri("a"), tmp_path / "audiodump.wav")
    async with open_ear("pcm") as second:
        local = await _heard(second, str(song), tmp_path / "audiodump.wav")
    assert len(local) > 80_000
    assert np.array_equal(streamed, local)


@pytest.mark.parametrize("container", list(_CODECS))
async def test_a_growing_file_can_be_sought_in(ear: Ear, tmp_path: Path, container: str) -> None:
    content = _encoded(tmp_path, container, 20.0).read_bytes()
    ear.files = {"a": [PartialFile(content, available=len(content))]}
    ear.sound.set_paused(True)
    ear.sound.load(stream_uri("a"), start_ms=0, gain_db=None)
    await until(lambda: len(ear.of(SoundStarted)) == 1)
    for count, place_ms in enumerate((15_000, 3_000, 9_500), start=2):
        ear.sound.seek(place_ms)
        await until(lambda count=count: len(ear.of(SoundStarted)) == count)  # type: ignore[misc]
        await until(lambda place_ms=place_ms: abs(ear.sound.position_ms - place_ms) < 120)  # type: ignore[misc]
