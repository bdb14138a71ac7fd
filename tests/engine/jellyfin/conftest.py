"""Fixtures for the room that speaks to the server: a home, the way in, a client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from jellytui.config import Settings
from jellytui.demo.server import DemoServer
from jellytui.engine.clock import SystemClock
from jellytui.engine.jellyfin.auth import SignInService, stored_token
from jellytui.engine.jellyfin.client import JellyfinClient
from jellytui.engine.models import Account
from jellytui.paths import Paths, paths_below


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_below(tmp_path / "home")


@pytest.fixture
def sign_in(paths: Paths) -> SignInService:
    return SignInService(paths=paths, settings=Settings(), clock=SystemClock())


@pytest_asyncio.fixture
async def account(sign_in: SignInService, demo_server: DemoServer) -> Account:
    """Demo's user, signed in from this home."""
    return await sign_in.with_password(await sign_in.probe(demo_server.url), demo_server.user, demo_server.password)


@pytest_asyncio.fixture
async def client(account: Account, paths: Paths) -> AsyncIterator[JellyfinClient]:
    """The client of that account, which reads the token's file again when it must."""
    client = JellyfinClient(
        account=account,
        token=stored_token(paths, account) or "",
        server=Settings().server,
        clock=SystemClock(),
        read_token=lambda: stored_token(paths, account),
    )
    yield client
    await client.close()
