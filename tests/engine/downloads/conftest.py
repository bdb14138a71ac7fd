"""A download engine over a real database, real files and a real server; only link, network and clock obey the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from jellytui.config import CacheSettings, DownloadSettings, ServerSettings, Settings
from jellytui.demo.faults.relay import Sent
from jellytui.demo.library import DemoTrack, Library
from jellytui.demo.server import DemoServer
from jellytui.engine.bus import EventBus
from jellytui.engine.clock import Clock
from jellytui.engine.downloads.manager import DownloadManager
from jellytui.engine.downloads.ports import Network
from jellytui.engine.errors import JellytuiError
from jellytui.engine.events import DownloadEvent, Event
from jellytui.engine.jellyfin.client import JellyfinClient
from jellytui.engine.jellyfin.media import MediaClient, MediaTimeouts
from jellytui.engine.models import Account, DownloadInfo, Track
from jellytui.engine.storage.database import Database
from tests.support.cache_house import House, Make
from tests.support.catalogue import LinkInMemory
from tests.support.clock import ManualClock
from tests.support.signed_in import signed_in
from tests.support.waiting import settle, until


class NetworkInMemory:
    """A link whose price the test sets."""

    def __init__(self) -> None:
        self.is_metered = False
        self._callbacks: list[Callable[[], None]] = []

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def set(self, is_metered: bool) -> None:
        """The link changes."""
        self.is_metered = is_metered
        for callback in list(self._callbacks):
            callback()


class CoversInMemory:
    """Remembers which covers were asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def path(self, item_id: str, tag: str) -> None:
        self.asked.append((item_id, tag))


class LyricsInMemory:
    """Remembers of which tracks the words were asked for; raises `problem` once when there is one."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.problem: JellytuiError | None = None

    async def get(self, item_id: str) -> None:
        if (problem := self.problem) is not None:
            self.problem = None
            raise problem
        self.asked.append(item_id)


class ServerCatalogue:
    """Looks tracks up at the demo server's own library; `playlists` and `favorites` are the test's."""

    def __init__(self, server: DemoServer) -> None:
        self.known = {item.id: _track(item) for item in server.library.tracks}
        self.playlists: dict[str, list[Track]] = {}
        self.favorites: list[Track] = []
        self.problem: JellytuiError | None = None
        """Why playlists cannot be read."""

    async def tracks(self, ids: Any) -> list[Track]:
        return [self.known[item_id] for item_id in ids if item_id in self.known]

    async def tracks_of_album(self, album_id: str) -> list[Track]:
        found = [track for track in self.known.values() if track.album_id == album_id]
        return sorted(found, key=lambda track: (track.disc or 0, track.number or 0))

    async def tracks_of_artist(self, artist_id: str) -> list[Track]:
        return [track for track in self.known.values() if artist_id in track.artist_ids]

    async def tracks_of_playlist(self, playlist_id: str) -> list[Track]:
        if self.problem is not None:
            raise self.problem
        return self.playlists.get(playlist_id, [])

    async def favorite_tracks(self) -> list[Track]:
        return self.favorites


class Rig:
    """One engine after another over the same database and folder; `restart` is a process that ended and a new one."""

    def __init__(self, server: DemoServer, account: Account, token: str, folder: Path, clock: Clock) -> None:
        self.server = server
        self.account = account
        self.token = token
        self.folder = folder
        self.clock = clock
        self.root = folder / "downloads"
        self.link = LinkInMemory()
        self.network = NetworkInMemory()
        self.catalogue = ServerCatalogue(server)
        self.covers = CoversInMemory()
        self.lyrics = LyricsInMemory()
        self.settings = Settings(downloads=DownloadSettings(concurrency=2), cache=CacheSettings())
        self.read_timeout_s = 2.0
        self.free_floor_bytes = 0
        self.events: list[DownloadEvent] = []
        self.database: Database
        self.manager: DownloadManager
        self.client: JellyfinClient

    async def start(self) -> None:
        """A new engine on what is there."""
        self.database = await Database.open(self.folder / "jellytui.db")
        self.bus = bus = EventBus()
        bus.bind(asyncio.get_running_loop())
        bus.subscribe([DownloadEvent], self._hear)
        self.client = JellyfinClient(account=self.account, token=self.token, server=ServerSettings(), clock=self.clock)
        self.manager = DownloadManager(
            account=self.account,
            database=self.database,
            root=self.root,
            media=MediaClient(client=self.client, timeouts=MediaTimeouts(read_s=self.read_timeout_s)),
            client=self.client,
            connection=self.link,
            catalogue=self.catalogue,
            mirror=self.catalogue,
            covers=self.covers,
            lyrics=self.lyrics,
            bus=bus,
            settings=self.settings,
            clock=self.clock,
            network=self.network,
            free_floor_bytes=self.free_floor_bytes,
        )
        await self.manager.start()

    async def stop(self) -> None:
        """The engine ends in order."""
        await self.manager.stop()
        await self.client.close()
        await self.database.close()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    # What the test looks at.

    @property
    def songs(self) -> Sequence[DemoTrack]:
        """The server's tracks."""
        return self.server.library.tracks

    async def row(self, item_id: str) -> DownloadInfo:
        """A track's row as it stands now."""
        row = await self.manager.listing.by_item(item_id)
        assert row is not None
        return row

    async def rows(self) -> dict[str, DownloadInfo]:
        """All rows by their item."""
        return {row.item_id: row for row in await self.manager.downloads()}

    async def until_status(self, item_id: str, *statuses: str) -> DownloadInfo:
        """Waits until the track's row is in one of these states."""
        return await self.until_row(item_id, lambda row: row.status in statuses)

    async def until_row(self, item_id: str, condition: Callable[[DownloadInfo], object]) -> DownloadInfo:
        """Waits until the track's row is so."""
        async with asyncio.timeout(20):
            while True:
                row = await self.manager.listing.by_item(item_id)
                if row is not None and condition(row):
                    return row
                await asyncio.sleep(0.01)

    async def attempt_after(self, item_id: str, seconds: float) -> None:
        """Lets the track's next attempt begin, which waits that long and not a second less."""
        assert isinstance(self.clock, ManualClock)
        await self.until_row(item_id, lambda row: row.next_attempt_at)
        await self.until_idle()
        asked = len(self.asked(item_id))
        await self.clock.advance(seconds - 1)
        await settle()
        assert len(self.asked(item_id)) == asked
        await self.clock.advance(1)
        await until(lambda: len(self.asked(item_id)) > asked)

    async def until_idle(self) -> None:
        """Waits until no attempt runs."""
        await until(lambda: not self.manager.runner.running)

    def part(self, item_id: str) -> Path:
        """Where the track's bytes grow."""
        return self.manager.files.part_of(item_id)

    def asked(self, item_id: str) -> list[Any]:
        """The requests for the track's file, oldest first."""
        return [
            request
            for request in self.server.requests
            if item_id in request.path and ("Download" in request.path or "/stream" in request.path.lower())
        ]

    def sent(self, item_id: str) -> list[Sent]:
        """What came of those requests, as far as the relay has passed it on."""
        return [sent for sent in self.server.sent if item_id in sent.path and "/stream" in sent.path.lower()]

    async def whole(self, item_id: str) -> None:
        """Asserts that the track is completed, with exactly the server's bytes and nothing beside them."""
        row = await self.row(item_id)
        assert (row.status, row.progress, row.error_message) == ("completed", 1.0, None)
        assert row.file_path is not None
        song = next(song for song in self.songs if song.id == item_id)
        assert (self.root / row.file_path).read_bytes() == song.file.read_bytes()
        assert not self.part(item_id).exists()

    def _hear(self, event: Event) -> None:
        assert isinstance(event, DownloadEvent)
        self.events.append(event)


