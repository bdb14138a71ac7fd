"""The downloads: what comes down, what is here, what failed, what the cache does, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.timer import Timer

from jellytui.engine.errors import JellytuiError
from jellytui.engine.models import CacheStep, CacheUse, DownloadInfo
from jellytui.tui import format as fmt
from jellytui.tui.downloads.bands import (
    DownloadTabs,
    DownloadTotals,
    cache_share,
    disk_facts,
    totals_words,
    upkeep_words,
)
from jellytui.tui.downloads.cache_list import CacheList
from jellytui.tui.downloads.download_list import DownloadList
from jellytui.tui.downloads.lines import ORDERS, TABS, Tab
from jellytui.tui.keymap import bindings
from jellytui.tui.library.filter_line import FilterLine
from jellytui.tui.resources import styles_dir
from jellytui.tui.screens.base import BaseScreen
from jellytui.tui.stores.base import Keys
from jellytui.tui.stores.downloads import ROWS, DownloadsStore
from jellytui.tui.widgets.hint_line import HintLine

CACHE_SECONDS = 1.0
"""What the cache holds is asked at most so often while it is looked at."""

HINTS: dict[Tab, tuple[str, ...]] = {
    "active": ("pause_download", "pause_all", "resume_all", "cancel_download", "prioritize", "next_tab", "filter"),
    "completed": ("play", "delete_download", "keep", "clear_completed", "sort", "filter", "next_tab"),
    "failed": ("retry_failed", "delete_download", "next_tab", "filter"),
    "cache": ("keep", "clear_completed", "next_tab", "settings"),
}


class DownloadsScreen(BaseScreen):
    """Four tabs: three over one list of downloads, one over what the cache does."""

    TAB = "downloads"
    HINTS = HINTS["active"]
    BINDINGS = bindings("downloads")
    CSS_PATH: ClassVar[list[Any]] = [styles_dir() / "downloads.tcss"]

    _cache_timer: Timer | None = None

    def compose_middle(self) -> ComposeResult:
        yield DownloadTabs()
        yield FilterLine()
        yield DownloadList(self._store, self.jellytui.keymap)
        yield CacheList()
        yield DownloadTotals()

    def on_mount(self) -> None:
        self.follow(self._store, self._on_change)
        self.query_one(FilterLine).display = False
        self._turn_to("active")
        self.set_interval(1.0, self._count_down)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw_bands, with_counts=False)

    @property
    def _list(self) -> DownloadList:
        return self.query_one(DownloadList)

    @property
    def _store(self) -> DownloadsStore:
        return self.session.downloads

    @property
    def _tab(self) -> Tab:
        return self.query_one(DownloadTabs).tab

    # What is shown

    def _on_change(self, keys: Keys) -> None:
        if self._tab == "cache":
            if self._cache_timer is None:
                self._cache_timer = self.set_timer(CACHE_SECONDS, self._read_cache)
        elif ROWS in keys:
            self._list.show(self._tab)
        else:
            self._list.refresh_changed()
        self._draw_bands(with_counts=ROWS in keys)
        self._draw_hints()

    def _count_down(self) -> None:
        if self.app.screen is self and self._list.display and self._list.has_countdown:
            self._list.refresh_changed()

    def _draw_bands(self, *, with_counts: bool = True) -> None:
        summary, store = self._store.summary, self._store
        tabs, totals = self.query_one(DownloadTabs), self.query_one(DownloadTotals)
        numbers = tabs.counts[:-1]
        if with_counts:
            waiting = len(store.with_status("downloading", "pending", "paused"))
            completed = sum(row.cleared_at is None for row in store.with_status("completed"))
            numbers = tuple(map(fmt.number, (waiting, completed, len(store.with_status("failed")))))
        tabs.counts = (*numbers, cache_share(summary))
        words = f"only {self._list.words!r}" if self._list.words else ""
        order = ORDERS[self._list.order] if self._list.order != "turn" else ""
        tabs.facts = (*disk_facts(summary), *(part for part in (order, words) if part))
        is_cache = self._tab == "cache"
        trouble = "" if is_cache else self._list.trouble
        reason = self.query_one(CacheList).cut_reason if is_cache else ""
        totals.is_held = bool(trouble) or (summary.hold_reason is not None and not reason)
        totals.words = (
            trouble
            or reason
            or " · ".join(filter(None, (upkeep_words(store.upkeep), totals_words(summary, self.jellytui.keymap))))
        )

    def _turn_to(self, tab: Tab) -> None:
        self.query_one(DownloadTabs).tab = tab
        cache = self.query_one(CacheList)
        is_cache = tab == "cache"
        self._list.display, cache.display = not is_cache, is_cache
        (cache if is_cache else self._list).focus()
        if is_cache:
            self._read_cache()
        else:
            self._list.show(tab)
        self._draw_bands()
        self._draw_hints()

    def _draw_hints(self) -> None:
        can_keep = self._tab != "cache" or self.query_one(CacheList).keepable is not None
        is_metered = self._tab == "active" and self._store.summary.hold_kind == "metered"
        first = ("download_anyway",) if is_metered else ()
        self.query_one(HintLine).hints = first + tuple(hint for hint in HINTS[self._tab] if can_keep or hint != "keep")

    def _read_cache(self) -> None:
        self._cache_timer = None
        self.run_worker(self._show_cache(), group="cache", exclusive=True, exit_on_error=False)

    async def _show_cache(self) -> None:
        use: CacheUse | None = await self.jellytui.ask("get_cache")
        steps: list[CacheStep] | None = await self.jellytui.ask("plan_cache")
        if use is not None:
            self.query_one(CacheList).show(use, steps or [])

    # Tabs, filter, order

    def on_download_tabs_chosen(self, event: DownloadTabs.Chosen) -> None:
        self._turn_to(event.tab)

    def action_next_tab(self) -> None:
        self._turn_to(TABS[(TABS.index(self._tab) + 1) % len(TABS)])

    def action_previous_tab(self) -> None:
        self._turn_to(TABS[TABS.index(self._tab) - 1])

    def action_sort(self) -> None:
        if self._tab != "cache":
            self._list.next_order()
            self._draw_bands()

    def action_filter(self) -> None:
        if self._tab != "cache":
            self._show_filter(True)
            self.query_one(FilterLine).open(self._list.words)

    def action_drop_filter(self) -> None:
        self._filter("")

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        self._filter(event.words)

    def on_filter_line_left(self, event: FilterLine.Left) -> None:
        if not event.is_kept:
            self._filter("")
        self._show_filter(False)
        self._list.focus()

    def _show_filter(self, is_shown: bool) -> None:
        self.query_one(FilterLine).display = is_shown
        self.query_one(DownloadTabs).display = not is_shown

    def _filter(self, words: str) -> None:
        if words != self._list.words:
            self._list.words = words
            self._list.show(self._list.tab)
            self._draw_bands()

    # What is done with the rows under the cursor

    def action_play(self) -> None:
        item_ids, start_index = self._list.playable if self._tab != "cache" else ([], 0)
        if item_ids:
            self.send("play_items", item_ids=item_ids, start_index=start_index)

    def on_virtual_list_moved(self) -> None:
        self._draw_bands(with_counts=False)
        self._draw_hints()

    def on_cache_list_room_changed(self) -> None:
        self._draw_bands(with_counts=False)

    def on_virtual_list_chosen(self) -> None:
        self.action_play()

    def action_pause_download(self) -> None:
        rows = [row for row in self._chosen() if row.status != "completed"]
        stopped = [row.id for row in rows if row.status in ("paused", "failed")]
        if rows:
            # An album goes on when all of it stands still.
            all_stopped = len(stopped) == len(rows)
            self._do(self._store.resume_many(stopped) if all_stopped else self._store.pause_many(_ids(rows)))

    def action_cancel_download(self) -> None:
        rows = [row for row in self._chosen() if row.status != "completed"]
        if rows:
            self.jellytui.removals.cancel(rows, self._list.title_of_chosen)
        elif self._chosen():
            self.jellytui.say(f"{self._list.chosen_title} is here already; D deletes it.")

    def action_prioritize(self) -> None:
        if rows := self._chosen():
            self._do(self._store.prioritize_many(_ids(rows)))

    def action_download_anyway(self) -> None:
        if rows := self._chosen():
            self._do(self._store.download_anyway(_ids(rows)))

    def action_keep(self) -> None:
        if self._tab == "cache":
            step = self.query_one(CacheList).keepable
            if step is not None:
                self._do(self._keep([step.item_id], step.name))
            else:
                self.jellytui.say("There is nothing to keep here. The tab Completed has what is cached, with a ·.")
            return
        rows = self._chosen()
        cached = [row.item_id for row in rows if not row.is_kept]
        if cached:
            self._do(self._keep(cached, self._list.chosen_title))
        elif rows:
            self.jellytui.say(f"{self._list.chosen_title} is yours already: it stays until you delete it.")

    async def _keep(self, item_ids: list[str], name: str) -> None:
        await self._store.keep(item_ids)
        self.jellytui.say(f"{name} is yours now: it stays until you delete it.")
        if self._tab == "cache":
            self._read_cache()

    def _chosen(self) -> list[DownloadInfo]:
        return self._list.chosen if self._tab != "cache" else []

    def action_delete_download(self) -> None:
        if rows := self._chosen():
            self.jellytui.removals.delete(rows, self._list.title_of_chosen)

    # All at once

    def action_pause_all(self) -> None:
        self._do(self._store.pause_all())

    def action_resume_all(self) -> None:
        self._do(self._store.resume_all())

    def action_retry_failed(self) -> None:
        def words(number: int) -> str:
            return f"{fmt.count(number, 'download')} queued again." if number else "No download has failed."

        self._do(self._told(self._store.retry_failed(), words))

    def action_clear_completed(self) -> None:
        if self._tab == "cache":
            self.run_worker(self._clear_cache(), group="downloads", exit_on_error=False)
            return
        words = "taken off the tab. The files stay."
        self._do(self._told(self._store.clear_completed(), lambda number: f"{fmt.count(number, 'download')} {words}"))

    async def _clear_cache(self) -> None:
        from jellytui.tui.screens.confirm import Confirm

        used = fmt.size(self._store.summary.cache_bytes)
        if not await self.jellytui.push_screen_wait(Confirm(f"Remove {used} of cached music? Yours stays.", "remove")):
            return
        removed: int | None = await self.jellytui.ask("clear_cache")
        if removed is not None:
            self.jellytui.say(f"{fmt.size(removed)} removed from the cache.")
            self._read_cache()

    async def _told(self, action: Coroutine[Any, Any, int], words: Callable[[int], str]) -> None:
        self.jellytui.say(words(await action))

    def _do(self, action: Coroutine[Any, Any, Any]) -> None:
        self.run_worker(self._try(action), group="downloads", exit_on_error=False)

    async def _try(self, action: Coroutine[Any, Any, Any]) -> None:
        try:
            await action
        except JellytuiError as error:
            self.jellytui.say(error.text, "error")


def _ids(rows: list[DownloadInfo]) -> list[int]:
    return [row.id for row in rows]
