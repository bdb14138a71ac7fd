"""FactsAsker: asks the server what it knows of the queued files, a batch at a time, behind the queueing's back."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable

from jellytui.engine.clock import Clock
from jellytui.engine.downloads.ports import Link, Server
from jellytui.engine.errors import JellytuiError, ServerUnreachableError
from jellytui.engine.storage.database import Database

log = logging.getLogger(__name__)

BATCH = 100
"""Ids in one request; they go into its address."""
PAUSE_S = 30.0
"""After an answer that makes no sense."""


class FactsAsker:
    """Fills `expected_size` and `source_etag` of rows that lack them (design.md, by ids= when queued)."""

    def __init__(self, *, database: Database, server: Server, link: Link, clock: Clock) -> None:
        self._database = database
        self._server = server
        self._link = link
        self._clock = clock
        self._waiting: deque[str] = deque()
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins with the unfinished rows that an earlier run has not asked for."""
        rows = await self._database.fetch_all(
            """SELECT item_id FROM downloads WHERE status IN ('pending', 'downloading') AND source_etag IS NULL
               ORDER BY priority DESC, queued_at"""
        )
        self.add(row["item_id"] for row in rows)
        self._task = asyncio.create_task(self._work(), name="downloads facts")

    async def stop(self) -> None:
        """Asks no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def add(self, item_ids: Iterable[str]) -> None:
        """Asks for these too, soon."""
        self._waiting.extend(item_ids)
        if self._waiting:
            self._arrived.set()

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            await self._link.wait_online()
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                await self._ask(batch)
            except ServerUnreachableError as error:
                self._waiting.extendleft(reversed(batch))
                self._link.report_failure(error)
                await self._clock.sleep(1.0)
            except JellytuiError as error:
                # Without the facts a file is believed by its own length: no reason to hold anything up.
                log.warning("facts about %d files cannot be had: %s", len(batch), error)
                await self._clock.sleep(PAUSE_S)
            if not self._waiting:
                self._arrived.clear()

    async def _ask(self, item_ids: list[str]) -> None:
        facts = await self._server.media_facts(item_ids)
        async with self._database.transaction() as tx:
            await tx.execute_many(
                """UPDATE downloads SET expected_size = ?, source_etag = ?,
                   container = CASE container WHEN '' THEN coalesce(?, '') ELSE container END
                   WHERE item_id = ? AND status <> 'completed'""",
                [(fact.size_bytes, fact.etag, fact.container, fact.item_id) for fact in facts],
            )