def _track(item: DemoTrack) -> Track:
    return Track(
        id=item.id,
        name=item.name,
        album=item.album or "",
        album_id=item.album_id or "",
        artists=("Somebody",),
        artist_ids=("somebody",),
        disc=item.disc,
        number=item.index,
        container=item.container,
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@asynccontextmanager
async def rig_for(server: DemoServer, folder: Path, clock: Clock) -> AsyncIterator[Rig]:
    """A started rig of the user `demo`."""
    async with signed_in(server) as http:
        user = (await http.get("/Users/Me")).json()
        token = http.headers["Authorization"].partition('Token="')[2].rstrip('"')
    account = Account(
        server_url=server.url,
        server_id=user["ServerId"],
        server_name="Demo",
        server_version="10.11.0",
        user_id=user["Id"],
        user_name="demo",
        device_id="dev-1",
    )
    rig = Rig(server, account, token, folder, clock)
    await rig.start()
    try:
        yield rig
    finally:
        await rig.stop()


@pytest_asyncio.fixture
async def server(noise: Library) -> AsyncIterator[DemoServer]:
    """The noise on a server that fails as the test says."""
    async with DemoServer(noise.tracks[0].file.parents[2], library=noise, relay=True) as server:
        yield server


@pytest_asyncio.fixture
async def rig(server: DemoServer, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Rig]:
    """An engine and its server."""
    async with rig_for(server, tmp_path, clock) as rig:
        yield rig


@pytest_asyncio.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    """Caches over one database and music folder."""
    houses: list[House] = []

    async def build(network: Network | None = None, **settings: Any) -> House:
        database = await Database.open(tmp_path / "jellytui.db")
        house = House(database, tmp_path / "music", network, **settings)
        houses.append(house)
        await house.cache.start()
        return house

    yield build
    for house in houses:
        await house.close()
