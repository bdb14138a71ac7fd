"""Which downloads a tab lists, in which order, and the headings of their albums: plain functions, no screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from jellytui.engine.models import DownloadInfo
from jellytui.tui.stores.downloads import DownloadsStore

Tab = Literal["active", "completed", "failed", "cache"]
TABS: tuple[Tab, ...] = ("active", "completed", "failed", "cache")

Order = Literal["turn", "album", "name", "size"]
ORDERS: dict[Order, str] = {
    "turn": "as they come",
    "album": "by album",
    "name": "by name",
    "size": "the largest first",
}
"""Each order in words; the first two are grouped by album."""


@dataclass(frozen=True)
class Heading:
    """The line above an album's downloads; what is done with it is done with all of them."""

    key: str
    title: str
    ids: tuple[int, ...]


Line = int | Heading
"""A download by its id, or a heading."""


def lines_of(tab: Tab, downloads: DownloadsStore, order: Order = "turn", words: str = "") -> list[Line]:
    """The lines of a tab, of those rows only whose track, album or artist has all the words."""
    rows = _filtered(rows_of(tab, downloads), words)
    match order:
        case "name":
            return [row.id for row in sorted(rows, key=lambda row: (row.name.casefold(), row.id))]
        case "size":
            return [row.id for row in sorted(rows, key=lambda row: (-(row.file_size or row.bytes_downloaded), row.id))]
        case "album":
            return _grouped(sorted(rows, key=_album_place))
    # What is here stands in the order in which an album plays; what comes, in that in which it comes.
    return _grouped(rows, in_album_order=tab != "active")


def rows_of(tab: Tab, downloads: DownloadsStore) -> list[DownloadInfo]:
    """The rows of a tab in their turn: as they will come down, or the newest first."""
    match tab:
        case "active":
            rows = downloads.with_status("downloading", "pending", "paused")
            return sorted(rows, key=lambda row: (-row.priority, row.queued_at, row.id))
        case "completed":
            rows = [row for row in downloads.with_status("completed") if row.cleared_at is None]
            return sorted(rows, key=lambda row: (row.completed_at or "", row.id), reverse=True)
        case "failed":
            return sorted(downloads.with_status("failed"), key=lambda row: row.id)
    return []


def _filtered(rows: Sequence[DownloadInfo], words: str) -> Sequence[DownloadInfo]:
    wanted = words.casefold().split()
    if not wanted:
        return rows
    return [row for row in rows if all(word in _text(row) for word in wanted)]


def _grouped(rows: Iterable[DownloadInfo], *, in_album_order: bool = False) -> list[Line]:
    """The rows' ids under a heading for each album, the albums in the order of their first rows."""
    albums: dict[str, list[DownloadInfo]] = {}
    for row in rows:
        albums.setdefault(row.album_id or row.album, []).append(row)
    lines: list[Line] = []
    for key, album in albums.items():
        if in_album_order:
            album.sort(key=_album_place)
        ids = tuple(row.id for row in album)
        lines.append(Heading(key, _title(album), ids))
        lines += ids
    return lines


def _title(album: Sequence[DownloadInfo]) -> str:
    first = album[0]
    is_one_artist = all(row.artists == first.artists for row in album)
    by = ", ".join(first.artists) if is_one_artist else "Various artists"
    return " · ".join(part for part in (first.album or "Without an album", by) if part)


def _album_place(row: DownloadInfo) -> tuple[str, str, int, int, int]:
    return row.album.casefold(), row.album_id, row.disc or 0, row.number or 0, row.id


def _text(row: DownloadInfo) -> str:
    return " ".join((row.name, row.album, *row.artists)).casefold()
