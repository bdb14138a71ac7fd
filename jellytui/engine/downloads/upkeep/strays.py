"""Takes up files that have no row: as the user's, with the names that the library knows, else those in their tags."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from msgspec.structs import replace

from jellytui.engine.downloads.files import DownloadFiles
from jellytui.engine.downloads.upkeep.content.tags import read_tags
from jellytui.engine.downloads.upkeep.ledger import Ledger
from jellytui.engine.downloads.upkeep.survey import OnDisk
from jellytui.engine.models import Track

_BATCH = 500


class Mirror(Protocol):
    """Where tracks are known without asking the server."""

    async def tracks(self, ids: Sequence[str]) -> list[Track]:
        """The tracks of these ids, unknown ones left out."""


class Strays:
    """Makes rows for files without one, and names them better once the library knows them."""

    def __init__(self, *, files: DownloadFiles, ledger: Ledger, mirror: Mirror) -> None:
        self._files = files
        self._ledger = ledger
        self._mirror = mirror

    async def take_up(self, found: Sequence[OnDisk]) -> list[str]:
        """Makes the rows; the ids of the items that have a new one."""
        taken: list[str] = []
        for start in range(0, len(found), _BATCH):
            batch = {_item_id(file): file for file in found[start : start + _BATCH]}
            known = {track.id: track for track in await self._mirror.tracks(list(batch))}
            unknown = [file for item_id, file in batch.items() if item_id not in known]
            known |= await asyncio.to_thread(self._read, unknown)
            taken += await self._ledger.take_up([(known[item_id], file) for item_id, file in batch.items()])
        return taken

    async def name(self) -> list[str]:
        """Names files that were taken up before the library knew them (after a sync); the ids of those."""
        nameless = await self._ledger.nameless()
        named: list[str] = []
        for start in range(0, len(nameless), _BATCH):
            tracks = await self._mirror.tracks(nameless[start : start + _BATCH])
            tracks = [track for track in tracks if track.album_id]
            if tracks:
                await self._ledger.name(tracks)
                named += [track.id for track in tracks]
        return named

    def _read(self, files: Sequence[OnDisk]) -> dict[str, Track]:
        tracks = {}
        for file in files:
            item_id = _item_id(file)
            track = read_tags(self._files.absolute(file.path), item_id)
            tracks[item_id] = replace(track, name=track.name or item_id, container=file.path.rpartition(".")[2])
        return tracks


def _item_id(file: OnDisk) -> str:
    return file.path.rpartition("/")[2].partition(".")[0]
