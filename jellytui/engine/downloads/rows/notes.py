"""Notes: the queue's own few facts, by name: paused_all, root, can_download, access_sequence, albums_due,
doomed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from jellytui.engine.storage.database import Database

T = TypeVar("T", int, str)


class Notes:
    """The downloads_state table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> str | None:
        """A fact; None when it was never noted."""
        row = await self._database.fetch_one("SELECT value FROM downloads_state WHERE name = ?", (name,))
        return None if row is None else row["value"]

    async def set(self, name: str, value: str) -> None:
        """Notes a fact."""
        await self._database.execute("INSERT OR REPLACE INTO downloads_state VALUES (?, ?)", (name, value))

    async def get_list(self, name: str, of: type[T]) -> list[T]:
        """A fact that is a list; empty when it was never noted."""
        value = await self.get(name)
        return msgspec.json.decode(value, type=list[of]) if value else []  # type: ignore[valid-type]

    async def set_list(self, name: str, values: Sequence[int | str]) -> None:
        """Notes a fact that is a list."""
        await self.set(name, msgspec.json.encode(values).decode())

    async def touch(self, item_id: str) -> None:
        """The item's file was used just now, by a sequence that only grows, whatever the clock does."""
        async with self._database.transaction() as tx:
            await tx.execute(
                """INSERT INTO downloads_state VALUES ('access_sequence', '1')
                   ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1"""
            )
            await tx.execute(
                """UPDATE downloads SET last_access =
                   (SELECT CAST(value AS INTEGER) FROM downloads_state WHERE name = 'access_sequence')
                   WHERE item_id = ?""",
                (item_id,),
            )
