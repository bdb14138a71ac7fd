"""Reports to the server: their order, and which plays the server has counted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from jellytui.engine.bus import EventBus
from jellytui.engine.errors import (
    JellytuiError,
    NotAllowedError,
    ServerError,
    ServerStartingError,
    ServerUnreachableError,
)
from jellytui.engine.events import PlayerState
from jellytui.engine.jellyfin.records import PlaybackReport, StartReport, UserData
from jellytui.engine.models import Track
from jellytui.engine.player.listening import Listening
from jellytui.engine.player.reporting import Reporter
from tests.support.clock import ManualClock
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


@dataclass
class Plays:
    """The outbox: what it heard of the start as the play was added, by track, and later, by play."""

    added: dict[str, StartReport | None] = field(default_factory=dict)
    settled: dict[str, StartReport] = field(default_factory=dict)

    async def add_play(
        self, *, play_id: str, track_id: str, started_at: str, played_at: str, start: StartReport | None
    ) -> None:
        self.added[track_id] = start

    async def settle_play(self, play_id: str, start: StartReport) -> None:
        self.settled[play_id] = start


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
    start = reporter.started(_report("b"))
    server.gate.set()
    assert (await start).is_counted
    assert server.told == [("started", "a", 0), ("progress", "a", 3000), ("stopped", "a", 4000), ("started", "b", 0)]


async def test_offline_nothing_is_sent_and_the_play_is_not_counted() -> None:
    server = Server(is_online=False)
    server.gate.set()
    reporter = Reporter(client=server, connection=server)
    assert await reporter.started(_report("a")) == StartReport(is_counted=False)
    server.is_online = True
    reporter.progress(_report("a", 1000))
    reporter.stopped(_report("a", 2000))
    await reporter.flush()
    assert server.told == []


async def test_a_server_that_takes_no_report_counts_as_away() -> None:
    server = Server(problem=AWAY)
    server.gate.set()
    reporter = Reporter(client=server, connection=server)
    assert not (await reporter.started(_report("a"))).is_counted
    assert [error.text for error in server.failures] == ["nobody answers."]


async def test_after_a_gap_a_counted_play_goes_on_with_progress() -> None:
    server = Server()
    server.gate.set()
    reporter = Reporter(client=server, connection=server)
    assert (await reporter.started(_report("a"))).is_counted
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
    start = await reporter.started(_report("a"))
    assert start == StartReport(is_counted=is_counted, before=KNOWN if is_counted is None else None)


async def test_a_start_is_not_sent_to_a_server_that_does_not_say_what_it_knows_because_it_is_away() -> None:
    server = Server(problem_of_data=AWAY)
    server.gate.set()
    reporter = Reporter(client=server, connection=server)
    assert await reporter.started(_report("a")) == StartReport(is_counted=False)
    assert (server.told, server.failures) == ([], [AWAY])


async def test_a_start_is_sent_to_a_server_that_refuses_to_say_what_it_knows() -> None:
    server = Server(problem_of_data=NotAllowedError("refused."))
    server.gate.set()
    reporter = Reporter(client=server, connection=server)
    assert (await reporter.started(_report("a"))).is_counted
    assert server.told == [("started", "a", 0)]


async def test_quitting_does_not_wait_for_a_server_that_does_not_answer() -> None:
    server = Server()
    reporter = Reporter(client=server, connection=server, flush_s=0.05)
    under_way, waiting = reporter.started(_report("a")), reporter.started(_report("b"))
    await settle()
    assert not under_way.done()
    await reporter.flush()
    assert under_way.result() == StartReport(is_counted=None, before=KNOWN)
    assert waiting.result() == StartReport(is_counted=False)


async def test_of_many_starts_that_wait_the_oldest_are_not_sent_and_the_one_under_way_is_heard_of() -> None:
    server = Server()
    reporter = Reporter(client=server, connection=server)
    under_way = reporter.started(_report("a"))
    await settle()
    forgotten, *_, newest = [reporter.started(_report(f"s{number}")) for number in range(40)]
    assert await forgotten == StartReport(is_counted=False)
    assert not under_way.done()
    server.gate.set()
    assert (await newest).is_counted
    assert (await under_way).is_counted
    sent = [item_id for _, item_id, _ in server.told]
    assert "s0" not in sent
    assert (sent[0], sent[-1], len(sent)) == ("a", "s39", 33)


async def test_a_counted_start_is_known_however_many_follow() -> None:
    server = Server()
    server.gate.set()
    reporter = Reporter(client=server, connection=server)
    counted = reporter.started(_report("a"))
    for number in range(40):
        await reporter.started(_report(f"s{number}"))
    assert (await counted).is_counted


async def test_who_skips_on_while_the_server_hangs_can_quit_and_has_the_play() -> None:
    server, clock, plays = Server(), ManualClock(), Plays()
    reporter = Reporter(client=server, connection=server, flush_s=0.05)
    listening = Listening(reports=reporter, plays=plays, bus=EventBus(), clock=clock, state=PlayerState)
    listening.begin(Track(id="a", name="A"), 100_000)
    await settle()
    listening.begin(Track(id="b", name="B"), 4000)
    await clock.advance(3)
    listening.tick()
    await settle()
    for number in range(40):
        listening.begin(Track(id=f"s{number}", name="S"), 100_000)
    async with asyncio.timeout(5):
        await listening.finish()
    assert plays.added == {"b": None}
    assert list(plays.settled.values()) == [StartReport(is_counted=False)]
