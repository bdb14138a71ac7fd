"""What the library's tests share: a database file, its views, a catalogue in memory, and a sync between them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from jellytui.engine.bus import EventBus
from jellytui.engine.library.syncing.sync import LibrarySync
from jellytui.engine.library.views import LibraryViews
from jellytui.engine.storage.database import Database
from tests.support.catalogue import CatalogueInMemory, LinkInMemory
from tests.support.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(is_running=True)


@pytest.fixture
def server(clock: ManualClock) -> CatalogueInMemory:
    return CatalogueInMemory(clock)


@pytest.fixture
def link() -> LinkInMemory:
    return LinkInMemory()


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(tmp_path / "jellytui.db")
    yield database
    await database.close()


@pytest_asyncio.fixture
async def views(database: Database) -> AsyncIterator[LibraryViews]:
    views = LibraryViews(database.path)
    yield views
    await views.close()


@pytest.fixture
def sync(
    server: CatalogueInMemory, link: LinkInMemory, database: Database, bus: EventBus, clock: ManualClock
) -> LibrarySync:
    return LibrarySync(client=server, connection=link, database=database, bus=bus, clock=clock)
