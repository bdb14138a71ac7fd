"""Fixtures of one fetch: a server with long songs behind a relay, and engines that read from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from jellytui.demo.folder import scan
from jellytui.demo.library import Library
from jellytui.demo.server import DemoServer
from jellytui.engine.clock import SystemClock
from tests.engine.downloads.conftest import Rig, rig_for
from tests.support.streaming import QuickClock, build_songs

SECONDS = 20.0


@pytest.fixture(scope="session")
def long_songs(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Twenty seconds of noise in each container, as the demo server reads it; do not change it."""
    return scan(build_songs(tmp_path_factory.mktemp("long"), SECONDS))


@pytest_asyncio.fixture
async def song_server(long_songs: Library, tmp_path: Path) -> AsyncIterator[DemoServer]:
    """A server over the long songs, behind a relay."""
    async with DemoServer(tmp_path, library=long_songs, relay=True) as server:
        yield server


@pytest_asyncio.fixture
async def listening(song_server: DemoServer, tmp_path: Path) -> AsyncIterator[Rig]:
    """A download engine with that server, whose waits pass twenty times as fast."""
    async with rig_for(song_server, tmp_path, QuickClock(20.0)) as rig:
        yield rig


@pytest_asyncio.fixture
async def real_time(song_server: DemoServer, tmp_path: Path) -> AsyncIterator[Rig]:
    """The same at the machine's own pace, for what depends on how fast bytes come."""
    async with rig_for(song_server, tmp_path, SystemClock()) as rig:
        yield rig
