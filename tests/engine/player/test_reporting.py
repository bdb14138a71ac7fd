"""Reports to the server: their order, and which plays the server has counted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from jellytui.engine.errors import (
    JellytuiError,
    NotAllowedError,
    ServerError,
    ServerStartingError,
    ServerUnreachableError,
)
from jellytui.engine.jellyfin.records import PlaybackReport, StartReport, UserData
from jellytui.engine.player.reporting import Reporter
from tests.support.waiting import settle

AWAY = ServerUnreachableError("nobody answers.")
KNOWN = UserData(item_id="a", play_count=7, last_played_at="2026-01-01T10:00:00.000000Z")


@dataclass
class Server:
    """The client's calls and the connection; `gate` holds each report until it is set, `problem` is its answer."""

    is_online: bool = True
    problem: JellytuiError | None = None
    problem_of_data: JellytuiError | None = None
    told: list[tuple[str, str, int]] = field(default_factory=list)
    failures: list[JellytuiError] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def user_data(self, item_id: str) -> UserData:
        if self.problem_of_data is not None:
            raise self.problem_of_data
        return KNOWN

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
        if self.problem is not None:
            raise self.problem
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
    assert (await reporter.settled_start("play-b")).is_counted
    assert server.told == [("started", "a", 0), ("progress", "a", 3000), ("stopped", "a", 4000), ("started", "b", 0)]


async def test_offline_nothing_is_sent_and_the_play_is_not_counted() -> None:
    server = Server(is_online=False)
    server.gate.set()
    reporter = Reporter(client=server, connection=server)
    reporter.started(_report("a"))
    assert await reporter.settled_start("play-a") == StartReport(is_counted=False)
    server.is_online = True
    reporter.progress(_report("a", 1000))
    reporter.stopped(_report("a", 2000))
    await reporter.flush()
    assert server.told == []


async def test_a_server_that_takes_no_report_counts_as_away() -> None:
    server = Server(problem=AWAY)
    server.gate.set()
    reporter = Reporter(client=server, connection=server)
    reporter.started(_report("a"))
    assert not (await reporter.settled_start("play-a")).is_counted
    assert [error.text for error in server.failures] == ["nobody answers."]


async def test_after_a_gap_a_counted_play_goes_on_with_progress() -> None:
    server = Server()
    server.gate.set()
    reporter = Reporter(client=server, connection=server)
    reporter.started(_report("a"))
    assert (await reporter.settled_start("play-a")).is_counted
    server.problem = AWAY
    reporter.progress(_report("a", 1000))
    await reporter.flush()
    server.problem = None
    reporter.progress(_report("a", 2000))
    await reporter.flush()
    assert server.told == [("started", "a", 0), ("progress", "a", 2000)]


@pytest.mark.parametrize(
    ("problem", "is_counted"),
    [
        (AWAY, None),
        (ServerStartingError("a proxy gave up waiting."), None),
        (ServerError("the server answered with an error (500)."), None),
        (NotAllowedError("refused."), False),
    ],
)
async def test_a_start_whose_answer_is_lost_is_told_from_one_that_was_refused(
    problem: JellytuiError, is_counted: bool | None
) -> None:
    server = Server(problem=problem)
    server.gate.set()
    reporter = Reporter(client=server, connection=server)
    reporter.started(_report("a"))
    start = await reporter.settled_start("play-a")
    assert start == StartReport(is_counted=is_counted, before=KNOWN if is_counted is None else None)
    assert not (await reporter.settled_start("play-never-heard-of")).is_counted


async def test_a_start_is_not_sent_to_a_server_that_does_not_say_what_it_knows_because_it_is_away() -> None:
    server = Server(problem_of_data=AWAY)
    server.gate.set()
    reporter = Reporter(client=server, connection=server)
    reporter.started(_report("a"))
    assert await reporter.settled_start("play-a") == StartReport(is_counted=False)
    assert (server.told, server.failures) == ([], [AWAY])


async def test_a_start_is_sent_to_a_server_that_refuses_to_say_what_it_knows() -> None:
    server = Server(problem_of_data=NotAllowedError("refused."))
    server.gate.set()
    reporter = Reporter(client=server, connection=server)
    reporter.started(_report("a"))
    assert (await reporter.settled_start("play-a")).is_counted
    assert server.told == [("started", "a", 0)]


async def test_quitting_does_not_wait_for_a_server_that_does_not_answer() -> None:
    server = Server()
    reporter = Reporter(client=server, connection=server, flush_s=0.05)
    reporter.started(_report("a"))
    reporter.started(_report("b"))
    await settle()
    assert reporter.start_report("play-a") is None
    await reporter.flush()
    assert reporter.start_report("play-a") == StartReport(is_counted=None, before=KNOWN)
    assert reporter.start_report("play-b") == StartReport(is_counted=False)
