"""What libmpv's words mean as errors; a failed load's cause stands in its log alone (downloads-playback.md 3.3)."""

from __future__ import annotations

import re

from jellytui.config import PlayerSettings
from jellytui.engine.errors import JellytuiError, NotAllowedError, NotFoundError, ServerUnreachableError, SoundError

NO_DEVICE = "No audio device: the music plays in silence (jellytui doctor says more)."
"""Beside it there is no place in a line of 80 columns."""

_GONE = re.compile(r"HTTP error 4(04|10)")
_REFUSED = re.compile(r"HTTP error 40[13]")
_UNREACHABLE = re.compile(r"connection|network|resolve|timed out|timeout|unreachable|HTTP error 5", re.IGNORECASE)


def words_of_no_device(settings: PlayerSettings) -> str:
    """That there is no device, and what to look at: what the settings chose, else the machine."""
    chosen = {"audio_output": settings.audio_output, "audio_device": settings.audio_device}
    words = " and ".join(f"{name} = {value!r}" for name, value in chosen.items() if value)
    return f"No audio device: is {words} in config.toml right?" if words else NO_DEVICE


def failure_of(file_error: str, logged: str) -> JellytuiError:
    """The error of a load that ended with `file_error`, after `logged` as the first line of its log."""
    if _GONE.search(logged):
        return NotFoundError("the server does not have it any more.")
    if _REFUSED.search(logged):
        return NotAllowedError("the server does not give it to this account.")
    if "unrecognized" in file_error or "no audio" in file_error:
        return JellytuiError("it is not music that can be played, or its file is damaged.")
    if "audio output" in file_error:
        return SoundError(NO_DEVICE)
    if _UNREACHABLE.search(logged):
        return ServerUnreachableError("the server cannot be reached.")
    return JellytuiError(f"{logged or file_error or 'it cannot be opened'}.")
