"""TrackList: tracks with the cell of their download, an album's under the headings of its discs."""

from __future__ import annotations

from collections.abc import Sequence

from jellytui.engine.models import Item, Listing, Track
from jellytui.tui.library.item_list import PAGE_ROWS, ItemList, Loaded
from jellytui.tui.library.rows import album_track_row, row, track_row
from jellytui.tui.session import Session
from jellytui.tui.widgets.virtual_list import Cell

_LARGEST_ALBUM = 1000
"""Tracks; an album is read as a whole, to know its discs."""


class TrackList(ItemList):
    """The seed's TrackList: `show_download` draws the DownloadButton (sm) of each track."""

    def __init__(self, session: Session, *, show_download: bool = True, id: str | None = None) -> None:  # noqa: A002
        super().__init__(session, id=id)
        self._show_download = show_download
        self._lines: list[int | str] = []
        """Of an album with several discs: the place of a track, or the heading of a disc, line by line."""
        self._line_of: dict[int, int] = {}

    @property
    def is_album(self) -> bool:
        """Whether an album is shown, whose title and artist stand above it."""
        return self.listing is not None and self.listing.scope == "album"

    def set_lines(self, loaded: Loaded) -> None:
        self._lines = _with_discs(loaded) if self.is_album and len(loaded.row_ids) <= _LARGEST_ALBUM else []
        self._line_of = {entry: line for line, entry in enumerate(self._lines) if isinstance(entry, int)}

    @property
    def line_count(self) -> int:
        return len(self._lines) or self.item_count

    def number_at(self, index: int) -> int | None:
        if not self._lines:
            return index
        entry = self._lines[index] if 0 <= index < len(self._lines) else ""
        return entry if isinstance(entry, int) else None

    def line_of(self, number: int) -> int:
        return self._line_of.get(number, number)

    def is_selectable(self, index: int) -> bool:
        return self.number_at(index) is not None

    def pages_needed(self, listing: Listing, count: int, number: int) -> Sequence[int]:
        if listing.scope == "album" and 0 < count <= _LARGEST_ALBUM:
            return range((count - 1) // PAGE_ROWS + 1)
        return super().pages_needed(listing, count, number)

    def row_cells(self, index: int, width: int) -> Sequence[Cell]:
        if self.number_at(index) is None:
            heading = str(self._lines[index])
            return [(f"{heading} ", "title"), ("─" * (width - len(heading) - 1), "line")]
        return super().row_cells(index, width)

    def item_cells(self, item: Item, width: int) -> Sequence[Cell]:
        if not isinstance(item, Track):
            return row(self._session, item, width)
        draw = album_track_row if self.is_album else track_row
        return draw(self._session, item, width, show_download=self._show_download)


def _with_discs(loaded: Loaded) -> list[int | str]:
    """The lines of an album with a heading for each disc; empty where there is only one."""
    items = [loaded.item_at(number) for number in range(len(loaded.row_ids))]
    discs = [item.disc or 1 if isinstance(item, Track) else 1 for item in items]
    if len(set(discs)) < 2:
        return []
    lines: list[int | str] = []
    for number, disc in enumerate(discs):
        if number == 0 or disc != discs[number - 1]:
            lines.append(f"Disc {disc}")
        lines.append(number)
    return lines
