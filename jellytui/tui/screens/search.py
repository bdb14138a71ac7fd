"""Search as you type over artists, albums, playlists and tracks, always in the mirror."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static

from jellytui.engine.models import Item, SearchResults, Track
from jellytui.tui.keymap import bindings
from jellytui.tui.library.filter_line import WordsInput
from jellytui.tui.library.results_list import ResultsList
from jellytui.tui.screens.item_screen import ItemScreen
from jellytui.tui.session import Session
from jellytui.tui.stores.base import Keys

FOUND_AT_MOST = 50
"""Of each kind."""

_HOW = "Type the beginnings of words: names of artists, albums, playlists, tracks."


class SearchScreen(ItemScreen):
    """One line to type in, the results below. Down goes to the results, where the keys of the library work."""

    TAB = "search"
    HINTS: ClassVar[tuple[str, ...]] = ("play", "pane_right", "enqueue", "download", "favorite", "close_search")
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("search"),
        Binding("down,tab", "to_results", show=False),
        Binding("shift+tab", "to_words", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._is_left = False

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

    def current_item(self) -> Item | None:
        return self._results.item

    # Searching

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._search()

    def _search(self) -> None:
        """Begins to search; what an older search still reads is broken off."""
        self.run_worker(self._find(self._words.value.strip()), group="search", exclusive=True, exit_on_error=False)

    async def _find(self, words: str) -> None:
        found: SearchResults | None = SearchResults()
        if words:
            found = await self.jellytui.ask("search_library", query=words, limit=FOUND_AT_MOST)
        if found is None:
            return
        self._results.empty_text = f"Nothing begins with “{words}”. Fewer letters find more." if words else _HOW
        self._results.show(found, FOUND_AT_MOST)

    def _on_library(self, keys: Keys) -> None:
        if "library" in keys and not self._results.has_focus:
            self._search()
        self._results.refresh_changed()

    # Playing and opening

    def play_current(self) -> None:
        if not self._results.show_more():
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

    def action_to_results(self) -> None:
        if self._results.row_count:
            self.set_focus(self._results)

    def action_pane_right(self) -> None:
        if item := self.current_item():
            self.run_worker(self._open(item), group="open", exclusive=True, exit_on_error=False)

    def action_close_search(self) -> None:
        self.jellytui.leave_search()

    async def _open(self, item: Item) -> None:
        """Shows an item where it stands in the library."""
        from jellytui.tui.screens.library import LibraryScreen

        app = self.jellytui
        await app.switch_mode("library")
        if isinstance(app.screen, LibraryScreen):
            await app.screen.open_item(item)
