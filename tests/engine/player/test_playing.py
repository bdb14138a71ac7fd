"""The player with real libmpv: from disk, from the demo server, and through growing files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from jellytui.config import PlayerSettings, ServerSettings, Settings
from jellytui.demo.library import DemoTrack
from jellytui.demo.server import DemoServer
from jellytui.engine.clock import SystemClock
from jellytui.engine.errors import DiskError
from jellytui.engine.events import TrackPlayed, TrackStarted
from jellytui.engine.models import Track
from jellytui.engine.player.mpv import MpvSound
from jellytui.engine.player.player import Player
from jellytui.engine.storage.database import Database
from tests.engine.player.conftest import World
from tests.support.hearing import PartialFile
from tests.support.libmpv import needs_libmpv
from tests.support.waiting import until

pytestmark = needs_libmpv


class RealWorld(World):
    """The player over libmpv and the machine's clock, asking a demo server."""

    url = "http://127.0.0.1:1"

    def make_player(self) -> Player:
        return Player(
            files=self.files,
            stream_url=lambda item_id: f"{self.url}/Audio/{item_id}/stream?static=true",
            reports=self.reports,
            plays=self.plays,
            database=self.database,
            bus=self.bus,
            settings=Settings(player=PlayerSettings(audio_output="null")),
            clock=SystemClock(),
            sound=MpvSound(PlayerSettings(audio_output="null"), ServerSettings()),
        )

    async def until_stopped(self) -> None:
        async with asyncio.timeout(30):
            await self.player.wait_until_stopped()


@pytest_asyncio.fixture
async def real(database: Database) -> AsyncIterator[RealWorld]:
    world = RealWorld(database)
    await world.player.start()
    yield world
    await world.player.stop()


def _as_track(item: DemoTrack) -> Track:
    return Track(id=item.id, name=item.name, duration_ms=1000)


def _album(server: DemoServer) -> list[DemoTrack]:
    """Three short FLACs."""
    return [item for item in server.library.tracks if item.file.suffix == ".flac"][1:4]


async def test_an_album_on_disk_plays_to_its_end(real: RealWorld, demo_server: DemoServer) -> None:
    album = _album(demo_server)
    real.files.here = {item.id: Path(item.file) for item in album}
    await real.player.play_tracks([_as_track(item) for item in album])
    await until(lambda: real.state.codec == "flac" and real.state.status == "playing")
    await until(lambda: real.state.sample_rate_hz)  # mpv tells of it a moment after the codec
    assert (real.state.source, real.state.sample_rate_hz) == ("disk", 44_100)
    await real.until_stopped()
    await real.player.stop()
    ids = [item.id for item in album]
    assert (real.names(TrackStarted), real.names(TrackPlayed)) == (ids, ids)
    assert [kind for kind, _ in real.reports.told if kind != "progress"] == ["started", "stopped"] * 3
    assert real.problems == []
    assert real.files.leased == []


async def test_where_nothing_can_be_written_the_server_s_url_plays(real: RealWorld, demo_server: DemoServer) -> None:
    real.files.stream_error = DiskError("the disk is full.")
    real.url = demo_server.url
    album = _album(demo_server)[:2]
    await real.player.play_tracks([_as_track(item) for item in album])
    await until(lambda: real.state.status == "playing")
    assert real.state.source == "server"
    await real.until_stopped()
    assert real.names(TrackStarted) == [item.id for item in album]
    asked = [request for request in demo_server.requests if "/stream" in request.path]
    assert len(asked) == 2
    assert all("authorization" not in request.headers for request in asked)


async def test_a_track_that_the_server_has_lost_is_skipped(real: RealWorld, demo_server: DemoServer) -> None:
    real.files.stream_error = DiskError("the disk is full.")
    real.url = demo_server.url
    lost = Track(id="0" * 32, name="Lost", duration_ms=1000)
    await real.player.play_tracks([lost, _as_track(_album(demo_server)[0])])
    await until(lambda: real.names(TrackStarted))
    assert real.problems == ["“Lost” cannot be played: the server does not have it any more."]


async def test_a_track_plays_while_it_comes(real: RealWorld, demo_server: DemoServer) -> None:
    album = _album(demo_server)[:2]
    contents = [Path(item.file).read_bytes() for item in album]
    files = [PartialFile(content) for content in contents]
    real.files.growing = dict(zip([item.id for item in album], files, strict=True))
    await real.player.play_tracks([_as_track(item) for item in album])
    for file in files:
        for available in range(0, len(file.content), 4096):
            file.grow(available)
            await asyncio.sleep(0)
        file.grow()
    await real.until_stopped()
    assert real.names(TrackStarted) == [item.id for item in album]
    assert all(file.is_closed for file in files)
