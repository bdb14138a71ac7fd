"""Quick Connect: a code approved elsewhere, and codes that are never approved."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from jellytui.config import Settings
from jellytui.demo.server import DemoServer
from jellytui.engine.errors import QuickConnectError
from jellytui.engine.jellyfin.auth import POLL_S, QUICK_CONNECT_LIFE_S, QuickConnect, SignInService, stored_token
from jellytui.engine.models import Account
from jellytui.paths import Paths
from tests.support.clock import ManualClock
from tests.support.signed_in import signed_in
from tests.support.waiting import until


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def service(paths: Paths, clock: ManualClock) -> SignInService:
    return SignInService(paths=paths, settings=Settings(), clock=clock)


async def started(service: SignInService, server: DemoServer) -> QuickConnect:
    return await service.quick_connect(await service.probe(server.url))


async def waiting(request: QuickConnect, clock: ManualClock) -> asyncio.Task[Account]:
    """The waiting begun, and the first question answered with no."""
    task = asyncio.create_task(request.wait())
    await until(lambda: clock.sleepers)
    return task


async def approve(server: DemoServer, code: str) -> None:
    async with signed_in(server, device_id="phone") as phone:
        (await phone.post("/QuickConnect/Authorize", params={"code": code})).raise_for_status()


async def test_a_code_approved_elsewhere_signs_in(
    service: SignInService, demo_server: DemoServer, clock: ManualClock, paths: Paths
) -> None:
    request = await started(service, demo_server)
    task = await waiting(request, clock)
    assert request.code.isdecimal()
    assert len(request.code) == 6

    await approve(demo_server, request.code)
    await clock.advance(POLL_S)

    account = await asyncio.wait_for(task, 10)
    assert account.user_name == "demo"
    assert stored_token(paths, account) in demo_server.world.accounts.devices


async def test_a_network_that_fails_for_a_moment_ends_nothing(
    service: SignInService, demo_server: DemoServer, clock: ManualClock
) -> None:
    request = await started(service, demo_server)
    task = await waiting(request, clock)
    await demo_server.stop()
    await clock.advance(POLL_S)
    await until(lambda: clock.sleepers)
    await demo_server.start()
    await approve(demo_server, request.code)
    await clock.advance(POLL_S)
    assert (await asyncio.wait_for(task, 10)).user_name == "demo"


async def test_an_expired_code_is_said(service: SignInService, demo_server: DemoServer, clock: ManualClock) -> None:
    task = await waiting(await started(service, demo_server), clock)
    demo_server.world.clock = lambda: datetime.now(UTC) + timedelta(minutes=11)
    await clock.advance(POLL_S)
    with pytest.raises(QuickConnectError, match="expired"):
        await asyncio.wait_for(task, 10)


async def test_a_server_that_stays_away_is_not_asked_for_ever(
    service: SignInService, demo_server: DemoServer, clock: ManualClock
) -> None:
    task = await waiting(await started(service, demo_server), clock)
    await demo_server.stop()
    await clock.advance(QUICK_CONNECT_LIFE_S)
    with pytest.raises(QuickConnectError, match="expired"):
        await asyncio.wait_for(task, 10)


async def test_a_server_without_quick_connect_says_so(service: SignInService, demo_server: DemoServer) -> None:
    demo_server.world.quick_connect_enabled = False
    with pytest.raises(QuickConnectError, match="password"):
        await started(service, demo_server)


async def test_giving_up_stores_nothing(
    service: SignInService, demo_server: DemoServer, clock: ManualClock, paths: Paths
) -> None:
    task = await waiting(await started(service, demo_server), clock)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not paths.account_file.exists()
