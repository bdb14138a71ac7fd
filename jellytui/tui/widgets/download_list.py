"""DownloadList: the downloads of one tab, grouped by album, as one list that draws only the lines that changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Literal

from jellytui.engine.models import DownloadInfo
from jellytui.tui import format as fmt
from jellytui.tui.stores.downloads import DownloadsStore
from jellytui.tui.widgets.download_item import DownloadItem
from jellytui.tui.widgets.virtual_list import Cell, VirtualList

Tab = Literal["active", "completed", "failed"]
TABS: tuple[Tab, ...] = ("active", "completed", "failed")

EMPTY: dict[Tab, str] = {
    "active": "Nothing is coming down. Press d on a track, an album or a playlist.",
    "completed": "Nothing is downloaded yet. What you press d on, and what you play, will be here.",
    "failed": "Nothing failed.",
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DownloadList(VirtualList):
    """Rows and the headings of their albums; `show` puts them in order, `refresh_changed` draws progress."""

    def __init__(
        self,
        downloads: DownloadsStore,
        *,
        now: Callable[[], datetime] = _utc_now,
        id: str | None = None,  # noqa: A002 (Textual's name)
    ) -> None:
        super().__init__(id=id)
        self._downloads = downloads
        self._now = now
        self._lines: list[int | str] = []
        """Line by line: a download's id, or the heading of an album."""
        self.tab: Tab = "active"

    @property
    def download(self) -> DownloadInfo | None:
        """The row under the cursor."""
        line = self._lines[self.cursor] if self.cursor < len(self._lines) else ""
        return self._downloads.downloads.get(line) if isinstance(line, int) else None

    @property
    def has_countdown(self) -> bool:
        """Whether a line in view counts seconds by itself."""
        seen = (self._lines[index] for index in self.visible_rows)
        rows = (self._downloads.downloads.get(line) for line in seen if isinstance(line, int))
        return any(row is not None and row.next_attempt_at is not None for row in rows)

    def show(self, tab: Tab) -> None:
        """Puts the rows of a tab in order; the cursor stays on its row while that is there."""
        kept = self.download if tab == self.tab else None
        is_other_tab = tab != self.tab
        self.tab = tab
        self._lines = grouped(rows_of(tab, self._downloads))
        self.empty_text = EMPTY[tab]
        cursor = self._lines.index(kept.id) if kept is not None and kept.id in self._lines else None
        self.set_row_count(len(self._lines), cursor=0 if is_other_tab else cursor)

    def is_selectable(self, index: int) -> bool:
        return isinstance(self._lines[index], int)

    def row_cells(self, index: int, width: int) -> Sequence[Cell]:
        line = self._lines[index]
        if isinstance(line, str):
            return [(fmt.fit(line, width), "title")]
        row = self._downloads.downloads.get(line)
        return [] if row is None else DownloadItem(row, self._now()).cells(width)


def rows_of(tab: Tab, downloads: DownloadsStore) -> list[DownloadInfo]:
    """The rows of a tab in their order: as they will come down, or the newest first."""
    match tab:
        case "active":
            rows = downloads.with_status("downloading", "pending", "paused")
            return sorted(rows, key=lambda row: (-row.priority, row.queued_at, row.id))
        case "completed":
            rows = [row for row in downloads.with_status("completed") if row.cleared_at is None]
            return sorted(rows, key=lambda row: (row.completed_at or "", row.id), reverse=True)
        case "failed":
            return sorted(downloads.with_status("failed"), key=lambda row: row.id)


def grouped(rows: Sequence[DownloadInfo]) -> list[int | str]:
    """The rows' ids under a heading for each album, the albums in the order of their first rows."""
    albums: dict[str, list[DownloadInfo]] = {}
    for row in rows:
        albums.setdefault(row.album_id or row.album, []).append(row)
    lines: list[int | str] = []
    for album in albums.values():
        first = album[0]
        artists = {row.artists for row in album}
        by = ", ".join(first.artists) if len(artists) == 1 else "Various artists"
        lines.append(" · ".join(part for part in (first.album or "Without an album", by) if part))
        lines += [row.id for row in album]
    return lines
