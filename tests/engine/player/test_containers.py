"""Each container plays from a growing file as it plays from disk, sample by sample, and can be sought in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from jellytui.engine.player.sound import SoundStarted, stream_uri
from tests.support.hearing import Ear, PartialFile, Samples, dumped, noise, open_ear, write
from tests.support.libmpv import needs_libmpv
from tests.support.streaming import CODECS
from tests.support.waiting import until

pytestmark = needs_libmpv


def _encoded(folder: Path, container: str, seconds: float) -> Path:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    source = write(folder / "source.flac", noise(seconds))
    target = folder / f"song.{container}"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(source), *CODECS[container], str(target)]
    subprocess.run(command, check=True, timeout=60)
    return target


async def _heard(ear: Ear, uri: str) -> Samples:
    await ear.until_ended(ear.sound.load(uri, start_ms=0, gain_db=None))
    await ear.sound.close()
    return dumped()


@pytest.mark.parametrize("container", list(CODECS))
async def test_a_growing_file_sounds_like_the_whole_one(recorder: Ear, tmp_path: Path, container: str) -> None:
    song = _encoded(tmp_path, container, 2.0)
    content = song.read_bytes()
    recorder.files = {"a": [PartialFile(content, available=len(content))]}
    streamed = await _heard(recorder, stream_uri("a"))
    async with open_ear("pcm") as second:
        local = await _heard(second, str(song))
    assert len(local) > 80_000
    assert np.array_equal(streamed, local)


@pytest.mark.parametrize("container", list(CODECS))
async def test_a_growing_file_can_be_sought_in(ear: Ear, tmp_path: Path, container: str) -> None:
    content = _encoded(tmp_path, container, 20.0).read_bytes()
    ear.files = {"a": [PartialFile(content, available=len(content))]}
    ear.sound.set_paused(True)
    ear.sound.load(stream_uri("a"), start_ms=0, gain_db=None)
    await until(lambda: len(ear.of(SoundStarted)) == 1)
    await ear.jump(15_000, 3_000, 9_500)
