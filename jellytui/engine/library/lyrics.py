"""LyricsStore: words of tracks from SQLite, asked of the server once."""

from __future__ import annotations

import msgspec

from jellytui.engine.library.ports import LyricsServer
from jellytui.engine.models import Lyrics, Track
from jellytui.engine.storage.database import Database


class LyricsStore:
    """Keeps lyrics, also that there are none, until the track's etag changes (jellyfin-api.md 10)."""

    def __init__(self, *, client: LyricsServer, database: Database) -> None:
        self._client = client
        self._database = database

    async def get(self, item_id: str) -> Lyrics:
        """A track's words; empty when it has none. Raises ServerUnreachableError when they are not here yet."""
        track = await self._track(item_id)
        if track is not None and not track.has_lyrics:
            return Lyrics(item_id=item_id)
        etag = track.etag if track is not None else ""
        row = await self._database.fetch_one("SELECT body FROM lyrics WHERE item_id = ? AND etag = ?", (item_id, etag))
        if row is not None:
            return msgspec.json.decode(row["body"], type=Lyrics)
        lyrics = await self._client.lyrics(item_id)
        await self._database.execute(
            """INSERT INTO lyrics (item_id, etag, body) VALUES (?, ?, ?)
                ON CONFLICT (item_id) DO UPDATE SET etag = excluded.etag, body = excluded.body""",
            (item_id, etag, msgspec.json.encode(lyrics)),
        )
        return lyrics

    async def _track(self, item_id: str) -> Track | None:
        row = await self._database.fetch_one("SELECT body FROM tracks WHERE id = ?", (item_id,))
        return msgspec.json.decode(row["body"], type=Track) if row else None
