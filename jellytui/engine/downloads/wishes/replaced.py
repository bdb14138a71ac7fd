"""Replaced: notices after a sync that a file here is no longer the server's, and has it fetched again."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Sequence

from jellytui.engine.downloads.announce import Announcer
from jellytui.engine.downloads.holds import Holds
from jellytui.engine.downloads.leases import Leases
from jellytui.engine.downloads.ports import Facts, Server
from jellytui.engine.downloads.rows.queue import QueueRows
from jellytui.engine.downloads.transfer.runner import Runner
from jellytui.engine.errors import JellytuiError
from jellytui.engine.storage.database import Database

log = logging.getLogger(__name__)

_BATCH = 100

_CHANGED = """
SELECT d.id, d.item_id, d.file_size, d.source_etag, json_extract(CAST(t.body AS TEXT), '$.etag') AS newest
FROM downloads d JOIN tracks t ON t.id = d.item_id
WHERE d.status = 'completed' AND newest IS NOT d.track_etag
"""


class Replaced:
    """The library's etag of a track changes with anything about it; only then is the server asked about the file."""

    def __init__(
        self,
        *,
        database: Database,
        rows: QueueRows,
        server: Server,
        leases: Leases,
        holds: Holds,
        runner: Runner,
        announcer: Announcer,
        changes: asyncio.Lock,
    ) -> None:
        self._database = database
        self._rows = rows
        self._server = server
        self._leases = leases
        self._holds = holds
        self._runner = runner
        self._announcer = announcer
        self._changes = changes

    async def review(self) -> None:
        """Looks at the completed rows whose track has changed; without the server the next sync does."""
        changed = await self._database.fetch_all(_CHANGED)
        for start in range(0, len(changed), _BATCH):
            batch = changed[start : start + _BATCH]
            try:
                facts = await self._server.media_facts([row["item_id"] for row in batch])
            except JellytuiError as error:
                log.info("whether files were replaced on the server is asked later: %s", error)
                return
            await self._apply(batch, {fact.item_id: fact for fact in facts})

    async def _apply(self, rows: Sequence[sqlite3.Row], facts: dict[str, Facts]) -> None:
        stale = []
        async with self._changes:
            for row in rows:
                fact = facts.get(row["item_id"])
                if fact is None or self._leases.is_held(row["item_id"]):
                    continue  # looked at again after the next sync
                if row["source_etag"] in (None, fact.etag):
                    await self._database.execute(
                        "UPDATE downloads SET source_etag = ?, track_etag = ? WHERE id = ? AND status = 'completed'",
                        (fact.etag, row["newest"], row["id"]),
                    )
                else:
                    stale += await self._fetch_again(row, fact)
            if self._holds.is_paused:
                await self._runner.stop_attempts(await self._rows.move(stale, "pause"))
        if stale:
            log.info("%d files were replaced on the server and come down again", len(stale))
            self._runner.wake()
            await self._announcer.changed(stale)

    async def _fetch_again(self, row: sqlite3.Row, fact: Facts) -> list[int]:
        """The old file stays and plays until the new one takes its place; `completed_at` says that it is there."""
        return await self._rows.move(
            [row["id"]],
            "lose",
            source_etag=fact.etag,
            expected_size=fact.size_bytes,
            track_etag=row["newest"],
            file_size=None,
            replaced_size=row["file_size"] or 0,
            etag=None,
            last_modified=None,
            bytes_downloaded=0,
            progress=0.0,
            durable_bytes=0,
            furthest_bytes=0,
            wait_reason="metered" if self._holds.is_metered else None,
        )
