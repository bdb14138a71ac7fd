"""Listening: what was heard of a track; the one place that says "started" and "played" (design.md, The player).

Heard time is time that passed while it played, not the position: seeks do not count, pauses and stalls neither.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from jellytui.engine.bus import EventBus
from jellytui.engine.clock import Clock, first_of, timestamp
from jellytui.engine.errors import DiskError, JellytuiError
from jellytui.engine.events import PlayerState, ProblemOccurred, TrackPlayed, TrackStarted
from jellytui.engine.jellyfin.records import PlaybackReport, StartReport
from jellytui.engine.models import Problem, Track

log = logging.getLogger(__name__)

_PLAYED_AFTER_S = 30.0
_REPORT_EVERY_S = 10.0
_WRITE_AGAIN_S = 10.0
"""After a play could not be written: the disk is full, say."""
_BUFFERED_S = 1.0
"""What the audio device may still hold of a track when mpv says that it has ended."""


class Reports(Protocol):
    """Tells the server what plays; never waits, never disturbs."""

    def started(self, report: PlaybackReport) -> asyncio.Future[StartReport]:
        """Playback began. Answers whether the server took it, which is where it counts the play (jellyfin-api.md 11.2);
        by the end of `flush` at the latest."""

    def progress(self, report: PlaybackReport) -> None:
        """Where it is."""

    def stopped(self, report: PlaybackReport) -> None:
        """Playback ended."""

    async def flush(self) -> None:
        """Waits a moment for what is under way."""


class Plays(Protocol):
    """Keeps plays until the server knows them (the outbox)."""

    async def add_play(
        self,
        *,
        play_id: str,
        track_id: str,
        started_at: str,
        played_at: str,
        start: StartReport | None,
    ) -> None:
        """Writes a play; `start` is what became of its live report, None as long as the answer may still come."""

    async def settle_play(self, play_id: str, start: StartReport) -> None:
        """Says what became of a live report whose answer was still to come."""


@dataclass
class _Play:
    play_id: str
    track: Track
    started_at: str
    needed_s: float
    start: asyncio.Future[StartReport] = field(init=False)
    """What became of the report of its start."""
    heard_s: float = 0.0
    running_since: float | None = None
    is_played: bool = False


class Listening:
    """Follows one play after the other. `state` gives what the player shows now, for the reports."""

    def __init__(
        self, *, reports: Reports, plays: Plays, bus: EventBus, clock: Clock, state: Callable[[], PlayerState]
    ) -> None:
        self._reports = reports
        self._plays = plays
        self._bus = bus
        self._clock = clock
        self._state = state
        self._play: _Play | None = None
        self._reported_at = 0.0
        self._writing: set[asyncio.Task[None]] = set()
        self._is_ending = asyncio.Event()

    @property
    def is_on(self) -> bool:
        """Whether a play is under way."""
        return self._play is not None

    def begin(self, track: Track, duration_ms: int) -> None:
        """The first sample of a track is heard."""
        self.end()
        needed_s = min(_PLAYED_AFTER_S, duration_ms / 2000) if duration_ms else _PLAYED_AFTER_S
        play = _Play(uuid.uuid4().hex, track, timestamp(self._clock.now()), needed_s)
        play.running_since = self._clock.monotonic()
        self._play = play
        self._reported_at = self._clock.monotonic()
        play.start = self._reports.started(self._report(play))
        self._bus.publish(TrackStarted(play_id=play.play_id, track=track, started_at=play.started_at))

    def run(self, is_running: bool) -> None:
        """Sound goes on, or stands still."""
        if self._play is None or (self._play.running_since is not None) == is_running:
            return
        self._count(self._play)
        self._play.running_since = self._clock.monotonic() if is_running else None

    def due_in_s(self) -> float | None:
        """When the play will count as played, if it goes on; None when it does already, or stands still."""
        play = self._play
        if play is None or play.is_played or play.running_since is None:
            return None
        return max(0.0, play.needed_s - play.heard_s - (self._clock.monotonic() - play.running_since))

    def tick(self) -> None:
        """Looks whether it counts as played by now, and whether a report is due."""
        if self._play is None:
            return
        self._count(self._play)
        if self._clock.monotonic() - self._reported_at >= _REPORT_EVERY_S:
            self.report()

    def report(self) -> None:
        """Tells the server now: it was paused, sought, made louder."""
        if self._play is not None:
            self._reported_at = self._clock.monotonic()
            self._reports.progress(self._report(self._play))

    def end(self, *, position_ms: int | None = None, rest_ms: int = 0, has_failed: bool = False) -> None:
        """The play is over, at a position. `rest_ms`: what the audio device still holds of it."""
        play = self._play
        if play is None:
            return
        self._count(play, rest_s=min(_BUFFERED_S, max(0, rest_ms) / 1000))
        self._play = None
        self._reports.stopped(self._report(play, position_ms=position_ms, has_failed=has_failed))

    async def finish(self) -> None:
        """Ends the last play and waits until nothing can be lost any more; what cannot be written now never is."""
        self.end()
        await self._reports.flush()  # first: a play waits for the answer to its start
        self._is_ending.set()
        await asyncio.gather(*self._writing)

    def _count(self, play: _Play, rest_s: float = 0.0) -> None:
        now = self._clock.monotonic()
        if play.running_since is not None:
            play.heard_s += now - play.running_since + rest_s
            play.running_since = now
        if play.is_played or play.heard_s < play.needed_s:
            return
        play.is_played = True
        task = asyncio.create_task(self._write(play, timestamp(self._clock.now())))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, play: _Play, played_at: str) -> None:
        """In SQLite before it is published; again and again until it is there. It waits for no answer of the server:
        who is killed meanwhile has the play, and asks the server later whether it has it too."""
        has_told = False
        while True:
            is_last = self._is_ending.is_set()
            start = play.start.result() if play.start.done() else None
            try:
                await self._plays.add_play(
                    play_id=play.play_id,
                    track_id=play.track.id,
                    started_at=play.started_at,
                    played_at=played_at,
                    start=start,
                )
                break
            except (JellytuiError, sqlite3.Error) as error:
                log.warning("the play of %s could not be written: %s", play.track.id, error)
                if is_last:
                    return
                if not has_told:
                    has_told = True
                    self._tell_unwritten(play, error)
            await first_of(self._is_ending.wait(), self._clock.sleep(_WRITE_AGAIN_S))
        self._bus.publish(
            TrackPlayed(play_id=play.play_id, track=play.track, started_at=play.started_at, played_at=played_at)
        )
        if start is None:
            await self._settle(play)

    async def _settle(self, play: _Play) -> None:
        start = await asyncio.shield(play.start)
        try:
            await self._plays.settle_play(play.play_id, start)
        except (JellytuiError, sqlite3.Error) as error:
            log.warning("what the server said of the play of %s could not be written: %s", play.track.id, error)

    def _tell_unwritten(self, play: _Play, error: Exception) -> None:
        words = f"The play of {play.track.name} cannot be written yet ({error}). Free some space; it is tried again."
        self._bus.publish(ProblemOccurred(problem=Problem(code=DiskError.code, text=words)))

    def _report(self, play: _Play, *, position_ms: int | None = None, has_failed: bool = False) -> PlaybackReport:
        state = self._state()
        return PlaybackReport(
            item_id=play.track.id,
            play_session_id=play.play_id,
            position_ms=state.position_ms if position_ms is None else position_ms,
            is_paused=state.status in ("paused", "stalled"),
            is_muted=state.is_muted,
            volume=state.volume,
            repeat=state.repeat,
            is_shuffled=state.is_shuffled,
            has_failed=has_failed,
        )
