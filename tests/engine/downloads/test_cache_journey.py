"""The smart cache on a whole engine: real server, real files, real libmpv; the network goes, the music goes on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs

import pytest_asyncio

from jellytui.config import CacheSettings, PlayerSettings, Settings
from jellytui.demo.server import DemoServer
from jellytui.engine.clock import SystemClock
from jellytui.engine.engine import Engine
from jellytui.engine.events import DownloadEvent, Event, PlayerState, TrackPlayed
from jellytui.engine.jellyfin.auth import SignInService, stored_token
from jellytui.engine.models import CacheUse, Listing, QueuePage, Track
from jellytui.paths import paths_below
from tests.support.music import Song, album_tags, write_song
from tests.support.waiting import until

SECONDS = 0.9
"""A track; half of it heard is a play."""


class Ears:
    """What an engine tells, gathered."""

    def __init__(self, engine: Engine) -> None:
        self._listener = engine.events([TrackPlayed, PlayerState, DownloadEvent])
        self.played: list[str] = []
        self.sources: dict[str, set[str]] = {}
        self.completed: set[str] = set()

    async def until_played(self, number: int) -> None:
        """Listens until so many tracks were played."""
        await self._until(lambda: len(self.played) >= number)

    async def until_here(self, names: set[str]) -> None:
        """Listens until these tracks are here."""
        await self._until(lambda: names <= self.completed)

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                for event in await self._listener.batch():
                    self._hear(event)

    def _hear(self, event: Event) -> None:
        if isinstance(event, TrackPlayed):
            self.played.append(event.track.name)
        elif isinstance(event, PlayerState) and event.track is not None and event.status == "playing":
            self.sources.setdefault(event.track.name, set()).add(event.source)
        elif isinstance(event, DownloadEvent) and event.type == "completed":
            self.completed.add(event.download.name)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[DemoServer]:
    """Two albums of six and eight tracks."""
    pitch = 200
    for album, number in (("A", 6), ("B", 8)):
        for place in range(1, number + 1):
            pitch += 15
            tags = album_tags("Somebody", f"Album {album}", f"{album}{place}", place)
            write_song(tmp_path / "music", Song(f"{album}/{place:02d}.flac", tags, SECONDS, pitch))
    async with DemoServer(tmp_path / "music") as server:
        yield server


@asynccontextmanager
async def engine_of(server: DemoServer, folder: Path, cache: CacheSettings) -> AsyncIterator[Engine]:
    """An engine, signed in and synced."""
    paths = paths_below(folder)
    settings = Settings(player=PlayerSettings(audio_output="null"), cache=cache)
    sign_in = SignInService(paths=paths, settings=settings, clock=SystemClock())
    account = await sign_in.with_password(await sign_in.probe(server.url), "demo", "demo")
    token = stored_token(paths, account)
    assert token
    engine = await Engine.start(account=account, token=token, paths=paths, settings=settings)
    await engine.call("sync_library", full=True)
    try:
        await engine.call("await_sync")
        yield engine
    finally:
        await engine.close()


async def tracks_of(engine: Engine, album: str) -> list[Track]:
    row_ids = await engine.views.row_ids(Listing(kind="track"))
    tracks = [track for track in await engine.views.rows("track", row_ids) if isinstance(track, Track)]
    return sorted((track for track in tracks if track.album == f"Album {album}"), key=lambda track: track.number or 0)


def plays_told(server: DemoServer) -> list[tuple[str, str]]:
    """The tracks of which the server was told a play later, with the dates, in the order of telling."""
    requests = [request for request in server.requests if "/UserPlayedItems/" in request.path]
    return [(each.path.rpartition("/")[2], parse_qs(each.query)["datePlayed"][0]) for each in requests]


async def clear(engine: Engine, last: Track) -> int:
    """Clears the cache until the track that played last is gone too: what is being read is spared. The bytes freed."""
    freed = 0
    async with asyncio.timeout(10):
        while await engine.call("offline_is_available", item_id=last.id):
            freed += await engine.call("clear_cache")
            await asyncio.sleep(0.05)
    return freed


async def test_three_tracks_of_an_album_then_no_network_and_what_is_here_plays_until_it_is_back(
    server: DemoServer, tmp_path: Path
) -> None:
    async with engine_of(server, tmp_path / "home", CacheSettings()) as engine:
        a, b = await tracks_of(engine, "A"), await tracks_of(engine, "B")
        ears = Ears(engine)
        await engine.call("play_items", item_ids=[track.id for track in (*a[:3], *b)])
        await ears.until_played(3)
        await ears.until_here({"A4", "A5", "A6", "B1", "B2", "B3", "B4", "B5"})
        await server.stop()
        await engine.call("enqueue_items", item_ids=[track.id for track in a[3:]], play_next=True)
        queue: QueuePage = await engine.call("get_queue")
        order = [entry.track for entry in queue.entries]
        names = [track.name for track in order]
        assert names[-3:] == ["B6", "B7", "B8"]  # not here
        await ears.until_played(11)
        assert ears.played == names[:11]
        for name in ("A4", "A5", "A6", "B1", "B2", "B3", "B4", "B5"):
            assert ears.sources[name] == {"disk"}

        use: CacheUse = await engine.call("get_cache")
        assert use.plays >= 8
        assert use.cache_bytes > 0
        assert {one.origin for one in use.uses if one.files} >= {"stream", "queue", "album"}
        assert next(one for one in use.uses if one.origin == "user").files == 0

        await server.start()
        await ears.until_here({"B6", "B7", "B8"})
        await ears.until_played(14)
        assert ears.played == names
        user = next(iter(server.world.accounts.users.values()))
        played = [track.id for track in order]

        def counts() -> list[int]:
            return [server.world.user_data.get(user.id, track_id).play_count for track_id in played]

        await until(lambda: counts() == [1] * 14)
        told = plays_told(server)
        assert {a[4].id, a[5].id, b[3].id, b[4].id} <= {track_id for track_id, _ in told}
        assert [track_id for track_id, _ in told] == [each for each in played if each in dict(told)]
        assert [date for _, date in told] == sorted(date for _, date in told)


async def test_a_kept_track_outlives_a_cleared_cache_and_the_plan_says_why(server: DemoServer, tmp_path: Path) -> None:
    async with engine_of(server, tmp_path / "home", CacheSettings(queue_precache_count=2)) as engine:
        a = await tracks_of(engine, "A")
        ears = Ears(engine)
        await engine.call("play_items", item_ids=[track.id for track in a])
        await ears.until_played(1)
        await ears.until_here({"A1", "A2", "A3"})
        await engine.call("stop")
        await engine.call("keep_cached", item_ids=[a[1].id])
        assert await clear(engine, a[0]) > 0
        assert [await engine.call("offline_is_available", item_id=track.id) for track in a[:3]] == [False, True, False]
        plan = await engine.call("plan_cache")
        assert ("fetch", a[2].id) in {(step.act, step.item_id) for step in plan}
        assert all(step.reason for step in plan)


async def test_the_limit_holds_on_the_disk_itself(server: DemoServer, tmp_path: Path) -> None:
    limit = 70_000  # three files and a half: the window of the one that plays fits
    assert sum(song.size for song in server.library.tracks if song.album == "Album B") > 1.5 * limit
    async with engine_of(server, tmp_path / "home", CacheSettings(storage_limit=limit)) as engine:
        b = await tracks_of(engine, "B")
        ears = Ears(engine)
        await engine.call("play_items", item_ids=[track.id for track in b])
        await ears.until_played(4)
        await engine.call("stop")
        await until_counted(engine, tmp_path / "home" / "data" / "downloads", limit)


async def test_after_a_start_the_next_ones_of_the_restored_queue_stay_though_the_limit_is_a_smaller_one(
    server: DemoServer, tmp_path: Path
) -> None:
    async with engine_of(server, tmp_path / "home", CacheSettings(queue_precache_count=3)) as engine:
        b = await tracks_of(engine, "B")
        ears = Ears(engine)
        await engine.call("play_items", item_ids=[track.id for track in b])
        await ears.until_here({"B1", "B2", "B3", "B4"})
        await engine.call("pause")
        use: CacheUse = await engine.call("get_cache")
    smaller = CacheSettings(queue_precache_count=3, storage_limit=int(use.cache_bytes * 0.8))
    async with engine_of(server, tmp_path / "home", smaller) as engine:
        queue: QueuePage = await engine.call("get_queue")
        current = queue.current_index
        assert current is not None
        going = {step.item_id for step in await engine.call("plan_cache") if step.act == "evict"}
        assert going
        assert going.isdisjoint(entry.track.id for entry in queue.entries[current : current + 2])


async def until_counted(engine: Engine, root: Path, limit: int) -> None:
    """Waits until the files take no more than the limit, and the cache counts exactly them: a file goes before its
    row does, so that the two may differ while something is being removed."""
    async with asyncio.timeout(30):
        while True:
            use: CacheUse = await engine.call("get_cache")
            if use.cache_bytes == on_disk(root) <= limit:
                return
            await asyncio.sleep(0.01)


def on_disk(root: Path) -> int:
    """The bytes of the disk's blocks that the files below a folder take."""
    total = 0
    for folder, _, names in os.walk(root):
        for name in names:
            with suppress(FileNotFoundError):  # it went in between
                facts = Path(folder, name).stat()
                total += facts.st_blocks * 512 if facts.st_size else 0
    return total
