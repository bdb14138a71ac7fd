"""The circuit breaker: who opens it, when it probes, what closes it, and what it says meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from jellytui.demo.server import DemoServer
from jellytui.engine.bus import EventBus
from jellytui.engine.clock import timestamp
from jellytui.engine.errors import NotFoundError, NotSignedInError, ServerStartingError, ServerUnreachableError
from jellytui.engine.events import ConnectionState, Event
from jellytui.engine.jellyfin.auth import SignInService
from jellytui.engine.jellyfin.client import JellyfinClient
from jellytui.engine.jellyfin.connection import DELAYS_S, HEARTBEAT_S, JITTER, TOKEN_WATCH_S, Connection
from tests.support.clock import ManualClock
from tests.support.waiting import settle, until

AWAY = ServerUnreachableError("Demo cannot be reached.")


class Told(list[ConnectionState]):
    """What was published, oldest first."""

    @property
    def statuses(self) -> list[str]:
        return [state.status for state in self]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


@pytest.fixture
def told(bus: EventBus) -> Told:
    told = Told()

    def hear(event: Event) -> None:
        assert isinstance(event, ConnectionState)
        told.append(event)

    bus.subscribe([ConnectionState], hear)
    return told


@pytest_asyncio.fixture
async def connection(
    client: JellyfinClient, bus: EventBus, clock: ManualClock, told: Told
) -> AsyncIterator[Connection]:
    """Not started; delays in full."""
    connection = Connection(client=client, bus=bus, clock=clock, dice=lambda: 0.0)
    yield connection
    await connection.stop()


async def online(connection: Connection) -> None:
    await connection.start()
    await asyncio.wait_for(connection.wait_online(), 10)


async def asleep(clock: ManualClock) -> None:
    """Once it has heard what was reported and waits for the clock."""
    await settle()
    await until(lambda: clock.sleepers)


def probes(server: DemoServer) -> int:
    return sum(request.path == "/System/Info/Public" for request in server.requests)


async def test_it_connects_at_once_and_says_so(connection: Connection, told: Told) -> None:
    before = connection.is_online
    await online(connection)
    assert (before, connection.is_online) == (False, True)
    assert told == [
        ConnectionState(status="connecting", server_name="Demo"),
        ConnectionState(status="online", server_name="Demo"),
    ]


async def test_a_server_away_is_probed_after_5_10_20_40_and_then_every_60_seconds(
    connection: Connection, told: Told, demo_server: DemoServer, clock: ManualClock
) -> None:
    await demo_server.stop()
    await connection.start()
    for number, delay_s in enumerate([*DELAYS_S, DELAYS_S[-1]], start=1):
        await until(lambda: clock.sleepers)
        assert len(told) == number + 1
        assert told[-1].retry_at == timestamp(clock.now() + timedelta(seconds=delay_s))
        await clock.advance(delay_s - 0.01)
        assert len(told) == number + 1
        await clock.advance(0.01)
    assert DELAYS_S == (5.0, 10.0, 20.0, 40.0, 60.0)
    assert set(told.statuses[1:]) == {"offline"}
    assert "cannot be reached" in told[-1].reason


async def test_a_server_that_is_back_is_noticed_at_the_next_probe(
    connection: Connection, told: Told, demo_server: DemoServer, clock: ManualClock
) -> None:
    await online(connection)
    await demo_server.stop()
    connection.report_failure(AWAY)
    assert (told[-1].status, told[-1].reason) == ("offline", AWAY.text)
    await asleep(clock)
    waiting = asyncio.create_task(connection.wait_online())

    await demo_server.start()
    await clock.advance(DELAYS_S[0])

    await asyncio.wait_for(waiting, 10)
    assert told.statuses == ["connecting", "online", "offline", "online"]
    assert (told[-1].reason, told[-1].retry_at) == ("", None)


async def test_after_a_success_the_delays_begin_anew(
    connection: Connection, told: Told, demo_server: DemoServer, clock: ManualClock
) -> None:
    await online(connection)
    for _ in range(2):
        connection.report_failure(AWAY)
        await asleep(clock)
        assert told[-1].retry_at == timestamp(clock.now() + timedelta(seconds=DELAYS_S[0]))
        await clock.advance(DELAYS_S[0])
        await until(lambda: connection.is_online)


async def test_many_reports_of_one_failure_are_one(connection: Connection, told: Told) -> None:
    await online(connection)
    for _ in range(5):
        connection.report_failure(AWAY)
    assert told.statuses == ["connecting", "online", "offline"]


async def test_errors_that_say_nothing_about_the_server_do_not_open_it(connection: Connection) -> None:
    await online(connection)
    connection.report_failure(NotFoundError("Demo does not have that (any more)."))
    assert connection.is_online


async def test_a_success_that_somebody_reports_is_looked_into_at_once(
    connection: Connection, told: Told, clock: ManualClock
) -> None:
    await online(connection)
    connection.report_failure(AWAY)
    await asleep(clock)
    connection.report_success()
    await asyncio.wait_for(connection.wait_online(), 10)
    assert told.statuses == ["connecting", "online", "offline", "online"]


async def test_jitter_makes_delays_shorter_and_never_longer(
    client: JellyfinClient, bus: EventBus, clock: ManualClock, told: Told, demo_server: DemoServer
) -> None:
    await demo_server.stop()
    connection = Connection(client=client, bus=bus, clock=clock, dice=lambda: 1.0)
    await connection.start()
    await asleep(clock)
    assert clock.slept == [DELAYS_S[0] * (1 - JITTER)]
    await connection.stop()


@pytest.mark.parametrize("phase", ["setup", "loading"])
async def test_a_starting_server_is_called_starting_until_it_is_ready(
    connection: Connection, told: Told, demo_server: DemoServer, clock: ManualClock, phase: str
) -> None:
    demo_server.world.phase = phase  # type: ignore[assignment]
    await connection.start()
    await asleep(clock)
    assert told.statuses == ["connecting", "starting"]
    demo_server.world.phase = "ready"
    await clock.advance(DELAYS_S[0])
    await asyncio.wait_for(connection.wait_online(), 10)


async def test_a_starting_server_that_somebody_met_is_called_starting(connection: Connection, told: Told) -> None:
    await online(connection)
    connection.report_failure(ServerStartingError("Demo is starting."))
    assert told.statuses[-1] == "starting"


async def test_a_captive_portal_is_no_server(
    connection: Connection, told: Told, demo_server: DemoServer, clock: ManualClock
) -> None:
    demo_server.faults.add("html")
    await connection.start()
    await asleep(clock)
    assert told.statuses == ["connecting", "offline"]
    assert "login page" in told[-1].reason


async def test_another_server_at_the_address_never_sees_the_token(
    connection: Connection, told: Told, demo_server: DemoServer, clock: ManualClock
) -> None:
    demo_server.world.server_id = "f" * 32
    seen = len(demo_server.requests)
    await connection.start()
    await asleep(clock)
    assert told.statuses == ["connecting", "offline"]
    assert "Another server" in told[-1].reason
    assert [request.path for request in demo_server.requests[seen:]] == ["/System/Info/Public"]
    assert "authorization" not in demo_server.requests[-1].headers


async def test_a_refused_token_signs_out_and_a_new_one_in_the_file_brings_it_back(
    connection: Connection,
    client: JellyfinClient,
    told: Told,
    demo_server: DemoServer,
    clock: ManualClock,
    sign_in: SignInService,
) -> None:
    await online(connection)
    demo_server.world.accounts.revoke(lambda device: True)
    with pytest.raises(NotSignedInError):
        await client.music_libraries()
    assert not connection.is_online
    await until(lambda: told.statuses[-1] == "signed_out" and clock.sleepers)
    assert told.statuses == ["connecting", "online", "connecting", "signed_out"]
    assert ":login" in told[-1].reason

    asked = len(demo_server.requests)
    for _ in range(5):
        await clock.advance(TOKEN_WATCH_S)
        await asleep(clock)
    assert len(demo_server.requests) == asked

    await sign_in.with_password(await sign_in.probe(demo_server.url), "demo", "demo")
    await clock.advance(TOKEN_WATCH_S)
    await asyncio.wait_for(connection.wait_online(), 10)
    assert len(await client.music_libraries()) == 1


async def test_a_refusal_that_somebody_reports_is_checked_before_it_counts(connection: Connection, told: Told) -> None:
    await online(connection)
    connection.report_failure(NotSignedInError("The server asks to sign in again."))
    await asyncio.wait_for(connection.wait_online(), 10)
    assert told.statuses == ["connecting", "online", "connecting", "online"]


async def test_out_of_hours_it_waits_and_does_not_sign_out(
    connection: Connection, told: Told, demo_server: DemoServer, clock: ManualClock
) -> None:
    user = next(iter(demo_server.world.accounts.users.values()))
    user.policy.access_now = False
    await connection.start()
    await asleep(clock)
    assert told.statuses == ["connecting", "offline"]
    assert "hour" in told[-1].reason
    user.policy.access_now = True
    await clock.advance(DELAYS_S[0])
    await asyncio.wait_for(connection.wait_online(), 10)


async def test_a_silent_server_is_asked_once_a_minute_and_its_death_noticed(
    connection: Connection, told: Told, demo_server: DemoServer, clock: ManualClock
) -> None:
    await online(connection)
    before = probes(demo_server)
    await asleep(clock)
    await clock.advance(HEARTBEAT_S)
    await until(lambda: probes(demo_server) == before + 1 and clock.sleepers)
    assert told.statuses == ["connecting", "online"]

    await demo_server.stop()
    await clock.advance(HEARTBEAT_S)
    await until(lambda: told.statuses[-1] == "offline")


async def test_a_server_heard_of_is_not_asked(
    connection: Connection, demo_server: DemoServer, clock: ManualClock
) -> None:
    await online(connection)
    before = probes(demo_server)
    for _ in range(4):
        await asleep(clock)
        await clock.advance(HEARTBEAT_S / 2)
        connection.report_success()
    await asleep(clock)
    assert probes(demo_server) == before


async def test_it_stops_without_a_trace_started_or_not(
    client: JellyfinClient, bus: EventBus, clock: ManualClock
) -> None:
    connection = Connection(client=client, bus=bus, clock=clock)
    await connection.stop()
    await connection.start()
    await connection.stop()
    await connection.stop()
    assert clock.sleepers == 0
