"""FactsAsker: asks the server what it knows of the queued files, a batch at a time, behind the queueing's back."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator

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
        """Up to BATCH ids each, joined: 100,000 strings on their own would keep every page that a request's rows lay on
        (1.4 MB instead of 0.4 MB for 1,000 rows)."""
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
        self._waiting.extend(map(" ".join, _batches(list(item_ids))))
        if self._waiting:
            self._arrived.set()

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            await self._link.wait_online()
            batch = self._next_batch()
            try:
                await self._ask(batch)
            except ServerUnreachableError as error:
                self._waiting.appendleft(" ".join(batch))
                self._link.report_failure(error)
                await self._clock.sleep(1.0)
            except JellytuiError as error:
                # Without the facts a file is believed by its own length: no reason to hold anything up.
                log.warning("facts about %d files cannot be had: %s", len(batch), error)
                await self._clock.sleep(PAUSE_S)
            except sqlite3.Error as error:
                self._waiting.appendleft(" ".join(batch))
                log.warning("facts about %d files cannot be written: %s", len(batch), error)
                await self._clock.sleep(PAUSE_S)
            if not self._waiting:
                self._arrived.clear()

    def _next_batch(self) -> list[str]:
        """As many as go into one request; who asks for one track after another is answered together too."""
        batch = self._waiting.popleft().split()
        while self._waiting and len(batch) + len(self._waiting[0].split()) <= BATCH:
            batch += self._waiting.popleft().split()
        return batch

    async def _ask(self, item_ids: list[str]) -> None:
        facts = await self._server.media_facts(item_ids)
        async with self._database.transaction() as tx:
            await tx.execute_many(
                """UPDATE downloads SET expected_size = ?, source_etag = ?,
                   container = CASE container WHEN '' THEN coalesce(?, '') ELSE container END
                   WHERE item_id = ? AND status <> 'completed'""",
                [(fact.size_bytes, fact.etag, fact.container, fact.item_id) for fact in facts],
            )


def _batches(item_ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(item_ids), BATCH):
        yield item_ids[start : start + BATCH]
