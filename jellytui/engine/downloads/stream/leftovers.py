"""Leftovers of listening: parts of tracks that were left early stay for a day, and are resumed when wanted again."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Coroutine, Sequence

from jellytui.engine.clock import Clock
from jellytui.engine.downloads.files import DownloadFiles
from jellytui.engine.downloads.stream.rows import StreamRows
from jellytui.engine.errors import JellytuiError

log = logging.getLogger(__name__)

LEFTOVER_AGE_S = 24 * 3600
"""How long a part that nobody wants is kept."""
CLEAR_EVERY_S = 3600.0
"""How often such parts are looked for."""


class Leftovers:
    """Removes old parts, at the start and every hour. `remove` is called with `changes` held."""

    def __init__(
        self,
        *,
        rows: StreamRows,
        files: DownloadFiles,
        clock: Clock,
        changes: asyncio.Lock,
        remove: Callable[[Sequence[int]], Coroutine[object, object, None]],
    ) -> None:
        self._rows = rows
        self._files = files
        self._clock = clock
        self._changes = changes
        self._remove = remove
        self._clearing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Clears now, and regularly from then on."""
        await self._clear()
        self._clearing = asyncio.create_task(self._clear_regularly(), name="leftovers of listening")

    async def stop(self) -> None:
        if self._clearing is not None:
            self._clearing.cancel()
            await asyncio.gather(self._clearing, return_exceptions=True)

    async def _clear_regularly(self) -> None:
        while True:
            await self._clock.sleep(CLEAR_EVERY_S)
            try:
                await self._clear()
            except (JellytuiError, sqlite3.Error):
                log.warning("what was left of listening could not be cleared", exc_info=True)

    async def _clear(self) -> None:
        async with self._changes:
            leftovers = await self._rows.leftovers()
            old = await asyncio.to_thread(lambda: [row_id for row_id, item_id in leftovers if self._is_old(item_id)])
            await self._remove(old)

    def _is_old(self, item_id: str) -> bool:
        """Whether nobody has gone on with the item's `.part` for a day."""
        try:
            changed_at = self._files.part_of(item_id).stat().st_mtime
        except OSError:
            return False
        return self._clock.now().timestamp() - changed_at > LEFTOVER_AGE_S
