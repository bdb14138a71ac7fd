"""Albums whose rest is to be fetched once link or disk allow it; they outlive the process."""

from __future__ import annotations

import msgspec

from jellytui.engine.downloads.rows.notes import Notes
from jellytui.engine.storage.database import Database

_NOTE = "albums_due"
_MOST = 100
"""After weeks on a metered link only the albums played last are still wanted."""


class DueAlbums:
    """Album ids, the longest due first."""

    def __init__(self, database: Database) -> None:
        self._notes = Notes(database)

    async def all(self) -> list[str]:
        noted = await self._notes.get(_NOTE)
        return msgspec.json.decode(noted, type=list[str]) if noted else []

    async def set(self, album_id: str, *, is_due: bool) -> None:
        """An album is due, or no longer."""
        before = await self.all()
        after = [one for one in before if one != album_id]
        if is_due:
            after = [*after, album_id][-_MOST:] if album_id not in before else before
        if after != before:
            await self._notes.set(_NOTE, msgspec.json.encode(after).decode())
