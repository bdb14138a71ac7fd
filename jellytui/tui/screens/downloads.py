"""The downloads: what comes down, what is here, what failed, and what can be done about it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from jellytui.engine.errors import JellytuiError
from jellytui.engine.models import DownloadInfo, DownloadsSummary
from jellytui.tui import format as fmt
from jellytui.tui.keymap import bindings
from jellytui.tui.resources import styles_dir
from jellytui.tui.screens.base import BaseScreen
from jellytui.tui.stores.base import Keys
from jellytui.tui.stores.downloads import ROWS, DownloadsStore
from jellytui.tui.widgets.download_list import TABS, DownloadList, Tab


class DownloadTabs(Widget):
    """One line: ` ACTIVE 6   COMPLETED 1,204   FAILED 1 ──── 9.3 of 10 GB cache · 41 GB mine`."""

    tab: reactive[Tab] = reactive("active")
    counts: reactive[tuple[int, int, int]] = reactive((0, 0, 0))
    disk: reactive[str] = reactive("")

    def render(self) -> Content:
        parts = [
            (f" {tab.upper()} {fmt.number(count)}  ", "bold $primary" if tab == self.tab else "bold $text-dim")
            for tab, count in zip(TABS, self.counts, strict=True)
        ]
        used = sum(fmt.width(text) for text, _ in parts)
        disk = f" {self.disk} " if self.disk and used + fmt.width(self.disk) + 4 < self.size.width else ""
        line = "─" * (self.size.width - used - fmt.width(disk))
        return Content.assemble(*parts, (line, "$line-focus"), (disk, "$text-dim"))


class DownloadTotals(Widget):
    """One line below the list: how much is to come and how long it takes, or why all waits."""

    words: reactive[str] = reactive("")
    is_held: reactive[bool] = reactive(False)

    def render(self) -> Content:
        return Content.styled(fmt.cut(self.words, self.size.width), "$warning" if self.is_held else "$text-dim")


class DownloadsScreen(BaseScreen):
    """Three tabs over one list."""

    TAB = "downloads"
    HINTS = ("pause_download", "pause_all", "resume_all", "cancel_download", "prioritize", "clear_completed")
    BINDINGS = bindings("downloads")
    CSS_PATH: ClassVar[list[Any]] = [styles_dir() / "downloads.tcss"]

    def compose_middle(self) -> ComposeResult:
        yield DownloadTabs()
        yield DownloadList(self.session.downloads)
        yield DownloadTotals()

    def on_mount(self) -> None:
        self.follow(self.session.downloads, self._on_change)
        self._list.show("active")
        self._draw_totals()
        self._list.focus()
        self.set_interval(1.0, self._count_down)

    @property
    def _list(self) -> DownloadList:
        return self.query_one(DownloadList)

    @property
    def _store(self) -> DownloadsStore:
        return self.session.downloads

    def _on_change(self, keys: Keys) -> None:
        if ROWS in keys:
            self._list.show(self._list.tab)
        else:
            self._list.refresh_changed()
        self._draw_totals()

    def _count_down(self) -> None:
        if self.app.screen is self and self._list.has_countdown:
            self._list.refresh_changed()

    def _draw_totals(self) -> None:
        summary = self._store.summary
        tabs, totals = self.query_one(DownloadTabs), self.query_one(DownloadTotals)
        waiting = len(self._store.with_status("downloading", "pending", "paused"))
        completed = sum(row.cleared_at is None for row in self._store.with_status("completed"))
        tabs.counts = (waiting, completed, len(self._store.with_status("failed")))
        tabs.disk = disk_words(summary)
        totals.is_held = summary.hold_reason is not None
        totals.words = totals_words(summary)

    # Actions

    def action_next_tab(self) -> None:
        self._turn(1)

    def action_previous_tab(self) -> None:
        self._turn(-1)

    def action_play(self) -> None:
        if row := self._list.download:
            self.send("play_items", item_ids=[row.item_id])

    def on_virtual_list_chosen(self) -> None:
        self.action_play()

    def action_pause_download(self) -> None:
        row = self._list.download
        if row is None or row.status == "completed":
            return
        is_stopped = row.status in ("paused", "failed")
        self._do(self._store.resume(row.id) if is_stopped else self._store.pause(row.id))

    def action_pause_all(self) -> None:
        self._do(self._store.pause_all())

    def action_resume_all(self) -> None:
        self._do(self._store.resume_all())

    def action_cancel_download(self) -> None:
        row = self._list.download
        if row is None:
            return
        if row.status == "completed":
            self.jellytui.say(f"{row.name} is here already; D deletes it.")
            return
        self._do(self._store.cancel(row.id))

    def action_prioritize(self) -> None:
        if row := self._list.download:
            self._do(self._store.prioritize(row.id))

    def action_download_anyway(self) -> None:
        if row := self._list.download:
            self._do(self._store.download_anyway(row.id))

    def action_clear_completed(self) -> None:
        self._do(self._clear())

    def action_retry_failed(self) -> None:
        self._do(self._store.retry_failed())

    def action_delete_download(self) -> None:
        if row := self._list.download:
            self._do(self._delete(row))

    def _turn(self, by: int) -> None:
        tab = TABS[(TABS.index(self._list.tab) + by) % len(TABS)]
        self.query_one(DownloadTabs).tab = tab
        self._list.show(tab)

    def _do(self, action: Coroutine[Any, Any, Any]) -> None:
        self.run_worker(self._try(action), group="downloads", exit_on_error=False)

    async def _try(self, action: Coroutine[Any, Any, Any]) -> None:
        try:
            await action
        except JellytuiError as error:
            self.jellytui.say(error.text, "error")

    async def _clear(self) -> None:
        cleared = await self._store.clear_completed()
        self.jellytui.say(f"{fmt.count(cleared, 'download')} taken off the tab. The files stay.")

    async def _delete(self, row: DownloadInfo) -> None:
        from jellytui.tui.screens.confirm import Confirm

        if await self.jellytui.push_screen_wait(Confirm(f"Delete the file of {row.name}?", "delete")):
            await self._store.delete(row.id)
            self.jellytui.say(f"{row.name} deleted. The server still has it.")


def disk_words(summary: DownloadsSummary) -> str:
    """What the files take: "9.3 of 10 GB cache · 41 GB mine"."""
    parts = []
    if summary.cache_limit_bytes:
        parts.append(f"{fmt.size(summary.cache_bytes)} of {fmt.size(summary.cache_limit_bytes)} cache")
    if summary.user_bytes:
        parts.append(f"{fmt.size(summary.user_bytes)} mine")
    return " · ".join(parts)


def totals_words(summary: DownloadsSummary) -> str:
    """ "5 waiting, 2 running · 61.2 MB of 140.8 MB · about 0:22 left", or why all waits; empty without work."""
    if summary.hold_reason:
        return summary.hold_reason
    if not summary.active_count + summary.queued_count + summary.paused_count:
        return ""
    counts = [
        f"{fmt.number(count)} {word}"
        for count, word in (
            (summary.queued_count, "waiting"),
            (summary.active_count, "running"),
            (summary.paused_count, "paused"),
        )
        if count
    ]
    parts = [", ".join(counts), f"{fmt.size(summary.bytes_downloaded)} of {fmt.size(summary.bytes_total)}"]
    if summary.bytes_per_second > 0:
        left = (summary.bytes_total - summary.bytes_downloaded) / summary.bytes_per_second
        parts.append(f"about {fmt.duration(round(left) * 1000)} left")
    if summary.paused_all:
        parts.append("all paused; R resumes")
    return "Total " + " · ".join(parts)
