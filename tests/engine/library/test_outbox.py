"""Plays and favourites reach the server: in order, with their dates, none twice, none lost, whatever breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from jellytui.engine.bus import EventBus
from jellytui.engine.errors import NotAllowedError, ServerError, ServerUnreachableError
from jellytui.engine.events import ConnectionState, FavoriteState
from jellytui.engine.jellyfin.records import StartReport, UserData
from jellytui.engine.library.outbox import Outbox
from jellytui.engine.library.syncing import mirror
from jellytui.engine.library.syncing.sync import LibrarySync
from jellytui.engine.library.views import LibraryViews
from jellytui.engine.models import Listing, Track
from jellytui.engine.storage.database import Database
from tests.support.catalogue import MUSIC, CatalogueInMemory, LinkInMemory, synced, track
from tests.support.clock import ManualClock
from tests.support.waiting import settle, until

START = "2026-01-01T10:00:00.000000Z"


def at(minute: int) -> str:
    return f"2026-01-01T10:{minute:02}:00.000000Z"


@pytest_asyncio.fixture
async def outbox(
    server: CatalogueInMemory, link: LinkInMemory, database: Database, bus: EventBus
) -> AsyncIterator[Outbox]:
    server.tracks[MUSIC] = [track(name) for name in ("one", "two", "three")]
    outbox = Outbox(database=database, client=server, connection=link, bus=bus, clock=ManualClock())
    yield outbox
    await outbox.stop()


async def add(outbox: Outbox, number: int, name: str = "one", *, is_reported: bool = False) -> None:
    await outbox.add_play(
        play_id=f"play-{number}",
        track_id=f"track-{name}",
        started_at=START,
        played_at=at(number),
        start=StartReport(is_counted=is_reported),
    )


async def unreported(database: Database) -> list[str]:
    rows = await database.fetch_all("SELECT play_id FROM plays WHERE reported = 0 ORDER BY played_at")
    return [row["play_id"] for row in rows]


async def emptied(database: Database) -> None:
    """Returns once no play waits any more."""
    async with asyncio.timeout(30):
        while await unreported(database):
            await asyncio.sleep(0.005)


async def test_plays_made_offline_reach_the_server_oldest_first_with_their_dates(
    outbox: Outbox, server: CatalogueInMemory, link: LinkInMemory, database: Database, bus: EventBus
) -> None:
    link.is_online = False
    await outbox.start()
    for number, name in ((3, "one"), (1, "two"), (2, "one")):
        await add(outbox, number, name)
    await settle()
    assert server.calls == []

    link.is_online = True
    bus.publish(ConnectionState(status="online"))
    await until(lambda: len(server.asked("mark_played")) == 3)
    await emptied(database)

    assert server.asked("mark_played") == [("track-two", at(1)), ("track-one", at(2)), ("track-one", at(3))]
    assert server.user_data_of["track-one"].play_count == 2


async def test_a_play_that_the_server_has_counted_itself_is_history_and_not_sent(
    outbox: Outbox, server: CatalogueInMemory, database: Database
) -> None:
    await add(outbox, 1, is_reported=True)
    await add(outbox, 2, "two")
    await outbox.start()
    await emptied(database)

    assert server.asked("mark_played") == [("track-two", at(2))]
    rows = await database.fetch_all("SELECT play_id, track_id, started_at, played_at, reported FROM plays")
    assert tuple(rows[0]) == ("play-1", "track-one", START, at(1), 1)


async def test_the_same_play_added_twice_counts_once(
    outbox: Outbox, server: CatalogueInMemory, database: Database, views: LibraryViews
) -> None:
    async with database.transaction() as transaction:
        await mirror.store_tracks(transaction, MUSIC, server.tracks[MUSIC])
    await add(outbox, 1)
    await add(outbox, 1)
    await outbox.start()
    await emptied(database)

    assert server.user_data_of["track-one"].play_count == 1
    mirrored = await views.item("track", "track-one")
    assert isinstance(mirrored, Track)
    assert (mirrored.play_count, mirrored.last_played_at) == (1, at(1))


@pytest.mark.parametrize("moment", ["mark_played", "set_last_played", "user_data"])
@pytest.mark.parametrize("has_arrived", [False, True])
async def test_an_answer_that_is_lost_makes_no_play_twice_or_lost(
    outbox: Outbox, server: CatalogueInMemory, link: LinkInMemory, database: Database, moment: str, has_arrived: bool
) -> None:
    server.user_data_of["track-one"] = UserData(item_id="track-one", play_count=7, last_played_at=at(50))
    losses = 2

    def lose(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal losses
        if name != moment or losses == 0:
            return
        losses -= 1
        if has_arrived and name == "mark_played":
            server.count(*arguments)
        raise ServerUnreachableError("music does not answer in time")

    server.before = lose
    await add(outbox, 1)
    await add(outbox, 2)
    await outbox.start()
    for _ in range(2):
        await until(lambda: not link.is_online)
        link.is_online = True
    await emptied(database)

    data = server.user_data_of["track-one"]
    assert (data.play_count, data.last_played_at) == (9, at(50))


async def test_a_play_elsewhere_in_between_is_not_taken_for_ours(
    outbox: Outbox, server: CatalogueInMemory, link: LinkInMemory, database: Database
) -> None:
    def lose(name: str, arguments: tuple[Any, ...]) -> None:
        if name == "mark_played":
            server.before = lambda *_: None
            server.count("track-one", at(59))
            raise ServerUnreachableError("music broke the connection off")

    server.before = lose
    await add(outbox, 1)
    await outbox.start()
    await until(lambda: not link.is_online)
    link.is_online = True
    await emptied(database)

    data = server.user_data_of["track-one"]
    assert (data.play_count, data.last_played_at) == (2, at(59))


async def test_a_track_that_is_gone_does_not_hold_up_the_others(
    outbox: Outbox, server: CatalogueInMemory, database: Database
) -> None:
    await add(outbox, 1, "gone")
    await add(outbox, 2)
    await outbox.start()
    await emptied(database)

    assert server.asked("mark_played") == [("track-one", at(2))]


async def test_a_refused_play_waits_with_its_track_while_the_others_go(
    server: CatalogueInMemory, link: LinkInMemory, database: Database, bus: EventBus
) -> None:
    clock = ManualClock()
    outbox = Outbox(database=database, client=server, connection=link, bus=bus, clock=clock)
    server.tracks[MUSIC] = [track("one"), track("two")]

    def refuse(name: str, arguments: tuple[Any, ...]) -> None:
        if name == "mark_played" and arguments[0] == "track-one":
            raise ServerError("music answered with an error (500)")

    server.before = refuse
    for number, name in ((1, "one"), (2, "one"), (3, "two")):
        await add(outbox, number, name)
    await outbox.start()
    await until(lambda: clock.sleepers)

    assert await unreported(database) == ["play-1", "play-2"]
    server.before = lambda *_: None
    await clock.advance(60)
    await until(lambda: len(server.asked("mark_played")) == 4)
    await emptied(database)
    await outbox.stop()

    assert server.user_data_of["track-one"].play_count == 2


async def test_after_a_database_error_the_plays_are_told_later_and_none_twice(
    server: CatalogueInMemory, link: LinkInMemory, database: Database, bus: EventBus
) -> None:
    server.tracks[MUSIC] = [track("one"), track("two")]
    clock = ManualClock()
    outbox = Outbox(database=database, client=server, connection=link, bus=bus, clock=clock)
    await add(outbox, 1, "one")
    await add(outbox, 2, "two")
    await database.execute(
        """CREATE TRIGGER full BEFORE UPDATE OF reported ON plays
           BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"""
    )
    await outbox.start()
    await until(lambda: clock.sleepers)
    await database.execute("DROP TRIGGER full")
    await clock.advance(60)
    await emptied(database)
    await outbox.stop()
    assert server.asked("mark_played") == [("track-one", at(1)), ("track-two", at(2))]


async def test_a_favorite_is_one_at_once_and_the_server_hears_of_it(
    outbox: Outbox, server: CatalogueInMemory, database: Database, views: LibraryViews, bus: EventBus
) -> None:
    async with database.transaction() as transaction:
        await mirror.store_tracks(transaction, MUSIC, server.tracks[MUSIC])
    told: list[FavoriteState] = []
    bus.subscribe([FavoriteState], lambda event: told.append(event) if isinstance(event, FavoriteState) else None)

    await outbox.set_favorite("track-one", True)

    assert [found.id for found in await views.favorite_tracks()] == ["track-one"]
    assert told == [FavoriteState(item_id="track-one", is_favorite=True)]
    await outbox.start()
    await until(lambda: server.favorites == {"track-one"})


async def test_of_many_wishes_made_offline_the_last_one_is_sent(
    outbox: Outbox, server: CatalogueInMemory, link: LinkInMemory, bus: EventBus
) -> None:
    link.is_online = False
    await outbox.start()
    for is_favorite in (True, False, True):
        await outbox.set_favorite("track-one", is_favorite)
    await outbox.set_favorite("track-two", False)

    link.is_online = True
    bus.publish(ConnectionState(status="online"))
    await until(lambda: len(server.asked("set_favorite")) == 2)

    assert server.asked("set_favorite") == [("track-one", True), ("track-two", False)]


async def test_a_wish_made_while_an_older_one_is_sent_is_sent_too(
    outbox: Outbox, server: CatalogueInMemory, database: Database
) -> None:
    changing: list[asyncio.Task[None]] = []

    def change(name: str, arguments: tuple[Any, ...]) -> None:
        if name == "set_favorite" and not changing:
            changing.append(asyncio.create_task(outbox.set_favorite("track-one", False)))

    server.before = change
    await outbox.set_favorite("track-one", True)
    await outbox.start()
    await until(lambda: len(server.asked("set_favorite")) >= 2)
    await until(lambda: not server.favorites)


async def test_a_refused_favorite_is_tried_again_later(
    server: CatalogueInMemory, link: LinkInMemory, database: Database, bus: EventBus
) -> None:
    clock = ManualClock()
    outbox = Outbox(database=database, client=server, connection=link, bus=bus, clock=clock)

    def refuse(*_: Any) -> None:
        raise NotAllowedError("music does not allow this account to do that")

    server.before = refuse
    await outbox.set_favorite("track-one", True)
    await outbox.start()
    await until(lambda: clock.sleepers)
    server.before = lambda *_: None
    await clock.advance(60)
    await until(lambda: server.favorites)
    await outbox.stop()


async def test_a_sync_does_not_undo_a_favorite_that_the_server_has_not_heard_of(
    outbox: Outbox, sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews, database: Database
) -> None:
    server.favorites = {"track-two"}
    await synced(sync)
    await outbox.set_favorite("track-one", True)
    await outbox.set_favorite("track-two", False)

    await synced(sync)
    assert [found.id for found in await views.favorite_tracks()] == ["track-one"]

    await outbox.start()
    await until(lambda: server.favorites == {"track-one"})
    await outbox.stop()
    server.favorites = {"track-three"}  # changed elsewhere, after ours arrived
    await synced(sync)
    assert [found.id for found in await views.favorite_tracks()] == ["track-three"]


async def test_a_list_of_favorites_from_before_the_wish_arrived_does_not_undo_it(
    outbox: Outbox, sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews, database: Database
) -> None:
    await synced(sync)
    old = frozenset(server.favorites)

    class AnswersLate(CatalogueInMemory):
        async def favorite_ids(self) -> frozenset[str]:
            await outbox.set_favorite("track-one", True)
            await outbox.start()
            async with asyncio.timeout(30):
                while not (await database.fetch_all("SELECT 1 FROM favorite_wishes WHERE is_sent = 1")):
                    await asyncio.sleep(0.005)
            return old

    server.__class__ = AnswersLate
    await synced(sync)

    assert await views.row_ids(Listing(kind="track", scope="favorites"))


async def test_what_is_settled_while_an_older_play_is_told_is_not_judged_by_what_was_read_before(
    outbox: Outbox, server: CatalogueInMemory, database: Database
) -> None:
    """The server's clock is wrong by a day: only the answer tells that it has counted the second play."""
    await add(outbox, 1, "two")
    await outbox.add_play(play_id="live", track_id="track-one", started_at=at(2), played_at=at(2), start=None)
    settling: list[asyncio.Task[None]] = []

    class AnswersLate(CatalogueInMemory):
        async def mark_played(self, item_id: str, played_at: str) -> None:
            await super().mark_played(item_id, played_at)
            if not settling:
                self.count("track-one", "2026-01-02T10:02:00.000000Z")
                settling.append(asyncio.create_task(outbox.settle_play("live", StartReport(is_counted=True))))
                await settling[0]

    server.__class__ = AnswersLate
    await outbox.start()
    await emptied(database)
    await settle()

    assert server.user_data_of["track-one"].play_count == 1


