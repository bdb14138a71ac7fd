"""What libmpv's words mean as errors; a failed load's cause stands in its log alone (downloads-playback.md 3.3)."""

from __future__ import annotations

import re

from jellytui.engine.errors import JellytuiError, NotAllowedError, NotFoundError, ServerUnreachableError, SoundError

NO_DEVICE = "No audio device can be opened, so the music plays in silence."

_GONE = re.compile(r"HTTP error 4(04|10)")
_REFUSED = re.compile(r"HTTP error 40[13]")
_UNREACHABLE = re.compile(r"connection|network|resolve|timed out|timeout|unreachable|HTTP error 5", re.IGNORECASE)


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
