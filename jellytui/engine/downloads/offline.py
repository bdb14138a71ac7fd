"""Offline: what plays without the server (seed, Offline Commands): rows whose file is there, also one that the server
has replaced and whose successor is still to come."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from jellytui.engine.downloads.files import DownloadFiles
from jellytui.engine.downloads.rows.listing import Listing
from jellytui.engine.downloads.rows.queue import CONDEMNED
from jellytui.engine.models import Track

_WORD = re.compile(r"\w+")


class Offline:
    """Reads the rows; tracks as the mirror knows them now, else as they were when queued."""

    def __init__(self, *, listing: Listing, files: DownloadFiles) -> None:
        self._listing = listing
        self._files = files

    async def local_path(self, item_id: str) -> Path | None:
        """The item's file, if a whole one is there that is not being removed; else None."""
        row = await self._listing.by_item(item_id)
        if row is None or row.completed_at is None or row.file_path is None or row.wait_reason == CONDEMNED:
            return None
        path = self._files.absolute(row.file_path)
        return path if await asyncio.to_thread(_is_file, path) else None

    async def first_local(self, item_ids: Sequence[str]) -> str | None:
        """The first of these items whose file is there; None without one. Asks the table once, however many."""
        for item_id, file_path in await self._listing.paths_here(item_ids):
            if await asyncio.to_thread(_is_file, self._files.absolute(file_path)):
                return item_id
        return None

    async def is_available(self, item_id: str) -> bool:
        """Whether the item plays without the server."""
        return await self.local_path(item_id) is not None

    async def items(self) -> list[Track]:
        """All tracks that play without the server, by artist and album."""
        return await self._listing.tracks_here()

    async def search(self, query: str) -> list[Track]:
        """Those of which some word begins with each word of the query, accents and case aside."""
        wanted = _words(query)
        tracks = await self.items()
        return await asyncio.to_thread(lambda: [track for track in tracks if _matches(track, wanted)])


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False  # on a disk that fails, or in a folder that may not be read


def _matches(track: Track, wanted: list[str]) -> bool:
    words = _words(" ".join((track.name, track.album, track.album_artist, *track.artists)))
    return all(any(word.startswith(beginning) for word in words) for beginning in wanted)


def _words(text: str) -> list[str]:
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return _WORD.findall(plain.casefold())
