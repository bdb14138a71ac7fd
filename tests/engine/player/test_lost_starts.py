"""The answer to the report of a start is lost, over a socket: the server ends with one count of each play."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from jellytui.demo.server import DemoServer
from jellytui.engine.bus import EventBus
from jellytui.engine.clock import timestamp
from jellytui.engine.errors import ServerUnreachableError
from jellytui.engine.events import PlayerState
from jellytui.engine.jellyfin.client import JellyfinClient
from jellytui.engine.jellyfin.records import PlaybackReport, UserData
from jellytui.engine.library.outbox import Outbox
from jellytui.engine.models import Track
from jellytui.engine.player.listening import Listening
from jellytui.engine.player.reporting import Reporter
from jellytui.engine.storage.database import Database
from tests.engine.library.test_with_demo_server import client_of
from tests.support.catalogue import LinkInMemory
from tests.support.clock import ManualClock
from tests.support.signed_in import signed_in
from tests.support.waiting import until


class FarServer:
    """The server's client whose reports of starts arrive; the answers are lost, with `hangs` only once `let_go` is set
    and then they come after all. (The relay cannot lose a 204: it has nothing but a head.)"""

    def __init__(self, client: JellyfinClient, *, hangs: bool = False) -> None:
        self._client = client
        self._hangs = hangs
        self.let_go = asyncio.Event()
        self.has_sent = asyncio.Event()
        self.report_progress = client.report_progress
        self.report_stopped = client.report_stopped
        self.user_data = client.user_data

    async def report_started(self, report: PlaybackReport) -> None:
        await self._client.report_started(report)
        self.has_sent.set()
        if not self._hangs:
            raise ServerUnreachableError("Demo broke the connection off.")
        await self.let_go.wait()


class TodaysClock(ManualClock):
    """Only the test lets time pass, but the date is today's, as it is to the server."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class House:
    """A listener, an outbox and a server with one track of which the user has heard nothing yet."""

    server: DemoServer
    client: JellyfinClient
    database: Database
    item_id: str
    clock: ManualClock = field(default_factory=TodaysClock)
    link: LinkInMemory = field(default_factory=LinkInMemory)
    bus: EventBus = field(default_factory=EventBus)

    def __post_init__(self) -> None:
        self.outbox = self.make_outbox()

    def make_outbox(self) -> Outbox:
        """As a new process has it."""
        return Outbox(database=self.database, client=self.client, connection=self.link, bus=self.bus, clock=self.clock)

    def listening(self, client: JellyfinClient | FarServer | None = None) -> Listening:
        """It hears tracks of twenty milliseconds."""
        reporter = Reporter(client=client or self.client, connection=self.link, flush_s=0.05)
        return Listening(reports=reporter, plays=self.outbox, bus=self.bus, clock=self.clock, state=PlayerState)

    async def hear(self, listening: Listening) -> None:
        """One play, long enough to count."""
        listening.begin(Track(id=self.item_id, name="Song", album_id="album"), 20)
        await self.clock.advance(1)
        listening.tick()

    async def rows(self) -> list[tuple[int, int]]:
        """(reported, is_open) of each play that is written."""
        rows = await self.database.fetch_all("SELECT reported, is_open FROM plays ORDER BY rowid")
        return [(row["reported"], row["is_open"]) for row in rows]

    async def until_rows(self, *rows: tuple[int, int]) -> None:
        """Waits until the plays are so."""
        async with asyncio.timeout(10):
            while await self.rows() != list(rows):
                await asyncio.sleep(0.005)

    async def data(self) -> UserData:
        """What the server knows."""
        return await self.client.user_data(self.item_id)


@pytest_asyncio.fixture
async def house(demo_server: DemoServer, tmp_path: Path) -> AsyncIterator[House]:
    async with signed_in(demo_server) as http, client_of(demo_server, http) as client:
        database = await Database.open(tmp_path / "jellytui.db")
        item = (await http.get("/Items", params={"recursive": True, "includeItemTypes": "Audio", "limit": 1})).json()
        house = House(demo_server, client, database, item["Items"][0]["Id"])
        yield house
        await house.outbox.stop()
        await database.close()


def losing(house: House, *, has_arrived: bool) -> Listening:
    """The report of a start arrives and its answer is lost, or a proxy says that it got none."""
    if has_arrived:
        return house.listening(FarServer(house.client))
    house.server.faults.add("status", route="/sessions/playing", times=1, status=504)
    return house.listening()


@pytest.mark.parametrize("has_arrived", [True, False])
async def test_a_start_whose_answer_or_request_is_lost_counts_once(house: House, has_arrived: bool) -> None:
    started_at = house.clock.now()
    await house.hear(losing(house, has_arrived=has_arrived))
    await until(lambda: not house.link.is_online)
    await house.until_rows((0, 1))
    assert (await house.data()).play_count == int(has_arrived)

    house.link.is_online = True
    await house.outbox.start()
    await house.until_rows((1, int(has_arrived)))
    data = await house.data()
    assert data.play_count == 1
    assert data.last_played_at is not None
    assert abs((datetime.fromisoformat(data.last_played_at) - started_at).total_seconds()) < 10


@pytest.mark.parametrize("has_arrived", [True, False])
async def test_a_play_elsewhere_after_a_lost_start_is_not_taken_for_it(house: House, has_arrived: bool) -> None:
    await house.hear(losing(house, has_arrived=has_arrived))
    await until(lambda: not house.link.is_online)
    await house.until_rows((0, 1))
    elsewhere = timestamp(house.clock.now() + timedelta(hours=1))
    await house.client.mark_played(house.item_id, elsewhere)

    house.link.is_online = True
    await house.outbox.start()
    await house.until_rows((1, int(has_arrived)))
    data = await house.data()
    assert (data.play_count, data.last_played_at) == (2, elsewhere)


@pytest.mark.parametrize("is_killed", [True, False])
async def test_a_play_is_written_before_the_answer_to_its_start_and_waits_for_it(house: House, is_killed: bool) -> None:
    hanging = FarServer(house.client, hangs=True)
    listening = house.listening(hanging)
    await house.outbox.start()
    await house.hear(listening)
    await house.until_rows((0, 1))
    await hanging.has_sent.wait()
    # A favourite that arrived says that this outbox has looked at what waits, and left the play alone.
    await house.outbox.set_favorite(house.item_id, True)
    await until(lambda: any("/UserFavoriteItems/" in request.path for request in house.server.requests))
    assert await house.rows() == [(0, 1)]

    if is_killed:
        next_process = house.make_outbox()
        await next_process.start()
    else:
        hanging.let_go.set()
    await house.until_rows((1, int(is_killed)))
    assert (await house.data()).play_count == 1
    if is_killed:
        await next_process.stop()
        hanging.let_go.set()
        await listening.finish()


async def test_quitting_while_a_start_has_no_answer_leaves_it_open(house: House) -> None:
    hanging = FarServer(house.client, hangs=True)
    listening = house.listening(hanging)
    await house.hear(listening)
    await hanging.has_sent.wait()
    await listening.finish()
    assert await house.rows() == [(0, 1)]

    await house.outbox.start()
    await house.until_rows((1, 1))
    assert (await house.data()).play_count == 1


async def test_a_start_to_a_server_that_is_gone_is_not_open_and_counts_once(house: House) -> None:
    await house.server.stop()
    await house.hear(house.listening())
    await until(lambda: not house.link.is_online)
    await house.until_rows((0, 0))
    await house.server.start()

    house.link.is_online = True
    await house.outbox.start()
    await house.until_rows((1, 0))
    assert (await house.data()).play_count == 1
