"""What the downloads table knows of listening: who left off, and which leftovers are a day old."""

from __future__ import annotations

import json

from jellytui.engine.downloads.rows.queue import is_all_paused
from jellytui.engine.storage.database import Database

_UNWANTED = "NOT EXISTS (SELECT 1 FROM wants w WHERE w.download_id = downloads.id)"


class StreamRows:
    """Reads and clears the wants of listeners."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def abandon_all(self) -> list[int]:
        """Nobody listens any more; the rows that would be fetched although nobody wants them, or all is paused."""
        async with self._database.transaction() as tx:
            dropped = await tx.fetch_all("DELETE FROM wants WHERE wanted_by = 'stream' RETURNING download_id")
            ids = json.dumps([row["download_id"] for row in dropped])
            rows = await tx.fetch_all(
                f"""SELECT id FROM downloads WHERE id IN (SELECT value FROM json_each(?))
                    AND status IN ('pending', 'downloading') AND ({_UNWANTED} OR ?)""",  # noqa: S608
                (ids, await is_all_paused(tx)),
            )
        return [row["id"] for row in rows]

    async def leftovers(self) -> list[tuple[int, str]]:
        """Rows that nobody wants and nobody fetches, with their items: parts of what was skipped."""
        rows = await self._database.fetch_all(
            f"SELECT id, item_id FROM downloads WHERE status IN ('paused', 'failed') AND {_UNWANTED}"  # noqa: S608
        )
        return [(row["id"], row["item_id"]) for row in rows]
