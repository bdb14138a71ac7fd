"""ItemList: a listing of the library by row ids, its rows read a page at a time as they come into view."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from jellytui.engine.models import Item, Listing, Track
from jellytui.tui.library.rows import playing_sign, row
from jellytui.tui.session import Session
from jellytui.tui.widgets.virtual_list import Cell, VirtualList

PAGE_ROWS = 64
_CACHED_PAGES = 64


@dataclass(frozen=True)
class Loaded:
    """A listing that was read and can be shown at once: all row ids, and the pages of items around the cursor."""

    listing: Listing | None
    row_ids: array[int] = field(default_factory=lambda: array("q"))
    pages: dict[int, list[Item | None]] = field(default_factory=dict)
    number: int = 0
    """The place of the cursor's item, counted from 0."""
    is_kept: bool = False
    """Whether this is the same list anew, so that nothing should jump."""

    @property
    def item(self) -> Item | None:
        """The item under the cursor."""
        return self.item_at(self.number)

    def item_at(self, number: int) -> Item | None:
        """The item at a place, if its page was read."""
        page = self.pages.get(number // PAGE_ROWS)
        return page[number % PAGE_ROWS] if page is not None and number % PAGE_ROWS < len(page) else None


class ItemList(VirtualList):
    """Artists, albums, playlists or tracks. Rows not read yet are drawn as "…"."""

    def __init__(self, session: Session, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._session = session
        self._loaded = Loaded(None)
        self._wanted: set[int] = set()

    @property
    def listing(self) -> Listing | None:
        """What is shown."""
        return self._loaded.listing

    @property
    def item_count(self) -> int:
        """How many items the listing has, headings not counted."""
        return len(self._loaded.row_ids)

    @property
    def item(self) -> Item | None:
        """The item under the cursor, once it is read."""
        return self.item_at(self.cursor)

    @property
    def item_number(self) -> int:
        """The place of the item under the cursor in the listing, counted from 0."""
        return self.number_at(self.cursor) or 0

    def item_at(self, index: int) -> Item | None:
        """The item of a line, if it is an item and has been read."""
        number = self.number_at(index)
        return None if number is None else self._loaded.item_at(number)

    # Showing a listing

    async def read(self, listing: Listing | None, *, keep: bool = False) -> Loaded:
        """Reads a listing without showing it; with `keep` the cursor stays on its item, else it goes to the top."""
        if listing is None:
            return Loaded(None)
        views = self._session.backend.views
        kept, number = (self.item, self.item_number) if keep else (None, 0)
        row_ids = await views.row_ids(listing)
        if listing.scope == "downloaded":
            row_ids = await self._without_doomed(listing, row_ids)
        if kept is not None:
            row_id = await views.row_id(listing.kind, kept.id)
            number = _place_of(row_id, row_ids, number)
        number = max(0, min(number, len(row_ids) - 1))
        pages: dict[int, list[Item | None]] = {}
        for page in self.pages_needed(listing, len(row_ids), number):
            pages[page] = await self._read_page(listing, row_ids, page)
        return Loaded(listing, row_ids, pages, number, keep)

    async def _without_doomed(self, listing: Listing, row_ids: array[int]) -> array[int]:
        """The rows without those whose deletion can still be undone; the mirror knows nothing of that."""
        views = self._session.backend.views
        doomed = self._session.downloads.doomed_items(listing.kind)
        gone = {await views.row_id(listing.kind, item_id) for item_id in doomed}
        return array("q", (row_id for row_id in row_ids if row_id not in gone)) if gone else row_ids

    def take(self, loaded: Loaded) -> None:
        """Shows what was read, in one go."""
        self._loaded = loaded
        self._wanted.clear()
        self.set_lines(loaded)
        if not loaded.is_kept:
            self.scroll_to(y=0, animate=False, force=True)
        self.set_row_count(self.line_count, cursor=self.line_of(loaded.number))

    async def show(self, listing: Listing | None, *, keep: bool = False) -> None:
        """Reads a listing and shows it; None empties the list."""
        self.take(await self.read(listing, keep=keep))

    async def point_at(self, item: Item) -> bool:
        """Puts the cursor on an item of the listing; False where it does not stand in it."""
        listing = self.listing
        row_id = await self._session.backend.views.row_id(listing.kind, item.id) if listing is not None else None
        if listing is not self.listing or row_id is None or row_id not in self._loaded.row_ids:
            return False
        number = self._loaded.row_ids.index(row_id)
        page = number // PAGE_ROWS
        if page not in self._loaded.pages:
            await self._read_into(self._loaded, page)
        self.cursor = self.line_of(number)
        return True

    async def items_from(self, number: int, limit: int) -> list[Item]:
        """Up to so many items of the listing from a place on."""
        if self.listing is None:
            return []
        row_ids = self._loaded.row_ids[number : number + limit]
        rows = await self._session.backend.views.rows(self.listing.kind, row_ids)
        return [item for item in rows if item is not None]

    # Lines and items: the same here; a list with headings between its items says otherwise

    def set_lines(self, loaded: Loaded) -> None:
        """Works out the lines of what was read."""

    @property
    def line_count(self) -> int:
        """How many lines the list has."""
        return self.item_count

    def number_at(self, index: int) -> int | None:
        """The place in the listing of the item on a line; None for a heading."""
        return index

    def line_of(self, number: int) -> int:
        """The line of the item at a place."""
        return number

    def pages_needed(self, listing: Listing, count: int, number: int) -> Sequence[int]:  # noqa: ARG002 (for subclasses)
        """The pages to read before a listing of so many items is shown with the cursor at a place."""
        return [number // PAGE_ROWS] if count else []

    # How a row looks

    def row_cells(self, index: int, width: int) -> Sequence[Cell]:
        item = self.item_at(index)
        if item is None:
            self._want(index)
            return [("…", "dim")]
        return self.item_cells(item, width)

    def item_cells(self, item: Item, width: int) -> Sequence[Cell]:
        """The row of an item, in so many cells."""
        return row(self._session, item, width)

    def row_sign(self, index: int) -> Cell:
        item = self.item_at(index)
        return playing_sign(self._session, item) if isinstance(item, Track) else (" ", "")

    # Reading what comes into view

    def _want(self, index: int) -> None:
        """Asks once for the page of a line."""
        number = self.number_at(index)
        page = (number or 0) // PAGE_ROWS
        if page not in self._wanted and page not in self._loaded.pages:
            self._wanted.add(page)
            self.run_worker(self._read_wanted(self._loaded, page), group="rows", exit_on_error=False)

    async def _read_wanted(self, loaded: Loaded, page: int) -> None:
        await self._read_into(loaded, page)
        if loaded is not self._loaded:
            return  # another listing came meanwhile
        self._wanted.discard(page)
        for number in range(page * PAGE_ROWS, min(self.item_count, (page + 1) * PAGE_ROWS)):
            self.refresh_row(self.line_of(number))
        if page == self.item_number // PAGE_ROWS:
            self.post_message(self.Moved(self, self.cursor))

    async def _read_into(self, loaded: Loaded, page: int) -> None:
        """Reads one page into the cache, in place of the oldest one where it is full; the cursor's own stays."""
        if loaded.listing is None:
            return
        rows = await self._read_page(loaded.listing, loaded.row_ids, page)
        if len(loaded.pages) >= _CACHED_PAGES:
            pointed = self.item_number // PAGE_ROWS
            del loaded.pages[next(old for old in loaded.pages if old != pointed)]
        loaded.pages[page] = rows

    async def _read_page(self, listing: Listing, row_ids: array[int], page: int) -> list[Item | None]:
        wanted = row_ids[page * PAGE_ROWS : (page + 1) * PAGE_ROWS]
        return await self._session.backend.views.rows(listing.kind, wanted)


def _place_of(row_id: int | None, row_ids: array[int], near: int) -> int:
    """Where a row stands: at its old place, which tells twins of a playlist apart, or wherever it went; else there."""
    if row_id is None or (near < len(row_ids) and row_ids[near] == row_id) or row_id not in row_ids:
        return near
    return row_ids.index(row_id)
