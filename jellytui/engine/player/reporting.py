"""Reporter: tells the server what plays, in order, and never disturbs playback (jellyfin-api.md 11.1, 11.2)."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from jellytui.engine.errors import JellytuiError
from jellytui.engine.jellyfin.records import PlaybackReport

log = logging.getLogger(__name__)

_KEPT_STARTS = 32


class ReportClient(Protocol):
    """The part of JellyfinClient that reports need."""

    async def report_started(self, report: PlaybackReport) -> None:
        """POST /Sessions/Playing."""

    async def report_progress(self, report: PlaybackReport) -> None:
        """POST /Sessions/Playing/Progress."""

    async def report_stopped(self, report: PlaybackReport) -> None:
        """POST /Sessions/Playing/Stopped."""


class Link(Protocol):
    """The part of Connection that reports need."""

    @property
    def is_online(self) -> bool: ...

    def report_failure(self, error: JellytuiError) -> None:
        """Tells that the server was not there."""


class Reporter:
    """Sends reports one after the other. A play whose start the server did not take is not reported on: it would be
    marked without a date; the outbox brings it with its date later. After a gap in the network a play that was
    counted goes on with Progress, never with a second start."""

    def __init__(self, *, client: ReportClient, connection: Link, flush_s: float = 2.0) -> None:
        self._client = client
        self._connection = connection
        self._flush_s = flush_s
        self._starts: dict[str, asyncio.Future[bool]] = {}
        self._waiting: deque[tuple[Callable[[PlaybackReport], Awaitable[None]], PlaybackReport]] = deque()
        self._sending: asyncio.Task[None] | None = None

    def started(self, report: PlaybackReport) -> None:
        """Playback began; offline nothing is sent."""
        taken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._starts[report.play_session_id] = taken
        while len(self._starts) > _KEPT_STARTS:
            self._starts.pop(next(iter(self._starts)))
        self._send(self._client.report_started, report)

    def progress(self, report: PlaybackReport) -> None:
        """Where it is; takes the place of an older one that still waits."""
        if self._waiting and self._waiting[-1][0] == self._client.report_progress:
            self._waiting.pop()
        self._send(self._client.report_progress, report)

    def stopped(self, report: PlaybackReport) -> None:
        """Playback ended."""
        self._send(self._client.report_stopped, report)

    async def was_counted(self, play_id: str) -> bool:
        """Waits for the answer to the start; False where there was none."""
        taken = self._starts.get(play_id)
        return taken is not None and await asyncio.shield(taken)

    async def flush(self) -> None:
        """Waits up to `flush_s` for what is under way; what has no answer then was not counted."""
        if self._sending is None:
            return
        _, late = await asyncio.wait([self._sending], timeout=self._flush_s)
        for task in late:
            task.cancel()
        for taken in self._starts.values():
            if not taken.done():
                taken.set_result(False)

    def _send(self, call: Callable[[PlaybackReport], Awaitable[None]], report: PlaybackReport) -> None:
        self._waiting.append((call, report))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        while self._waiting:
            call, report = self._waiting.popleft()
            taken = self._starts.get(report.play_session_id)
            is_start = taken is not None and not taken.done()
            was_taken = await self._deliver(call, report) if is_start or self._is_counted(taken) else False
            if taken is not None and not taken.done():
                taken.set_result(was_taken)

    async def _deliver(self, call: Callable[[PlaybackReport], Awaitable[None]], report: PlaybackReport) -> bool:
        if not self._connection.is_online:
            return False
        try:
            await call(report)
        except JellytuiError as error:
            log.info("the server did not take a report: %s", error)
            # While music plays from disk nobody else asks the server anything for a long time.
            self._connection.report_failure(error)
            return False
        return True

    @staticmethod
    def _is_counted(taken: asyncio.Future[bool] | None) -> bool:
        return taken is not None and taken.done() and taken.result()