async def test_what_the_outbox_tells_itself_is_not_taken_for_a_start_that_never_arrived(
    outbox: Outbox, server: CatalogueInMemory, link: LinkInMemory, database: Database
) -> None:
    link.is_online = False
    await outbox.start()
    for number in (1, 2):
        await add(outbox, number)
    lost = StartReport(is_counted=None, before=UserData(item_id="track-one"))
    await outbox.add_play(play_id="lost", track_id="track-one", started_at=at(10), played_at=at(13), start=lost)
    link.is_online = True
    await emptied(database)

    assert server.asked("mark_played") == [("track-one", at(1)), ("track-one", at(2)), ("track-one", at(13))]


@pytest.mark.parametrize("has_arrived", [False, True])
async def test_plays_counted_live_later_are_not_taken_for_a_start_whose_answer_was_lost(
    outbox: Outbox, server: CatalogueInMemory, database: Database, has_arrived: bool
) -> None:
    lost = StartReport(is_counted=None, before=UserData(item_id="track-one", play_count=4))
    known = UserData(item_id="track-one", play_count=5, last_played_at=at(10)) if has_arrived else lost.before
    await outbox.add_play(play_id="lost", track_id="track-one", started_at=at(10), played_at=at(13), start=lost)
    for number in (20, 30):
        assert known is not None
        counted = StartReport(is_counted=True, before=known)
        await outbox.add_play(
            play_id=f"{number}", track_id="track-one", started_at=at(number), played_at=at(number + 3), start=counted
        )
        known = msgspec.structs.replace(known, play_count=known.play_count + 1, last_played_at=at(number))
    assert known is not None
    server.user_data_of["track-one"] = known
    await outbox.start()
    await emptied(database)

    assert server.user_data_of["track-one"].play_count == 7
