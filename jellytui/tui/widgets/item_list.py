"""ItemList: a listing of the library by row ids, its rows read a page at a time as they come into view."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from jellytui.engine.models import Item, Listing, Track
from jellytui.tui.session import Session
from jellytui.tui.widgets.rows import playing_sign, row
from jellytui.tui.widgets.virtual_list import Cell, VirtualList

PAGE_ROWS = 64
_CACHED_PAGES = 64
_WHOLE_ALBUM_ROWS = 1000


class ItemList(VirtualList):
    """Artists, albums, playlists or tracks. `show` reads a listing; rows not read yet are drawn as "…"."""

    def __init__(self, session: Session, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._session = session
        self._listing: Listing | None = None
        self._row_ids: array[int] = array("q")
        self._lines: list[int | str] | None = None
        """Of an album with several discs: row number or the heading of a disc, line by line."""
        self._pages: dict[int, list[Item | None]] = {}
        self._wanted: set[int] = set()
        self._generation = 0

    @property
    def listing(self) -> Listing | None:
        """What is shown."""
        return self._listing

    @property
    def item_count(self) -> int:
        """How many items the listing has, headings not counted."""
        return len(self._row_ids)

    @property
    def item(self) -> Item | None:
        """The item under the cursor, once it is read."""
        return self.item_at(self.cursor)

    @property
    def item_number(self) -> int:
        """The place of the item under the cursor in the listing, counted from 0."""
        line = self._lines[self.cursor] if self._lines and self.cursor < len(self._lines) else self.cursor
        return line if isinstance(line, int) else 0

    def item_at(self, index: int) -> Item | None:
        """The item of a line, if it is an item and has been read."""
        line = index
        if self._lines is not None:
            entry = self._lines[index] if 0 <= index < len(self._lines) else ""
            if isinstance(entry, str):
                return None
            line = entry
        page = self._pages.get(line // PAGE_ROWS)
        return page[line % PAGE_ROWS] if page is not None and line % PAGE_ROWS < len(page) else None

    async def show(self, listing: Listing | None, *, keep: bool = False) -> None:
        """Reads a listing (None empties the list); with `keep` the cursor stays on its item, else goes to the top."""
        kept = self.item if keep else None
        number = self.item_number
        row_ids = await self._session.backend.views.row_ids(listing) if listing else array("q")
        if kept is not None and listing is not None:
            row_id = await self._session.backend.views.row_id(listing.kind, kept.id)
            number = row_ids.index(row_id) if row_id is not None and row_id in row_ids else number
        elif not keep:
            number = 0
        self._listing, self._row_ids = listing, row_ids
        self._generation += 1
        self._pages.clear()
        self._wanted.clear()
        self._lines = None
        is_album = listing is not None and listing.scope == "album" and len(row_ids) <= _WHOLE_ALBUM_ROWS
        first = min(number, max(0, len(row_ids) - 1)) // PAGE_ROWS
        last = (len(row_ids) - 1) // PAGE_ROWS if is_album else first
        for page in range(0 if is_album else first, last + 1):
            await self._read(page, self._generation)
        if is_album:
            self._lines = self._with_discs()
        cursor = self._lines.index(number) if self._lines and number in self._lines else number
        self.set_row_count(len(self._lines) if self._lines else len(row_ids), cursor=cursor)

    async def items_from(self, number: int, limit: int) -> list[Item]:
        """Up to so many items of the listing from a place on."""
        if self._listing is None:
            return []
        rows = await self._session.backend.views.rows(self._listing.kind, self._row_ids[number : number + limit])
        return [item for item in rows if item is not None]

    # How a row looks

    def row_cells(self, index: int, width: int) -> Sequence[Cell]:
        if self._lines is not None and isinstance(heading := self._lines[index], str):
            return [(f" {heading} ", "dim"), ("─" * (width - len(heading) - 2), "line")]
        item = self.item_at(index)
        if item is None:
            self._want(index // PAGE_ROWS)
            return [("…", "dim")]
        return row(self._session, item, width, is_in_album=self._listing is not None and self._listing.scope == "album")

    def row_sign(self, index: int) -> Cell:
        item = self.item_at(index)
        return playing_sign(self._session, item) if isinstance(item, Track) else (" ", "")

    def is_selectable(self, index: int) -> bool:
        return self._lines is None or isinstance(self._lines[index], int)

    # Reading

    def _want(self, page: int) -> None:
        """Asks for a page once; the reading worker takes what is wanted by then."""
        if page in self._wanted:
            return
        self._wanted.add(page)
        self.run_worker(self._read_wanted(page, self._generation), group="rows", exit_on_error=False)

    async def _read_wanted(self, page: int, generation: int) -> None:
        if not await self._read(page, generation):
            return
        self._wanted.discard(page)
        for index in range(page * PAGE_ROWS, min(self.row_count, (page + 1) * PAGE_ROWS)):
            self.refresh_row(index)
        if page == self.cursor // PAGE_ROWS:
            self.post_message(self.Moved(self, self.cursor))

    async def _read(self, page: int, generation: int) -> bool:
        """Reads one page into the cache; False when another listing came meanwhile."""
        if self._listing is None or not self._row_ids:
            return False
        row_ids = self._row_ids[page * PAGE_ROWS : (page + 1) * PAGE_ROWS]
        rows = await self._session.backend.views.rows(self._listing.kind, row_ids)
        if generation != self._generation:
            return False
        if len(self._pages) >= _CACHED_PAGES:
            del self._pages[next(iter(self._pages))]
        self._pages[page] = rows
        return True

    def _with_discs(self) -> list[int | str] | None:
        """The lines of an album with a heading for each disc; None where there is only one."""
        tracks = [item for page in sorted(self._pages) for item in self._pages[page]]
        discs = [track.disc or 1 if isinstance(track, Track) else 1 for track in tracks]
        if len(set(discs)) < 2:
            return None
        lines: list[int | str] = []
        for number, disc in enumerate(discs):
            if number == 0 or disc != discs[number - 1]:
                lines.append(f"Disc {disc}")
            lines.append(number)
        return lines
