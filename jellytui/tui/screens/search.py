"""Search as you type over artists, albums, playlists and tracks, always in the mirror."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static
from textual.worker import Worker, WorkerCancelled

from jellytui.engine.models import Item, SearchResults, Track
from jellytui.tui.keymap import bindings
from jellytui.tui.library.filter_line import WordsInput
from jellytui.tui.library.results_list import ResultsList
from jellytui.tui.screens.item_screen import ItemScreen
from jellytui.tui.session import Session
from jellytui.tui.stores.base import Keys

FOUND_AT_MOST = 50
"""Of each kind."""

TYPED_AHEAD_SECONDS = 0.1

_HOW = "Type the beginnings of words: names of artists, albums, playlists, tracks."


class SearchScreen(ItemScreen):
    """One line to type in, the results below. Down goes to the results, where the keys of the library work."""

    TAB = "search"
    HINTS: ClassVar[tuple[str, ...]] = ("play", "pane_right", "enqueue", "download", "favorite", "close_search")
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("search"),
        # First of all: a key typed right behind it is about the results, not one more letter.
        Binding("down,tab", "to_results", show=False, priority=True),
        Binding("shift+tab", "to_words", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._is_left = False
        self._found_words = ""
        """What the results belong to."""
        self._searching: Worker[None] | None = None
        """The search that began last; its name are its words."""

    def compose_middle(self) -> ComposeResult:
        with Horizontal(id="search-line"):
            yield Static("SEARCH ", classes="label")
            yield WordsInput(placeholder="the beginnings of words", id="search-words")
        yield ResultsList(self.session)

    def on_mount(self) -> None:
        self.follow(self.session.downloads, lambda _keys: self._results.refresh_changed())
        self.follow(self.session.player, lambda _keys: self._results.refresh_changed())
        self.follow(self.session.library, self._on_library)
        self._results.empty_text = _HOW
        self.set_focus(self._words)

    @property
    def _words(self) -> WordsInput:
        return self.query_one(WordsInput)

    @property
    def _results(self) -> ResultsList:
        return self.query_one(ResultsList)

    def on_screen_suspend(self) -> None:
        self._is_left = self.app.current_mode != "search"  # not only below a question

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self._is_left:
            self._is_left = False
            self.action_search()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "to_results":
            return self._words.has_focus
        return super().check_action(action, parameters)

    def current_item(self) -> Item | None:
        return None if self._is_stale else self._results.item

    async def settle(self) -> None:
        """Waits until the results are those of the words, also of letters that are on their way into them."""
        arrived = asyncio.Event()
        self._words.call_later(arrived.set)
        await arrived.wait()
        if self._is_stale:
            with suppress(WorkerCancelled):  # by a search for other words: those are not what was meant
                await self._search().wait()

    @property
    def _is_stale(self) -> bool:
        """Whether the results are not, or not yet, those of the words being typed."""
        return self._words.has_focus and self._words.value.strip() != self._found_words

    # Searching

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._search()

    def _search(self, *, anew: bool = False) -> Worker[None]:
        """Begins to search, or `anew`; what an older search for other words still reads is broken off."""
        words = self._words.value.strip()
        running = self._searching
        if anew or running is None or running.is_finished or running.name != words:
            running = self.run_worker(
                self._find(words), name=words, group="search", exclusive=True, exit_on_error=False
            )
            self._searching = running
        return running

    async def _find(self, words: str) -> None:
        found: SearchResults | None = SearchResults()
        if words:
            found = await self.jellytui.ask("search_library", query=words, limit=FOUND_AT_MOST)
        if found is None:
            return
        self._results.empty_text = f"Nothing begins with “{words}”. Fewer letters find more." if words else _HOW
        self._results.show(found, FOUND_AT_MOST)
        self._found_words = words

    def _on_library(self, keys: Keys) -> None:
        if "library" in keys and not self._results.has_focus:
            self._search(anew=True)
        self._results.refresh_changed()

    # Playing and opening

    def play_current(self) -> None:
        if self._is_stale or not self._results.show_more():
            self.act(self._play)

    async def _play(self, item: Item) -> None:
        """Plays what was found: a track with those that were found beside it, from there on."""
        if not isinstance(item, Track):
            await self.play_whole(item)
            return
        ids = [track.id for track in self._results.tracks]
        start = ids.index(item.id) if item.id in ids else 0
        await self.jellytui.ask("play_items", item_ids=ids or [item.id], start_index=start)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.play_current()

    def on_virtual_list_chosen(self) -> None:
        self.play_current()

    # Actions

    def action_search(self) -> None:
        """Back to the words, which the next letter replaces."""
        self.set_focus(self._words)
        self._words.select_all()

    def action_to_words(self) -> None:
        self.set_focus(self._words)

    async def action_to_results(self) -> None:
        # Keys typed ahead are about what will be found, unless that takes too long.
        with suppress(TimeoutError):
            async with asyncio.timeout(TYPED_AHEAD_SECONDS):
                await self.settle()
        if self._results.row_count:
            self.set_focus(self._results)

    def action_pane_right(self) -> None:
        if item := self.current_item():
            self.run_worker(self._open(item), group="open", exclusive=True, exit_on_error=False)

    async def action_close_search(self) -> None:
        await self.jellytui.leave_search()

    async def _open(self, item: Item) -> None:
        """Shows an item where it stands in the library."""
        from jellytui.tui.screens.library import LibraryScreen

        app = self.jellytui
        await app.switch_mode("library")
        if isinstance(app.screen, LibraryScreen):
            await app.screen.open_item(item)
