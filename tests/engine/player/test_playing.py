"""The player with real libmpv: from disk, from the demo server, and through growing files."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from jellytui.config import PlayerSettings, ServerSettings, Settings
from jellytui.demo.library import DemoTrack
from jellytui.demo.server import DemoServer
from jellytui.engine.clock import SystemClock
from jellytui.engine.errors import DiskError, SoundError
from jellytui.engine.events import TrackPlayed, TrackStarted
from jellytui.engine.models import Track
from jellytui.engine.player.mpv import MpvSound
from jellytui.engine.player.player import Player
from jellytui.engine.storage.database import Database
from tests.engine.player.conftest import World
from tests.support.hearing import PartialFile, tone
from tests.support.libmpv import needs_libmpv
from tests.support.waiting import settle, until

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


class FoundOnce(dict[str, Path]):
    """Files that somebody deletes after they were found."""

    def get(self, item_id: str, default: Any = None) -> Any:
        return self.pop(item_id, default)


@pytest_asyncio.fixture
async def real(database: Database) -> AsyncIterator[RealWorld]:
    world = RealWorld(database)
    await world.player.start()
    yield world
    await world.player.stop()


@dataclass
class Cores:
    """The cores of libmpv that were made, each only once the gate is open."""

    gate: threading.Event = field(default_factory=threading.Event)
    begun: int = 0
    handles: list[Any] = field(default_factory=list)

    def are_gone(self) -> bool:
        """Whether each has ended; python-mpv forgets a core's handle as it ends."""
        return all(handle.handle is None for handle in self.handles)


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cores]:
    cores = Cores()
    make = MpvSound._make

    def make_at_the_gate(*arguments: Any) -> Any:
        cores.begun += 1
        assert cores.gate.wait(30)
        made = make(*arguments)
        cores.handles.append(made[0])
        return made

    monkeypatch.setattr(MpvSound, "_make", make_at_the_gate)
    yield cores
    cores.gate.set()


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


async def test_asking_for_the_devices_while_the_first_track_is_loaded_makes_one_core(
    real: RealWorld, cores: Cores, tmp_path: Path
) -> None:
    cores.gate.set()
    real.files.here["a"] = tone(tmp_path / "a.wav", 20)
    devices, _ = await asyncio.gather(real.player.audio_devices(), real.player.play_tracks([Track(id="a", name="A")]))
    assert "auto" in devices
    await until(lambda: real.state.status == "playing")
    assert len(cores.handles) == 1
    await real.player.pause()
    assert cores.handles[0].pause
    await real.player.stop()
    assert cores.are_gone()


@pytest.mark.parametrize("goes_on", [True, False])
async def test_a_play_that_is_given_up_while_libmpv_is_made_leaves_one_core_that_ends(
    real: RealWorld, cores: Cores, tmp_path: Path, goes_on: bool
) -> None:
    real.files.here["a"] = tone(tmp_path / "a.wav", 20)
    playing = asyncio.create_task(real.player.play_tracks([Track(id="a", name="A")]))
    await until(lambda: cores.begun)
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)
    cores.gate.set()
    if goes_on:
        await real.player.play()
        await until(lambda: real.state.status == "playing")
    await real.player.stop()
    assert len(cores.handles) == 1
    assert cores.are_gone()


async def test_quitting_while_libmpv_is_made_ends_it(real: RealWorld, cores: Cores) -> None:
    playing = asyncio.create_task(real.player.play_tracks([Track(id="a", name="A")]))
    await until(lambda: cores.begun)
    stopping = asyncio.create_task(real.player.stop())
    await settle()
    assert not stopping.done()
    cores.gate.set()
    await stopping
    with pytest.raises(SoundError, match="closed"):
        await playing
    assert len(cores.handles) == 1
    assert cores.are_gone()
    with pytest.raises(SoundError, match="closed"):
        await real.player.play()
    assert cores.begun == 1


async def test_a_file_that_is_gone_when_it_is_opened_plays_from_the_server(
    real: RealWorld, demo_server: DemoServer, tmp_path: Path
) -> None:
    (item,) = _album(demo_server)[:1]
    content = item.file.read_bytes()
    real.files.here = FoundOnce({item.id: tmp_path / "gone.flac"})
    real.files.growing = {item.id: PartialFile(content, available=len(content))}
    await real.player.play_tracks([_as_track(item)])
    await real.until_stopped()
    assert real.names(TrackStarted) == [item.id]
    assert (real.problems, real.files.leased) == ([], [])
