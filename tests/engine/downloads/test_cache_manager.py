"""SmartCache over the real DownloadManager: transfers that start, stop and go on as the cache's wishes do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from jellytui.config import CacheSettings, Settings
from jellytui.engine.bus import EventBus
from jellytui.engine.downloads.cache import SmartCache
from jellytui.engine.downloads.disk import FREE_FLOOR_BYTES
from jellytui.engine.errors import DiskError
from jellytui.engine.models import QueueWindow, Track
from tests.engine.downloads.conftest import Rig
from tests.support.clock import ManualClock
from tests.support.waiting import until

STREAM = "/audio/*/stream"


@pytest_asyncio.fixture
async def cache(rig: Rig) -> AsyncIterator[SmartCache]:
    """A cache that fetches the next two."""
    cache = SmartCache(
        downloads=rig.manager,
        catalogue=rig.catalogue,
        database=rig.database,
        bus=EventBus(),
        settings=Settings(cache=CacheSettings(queue_precache_count=2)),
        clock=rig.clock,
        disk=rig.manager.disk,
        network=rig.network,
    )
    await cache.start()
    yield cache
    await cache.stop()


async def queue_of(rig: Rig) -> list[Track]:
    """The server's tracks as a queue."""
    return await rig.catalogue.tracks([song.id for song in rig.songs])


async def bytes_of(rig: Rig, track: Track, least: int) -> None:
    """Waits until so much of a running transfer is here."""
    row = await rig.until_status(track.id, "downloading")
    await until(lambda: row.id in rig.manager.runner.running)
    transfer = rig.manager.runner.running[row.id]
    await until(lambda: transfer.bytes_here >= least)


async def next_begun(rig: Rig, cache: SmartCache, *, rate: int, count: int) -> list[Track]:
    """The queue, once its first track plays and so many bytes of the second have come over a line of that rate."""
    tracks = await queue_of(rig)
    rig.server.faults.add("drip", route=STREAM, rate=rate, times=1)
    await cache.on_track_started(QueueWindow(current=tracks[0], upcoming=(tracks[1],)))
    await bytes_of(rig, tracks[1], count)
    return tracks


async def test_the_next_ones_come_down_as_the_cache_s_without_the_users_permission(rig: Rig, cache: SmartCache) -> None:
    tracks = await queue_of(rig)
    await cache.on_track_started(QueueWindow(current=tracks[0], upcoming=tuple(tracks[1:])))
    for track in tracks[1:3]:
        await rig.until_status(track.id, "completed")
        await rig.whole(track.id)
        assert rig.asked(track.id)[0].path.lower().startswith("/audio/")
    assert set(await rig.rows()) == {track.id for track in tracks[1:3]}
    assert (await rig.row(tracks[1].id)).origin == "queue"


async def test_a_stale_wish_stops_under_way_and_leaves_nothing_behind(rig: Rig, cache: SmartCache) -> None:
    tracks = await queue_of(rig)
    rig.server.faults.add("drip", route=STREAM, rate=500_000)
    await cache.on_track_started(QueueWindow(current=tracks[0], upcoming=tuple(tracks[1:])))
    await bytes_of(rig, tracks[1], 50_000)
    await cache.on_track_started(QueueWindow(current=tracks[0]))
    await until(lambda: not rig.manager.runner.running)
    assert await rig.rows() == {}
    assert not list(rig.root.rglob("*.part"))


async def test_on_a_metered_link_a_fetch_under_way_stops_and_later_goes_on_where_it_was(
    rig: Rig, cache: SmartCache
) -> None:
    tracks = await next_begun(rig, cache, rate=2_000_000, count=200_000)
    rig.network.set(True)
    await rig.until_row(tracks[1].id, lambda row: row.wait_reason == "metered")
    kept = rig.part(tracks[1].id).stat().st_size
    rig.network.set(False)
    await rig.until_status(tracks[1].id, "completed")
    await rig.whole(tracks[1].id)
    assert rig.asked(tracks[1].id)[1].headers["range"] == f"bytes={kept - 65536}-"


