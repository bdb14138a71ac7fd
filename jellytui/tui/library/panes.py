"""LibraryPanes: three lists side by side, where each shows what the cursor of the one before it points at."""

from __future__ import annotations

import asyncio
from time import monotonic

import msgspec
from textual.app import ComposeResult
from textual.containers import Container, Horizontal
from textual.events import Resize

from jellytui.engine.models import Item, Listing
from jellytui.tui.format import number
from jellytui.tui.library.filter_line import FilterLine
from jellytui.tui.library.item_list import ItemList, Loaded
from jellytui.tui.library.playing_side import PlayingSide
from jellytui.tui.library.track_list import TrackList
from jellytui.tui.library.views import PANE_NAMES, VIEWS, PaneName, View, listing_below
from jellytui.tui.session import Session
from jellytui.tui.widgets.download_button import md
from jellytui.tui.widgets.pane import Divider, Pane
from jellytui.tui.widgets.virtual_list import VirtualList

NARROW_COLUMNS = 70
"""Below this one pane alone is seen; the style sheet's -narrow."""

_HELD_SECONDS = 0.12
_SETTLE_SECONDS = 0.06


class LibraryPanes(Horizontal):
    """The panes of one View at a time. All that is shown is read from the backend's views, never from the network.

    A pane's content is read first and then shown in one go with those after it: nothing flickers. A cursor that is
    held down moves alone; the panes after it follow when it comes to rest.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.view = VIEWS[0]
        self._session = session
        self._current: PaneName = "left"
        self._opened: PaneName | None = None
        """In a view of lists side by side: the pane whose cursor those after it follow all the same."""
        self._words: dict[PaneName, tuple[Listing, str]] = {}
        """Filters, each with the listing that it belongs to."""
        self._pointed: dict[PaneName, str] = {}
        """The name of what each pane belongs to: the artist of the albums, the album of the tracks."""
        self._empty_text = ""
        self._moved_at = 0.0
        self._lists: dict[PaneName, ItemList] = {
            "left": ItemList(session, id="left-list"),
            "albums": ItemList(session, id="albums-list"),
            "tracks": TrackList(session, show_download=True, id="tracks-list"),
        }
        self._filters: dict[PaneName, FilterLine] = {name: FilterLine() for name in PANE_NAMES}
        self._panes: dict[PaneName, Pane] = {
            name: Pane(self._lists[name], id=f"{name}-pane", line=self._filters[name]) for name in PANE_NAMES
        }

    def compose(self) -> ComposeResult:
        yield self._panes["left"]
        yield Divider(joins="#tracks-pane", id="divider-left")
        with Container(id="right"):
            yield self._panes["albums"]
            yield Divider(id="divider-between")
            yield self._panes["tracks"]
        yield Divider(id="divider-side")
        yield PlayingSide(self._session)

    # What is under the cursor

    @property
    def current(self) -> PaneName:
        """The pane that has the focus, or had it last."""
        return self._current

    @property
    def list(self) -> ItemList:
        """The list of the current pane."""
        return self._lists[self._current]

    @property
    def item(self) -> Item | None:
        """The item under the cursor of the current pane; None while the pane still shows what it showed before."""
        return self.list.item if self._first_stale() is None else None

    def list_of(self, pane: PaneName) -> ItemList:
        """The list of a pane."""
        return self._lists[pane]

    # Views

    def set_view(self, view: View) -> None:
        """Takes another view, the focus in its first pane; `reload` then fills it."""
        self.view, self._opened = view, None
        self._words.clear()
        self.set_class(len(view.panes) == 2, "-two")
        self.set_class(len(view.panes) == 1, "-one")
        for name in PANE_NAMES:
            self._panes[name].set_class(name not in view.panes, "-unused")
        self.go_to(view.panes[0])
        self.call_after_refresh(self._join)

    async def reload(self) -> None:
        """Reads everything anew; the cursors stay on their items where the lists are the same."""
        await self._fill(self.view.panes[0], is_new=True)

    def set_empty_text(self, text: str) -> None:
        """What the first pane says while it has nothing; the others say what they lack."""
        self._empty_text = text
        first = self.view.panes[0]
        for name, its_list in self._lists.items():
            if words := self._query(name):
                its_list.empty_text = f"Nothing matches “{words}”. esc drops the filter."
            elif name == first:
                its_list.empty_text = text
            else:
                nothing = self.view.pane_title(its_list.listing, name).lower()
                its_list.empty_text = f"No {nothing}." if its_list.listing is not None else ""

    def draw_titles(self) -> None:
        """Says in each title what the pane shows."""
        is_narrow = self.size.width < NARROW_COLUMNS
        for name in self.view.panes:
            heading, its_list = self._panes[name].heading, self._lists[name]
            listing = its_list.listing
            has_nothing_to_follow = listing is None and self._follows(name)
            heading.title = "" if has_nothing_to_follow else self.view.pane_title(listing, name)
            pointed = self._pointed.get(name, "")
            words = self._query(name)
            count = number(its_list.item_count) if listing is not None else ""
            heading.crumbs = self._crumbs(name) if is_narrow else ()
            heading.detail = f"“{words}” {count}" if words else count if is_narrow or not pointed else pointed
        self._draw_button()
        self.set_empty_text(self._empty_text)

    def refresh_changed(self) -> None:
        """Draws those rows anew whose text has changed."""
        for name in self.view.panes:
            self._lists[name].refresh_changed()
        self._draw_button()

    def _draw_button(self) -> None:
        """Says in the title of an album's tracks what of it is here."""
        listing = self._lists["tracks"].listing
        button = ("", "")
        if listing is not None and listing.scope == "album":
            downloads = self._session.downloads
            completed, active, total = downloads.album_counts(listing.parent)
            total = max(total, self._lists["tracks"].item_count)
            button = md(completed, active, total, is_cached=downloads.is_album_cached(listing.parent))
        self._panes["tracks"].heading.button = button

    async def point_at(self, item: Item) -> bool:
        """Puts the cursor of the first pane on an item and fills those after it; False where it is not there."""
        first = self.view.panes[0]
        if not await self._lists[first].point_at(item):
            return False
        await self._fill_after(first)
        return True

    # Going from pane to pane

    def go_to(self, pane: PaneName) -> None:
        """Gives a pane the focus; in a narrow terminal it is the one that is seen."""
        self._current = pane
        for name in PANE_NAMES:
            self._panes[name].set_class(name == pane, "-current")
        self.query_one("#right").set_class(pane != "left", "-current")
        # `focus` alone would wait for the next turn of the loop, and keys typed ahead would go astray.
        self.screen.set_focus(self._lists[pane])

    def step(self, by: int, *, is_round: bool = False) -> bool:
        """Goes to a neighbouring pane; False at the end of the row, unless it goes round."""
        panes = self.view.panes
        place = panes.index(self._current) + by
        if is_round:
            place %= len(panes)
        if not 0 <= place < len(panes):
            return False
        self.go_to(panes[place])
        return True

    def open_current(self) -> None:
        """Goes to the next pane, which then shows what the cursor points at, also in a view of lists side by side."""
        if not self.view.is_linked and self._current != "tracks" and self._opened is None:
            self._opened = self._current
        self.step(1)

    async def close_opened(self) -> None:
        """In a view of lists side by side: shows those lists again."""
        if self._opened is not None:
            self._opened = None
            await self._fill(self.view.panes[0])

    def on_descendant_focus(self) -> None:
        """A click chose another pane."""
        focused = self.screen.focused
        for name, its_list in self._lists.items():
            if its_list is focused and name != self._current:
                self.go_to(name)

    # Filling panes

    def on_virtual_list_moved(self, event: VirtualList.Moved) -> None:
        event.stop()
        name = next((name for name in self.view.panes if self._lists[name] is event.source), None)
        after = self._after(name) if name is not None else None
        if name is None or after is None or not self._follows(after):
            return
        item = self._lists[name].item
        if item is None and self._lists[name].row_count:
            return  # its page is on the way, and another message with it
        if self._base(after, item) == self._unfiltered(after):
            return
        is_held = monotonic() - self._moved_at < _HELD_SECONDS
        self._moved_at = monotonic()
        self._stop_filling(after)
        self.run_worker(self._fill_after(name, is_held=is_held), group=f"fill-{after}", exit_on_error=False)

    async def settle(self) -> None:
        """Waits until the current pane shows what the cursors before it point at."""
        stale = self._first_stale()
        if stale is not None:
            self._stop_filling(stale)
            await self._fill(stale)

    def _stop_filling(self, first: PaneName) -> None:
        for name in self.view.panes[self.view.panes.index(first) :]:
            self.workers.cancel_group(self, f"fill-{name}")

    def _first_stale(self) -> PaneName | None:
        """The first pane, up to the current one, that does not yet show what it is to show."""
        item: Item | None = None
        for name in self.view.panes[: self.view.panes.index(self._current) + 1]:
            if self._base(name, item) != self._unfiltered(name):
                return name
            item = self._lists[name].item
        return None

    async def _fill_after(self, pane: PaneName, *, is_held: bool = False) -> None:
        if is_held:
            await asyncio.sleep(_SETTLE_SECONDS)
        after = self._after(pane)
        if after is not None:
            await self._fill(after)

    async def _fill(self, first: PaneName, *, is_new: bool = False) -> None:
        """Reads a pane and those after it, then shows them; a list that stays the same is read only if `is_new`."""
        view = self.view
        before = self._before(first)
        item = self._lists[before].item if before is not None else None
        names = view.panes[view.panes.index(first) :]
        loaded: dict[PaneName, Loaded] = {}
        pointed: dict[PaneName, str] = {}
        for name in names:
            its_list = self._lists[name]
            listing = self._listing(name, item)
            pointed[name] = item.name if self._follows(name) and item is not None else ""
            is_same = listing == its_list.listing
            if is_same and not is_new:
                item = its_list.item
                continue
            loaded[name] = await its_list.read(listing, keep=is_same)
            if self.view is not view:
                return
            item = loaded[name].item
        for name, what in loaded.items():
            self._lists[name].take(what)
        self._pointed |= pointed
        self.draw_titles()

    def _listing(self, pane: PaneName, item: Item | None) -> Listing | None:
        """What a pane shows when the one before it points at an item: with its filter, if that is still about it."""
        base = self._base(pane, item)
        listing, words = self._words.get(pane, (None, ""))
        if base is None or listing != base:
            self._words.pop(pane, None)
            return base
        return msgspec.structs.replace(base, query=words)

    def _base(self, pane: PaneName, item: Item | None) -> Listing | None:
        return listing_below(pane, item) if self._follows(pane) else self.view.listings.get(pane)

    def _follows(self, pane: PaneName) -> bool:
        """Whether a pane shows what the one before it points at."""
        if self.view.is_linked:
            return pane not in self.view.listings
        return self._opened is not None and PANE_NAMES.index(pane) > PANE_NAMES.index(self._opened)

    def _after(self, pane: PaneName) -> PaneName | None:
        later = self.view.panes[self.view.panes.index(pane) + 1 :]
        return later[0] if later else None

    def _before(self, pane: PaneName) -> PaneName | None:
        place = self.view.panes.index(pane)
        return self.view.panes[place - 1] if place else None

    # Filters

    def start_filter(self) -> None:
        """Lets the person type what narrows the current pane."""
        self._panes[self._current].show_line(True)
        self._filters[self._current].open(self._query(self._current))

    @property
    def has_filter(self) -> bool:
        """Whether words narrow the current pane."""
        return bool(self._query(self._current))

    async def drop_filter(self) -> None:
        """Takes the current pane's filter away."""
        await self._filter(self._current, "")

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        event.stop()
        name = next(name for name in PANE_NAMES if self._filters[name] is event.line)
        self.run_worker(self._filter(name, event.words), group="filter", exclusive=True, exit_on_error=False)

    def on_filter_line_left(self, event: FilterLine.Left) -> None:
        event.stop()
        name = next(name for name in PANE_NAMES if self._filters[name] is event.line)
        if event.line.words.has_focus:
            self.screen.set_focus(self._lists[name])
        self._panes[name].show_line(False)
        if not event.is_kept:
            self.run_worker(self._filter(name, ""), group="filter", exclusive=True, exit_on_error=False)

    async def _filter(self, pane: PaneName, words: str) -> None:
        base = self._unfiltered(pane)
        if base is None or words == self._query(pane):
            return
        its_list = self._lists[pane]
        loaded = await its_list.read(msgspec.structs.replace(base, query=words), keep=not words)
        self._words[pane] = (base, words)
        if not words:
            del self._words[pane]
        its_list.take(loaded)
        self.draw_titles()

    def _query(self, pane: PaneName) -> str:
        listing = self._lists[pane].listing
        return listing.query if listing is not None else ""

    def _unfiltered(self, pane: PaneName) -> Listing | None:
        listing = self._lists[pane].listing
        return msgspec.structs.replace(listing, query="") if listing is not None else None

    # Looks

    def _crumbs(self, pane: PaneName) -> tuple[str, ...]:
        """The way to a pane: Library › Alma Verde › Raíces."""
        names = [self._pointed.get(name, "") for name in self.view.panes[: self.view.panes.index(pane) + 1]]
        view = self.view.title if self.view.name != "artists" or len(names) == 1 else ""
        kind = (
            ""
            if len(self.view.panes) == 1 or self.view.is_linked or names[-1]
            else pane.replace("left", "artists").capitalize()
        )
        return tuple(crumb for crumb in ("Library", view, *names, kind) if crumb)

    def on_resize(self, _event: Resize) -> None:
        self.draw_titles()
        self.call_after_refresh(self._join)

    def _join(self) -> None:
        """Draws the lines between the panes anew: where they join depends on where the panes now are."""
        for divider in self.query(Divider):
            divider.refresh()
