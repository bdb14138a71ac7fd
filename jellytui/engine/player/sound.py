"""Sound: what the player asks of whatever makes it, and what it hears back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from jellytui.engine.errors import JellytuiError
from jellytui.engine.player.source import GrowingFile

OpenStream = Callable[[str], Awaitable[GrowingFile]]
STREAM_SCHEME = "jellytui"


def stream_uri(item_id: str) -> str:
    """How a growing file is named to the sound."""
    return f"{STREAM_SCHEME}://{item_id}"


@dataclass(frozen=True, kw_only=True)
class SoundStarted:
    """The first sample of a load is on its way to the ear, or a seek in it has arrived."""

    load_id: int


@dataclass(frozen=True, kw_only=True)
class SoundEnded:
    """A load has ended by itself or by an error; a load that was replaced or stopped ends in silence."""

    load_id: int
    reason: Literal["eof", "error"]
    position_ms: int
    """Where it was."""
    duration_ms: int
    error: JellytuiError | None = None
    """Why, with `reason` "error"."""


@dataclass(frozen=True, kw_only=True)
class SoundStalled:
    """The sound waits for data, or has got it."""

    is_stalled: bool


@dataclass(frozen=True, kw_only=True)
class SoundFacts:
    """What plays now; 0 and empty where not known."""

    load_id: int
    duration_ms: int = 0
    codec: str = ""
    sample_rate_hz: int = 0
    bit_depth: int = 0


@dataclass(frozen=True, kw_only=True)
class SoundDevice:
    """Whether there is an audio device; `problem` says what to do when there is none."""

    problem: str = ""


SoundEvent = SoundStarted | SoundEnded | SoundStalled | SoundFacts | SoundDevice
SoundListener = Callable[[SoundEvent], None]


class Sound(Protocol):
    """Plays one load after the other without a gap. Events come on the loop that called `open`.

    A load is a local path, a URL, or `stream_uri(item)`; its id names it in the events.
    """

    async def open(self, listener: SoundListener, open_stream: OpenStream) -> None:
        """Gets ready; nothing else may be called before. Raises SoundError."""

    @property
    def position_ms(self) -> int:
        """Where the present load is."""

    def load(self, uri: str, *, start_ms: int, gain_db: float | None) -> int:
        """Plays this instead of what plays and what was appended; returns its load id.

        gain_db: the level's change where replay gain is on and the file's tags say nothing.
        """

    def append(self, uri: str, *, gain_db: float | None) -> int:
        """Plays this after the present load, without a gap; instead of what was appended before."""

    def drop_appended(self) -> None:
        """Takes off what was appended, unless it plays already."""

    def set_paused(self, is_paused: bool) -> None:
        """Pauses or goes on."""

    def seek(self, position_ms: int) -> None:
        """Goes to a place in the present load."""

    def set_volume(self, volume: int) -> None:
        """0 to 100."""

    def set_muted(self, is_muted: bool) -> None:
        """Silences without touching the volume."""

    def halt(self) -> None:
        """Stops and forgets all loads."""

    def devices(self) -> list[str]:
        """The audio devices by the names that [player] audio_device takes."""

    async def close(self) -> None:
        """Lets go of everything. May be called twice; nothing else may be called after."""