async def test_what_a_list_no_longer_wants_is_the_cache_s_and_its_limit_holds(rig: Rig, clock: ManualClock) -> None:
    tracks = await queue_of(rig)
    rig.catalogue.playlists["list"] = tracks
    limit = rig.songs[0].size + 5000
    cache = SmartCache(
        downloads=rig.manager,
        catalogue=rig.catalogue,
        database=rig.database,
        bus=rig.bus,
        settings=Settings(cache=CacheSettings(storage_limit=limit)),
        clock=clock,
        disk=rig.manager.disk,
    )
    await cache.start()
    await rig.manager.wishes.download_playlist("list")
    for track in tracks:
        await rig.until_status(track.id, "completed")
    await clock.advance(2)
    await rig.manager.wishes.unfollow_playlist("list")
    assert (await cache.use()).cache_bytes > limit
    async with asyncio.timeout(10):
        while (await cache.use()).cache_bytes > limit:
            await clock.advance(1)
    await cache.stop()


async def test_a_users_wish_for_what_is_cached_adopts_the_file_and_no_byte_comes_twice(
    rig: Rig, cache: SmartCache
) -> None:
    tracks = await queue_of(rig)
    await cache.on_track_started(QueueWindow(current=tracks[0], upcoming=(tracks[1],)))
    await rig.until_status(tracks[1].id, "completed")
    row = await rig.manager.wishes.download_item(tracks[1].id)
    assert row.status == "completed"
    assert "user" in row.wanted_by
    assert await cache.clear() == 0
    await rig.whole(tracks[1].id)
    assert sum("/stream" in request.path.lower() for request in rig.asked(tracks[1].id)) == 1


async def test_while_the_disk_is_away_the_cache_forgets_nothing_and_then_it_is_still_the_cache_s(
    rig: Rig, cache: SmartCache
) -> None:
    tracks = await queue_of(rig)
    await cache.on_track_started(QueueWindow(current=tracks[0], upcoming=tuple(tracks[1:3])))
    for track in tracks[1:3]:
        await rig.until_status(track.id, "completed")
    rows = await rig.rows()
    away = rig.root.with_name("pulled out")
    rig.root.rename(away)
    plan = await cache.plan()
    assert {step.act for step in plan} <= {"leave"}
    await cache.on_track_started(QueueWindow(current=tracks[0], upcoming=(tracks[3],)))
    with pytest.raises(DiskError, match="is not there"):
        await cache.clear()
    assert await rig.rows() == rows
    assert (await cache.use()).limit_bytes == CacheSettings().storage_limit

    away.rename(rig.root)
    await rig.restart()
    await rig.manager.caretaker.sweep()
    assert {row.wanted_by for row in (await rig.rows()).values()} == {("queue",)}
    assert not await rig.database.fetch_all("SELECT * FROM evictions")


