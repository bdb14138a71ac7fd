"""The queue in SQLite: order, adoption, claims, generations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from jellytui.engine.downloads.rows.listing import Listing
from jellytui.engine.downloads.rows.queue import CLAIM, Claim, QueueRows
from jellytui.engine.downloads.rows.requests import Ask, Requests
from jellytui.engine.models import Track
from jellytui.engine.storage.database import Database
from tests.support.catalogue import track
from tests.support.clock import ManualClock

USER = Ask(wanted_by="user", origin="user", priority=0)
CACHE = Ask(wanted_by="queue", origin="queue", priority=-100)
ALBUM = [track(name, number=number) for number, name in enumerate("abcdef", start=1)]


class Queue:
    """The rows and those who write them, over one database."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database = database
        self.rows = QueueRows(database, clock)
        self.requests = Requests(database, clock, "user")
        self.listing = Listing(database)

    async def claims(self) -> list[str]:
        """Everything that can be claimed, in order, by name."""
        names = []
        while claim := await self.rows.claim(is_metered=False):
            names.append(claim.item_id.removeprefix("track-"))
        return names

    async def claim(self) -> Claim:
        claim = await self.rows.claim(is_metered=False)
        assert claim is not None
        return claim


@pytest_asyncio.fixture
async def queue(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Queue]:
    database = await Database.open(tmp_path / "jellytui.db")
    queue = Queue(database, clock)
    yield queue
    await queue.listing.close()
    await database.close()


async def test_an_album_comes_in_its_own_order_whatever_the_clock_does(queue: Queue, clock: ManualClock) -> None:
    await queue.requests.add(ALBUM[:2], USER)
    clock.set_wall(clock.now() - timedelta(days=1))
    await queue.requests.add(ALBUM[2:4], USER)
    clock.set_wall(clock.now() + timedelta(days=2))
    await queue.requests.add(ALBUM[4:], USER)
    assert await queue.claims() == list("abcdef")


async def test_the_order_holds_after_a_restart_with_the_clock_set_back(queue: Queue, clock: ManualClock) -> None:
    await queue.requests.add(ALBUM[:3], USER)
    clock.set_wall(clock.now() - timedelta(days=365))
    again = Requests(queue.database, clock, "user")
    await again.add(ALBUM[3:], USER)
    assert await queue.claims() == list("abcdef")


async def test_priority_goes_before_age(queue: Queue) -> None:
    for name, priority in (("album", -200), ("user", 0), ("queue", -100), ("first", 100), ("stream", 300)):
        await queue.requests.add([track(name)], Ask(wanted_by="user", origin="user", priority=priority))
    assert await queue.claims() == ["stream", "first", "user", "queue", "album"]


async def test_a_second_request_adopts_the_row_and_its_want_stands_beside_the_first(queue: Queue) -> None:
    first = await queue.requests.add(ALBUM, CACHE)
    second = await queue.requests.add([ALBUM[2], ALBUM[2]], USER)
    assert second == [first[2]]
    row = await queue.listing.get(first[2])
    assert (row.wanted_by, row.origin, row.priority) == (("queue", "user"), "queue", 0)
    assert len(await queue.listing.all()) == 6


async def test_a_users_request_revives_what_failed_and_the_caches_does_not(queue: Queue) -> None:
    (download_id,) = await queue.requests.add(ALBUM[:1], USER)
    claim = await queue.claim()
    await queue.rows.settle(claim, "fail", error_message="no", retry_count=3)
    await queue.requests.add(ALBUM[:1], CACHE)
    assert (await queue.listing.get(download_id)).status == "failed"
    await queue.requests.add(ALBUM[:1], USER)
    row = await queue.listing.get(download_id)
    assert (row.status, row.error_message, row.retry_count) == ("pending", None, 0)


async def test_what_is_asked_for_while_everything_is_paused_begins_as_paused(queue: Queue) -> None:
    await queue.requests.add(ALBUM, Ask(wanted_by="user", origin="user", priority=0, is_held=True))
    assert await queue.claims() == []
    assert {row.status for row in await queue.listing.all()} == {"paused"}


async def test_claims_at_the_same_time_never_take_the_same_row(queue: Queue) -> None:
    await queue.requests.add(ALBUM, USER)
    claims = await asyncio.gather(*(queue.rows.claim(is_metered=False) for _ in range(10)))
    taken = [claim.id for claim in claims if claim]
    assert sorted(taken) == sorted(set(taken))
    assert len(taken) == 6


async def test_an_attempt_that_lost_its_row_can_write_nothing_any_more(queue: Queue) -> None:
    await queue.requests.add(ALBUM[:1], USER)
    stale = await queue.claim()
    await queue.rows.move([stale.id], "pause")
    await queue.rows.move([stale.id], "resume")
    fresh = await queue.claim()
    assert not await queue.rows.settle(stale, "complete", file_path="x")
    assert not await queue.rows.settle(stale, "fail")
    assert (await queue.listing.get(fresh.id)).status == "downloading"
    assert await queue.rows.settle(fresh, "complete", file_path="x")


async def test_a_row_that_waits_is_passed_over_until_its_wait_is_ended(queue: Queue) -> None:
    await queue.requests.add(ALBUM[:2], USER)
    claim = await queue.claim()
    await queue.rows.settle(claim, "release", next_attempt_at="2026-01-02T03:05:00.000000Z", wait_reason="retry")
    assert await queue.claims() == ["b"]
    await queue.rows.end_waits([claim.id])
    assert await queue.claims() == ["a"]


async def test_a_restart_makes_what_ran_pending_and_keeps_what_was_paused(queue: Queue) -> None:
    await queue.requests.add(ALBUM[:3], USER)
    await queue.claim()
    paused = await queue.claim()
    await queue.rows.move([paused.id], "pause")
    await queue.rows.recover()
    assert [row.status for row in await queue.listing.all()] == ["pending", "paused", "pending"]


@pytest.mark.parametrize("only", ["", "AND is_unmetered_only = 0"])
async def test_a_claim_reads_the_queues_index_and_sorts_nothing(queue: Queue, only: str) -> None:
    statement = CLAIM.format(only=only, returning="")
    plan = [row["detail"] for row in await queue.database.fetch_all(f"EXPLAIN QUERY PLAN {statement}", {"now": ""})]
    assert any("USING INDEX idx_downloads_queue (status=?)" in step for step in plan), plan
    assert not [step for step in plan if "SCAN" in step or "TEMP B-TREE" in step], plan


async def test_twenty_thousand_rows_are_queued_within_seconds_and_claimed_at_once(queue: Queue) -> None:
    many = [Track(id=f"{number:032x}", name=str(number), album="x", artists=("y",)) for number in range(20_000)]
    loop = asyncio.get_running_loop()
    began = loop.time()
    await queue.requests.add(many, USER)
    queued_in = loop.time() - began
    began = loop.time()
    for number in range(20):
        assert (await queue.claim()).item_id == many[number].id
    claimed_in = (loop.time() - began) / 20
    assert queued_in < 10
    assert claimed_in < 0.05
    print(f"{20_000 / queued_in:,.0f} rows/s, a claim {claimed_in * 1000:.1f} ms")
