"""DownloadList: the downloads of one tab, grouped by album, as one list that draws only the lines that changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from jellytui.engine.models import DownloadInfo
from jellytui.tui import format as fmt
from jellytui.tui.downloads.lines import ORDERS, Heading, Line, Order, Tab, lines_of
from jellytui.tui.keymap import Keymap
from jellytui.tui.stores.downloads import DownloadsStore
from jellytui.tui.widgets.download_button import md
from jellytui.tui.widgets.download_item import DownloadItem
from jellytui.tui.widgets.virtual_list import Cell, VirtualList

PLAYED_AT_ONCE = 1000
"""Lines around the cursor that become the queue."""

EMPTY: dict[Tab, str] = {
    "active": "Nothing is coming down. Press d on a track, an album or a playlist.",
    "completed": "Nothing is downloaded yet. What you press d on, and what you play, will be here.",
    "failed": "Nothing failed. What does will say here why, and t tries it again.",
    "cache": "",
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DownloadList(VirtualList):
    """Rows and the headings of their albums; `show` puts them in order, `refresh_changed` draws progress."""

    def __init__(
        self,
        downloads: DownloadsStore,
        keymap: Keymap,
        *,
        now: Callable[[], datetime] = _utc_now,
        id: str | None = None,  # noqa: A002 (Textual's name)
    ) -> None:
        super().__init__(id=id)
        self._downloads = downloads
        self._keymap = keymap
        self._now = now
        self._lines: list[Line] = []
        self.tab: Tab = "active"
        self.order: Order = "turn"
        self.words = ""
        """The filter."""

    @property
    def download(self) -> DownloadInfo | None:
        """The row under the cursor; None on a heading."""
        line = self._line
        return self._downloads.downloads.get(line) if isinstance(line, int) else None

    @property
    def chosen(self) -> list[DownloadInfo]:
        """What actions are about: the row under the cursor, or all rows of the album whose heading it is."""
        line = self._line
        ids = line.ids if isinstance(line, Heading) else () if line is None else (line,)
        rows = (self._downloads.downloads.get(row_id) for row_id in ids)
        return [row for row in rows if row is not None]

    @property
    def playable(self) -> tuple[list[str], int]:
        """The item ids that play from the cursor on, and where they begin: an album from its heading, else the list
        from the row under the cursor."""
        line = self._line
        if isinstance(line, Heading):
            return [row.item_id for row in self.chosen], 0
        rows = self._downloads.downloads
        start = max(0, self.cursor - PLAYED_AT_ONCE // 2)
        ids = [one for one in self._lines[start : start + PLAYED_AT_ONCE] if isinstance(one, int) and one in rows]
        return [rows[one].item_id for one in ids], ids.index(line) if line in ids else 0

    @property
    def title_of_chosen(self) -> str:
        """The name of what actions are about, the track's or the album's."""
        line, rows = self._line, self.chosen
        if isinstance(line, Heading):
            return rows[0].album or line.title if rows else line.title
        return self.chosen_title

    @property
    def chosen_title(self) -> str:
        """How to name what actions are about, with the number of an album's tracks."""
        line, rows = self._line, self.chosen
        if isinstance(line, Heading):
            return f"{rows[0].album or line.title} ({fmt.count(len(rows), 'track')})" if rows else line.title
        return rows[0].name or rows[0].item_id if rows else ""

    @property
    def trouble(self) -> str:
        """In full what is wrong with the row under the cursor, for which its line may lack the room."""
        row = self.download
        if row is None or not row.error_message or (row.status != "failed" and row.wait_reason != "retry"):
            return ""
        return row.error_message

    @property
    def has_countdown(self) -> bool:
        """Whether a line in view counts seconds by itself."""
        seen = (self._lines[index] for index in self.visible_rows)
        rows = (self._downloads.downloads.get(line) for line in seen if isinstance(line, int))
        return any(row is not None and row.next_attempt_at is not None for row in rows)

    @property
    def _line(self) -> Line | None:
        return self._lines[self.cursor] if self.cursor < len(self._lines) else None

    def show(self, tab: Tab) -> None:
        """Puts the rows of a tab in order; the cursor stays on its row while that is there."""
        kept = self._key(self._line) if tab == self.tab else None
        is_first = tab != self.tab or not self._lines
        self.tab = tab
        self._lines = lines_of(tab, self._downloads, self.order, self.words)
        self.empty_text = f"Nothing here has the words {self.words!r}. L changes them." if self.words else EMPTY[tab]
        cursor = next((at for at, line in enumerate(self._lines) if self._key(line) == kept), None) if kept else None
        self.set_row_count(len(self._lines), cursor=self._first_row if is_first else cursor)

    def next_order(self) -> Order:
        """Turns to the next order, which it returns."""
        orders = list(ORDERS)
        self.order = orders[(orders.index(self.order) + 1) % len(orders)]
        self.show(self.tab)
        return self.order

    def row_cells(self, index: int, width: int) -> Sequence[Cell]:
        line = self._lines[index]
        if isinstance(line, Heading):
            return self._heading(line, width)
        row = self._downloads.downloads.get(line)
        if row is None:
            return []
        return DownloadItem(row, self._now(), self._keymap, with_album=self.order in ("name", "size")).cells(width)

    def _heading(self, heading: Heading, width: int) -> list[Cell]:
        downloads = self._downloads
        text, role = md(*downloads.album_counts(heading.key), is_cached=downloads.is_album_cached(heading.key))
        button = fmt.fit(text, 9, "right") if heading.key and role != "dim" else ""
        return [(fmt.fit(heading.title, width - len(button) - 1), "title"), (" ", ""), (button, role)]

    @property
    def _first_row(self) -> int:
        """The first line that is no heading: a row is what most actions are meant for."""
        return 1 if self._lines and isinstance(self._lines[0], Heading) else 0

    @staticmethod
    def _key(line: Line | None) -> int | str | None:
        return line.key if isinstance(line, Heading) else line