async def test_a_disk_pulled_in_the_middle_of_making_room_takes_no_row_along(
    rig: Rig, cache: SmartCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracks = await queue_of(rig)
    await cache.on_track_started(QueueWindow(current=tracks[0], upcoming=tuple(tracks[1:3])))
    for track in tracks[1:3]:
        await rig.until_status(track.id, "completed")
    away, remove = rig.root.with_name("pulled out"), rig.manager.files.remove

    def pulled_out(path: Path) -> None:
        if rig.root.exists():
            rig.root.rename(away)
        remove(path)

    monkeypatch.setattr(rig.manager.files, "remove", pulled_out)
    with pytest.raises(DiskError, match="is not there"):
        await cache.clear()
    assert {row.status for row in (await rig.rows()).values()} == {"completed"}
    away.rename(rig.root)
    monkeypatch.undo()
    assert await cache.clear() > 0
    assert await rig.rows() == {}


async def test_a_cleared_cache_stays_clear_of_what_was_nearly_here(rig: Rig, cache: SmartCache) -> None:
    tracks = await queue_of(rig)
    size = rig.songs[1].size
    rig.server.faults.add("stall", route=STREAM, after_bytes=int(size * 0.7), times=1)
    await cache.on_track_started(QueueWindow(current=tracks[0], upcoming=(tracks[1],)))
    await bytes_of(rig, tracks[1], int(size * 0.6))
    (transfer,) = rig.manager.runner.running.values()
    part = transfer.part
    assert part is not None
    part.hand_over()
    await until(lambda: part.written > size * 0.5)
    await rig.manager.runner.save_progress()
    assert await cache.clear() > 0
    assert await rig.rows() == {}
    assert not rig.manager.runner.running
    assert not list(rig.root.rglob("*.part"))


async def test_a_cleared_cache_leaves_what_is_being_heard_but_fetches_it_for_nobody_else(
    rig: Rig, cache: SmartCache
) -> None:
    tracks = await next_begun(rig, cache, rate=1_000_000, count=10_000)
    reader = await rig.manager.open_stream(tracks[1].id)
    await cache.clear()
    assert (await rig.row(tracks[1].id)).wanted_by == ("stream",)
    assert await asyncio.to_thread(reader.readinto, 0, memoryview(bytearray(10_000)))
    reader.close()


async def left_early(rig: Rig, track: Track) -> int:
    """Begins to listen to a track and skips it; the bytes of it that stay."""
    rig.server.faults.add("drip", route=STREAM, rate=1_000_000, times=1)
    reader = await rig.manager.open_stream(track.id)
    heard = 0
    while heard < 100_000:
        heard += await asyncio.to_thread(reader.readinto, heard, memoryview(bytearray(10_000)))
    reader.close()
    await linger_over(rig)
    row = await rig.until_status(track.id, "paused")
    assert row.wanted_by == ()
    return rig.part(track.id).stat().st_size


async def test_what_was_skipped_early_goes_on_where_it_was_once_it_is_among_the_next(
    rig: Rig, cache: SmartCache
) -> None:
    tracks = await queue_of(rig)
    kept = await left_early(rig, tracks[1])
    await cache.on_track_started(QueueWindow(current=tracks[0], upcoming=(tracks[1],)))
    await rig.until_status(tracks[1].id, "completed")
    await rig.whole(tracks[1].id)
    assert rig.asked(tracks[1].id)[-1].headers["range"] == f"bytes={kept - 65536}-"


async def test_what_was_skipped_early_twice_goes_on_for_the_queue_that_wanted_it_meanwhile(
    rig: Rig, cache: SmartCache
) -> None:
    tracks = await queue_of(rig)
    await left_early(rig, tracks[1])
    rig.server.faults.add("drip", route=STREAM, rate=2_000_000, times=1)
    reader = await rig.manager.open_stream(tracks[1].id)
    await bytes_of(rig, tracks[1], 150_000)
    await cache.on_track_started(QueueWindow(current=tracks[0], upcoming=(tracks[1],)))
    reader.close()
    await linger_over(rig)
    await rig.until_status(tracks[1].id, "completed")
    await rig.whole(tracks[1].id)


async def linger_over(rig: Rig) -> None:
    """The time passes in which who has left a track may come back to it."""
    clock = rig.clock
    assert isinstance(clock, ManualClock)
    await until(lambda: clock.sleepers)
    await clock.advance(1.5)


async def test_what_the_user_has_paused_stays_so_whatever_the_cache_wants(rig: Rig, cache: SmartCache) -> None:
    tracks = await queue_of(rig)
    rig.server.faults.add("drip", route=STREAM, rate=300_000, times=1)
    await cache.on_track_started(QueueWindow(current=tracks[0], upcoming=(tracks[1],)))
    await bytes_of(rig, tracks[1], 50_000)
    await rig.manager.acts.pause([(await rig.row(tracks[1].id)).id])
    await cache.on_track_started(QueueWindow(current=tracks[2], upcoming=(tracks[1],)))
    await rig.manager.want([tracks[1]], "album")
    row = await rig.row(tracks[1].id)
    assert (row.status, set(row.wanted_by)) == ("paused", {"queue", "album"})
    assert [(step.act, step.reason) for step in await cache.plan()] == [("leave", "its download is paused")]


async def test_on_a_full_disk_the_cache_makes_way_for_the_users_own_download_before_it_waits(
    rig: Rig, cache: SmartCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracks = await queue_of(rig)
    await cache.on_track_started(QueueWindow(current=tracks[0], upcoming=tuple(tracks[1:3])))
    for track in tracks[1:3]:
        await rig.until_status(track.id, "completed")
    await cache.on_track_started(QueueWindow())
    holds = bytes_below(rig.root)
    rig.manager.disk.free_floor_bytes = FREE_FLOOR_BYTES
    monkeypatch.setattr(rig.manager.disk, "free_bytes", lambda: FREE_FLOOR_BYTES + 4096 + holds - bytes_below(rig.root))
    await rig.manager.wishes.download_item(tracks[3].id)
    await rig.until_status(tracks[3].id, "completed")
    await rig.whole(tracks[3].id)
    assert bytes_below(rig.root) <= holds + 4096
    assert not {row.wait_reason for row in (await rig.rows()).values()} - {None}


def bytes_below(root: Path) -> int:
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
