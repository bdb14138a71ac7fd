"""Settings that are changed while the engine runs count at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from jellytui.config import CacheSettings
from jellytui.demo.server import DemoServer
from jellytui.engine.engine import Engine
from jellytui.engine.errors import UsageError
from jellytui.engine.models import CacheUse, DownloadInfo
from tests.engine.downloads.test_cache_journey import Ears, engine_of, tracks_of
from tests.support.music import Song, album_tags, write_song
from tests.support.waiting import until


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[DemoServer]:
    """An album of six tracks."""
    for place in range(1, 7):
        tags = album_tags("Somebody", "Album A", f"A{place}", place)
        write_song(tmp_path / "music", Song(f"A/{place:02d}.flac", tags, 3.0, 200 + 15 * place))
    async with DemoServer(tmp_path / "music", relay=True) as server:
        yield server


async def names_here(engine: Engine) -> set[str]:
    rows: list[DownloadInfo] = await engine.call(
        "get_downloads", user_id=engine.account.user_id, status_filter="completed"
    )
    return {row.name for row in rows}


async def test_the_cache_goes_by_its_new_settings_at_once(server: DemoServer, tmp_path: Path) -> None:
    start = CacheSettings(queue_precache_count=1, album_affinity_enabled=False)
    async with engine_of(server, tmp_path / "home", start) as engine:
        tracks = await tracks_of(engine, "A")
        ears = Ears(engine)
        await engine.call("play_items", item_ids=[track.id for track in tracks])
        await ears.until_here({"A1", "A2"})
        await engine.call("pause")
        assert await names_here(engine) == {"A1", "A2"}

        await engine.call("set_cache_settings", queue_precache_count=4)
        await ears.until_here({"A3", "A4", "A5"})
        use: CacheUse = await engine.call("get_cache")
        assert use.limit_bytes == 10_000_000_000

        await engine.call("clear_queue")
        await engine.call("set_cache_settings", storage_limit=0)

        async def used_bytes() -> int:
            use: CacheUse = await engine.call("get_cache")
            return use.cache_bytes

        async with asyncio.timeout(15):
            while await used_bytes():
                await asyncio.sleep(0.05)
        assert (await engine.call("get_downloads_summary")).cache_limit_bytes == 0


async def test_more_downloads_run_at_once_as_soon_as_that_is_said(server: DemoServer, tmp_path: Path) -> None:
    server.faults.add("stall", route="*/download")
    async with engine_of(server, tmp_path / "home", CacheSettings()) as engine:
        await engine.call("set_download_settings", concurrency=1)
        for track in (await tracks_of(engine, "A"))[:4]:
            await engine.call("download_item", item_id=track.id, user_id=engine.account.user_id)

        def asked() -> int:
            return len({request.path for request in server.requests if "/Download" in request.path})

        await until(lambda: asked() == 1)
        await engine.call("set_download_settings", concurrency=3)
        await until(lambda: asked() == 3)


async def test_a_value_that_the_file_could_not_have_is_refused(server: DemoServer, tmp_path: Path) -> None:
    async with engine_of(server, tmp_path / "home", CacheSettings()) as engine:
        with pytest.raises(UsageError, match="concurrency"):
            await engine.call("set_download_settings", concurrency=9)
        with pytest.raises(UsageError, match="queue_precache_count"):
            await engine.call("set_cache_settings", queue_precache_count=-1)
