"""Albums whose rest is to be fetched once link or disk allow it; they outlive the process."""

from __future__ import annotations

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
        return await self._notes.get_list(_NOTE, str)

    async def set(self, album_id: str, *, is_due: bool) -> None:
        """An album is due, or no longer."""
        before = await self.all()
        if is_due != (album_id in before):
            after = [*before, album_id][-_MOST:] if is_due else [one for one in before if one != album_id]
            await self._notes.set_list(_NOTE, after)
