"""The player on one fetch: it keeps its place whatever becomes of the file, and plays what cannot be kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from jellytui.config import CacheSettings, PlayerSettings, ServerSettings, Settings
from jellytui.demo.server import DemoServer
from jellytui.engine.bus import EventBus
from jellytui.engine.clock import SystemClock
from jellytui.engine.events import Event, PlayerState, ProblemOccurred, TrackStarted
from jellytui.engine.models import Track
from jellytui.engine.player.mpv import MpvSound
from jellytui.engine.player.player import Player
from jellytui.engine.player.sound import stream_uri
from tests.engine.downloads.conftest import Rig, rig_for
from tests.engine.downloads.stream.test_reading import STREAMS, song_of
from tests.engine.player.conftest import FakePlays, FakeReports
from tests.support.hearing import RATE, dumped, noise, open_ear, samples_of, write
from tests.support.libmpv import needs_libmpv
from tests.support.streaming import Asked, QuickClock
from tests.support.waiting import until

pytestmark = needs_libmpv


class Listener:
    """A player over a rig's downloads, with all that it said."""

    def __init__(self, rig: Rig, audio_output: str) -> None:
        self.rig = rig
        self.bus = EventBus()
        self.bus.bind(asyncio.get_running_loop())
        self.events: list[Event] = []
        self.bus.subscribe([PlayerState, ProblemOccurred, TrackStarted], self.events.append)
        settings = Settings(player=PlayerSettings(audio_output=audio_output))
        self.player = Player(
            files=rig.manager,
            stream_url=lambda item_id: f"{rig.server.url}/Audio/{item_id}/stream?static=true",
            reports=FakeReports(),
            plays=FakePlays(),
            database=rig.database,
            bus=self.bus,
            settings=settings,
            clock=QuickClock(1.0),
            sound=MpvSound(settings.player, ServerSettings()),
        )

    @property
    def state(self) -> PlayerState:
        return self.player.state

    @property
    def problems(self) -> list[str]:
        return [event.problem.text for event in self.events if isinstance(event, ProblemOccurred)]

    def has_kept_its_place(self) -> int:
        """Asserts that one track was started and never stepped back; returns how far it came, in ms."""
        states = [event for event in self.events if isinstance(event, PlayerState) and event.track is not None]
        positions = [state.position_ms for state in states if state.status != "stopped"]
        assert all(later >= earlier - 150 for earlier, later in pairwise(positions))
        assert len([event for event in self.events if isinstance(event, TrackStarted)]) == 1
        return max(positions)

    async def play(self, *containers: str) -> list[Track]:
        """Plays the songs of these containers one after the other, as loud as they are."""
        await self.player.set_volume(100)
        tracks = await self.rig.catalogue.tracks([song_of(self.rig, container).id for container in containers])
        await self.player.play_tracks(tracks)
        return tracks


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where audiodump.wav goes."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest_asyncio.fixture
async def listener(listening: Rig) -> AsyncIterator[Listener]:
    """A player that plays at full speed into audiodump.wav."""
    listener = Listener(listening, "pcm")
    await listener.player.start()
    yield listener
    await listener.player.stop()


@pytest.mark.parametrize("here", [[], ["flac"], ["wav"], ["flac", "wav"]])
async def test_tracks_follow_each_other_without_a_gap_from_disk_and_line(listener: Listener, here: list[str]) -> None:
    rig = listener.rig
    songs = [song_of(rig, "flac"), song_of(rig, "wav")]
    for container in here:
        await rig.manager.wishes.download_item(song_of(rig, container).id)
        await rig.until_status(song_of(rig, container).id, "completed")
    await listener.play("flac", "wav")
    await until(lambda: listener.state.status == "playing")
    await listener.player.wait_until_stopped()
    for song in songs:
        await rig.until_status(song.id, "completed")
        await rig.whole(song.id)
        assert Asked.of(rig.asked(song.id)).ranges == ((0, None),)
    assert np.array_equal(dumped(), np.concatenate([samples_of(song.file) for song in songs]))
    assert listener.problems == []


@asynccontextmanager
async def short_song(
    folder: Path, seconds: float, settings: Settings | None = None, audio_output: str = "null"
) -> AsyncIterator[Listener]:
    """A player at the speed of music, with a server that has one short song."""
    music = folder / "music"
    music.mkdir()
    write(music / "song.wav", noise(seconds))
    async with DemoServer(music, relay=True) as server, rig_for(server, folder, QuickClock(20.0)) as rig:
        if settings is not None:
            rig.settings = settings
            await rig.restart()
        listener = Listener(rig, audio_output)
        await listener.player.start()
        yield listener
        await listener.player.stop()


