"""Reports to the server: their order, and which plays the server has counted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from jellytui.engine.errors import JellytuiError, ServerUnreachableError
from jellytui.engine.jellyfin.records import PlaybackReport
from jellytui.engine.player.reporting import Reporter
from tests.support.waiting import settle


@dataclass
class Server:
    """The client's three calls and the connection; `gate` holds each call until it is set."""

    is_online: bool = True
    is_failing: bool = False
    told: list[tuple[str, str, int]] = field(default_factory=list)
    failures: list[JellytuiError] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def report_started(self, report: PlaybackReport) -> None:
        await self._take("started", report)

    async def report_progress(self, report: PlaybackReport) -> None:
        await self._take("progress", report)

    async def report_stopped(self, report: PlaybackReport) -> None:
        await self._take("stopped", report)

    def report_failure(self, error: JellytuiError) -> None:
        self.failures.append(error)

    async def _take(self, kind: str, report: PlaybackReport) -> None:
        await self.gate.wait()
        if self.is_failing:
            raise ServerUnreachableError("nobody answers.")
        self.told.append((kind, report.item_id, report.position_ms))


def _report(item_id: str, position_ms: int = 0) -> PlaybackReport:
    return PlaybackReport(item_id=item_id, play_session_id=f"play-{item_id}", position_ms=position_ms)


async def test_reports_arrive_in_order_and_only_the_newest_progress() -> None:
    server = Server()
    reporter = Reporter(client=server, connection=server)
    reporter.started(_report("a"))
    await settle()
    for position_ms in (1000, 2000, 3000):
        reporter.progress(_report("a", position_ms))
    reporter.stopped(_report("a", 4000))
    reporter.started(_report("b"))
    server.gate.set()
    assert await reporter.was_counted("play-b")
    assert server.told == [("started", "a", 0), ("progress", "a", 3000), ("stopped", "a", 4000), ("started", "b", 0)]


async def test_offline_nothing_is_sent_and_the_play_is_not_counted() -> None:
    server = Server(is_online=False)
    server.gate.set()
    reporter = Reporter(client=server, connection=server)
    reporter.started(_report("a"))
    assert not await reporter.was_counted("play-a")
    server.is_online = True
    reporter.progress(_report("a", 1000))
    reporter.stopped(_report("a", 2000))
    await reporter.flush()
    assert server.told == []


async def test_a_server_that_takes_no_report_counts_as_away() -> None:
    server = Server(is_failing=True)
    server.gate.set()
    reporter = Reporter(client=server, connection=server)
    reporter.started(_report("a"))
    assert not await reporter.was_counted("play-a")
    assert [error.text for error in server.failures] == ["nobody answers."]


async def test_after_a_gap_a_counted_play_goes_on_with_progress() -> None:
    server = Server()
    server.gate.set()
    reporter = Reporter(client=server, connection=server)
    reporter.started(_report("a"))
    assert await reporter.was_counted("play-a")
    server.is_failing = True
    reporter.progress(_report("a", 1000))
    await reporter.flush()
    server.is_failing = False
    reporter.progress(_report("a", 2000))
    await reporter.flush()
    assert server.told == [("started", "a", 0), ("progress", "a", 2000)]


async def test_a_start_that_failed_is_left_to_the_outbox() -> None:
    server = Server(is_failing=True)
    server.gate.set()
    reporter = Reporter(client=server, connection=server)
    reporter.started(_report("a"))
    assert not await reporter.was_counted("play-a")
    assert not await reporter.was_counted("play-never-heard-of")


async def test_quitting_does_not_wait_for_a_server_that_does_not_answer() -> None:
    server = Server()
    reporter = Reporter(client=server, connection=server, flush_s=0.05)
    reporter.started(_report("a"))
    counted = asyncio.create_task(reporter.was_counted("play-a"))
    await reporter.flush()
    assert not await counted
