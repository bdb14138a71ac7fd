"""Export: copies downloaded music out as `Artist/Album (Year)/01 - Title.ext`, for players, cars and sticks.

Tags are as they are in the file. Run again it writes only what is new or has changed; foreign files are never touched.
"""

from __future__ import annotations

import asyncio
import errno
import io
import secrets
import sqlite3
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec

from jellytui.engine.bus import EventBus
from jellytui.engine.downloads.disk import words
from jellytui.engine.downloads.files import DownloadFiles
from jellytui.engine.downloads.leases import Leases
from jellytui.engine.downloads.rows.listing import track_of
from jellytui.engine.downloads.upkeep.carry import TEMPORARY_PREFIX, copy, link
from jellytui.engine.downloads.upkeep.export import manifest as lists
from jellytui.engine.downloads.upkeep.export.places import Places
from jellytui.engine.downloads.upkeep.threads import Stop, stoppable
from jellytui.engine.errors import DiskError, NotFoundError, UsageError
from jellytui.engine.events import UpkeepState
from jellytui.engine.models import ExportReport, Track
from jellytui.engine.storage.database import Database

_COMPLETED = """
SELECT d.*, t.body FROM downloads d LEFT JOIN tracks t ON t.id = d.item_id
WHERE d.status = 'completed' AND d.file_path IS NOT NULL
ORDER BY d.album_artist, d.album, d.album_id, d.disc, d.number, d.name, d.id
"""
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENODEV, errno.ESTALE}
_SAVE_EVERY_S = 10.0


class CoverStore(Protocol):
    """Where covers are."""

    async def path(self, item_id: str, tag: str) -> Path | None:
        """The file of an item's cover; None where there is none to be had."""


@dataclass
class _Tally:
    written: int = 0
    linked: int = 0
    unchanged: int = 0
    covers: int = 0
    bytes_written: int = 0
    problems: list[str] = field(default_factory=list)


