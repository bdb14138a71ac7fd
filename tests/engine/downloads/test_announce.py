"""The totals keep coming, whatever becomes of the database meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

from jellytui.engine.bus import EventBus
from jellytui.engine.downloads.announce import SUMMARY_EVERY_S, Announcer
from jellytui.engine.downloads.rows.listing import Listing
from jellytui.engine.events import DownloadsState, Event
from jellytui.engine.models import DownloadsSummary
from jellytui.engine.storage.database import Database
from tests.support.clock import ManualClock
from tests.support.waiting import until


async def test_totals_that_cannot_be_read_for_a_while_come_again(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "jellytui.db")
    listing, bus, clock = Listing(database), EventBus(), ManualClock()
    bus.bind(asyncio.get_running_loop())
    told: list[Event] = []
    bus.subscribe([DownloadsState], told.append)
    outlined = 0

    async def outline(waiting: int) -> DownloadsSummary:
        nonlocal outlined
        outlined += 1
        return DownloadsSummary(queued_count=waiting)

    announcer = Announcer(listing=listing, bus=bus, clock=clock, live=lambda info: info, outline=outline)
    announcer.start()
    await until(lambda: len(told) == 1 and clock.sleepers)
    await database.execute("ALTER TABLE downloads RENAME TO elsewhere")
    announcer.totals_changed()
    await clock.advance(SUMMARY_EVERY_S)
    await until(lambda: clock.sleepers)
    assert (len(told), outlined) == (1, 1)
    await database.execute("ALTER TABLE elsewhere RENAME TO downloads")
    announcer.totals_changed()
    await clock.advance(SUMMARY_EVERY_S)
    await until(lambda: len(told) == 2)
    await announcer.stop()
    await listing.close()
    await database.close()
