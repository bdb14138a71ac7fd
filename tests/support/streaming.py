"""What tests of one fetch need: songs of each container long enough to seek in, a quick clock, readers in threads."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jellytui.demo.app import SeenRequest
from jellytui.engine.downloads.transfer.resume import OVERLAP
from jellytui.engine.player.source import GrowingFile
from tests.support.hearing import noise, write

CODECS = {
    "flac": ["-c:a", "flac"],
    "mp3": ["-c:a", "libmp3lame", "-b:a", "320k"],
    "ogg": ["-c:a", "libvorbis", "-q:a", "8"],
    "opus": ["-c:a", "libopus", "-b:a", "256k"],
    "m4a": ["-c:a", "aac", "-b:a", "256k"],  # moov last
    "wav": ["-c:a", "pcm_s16le"],
}
_CHUNK_BYTES = 64 * 1024
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


def build_songs(folder: Path, seconds: float) -> Path:
    """One album, each track another noise in another container; skips without ffmpeg."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    album = folder / "Noise" / "Long"
    album.mkdir(parents=True)
    for number, (container, options) in enumerate(CODECS.items(), start=1):
        source = write(folder / "source.wav", noise(seconds, seed=number))
        tags = ["-metadata", f"title={container}", "-metadata", "album=Long", "-metadata", "artist=Noise"]
        target = album / f"{number:02d} {container}.{container}"
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(source), *options, *tags, str(target)]
        subprocess.run(command, check=True, timeout=60)
        source.unlink()
    return folder


class QuickClock:
    """The machine's clock, but each of its seconds passes in a fraction of one."""

    def __init__(self, times: float) -> None:
        self._times = times
        self._began_at = time.monotonic()
        self._began = datetime.now(UTC)

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (time.monotonic() - self._began_at) * self._times

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._times)


async def read_on(file: GrowingFile, start: int = 0, length: int | None = None) -> bytes:
    """Reads in a thread from byte `start` to the end, or `length` bytes."""
    return await asyncio.to_thread(_read, file, start, length)


def _read(file: GrowingFile, start: int, length: int | None) -> bytes:
    found = bytearray()
    buffer = bytearray(_CHUNK_BYTES)
    while length is None or len(found) < length:
        wanted = _CHUNK_BYTES if length is None else min(_CHUNK_BYTES, length - len(found))
        count = file.readinto(start + len(found), memoryview(buffer)[:wanted])
        if not count:
            break
        found += buffer[:count]
    return bytes(found)


def range_of(header: str) -> tuple[int, int | None]:
    """Where a request begins and where it is to end, by its Range header."""
    match = _RANGE.fullmatch(header)
    return (int(match[1]), int(match[2]) if match[2] else None) if match else (0, None)


@dataclass(frozen=True)
class Asked:
    """The ranges of a file that were asked for: where each request began, and where it was to end."""

    ranges: tuple[tuple[int, int | None], ...]

    @classmethod
    def of(cls, requests: Iterable[SeenRequest]) -> Asked:
        return cls(tuple(range_of(request.headers.get("range", "")) for request in requests))

    @property
    def starts(self) -> list[int]:
        return [start for start, _ in self.ranges]

    def resumes_at(self, held: int) -> bool:
        """Whether the last request goes on from that many bytes, by the overlap."""
        return self.ranges[-1] == (held - OVERLAP, None)
