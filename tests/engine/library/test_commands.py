"""The verbs of the library, called as every face calls them: by name, with checked arguments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jellytui.engine.bus import EventBus
from jellytui.engine.commands.library import COMMANDS
from jellytui.engine.commands.registry import Registry
from jellytui.engine.errors import NotFoundError, UsageError
from jellytui.engine.library.covers import Covers
from jellytui.engine.library.lyrics import LyricsStore
from jellytui.engine.library.outbox import Outbox
from jellytui.engine.library.syncing.sync import LibrarySync
from jellytui.engine.library.views import LibraryViews
from jellytui.engine.models import Playlist, SearchResults
from jellytui.engine.storage.database import Database
from tests.support.catalogue import MUSIC, CatalogueInMemory, LinkInMemory, track
from tests.support.clock import ManualClock

Call = Callable[..., Awaitable[Any]]


@pytest.fixture
def call(
    server: CatalogueInMemory,
    link: LinkInMemory,
    database: Database,
    bus: EventBus,
    clock: ManualClock,
    views: LibraryViews,
    sync: LibrarySync,
    tmp_path: Path,
) -> Call:
    """Runs a verb on the library's parts."""
    server.tracks[MUSIC] = [track("one", number=1), track("two", number=2)]
    server.lists = [(Playlist(id="list", name="Mix"), ["track-two", "track-two"])]
    services = SimpleNamespace(
        views=views,
        sync=sync,
        outbox=Outbox(database=database, client=server, connection=link, bus=bus, clock=clock),
        covers=Covers(client=server, folder=tmp_path / "covers"),
        lyrics=LyricsStore(client=server, database=database),
    )
    registry = Registry(COMMANDS)

    async def run(name: str, **arguments: Any) -> Any:
        return await registry[name].run(services, arguments)

    return run


async def test_a_sync_is_begun_awaited_and_cancelled_by_command(call: Call) -> None:
    assert (await call("sync_library", full=True)).status == "running"
    assert (await call("await_sync")).status == "done"
    await call("sync_library")
    await call("cancel_sync")
    assert (await call("await_sync")).status == "cancelled"
    with pytest.raises(UsageError, match="sync_library"):
        await call("sync_library", full="yes")


async def test_items_are_found_by_id_whatever_they_are(call: Call) -> None:
    await call("sync_library")
    await call("await_sync")

    found = [await call("get_item", item_id=item_id) for item_id in ("track-one", "album-First", "artist-Ana", "list")]

    assert [item.name for item in found] == ["one", "First", "Ana", "Mix"]
    with pytest.raises(NotFoundError, match="no nothing in the library"):
        await call("get_item", item_id="nothing")


async def test_tracks_come_by_scope(call: Call) -> None:
    await call("sync_library")
    await call("await_sync")
    await call("set_favorite", item_id="track-two", is_favorite=True)

    async def names(scope: str, item_id: str = "") -> list[str]:
        return [found.name for found in await call("get_tracks", scope=scope, item_id=item_id)]

    assert await names("all") == await names("album", "album-First") == await names("artist", "artist-Ana")
    assert await names("all") == ["one", "two"]
    assert await names("playlist", "list") == ["two", "two"]
    assert await names("favorites") == ["two"]
    results: SearchResults = await call("search_library", query="tw")
    assert [(found.name, found.is_favorite) for found in results.tracks] == [("two", True)]


async def test_only_what_there_is_can_be_a_favorite(call: Call, database: Database) -> None:
    with pytest.raises(NotFoundError):
        await call("set_favorite", item_id="nothing", is_favorite=True)

    assert await database.fetch_all("SELECT * FROM favorite_wishes") == []


async def test_covers_and_lyrics_are_given_by_command(call: Call, server: CatalogueInMemory) -> None:
    server.images["album-First", "tag"] = b"\xff\xd8\xff"

    assert Path(await call("get_cover", item_id="album-First", tag="tag")).read_bytes() == b"\xff\xd8\xff"
    assert await call("get_cover", item_id="album-First", tag="") is None
    assert (await call("get_lyrics", item_id="track-one")).lines == ()
