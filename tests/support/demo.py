"""A running demo server over a small library of real files, for the tests of every room."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from jellytui.demo.folder import scan
from jellytui.demo.library import Library
from jellytui.demo.server import DemoServer
from tests.support.music import build_small_library


@pytest.fixture(scope="session")
def small_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `build_small_library`, built once per run and worker; do not change it."""
    folder = tmp_path_factory.mktemp("music")
    build_small_library(folder)
    return folder


@pytest.fixture(scope="session")
def scanned_library(small_library: Path) -> Library:
    """The small library as the demo server reads it, scanned once per run and worker; do not change it."""
    return scan(small_library)


@pytest_asyncio.fixture
async def demo_server(small_library: Path, scanned_library: Library) -> AsyncIterator[DemoServer]:
    """A running server over the small library, with state of its own: user `demo`, password `demo`."""
    async with DemoServer(small_library, library=scanned_library) as server:
        yield server


@pytest_asyncio.fixture
async def faulty_server(small_library: Path, scanned_library: Library) -> AsyncIterator[DemoServer]:
    """The same behind a relay, so that `server.faults.add("reset", …)` and the other faults of the wire work."""
    async with DemoServer(small_library, library=scanned_library, relay=True) as server:
        yield server
