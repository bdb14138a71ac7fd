"""Rows that go once nobody reads their files any more; they outlive the process."""

from __future__ import annotations

from collections.abc import Iterable

from jellytui.engine.downloads.rows.notes import Notes
from jellytui.engine.storage.database import Database

_NOTE = "doomed"


class Doomed:
    """Their numbers; the caller holds `changes`."""

    def __init__(self, database: Database) -> None:
        self._notes = Notes(database)

    async def all(self) -> list[int]:
        return await self._notes.get_list(_NOTE, int)

    async def add(self, download_id: int) -> None:
        """The row goes as soon as it can."""
        await self._notes.set_list(_NOTE, sorted({*await self.all(), download_id}))

    async def discard(self, download_ids: Iterable[int]) -> None:
        """These rows are gone, or are wanted again."""
        before = set(await self.all())
        after = before.difference(download_ids)
        if after != before:
            await self._notes.set_list(_NOTE, sorted(after))
