"""Reporter: tells the server what plays, in order, and never disturbs playback (jellyfin-api.md 11.1, 11.2)."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from jellytui.engine.errors import (
    JellytuiError,
    NotAllowedError,
    NotFoundError,
    NotSignedInError,
    ServerUnreachableError,
    TlsError,
)
from jellytui.engine.jellyfin.records import PlaybackReport, StartReport, UserData

log = logging.getLogger(__name__)

_KEPT_STARTS = 32
_KNOWS_WITHIN_S = 10.0
"""How long the server may take to say what it knows of a track before its start is reported."""
_REFUSALS = (NotAllowedError, NotFoundError, NotSignedInError, TlsError)
"""With these a start was not counted for sure; after any other error (a proxy's 504, say) it may have been."""


class ReportClient(Protocol):
    """The part of JellyfinClient that reports need."""

    async def user_data(self, item_id: str) -> UserData:
        """What the server keeps of the user and an item."""

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
    counted goes on with Progress, never with a second start. Before a start the server is asked what it knows of the
    track: should the answer to the start be lost, the outbox can tell by it whether the start arrived."""

    def __init__(self, *, client: ReportClient, connection: Link, flush_s: float = 2.0) -> None:
        self._client = client
        self._connection = connection
        self._flush_s = flush_s
        self._starts: dict[str, asyncio.Future[StartReport]] = {}
        self._under_way: dict[str, StartReport] = {}
        """What is known of the start that is being sent, should its answer never come."""
        self._waiting: deque[tuple[Callable[[PlaybackReport], Awaitable[None]], PlaybackReport]] = deque()
        self._sending: asyncio.Task[None] | None = None

    def started(self, report: PlaybackReport) -> asyncio.Future[StartReport]:
        """Playback began; offline nothing is sent. Answers what became of it, by the end of `flush` at the latest."""
        taken: asyncio.Future[StartReport] = asyncio.get_running_loop().create_future()
        self._starts[report.play_session_id] = taken
        self._forget_oldest()
        self._send(self._client.report_started, report)
        return taken

    def progress(self, report: PlaybackReport) -> None:
        """Where it is; takes the place of an older one that still waits."""
        if self._waiting and self._waiting[-1][0] == self._client.report_progress:
            self._waiting.pop()
        self._send(self._client.report_progress, report)

    def stopped(self, report: PlaybackReport) -> None:
        """Playback ended."""
        self._send(self._client.report_stopped, report)

    async def flush(self) -> None:
        """Waits up to `flush_s` for what is under way; of a start that has no answer then nobody knows."""
        if self._sending is None:
            return
        _, late = await asyncio.wait([self._sending], timeout=self._flush_s)
        for task in late:
            task.cancel()
        for play_id, taken in self._starts.items():
            if not taken.done():
                taken.set_result(self._under_way.get(play_id, StartReport(is_counted=False)))

    def _forget_oldest(self) -> None:
        """A start that waits behind so many is not sent any more; one under way is kept until its answer."""
        for play_id in list(self._starts)[:-_KEPT_STARTS]:
            if play_id in self._under_way:
                continue
            taken = self._starts.pop(play_id)
            if not taken.done():
                taken.set_result(StartReport(is_counted=False))

    def _send(self, call: Callable[[PlaybackReport], Awaitable[None]], report: PlaybackReport) -> None:
        self._waiting.append((call, report))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        while self._waiting:
            call, report = self._waiting.popleft()
            taken = self._starts.get(report.play_session_id)
            if taken is None:
                continue
            if not taken.done():
                taken.set_result(await self._deliver_start(report))
            elif taken.result().is_counted and self._connection.is_online:
                await self._deliver(call(report))

    async def _deliver_start(self, report: PlaybackReport) -> StartReport:
        unsent = StartReport(is_counted=False)
        if not self._connection.is_online:
            return unsent
        self._under_way[report.play_session_id] = unsent
        try:
            before = await self._known(report.item_id)
            lost = self._under_way[report.play_session_id] = StartReport(is_counted=None, before=before)
            problem = await self._deliver(self._client.report_started(report))
        except ServerUnreachableError as error:
            self._connection.report_failure(error)
            return unsent
        finally:
            del self._under_way[report.play_session_id]
        if problem is None:
            return StartReport(is_counted=True, before=before)
        return unsent if isinstance(problem, _REFUSALS) else lost

    async def _known(self, item_id: str) -> UserData | None:
        """What the server knows of a track; None where it answers with an error. Raises ServerUnreachableError."""
        try:
            async with asyncio.timeout(_KNOWS_WITHIN_S):
                return await self._client.user_data(item_id)
        except TimeoutError:
            raise ServerUnreachableError("The server does not answer in time.") from None
        except ServerUnreachableError:
            raise
        except JellytuiError as error:
            log.info("the server does not say what it knows of track %s: %s", item_id, error)
            return None

    async def _deliver(self, sending: Awaitable[None]) -> JellytuiError | None:
        """The error that came for an answer, if one did."""
        try:
            await sending
        except JellytuiError as error:
            log.info("the server did not take a report: %s", error)
            # While music plays from disk nobody else asks the server anything for a long time.
            self._connection.report_failure(error)
            return error
        return None
