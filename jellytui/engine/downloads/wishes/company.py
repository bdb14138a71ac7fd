"""Company: with a track come its cover and its words (issue 5, point 3), once its file is here."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable

from jellytui.engine.bus import EventBus
from jellytui.engine.downloads.ports import CoverShelf, Link, LyricsShelf
from jellytui.engine.downloads.rows.notes import Notes
from jellytui.engine.errors import JellytuiError, ServerUnreachableError
from jellytui.engine.events import DownloadEvent, Event
from jellytui.engine.storage.database import Database

log = logging.getLogger(__name__)

_REACHED = "company_until"
"""The note of the `completed_at` up to which everything has its company."""


class Company:
    """Goes through the completed rows in the order of their completing; outlives a restart."""

    def __init__(
        self,
        *,
        database: Database,
        notes: Notes,
        covers: CoverShelf,
        lyrics: LyricsShelf,
        link: Link,
        bus: EventBus,
    ) -> None:
        self._database = database
        self._notes = notes
        self._covers = covers
        self._lyrics = lyrics
        self._link = link
        self._bus = bus
        self._arrived = asyncio.Event()
        self._unsubscribe: Callable[[], None] = lambda: None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins with what an earlier run has not come to."""
        self._unsubscribe = self._bus.subscribe([DownloadEvent], self._hear)
        self._arrived.set()
        self._task = asyncio.create_task(self._work(), name="downloads company")

    async def stop(self) -> None:
        """Fetches no more; the next start goes on there."""
        self._unsubscribe()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _hear(self, event: Event) -> None:
        if isinstance(event, DownloadEvent) and event.type == "completed":
            self._arrived.set()

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            try:
                await self._catch_up()
            except sqlite3.Error:  # the next file that arrives tries again
                log.warning("what comes with a track could not be fetched", exc_info=True)

    async def _catch_up(self) -> None:
        while row := await self._next():
            await self._link.wait_online()
            try:
                await self._covers.path(row["image_item_id"], row["image_tag"])
                await self._lyrics.get(row["item_id"])
            except ServerUnreachableError as error:
                self._link.report_failure(error)
                continue
            except JellytuiError as error:
                log.info("no words came with %s: %s", row["item_id"], error)
            await self._notes.set(_REACHED, f"{row['completed_at']} {row['id']}")

    async def _next(self) -> sqlite3.Row | None:
        reached = await self._notes.get(_REACHED) or " 0"
        moment, _, download_id = reached.partition(" ")
        return await self._database.fetch_one(
            """SELECT id, item_id, image_item_id, image_tag, completed_at FROM downloads
               WHERE status = 'completed' AND (completed_at, id) > (?, ?) ORDER BY completed_at, id LIMIT 1""",
            (moment, int(download_id)),
        )
