"""Breaks: what it means that a track broke off or did not begin, and how the player goes on."""

from __future__ import annotations

import logging
from typing import Literal

from jellytui.engine.errors import DiskError, FileChangedError, JellytuiError, ServerUnreachableError
from jellytui.engine.models import QueueEntry
from jellytui.engine.player.sound import SoundEnded
from jellytui.engine.player.transport.deck import Load

log = logging.getLogger(__name__)

FAILURES_IN_A_ROW = 3
"""After so many it stops, instead of burning through the queue."""
CUT_SHORT_MS = 2000
"""An end this long before the track's end is a lost network, not an end (downloads-playback.md 3.3)."""

WayOn = Literal["by_url", "again", "wait", "skip"]


class Breaks:
    """Counts the tracks in a row that could not be played, and remembers where one was cut short."""

    def __init__(self) -> None:
        self._failures = 0
        self._cut_at_ms = -CUT_SHORT_MS

    def forget_failures(self) -> None:
        """A track was heard, or somebody chose one."""
        self._failures = 0

    def forget_cut(self) -> None:
        """Another play begins."""
        self._cut_at_ms = -CUT_SHORT_MS

    def error_of(self, load: Load, event: SoundEnded) -> JellytuiError | None:
        """Why a load broke off; None where it came to its end."""
        if event.reason != "error" and not self._is_cut_short(load, event):
            return None
        return event.error or ServerUnreachableError("the server cannot be reached.")

    def _is_cut_short(self, load: Load, event: SoundEnded) -> bool:
        """Only mpv's own HTTP takes a lost network for an end; twice at the same place it is one (a bad estimate)."""
        if not load.is_plain or load.is_local or event.duration_ms - event.position_ms <= CUT_SHORT_MS:
            return False
        before, self._cut_at_ms = self._cut_at_ms, event.position_ms
        return abs(event.position_ms - before) >= CUT_SHORT_MS

    def skipped(self, entry: QueueEntry, error: JellytuiError) -> tuple[bool, str]:
        """Counts a track that cannot be played: whether the next one shall be tried, and the words for the user."""
        self._failures += 1
        words = f"“{entry.track.name}” cannot be played: {error.text}"
        if self._failures < FAILURES_IN_A_ROW:
            return True, words
        return False, f"{words} Stopped, since {self._failures} tracks in a row could not be played."


def way_on(load: Load, error: JellytuiError) -> WayOn:
    """How to go on after a break: the same track by the server's URL or anew, once the server is back, or the next."""
    if isinstance(error, DiskError) and not load.is_local and not load.is_plain:
        log.warning("nothing can be written, so the stream is played without being kept: %s", error)
        return "by_url"
    if isinstance(error, FileChangedError):
        return "again"
    return "wait" if isinstance(error, ServerUnreachableError) else "skip"