class Export:
    """One export."""

    def __init__(
        self, *, database: Database, files: DownloadFiles, leases: Leases, covers: CoverStore, bus: EventBus
    ) -> None:
        self._database = database
        self._files = files
        self._leases = leases
        self._covers = covers
        self._bus = bus

    async def run(self, folder: Path, *, album_ids: Sequence[str] | None, is_linking: bool) -> ExportReport:
        """Writes what is missing. Cancelled it leaves only whole files, and goes on there the next time.

        Raises UsageError for a folder that cannot be it, NotFoundError for an album without downloads, DiskError.
        """
        tally = _Tally()
        try:
            await self._run(folder, album_ids, tally, is_linking=is_linking)
        except asyncio.CancelledError:
            self._tell(tally, "cancelled", text=f"Broken off; what is in {folder} is whole.")
            raise
        except OSError as error:
            self._tell(tally, "failed", text=words(error, folder))
            raise DiskError(words(error, folder)) from error
        is_mixed = is_linking and tally.written > tally.linked
        report = ExportReport(
            folder=str(folder),
            written=tally.written,
            linked=tally.linked,
            unchanged=tally.unchanged,
            covers=tally.covers,
            bytes_written=tally.bytes_written,
            problems=tuple(tally.problems),
            note="That folder takes no second names of files on this disk, so they were copied." if is_mixed else "",
        )
        self._tell(tally, "done", text=f"{report.written:,} files written to {folder}.")
        return report

    async def _run(self, folder: Path, album_ids: Sequence[str] | None, tally: _Tally, *, is_linking: bool) -> None:
        await asyncio.to_thread(self._check, folder)
        wanted = await self._wanted(album_ids)
        listed = await asyncio.to_thread(lists.load, folder)
        places = Places(folder, listed)
        discs: dict[str, set[int]] = defaultdict(set)
        for track, _ in wanted:
            discs[track.album_id].add(track.disc or 1)
        albums: set[str] = set()
        saved_at = time.monotonic()
        try:
            for number, (track, path) in enumerate(wanted, start=1):
                has_discs = bool(discs[track.album_id] - {1})
                await self._write(track, self._files.absolute(path), places, tally, has_discs, is_linking)
                if track.album_id not in albums:
                    albums.add(track.album_id)
                    await self._write_cover(track, places, tally)
                if time.monotonic() - saved_at >= _SAVE_EVERY_S:
                    saved_at = time.monotonic()
                    await asyncio.to_thread(lists.save, folder, listed)
                self._tell(tally, "running", done=number, total=len(wanted))
        finally:
            await asyncio.shield(asyncio.to_thread(lists.save, folder, listed))

    def _check(self, folder: Path) -> None:
        if not folder.is_absolute():
            raise UsageError(f"{folder} must be a whole path, from / on.")
        if folder.resolve().is_relative_to(self._files.root.resolve()):
            raise UsageError(f"{folder} lies inside the download folder. Choose another.")
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file. Choose a folder.")
        folder.mkdir(parents=True, exist_ok=True)

    async def _wanted(self, album_ids: Sequence[str] | None) -> list[tuple[Track, str]]:
        """The downloaded tracks with their paths, as the library knows them now."""
        rows = [(_track(row), str(row["file_path"])) for row in await self._database.fetch_all(_COMPLETED)]
        if not album_ids:
            return rows
        missing = set(album_ids) - {track.album_id for track, _ in rows}
        if missing:
            raise NotFoundError(f"Nothing of the album {', '.join(sorted(missing))} is downloaded.")
        return [(track, path) for track, path in rows if track.album_id in album_ids]

    async def _write(
        self, track: Track, source: Path, places: Places, tally: _Tally, has_discs: bool, is_linking: bool
    ) -> None:
        with self._leases.hold(track.id):
            try:
                await stoppable(_write_track, track, source, places, tally, has_discs=has_discs, is_linking=is_linking)
            except OSError as error:
                if error.errno in _DISK_ERRORS:
                    raise
                tally.problems.append(f"{track.name}: {error.strerror or error}.")

    async def _write_cover(self, track: Track, places: Places, tally: _Tally) -> None:
        image = await self._covers.path(track.image_item_id, track.image_tag)
        if image is None:
            return
        try:
            tally.covers += await asyncio.to_thread(_write_cover, track, image, places)
        except OSError as error:
            if error.errno in _DISK_ERRORS:
                raise
            tally.problems.append(f"The cover of {track.album}: {error}.")

    def _tell(self, tally: _Tally, status: str, *, done: int = 0, total: int = 0, text: str = "") -> None:
        number = done or tally.written + tally.unchanged
        state = {"work": "export", "status": status, "done": number, "total": total or number, "text": text}
        self._bus.publish(msgspec.convert(state, UpkeepState))


def _write_track(
    stop: Stop, track: Track, source: Path, places: Places, tally: _Tally, *, has_discs: bool, is_linking: bool
) -> None:
    target, is_there = places.file_of(track, source, has_discs=has_discs)
    if is_there:
        tally.unchanged += 1
        return
    if is_linking and _linked(source, target):
        tally.linked += 1
    else:
        tally.bytes_written += copy(stop, source, target)
    tally.written += 1


def _linked(source: Path, target: Path) -> bool:
    """A second name for the file, in place of an older file of ours."""
    temporary = target.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}")
    if not link(source, temporary):
        return False
    temporary.replace(target)
    return True


def _write_cover(track: Track, image: Path, places: Places) -> bool:
    """Writes the album's cover.jpg; whether there was none."""
    target = places.cover_of(track)
    if target is None:
        return False
    data = image.read_bytes()
    if not data.startswith(b"\xff\xd8\xff"):
        data = _as_jpeg(data)
    with target.open("xb") as file:
        file.write(data)
    return True


def _as_jpeg(data: bytes) -> bytes:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        out = io.BytesIO()
        picture.convert("RGB").save(out, "JPEG", quality=92)
    return out.getvalue()


def _track(row: sqlite3.Row) -> Track:
    return track_of(row) if row["body"] is None else msgspec.json.decode(row["body"], type=Track)