@pytest.mark.parametrize("audio_output", ["null", "pcm"])
async def test_a_file_that_changes_while_it_plays_keeps_its_place(folder: Path, audio_output: str) -> None:
    async with short_song(folder, 5.0, audio_output=audio_output) as listener:
        rig, song = listener.rig, song_of(listener.rig, "wav")
        rig.server.faults.add("close", route=STREAMS, after_bytes=400_000, times=1)
        again = rig.server.faults.add("delay", route=STREAMS, seconds=0.5, nth=2)
        await listener.play("wav")
        await until(lambda: again.hits)
        # In one step: the server must not see half a file.
        content = write(folder / "other.wav", noise(6.0, seed=6)).replace(song.file).read_bytes()
        after = samples_of(song.file)
        if audio_output == "null":
            await until(lambda: listener.state.position_ms > 3000)
        else:
            await listener.player.wait_until_stopped()
        listener.has_kept_its_place()
        assert listener.problems == []
        row = await rig.until_status(song.id, "completed")
        assert (rig.root / (row.file_path or "")).read_bytes() == content
    if audio_output == "pcm":
        heard = dumped()  # since the file was opened again
        place = len(after) - len(heard)
        assert place == pytest.approx(400_000 / 4, abs=0.15 * RATE)
        assert np.array_equal(heard, after[place:])


@pytest.mark.parametrize("audio_output", ["null", "pcm"])
async def test_a_line_at_half_the_bitrate_is_waited_for_to_the_end(folder: Path, audio_output: str) -> None:
    async with short_song(folder, 4.0, audio_output=audio_output) as listener:
        rig, song = listener.rig, song_of(listener.rig, "wav")
        rig.server.faults.add("drip", route=STREAMS, rate=RATE * 4 // 2)
        await listener.play("wav")
        # Without a device that runs dry mpv does not tell of stalls.
        await until(lambda: listener.state.status == ("stalled" if audio_output == "null" else "playing"))
        await listener.player.wait_until_stopped()
        listener.has_kept_its_place()
        assert listener.problems == []
        await rig.until_status(song.id, "completed")
        await rig.whole(song.id)
        assert [sent.body_bytes for sent in rig.sent(song.id)] == [song.size]
    if audio_output == "pcm":
        assert np.array_equal(dumped(), samples_of(song.file))


@pytest.mark.parametrize("is_full", [True, False])
async def test_what_cannot_be_kept_plays_all_the_same(folder: Path, is_full: bool) -> None:
    settings = None if is_full else Settings(cache=CacheSettings(storage_limit=0))
    async with short_song(folder, 1.5, settings) as listener:
        rig = listener.rig
        if is_full:
            rig.manager.disk.free_floor_bytes = 1 << 60
        await listener.play("wav")
        await until(lambda: listener.state.status == "playing")
        await listener.player.wait_until_stopped()
        assert len([event for event in listener.events if isinstance(event, TrackStarted)]) == 1
        assert listener.problems == []
        assert any("mpv" in request.headers.get("user-agent", "") for request in rig.server.requests)
        assert not list(rig.root.rglob("*.wav"))


async def test_downloads_go_on_beside_the_next_track_once_its_first_seconds_are_here(folder: Path) -> None:
    (folder / "music").mkdir()
    for number, seconds in enumerate((14.0, 120.0, 1.0)):
        write(folder / "music" / f"0{number} Song.wav", noise(seconds, seed=number))
    async with DemoServer(folder / "music", relay=True) as server, rig_for(server, folder, SystemClock()) as rig:
        first, second, other = sorted(rig.songs, key=lambda song: song.file.name)
        server.faults.add("drip", route=f"*/{second.id}/stream", rate=second.size // 12)
        async with open_ear("null", rig.manager.open_stream) as ear:
            ear.sound.load(stream_uri(first.id), start_ms=0, gain_db=None)
            ear.sound.append(stream_uri(second.id), gain_db=None)
            await until(lambda: rig.sent(second.id) and rig.sent(second.id)[0].body_bytes > second.size * 30 // 120)
            await rig.manager.wishes.download_item(other.id)
            await rig.until_status(other.id, "completed")
            assert rig.sent(second.id)[0].body_bytes < second.size * 60 // 120


async def test_a_track_that_is_gone_is_skipped_with_words(listener: Listener) -> None:
    rig = listener.rig
    rig.server.faults.add("status", route=f"*/{song_of(rig, 'flac').id}/stream", status=404)
    await listener.play("flac", "wav")
    await until(lambda: listener.state.track is not None and listener.state.track.id == song_of(rig, "wav").id)
    await listener.player.wait_until_stopped()
    assert len(listener.problems) == 1
    assert "no longer has this track" in listener.problems[0]
