"""What tests of real sound need: an ear, files that grow, samples to compare."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from jellytui.config import PlayerSettings, ServerSettings
from jellytui.engine.errors import JellytuiError
from jellytui.engine.player.mpv import MpvSound
from jellytui.engine.player.sound import OpenStream, SoundEnded, SoundEvent, SoundStarted
from jellytui.engine.player.source import GrowingFile
from tests.support.waiting import until

RATE = 44_100

Samples = np.ndarray[Any, np.dtype[np.int16]]


class PartialFile:
    """A growing file: its bytes come with `grow`, its error with `fail`."""

    def __init__(self, content: bytes, *, available: int = 0, knows_size: bool = True) -> None:
        self.content = content
        self.available = available
        self.error: Exception | None = None
        self.is_closed = False
        self.furthest = 0
        """The end of what has been read."""
        self.is_waiting = False
        """Whether a read waits for bytes."""
        self.ahead_s: Callable[[], float] = float
        self._knows_size = knows_size
        self._is_cancelled = False
        self._changed = threading.Condition()

    def grow(self, available: int | None = None) -> None:
        with self._changed:
            self.available = len(self.content) if available is None else available
            self._changed.notify_all()

    def fail(self, error: Exception) -> None:
        with self._changed:
            self.error = error
            self._changed.notify_all()

    def size(self) -> int | None:
        return len(self.content) if self._knows_size else None

    def readinto(self, offset: int, buffer: memoryview) -> int:
        with self._changed:
            while True:
                if self._is_cancelled:
                    raise JellytuiError("cancelled")
                if offset < self.available or offset >= len(self.content):
                    part = self.content[offset : min(offset + len(buffer), self.available)]
                    buffer[: len(part)] = part
                    self.furthest = max(self.furthest, offset + len(part))
                    return len(part)
                if self.error is not None:
                    raise self.error
                self.is_waiting = True
                self._changed.wait()
                self.is_waiting = False

    def cancel(self) -> None:
        with self._changed:
            self._is_cancelled = True
            self._changed.notify_all()

    def close(self) -> None:
        self.is_closed = True
        self.cancel()


@dataclass
class Ear:
    """A sound with all that it said."""

    sound: MpvSound
    events: list[SoundEvent] = field(default_factory=list)
    files: dict[str, list[GrowingFile]] = field(default_factory=dict)
    open_error: JellytuiError | None = None

    async def open_stream(self, item_id: str) -> GrowingFile:
        if self.open_error is not None:
            raise self.open_error
        return self.files[item_id].pop(0)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def ended(self, load_id: int) -> list[SoundEnded]:
        return [event for event in self.of(SoundEnded) if event.load_id == load_id]

    async def jump(self, *places_ms: int) -> None:
        """Seeks to each place of a paused load in turn, once it stands at the one before; it must have started."""
        count = len(self.of(SoundStarted))
        for place_ms in places_ms:
            count += 1
            self.sound.seek(place_ms)
            await until(lambda count=count: len(self.of(SoundStarted)) == count)  # type: ignore[misc]
            await until(lambda place_ms=place_ms: abs(self.sound.position_ms - place_ms) < 120)  # type: ignore[misc]

    async def until_ended(self, load_id: int) -> SoundEnded:
        await until(lambda: self.ended(load_id))
        return self.ended(load_id)[0]


def noise(seconds: float, seed: int = 5) -> Samples:
    """Samples that no gap, repeat or resampling leaves equal; another `seed` makes another noise."""
    return np.random.default_rng(seed).integers(-9000, 9000, (round(seconds * RATE), 2), dtype=np.int16)


def samples_of(path: Path) -> Samples:
    """All samples of a lossless file."""
    samples, _ = soundfile.read(path, dtype="int16")
    return np.asarray(samples, dtype=np.int16)


def dumped() -> Samples:
    """What a sound of "pcm" that is closed has played, from the working folder; the next begins a new file."""
    dump = Path("audiodump.wav")
    samples = samples_of(dump)
    dump.unlink()
    return samples


def write(path: Path, samples: Samples) -> Path:
    soundfile.write(path, samples, RATE, subtype="PCM_16")
    return path


def tone(path: Path, seconds: float) -> Path:
    time_s = np.arange(round(seconds * RATE)) / RATE
    wave = (9000 * np.sin(2 * np.pi * 440 * time_s)).astype(np.int16)
    return write(path, np.column_stack([wave, wave]))


@asynccontextmanager
async def open_ear(
    audio_output: str, open_stream: OpenStream | None = None, *, stream_bitrate: int = 0
) -> AsyncIterator[Ear]:
    """A sound that plays in silence ("null"), or into audiodump.wav in the working folder, at full speed ("pcm")."""
    settings = PlayerSettings(audio_output=audio_output, stream_bitrate=stream_bitrate)
    ear = Ear(MpvSound(settings, ServerSettings()))
    await ear.sound.open(ear.events.append, open_stream or ear.open_stream)
    yield ear
    await ear.sound.close()
