"""ResultsList: what a search found, by kind under headings; long kinds are cut short until one asks for more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jellytui.engine.models import Item, ItemType, SearchResults, Track
from jellytui.tui.format import number
from jellytui.tui.library.rows import playing_sign, row
from jellytui.tui.session import Session
from jellytui.tui.widgets.virtual_list import Cell, VirtualList

SHOWN_AT_FIRST = 5
"""Of artists, albums and playlists, so that tracks are seen without scrolling; a kind that is alone is shown whole."""

_TITLES: dict[ItemType, str] = {
    "artist": "ARTISTS",
    "album": "ALBUMS",
    "playlist": "PLAYLISTS",
    "track": "TRACKS",
}


@dataclass(frozen=True)
class Heading:
    """The line above the items of one kind."""

    title: str
    detail: str


@dataclass(frozen=True)
class More:
    """The line that stands for the items not shown."""

    kind: ItemType
    number: int


Line = Heading | More | Item


class ResultsList(VirtualList):
    """Artists, albums, playlists, tracks, each the best matches first."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._found: dict[ItemType, Sequence[Item]] = {}
        self._limit = 0
        self._whole: set[ItemType] = set()
        self._lines: list[Line] = []

    @property
    def line(self) -> Line | None:
        """What the cursor stands on."""
        return self._lines[self.cursor] if self.cursor < len(self._lines) else None

    @property
    def item(self) -> Item | None:
        """The item under the cursor."""
        line = self.line
        return None if isinstance(line, Heading | More) else line

    @property
    def tracks(self) -> list[Track]:
        """All tracks that were found, in their order."""
        return [item for item in self._found.get("track", ()) if isinstance(item, Track)]

    def show(self, results: SearchResults, limit: int) -> None:
        """Takes what a search with a limit per kind found; the cursor goes to the best match."""
        self._found = {
            "artist": results.artists,
            "album": results.albums,
            "playlist": results.playlists,
            "track": results.tracks,
        }
        self._limit = limit
        self._whole.clear()
        self.scroll_to(y=0, animate=False, force=True)
        self._set_lines(cursor=0)

    def show_more(self) -> bool:
        """Shows a kind whole when the cursor stands on its "more"; False where it does not."""
        line = self.line
        if not isinstance(line, More):
            return False
        self._whole.add(line.kind)
        self._set_lines(cursor=self.cursor)
        return True

    # How a line looks

    def row_cells(self, index: int, width: int) -> Sequence[Cell]:
        match self._lines[index]:
            case Heading(title=title, detail=detail):
                rule = "─" * max(0, width - len(title) - len(detail) - 3)
                return [(title, "title"), (f"  {detail} ", "dim"), (rule, "line")]
            case More(number=hidden):
                return [(f"… {number(hidden)} more: enter shows them", "dim")]
            case item:
                return row(self._session, item, width)

    def row_sign(self, index: int) -> Cell:
        line = self._lines[index]
        return playing_sign(self._session, line) if isinstance(line, Track) else (" ", "")

    def is_selectable(self, index: int) -> bool:
        return not isinstance(self._lines[index], Heading)

    def _set_lines(self, *, cursor: int) -> None:
        kinds = [kind for kind in _TITLES if self._found.get(kind)]
        self._lines = []
        for kind in kinds:
            items = self._found[kind]
            is_whole = kind in self._whole or kind == "track" or len(kinds) == 1 or len(items) <= SHOWN_AT_FIRST + 1
            shown = items if is_whole else items[:SHOWN_AT_FIRST]
            more = "+" if len(items) >= self._limit else ""
            self._lines.append(Heading(_TITLES[kind], f"{number(len(items))}{more}"))
            self._lines.extend(shown)
            if len(shown) < len(items):
                self._lines.append(More(kind, len(items) - len(shown)))
        self.set_row_count(len(self._lines), cursor=cursor)
