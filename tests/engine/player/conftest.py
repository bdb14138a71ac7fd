"""A player over a real database, a sound by the test's clock, and what it tells to whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from jellytui.config import Settings
from jellytui.engine.bus import EventBus
from jellytui.engine.errors import JellytuiError
from jellytui.engine.events import Event, PlayerState, ProblemOccurred, TrackPlayed, TrackStarted
from jellytui.engine.jellyfin.records import PlaybackReport, StartReport
from jellytui.engine.models import Track
from jellytui.engine.player.player import Player
from jellytui.engine.player.source import GrowingFile
from jellytui.engine.storage.database import Database
from tests.support.clock import ManualClock
from tests.support.hearing import Ear, open_ear
from tests.support.sound import NullSound
from tests.support.waiting import settle


@dataclass
class FakeFiles:
    """Downloads: the ids that are here, who holds them, and growing files by id."""

    here: dict[str, Path] = field(default_factory=dict)
    leased: list[str] = field(default_factory=list)
    growing: dict[str, GrowingFile] = field(default_factory=dict)
    stream_error: JellytuiError | None = None

    async def local_path(self, item_id: str) -> Path | None:
        assert item_id in self.leased  # or it might go between the look and the load
        return self.here.get(item_id)

    async def first_local(self, item_ids: Sequence[str]) -> str | None:
        return next((item_id for item_id in item_ids if item_id in self.here), None)

    @contextmanager
    def lease(self, item_id: str) -> Iterator[None]:
        self.leased.append(item_id)
        yield
        self.leased.remove(item_id)

    async def open_stream(self, item_id: str) -> GrowingFile:
        if self.stream_error is not None:
            raise self.stream_error
        return self.growing[item_id]


@dataclass
class FakeReports:
    """The server's ear: what it was told, in order; `is_online` says whether it counts plays."""

    is_online: bool = True
    told: list[tuple[str, PlaybackReport]] = field(default_factory=list)

    def started(self, report: PlaybackReport) -> asyncio.Future[StartReport]:
        self.told.append(("started", report))
        answer: asyncio.Future[StartReport] = asyncio.get_running_loop().create_future()
        answer.set_result(StartReport(is_counted=self.is_online))
        return answer

    def progress(self, report: PlaybackReport) -> None:
        self.told.append(("progress", report))

    def stopped(self, report: PlaybackReport) -> None:
        self.told.append(("stopped", report))

    async def flush(self) -> None:
        return


@dataclass
class FakePlays:
    """The outbox: the plays that were written."""

    written: list[dict[str, Any]] = field(default_factory=list)
    problem: Exception | None = None

    async def add_play(
        self, *, play_id: str, track_id: str, started_at: str, played_at: str, start: StartReport | None
    ) -> None:
        if self.problem is not None:
            raise self.problem
        is_reported = start is not None and start.is_counted
        self.written.append({"play_id": play_id, "track_id": track_id, "is_reported": is_reported})

    async def settle_play(self, play_id: str, start: StartReport) -> None:
        raise NotImplementedError


class World:
    """A player with everything around it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = ManualClock()
        self.bus = EventBus()
        self.sound = NullSound(self.clock)
        self.files = FakeFiles()
        self.reports = FakeReports()
        self.plays = FakePlays()
        self.events: list[Event] = []
        self.bus.subscribe([TrackStarted, TrackPlayed, ProblemOccurred, PlayerState], self.events.append)
        self.player = self.make_player()

    def make_player(self) -> Player:
        """Another player over the same database, as after a restart."""
        return Player(
            files=self.files,
            stream_url=lambda item_id: f"http://server/{item_id}",
            reports=self.reports,
            plays=self.plays,
            database=self.database,
            bus=self.bus,
            settings=Settings(),
            clock=self.clock,
            sound=self.sound,
        )

    async def advance(self, seconds: float) -> None:
        """Time passes, and everybody who is due gets done."""
        await settle()
        await self.clock.advance(seconds)
        await settle()

    def names(self, kind: type[TrackStarted] | type[TrackPlayed]) -> list[str]:
        """The tracks of the events of a kind, in order."""
        return [event.track.id for event in self.events if isinstance(event, kind)]

    @property
    def problems(self) -> list[str]:
        """What the user was told."""
        return [event.problem.text for event in self.events if isinstance(event, ProblemOccurred)]

    @property
    def state(self) -> PlayerState:
        return self.player.state

    def now(self) -> tuple[str, str | None]:
        """Status and track."""
        state = self.state
        return state.status, state.track.id if state.track else None


def track(item_id: str, **facts: Any) -> Track:
    """A track of 100 s."""
    return Track(id=item_id, name=f"Song {item_id}", duration_ms=facts.pop("duration_ms", 100_000), **facts)


def tracks(ids: str) -> list[Track]:
    """One track for each letter."""
    return [track(item_id) for item_id in ids]


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(tmp_path / "jellytui.db")
    yield database
    await database.close()


@pytest_asyncio.fixture
async def world(database: Database) -> AsyncIterator[World]:
    world = World(database)
    await world.player.start()
    yield world
    await world.player.stop()


@pytest_asyncio.fixture
async def ear() -> AsyncIterator[Ear]:
    """Real libmpv that plays in silence."""
    async with open_ear("null") as ear:
        yield ear


@pytest_asyncio.fixture
async def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ear]:
    """Real libmpv that writes what it plays to audiodump.wav in `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    async with open_ear("pcm") as ear:
        yield ear


@pytest.fixture
def stream_uris() -> dict[str, str]:
    """How the sound is given remote tracks."""
    return {item_id: f"jellytui://{item_id}" for item_id in "abcdefgh"}
