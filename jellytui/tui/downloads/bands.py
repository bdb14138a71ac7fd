"""The lines above and below the list of downloads: tabs with what the disk holds, and totals or why all waits."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from jellytui.engine.events import UpkeepState
from jellytui.engine.models import DownloadsSummary, HoldKind
from jellytui.tui import format as fmt
from jellytui.tui.downloads.lines import TABS, Tab
from jellytui.tui.keymap import Keymap


class DownloadTabs(Widget):
    """One line: ` ACTIVE 6   COMPLETED 1,204   FAILED 1   CACHE 93 % ─── 41.0 GB mine`."""

    tab: reactive[Tab] = reactive("active")
    counts: reactive[tuple[str, ...]] = reactive(("0", "0", "0", ""))
    """What stands behind each tab's word."""
    facts: reactive[tuple[str, ...]] = reactive(())
    """What stands at the right, the most important last: those that have no room are left out."""

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, tab: Tab) -> None:
            super().__init__()
            self.tab = tab

    def render(self) -> Content:
        parts = [
            (label, "bold $primary" if tab == self.tab else "bold $text-dim")
            for tab, label in zip(TABS, self._labels(), strict=True)
        ]
        used = sum(fmt.width(text) for text, _ in parts)
        facts = list(self.facts)
        while facts and used + fmt.width(" · ".join(facts)) + 4 > self.size.width:
            del facts[0]
        right = f" {' · '.join(facts)} " if facts else ""
        line = "─" * (self.size.width - used - fmt.width(right))
        return Content.assemble(*parts, (line, "$line-focus"), (right, "$text-dim"))

    def on_click(self, event: events.Click) -> None:
        column = 0
        for tab, label in zip(TABS, self._labels(), strict=True):
            column += fmt.width(label)
            if event.x < column:
                self.post_message(self.Chosen(tab))
                return

    def _labels(self) -> list[str]:
        labels = [f" {tab.upper()} {count}  " for tab, count in zip(TABS, self.counts, strict=True)]
        if sum(map(fmt.width, labels)) < self.size.width:
            return labels
        # On narrow terminals the words of the tabs that are not lit give way to their first letters.
        return [
            label if tab == self.tab else f" {tab[0].upper()} {count} "
            for tab, count, label in zip(TABS, self.counts, labels, strict=True)
        ]


class DownloadTotals(Widget):
    """Below the list: how much is to come and how long it takes, or why all waits; as many lines as the words need."""

    words: reactive[str] = reactive("")
    is_held: reactive[bool] = reactive(False)

    def render(self) -> Content:
        return Content.styled("\n".join(self._lines()), "$warning" if self.is_held else "$text-dim")

    def watch_words(self) -> None:
        self._take_room()

    def on_resize(self) -> None:
        self._take_room()

    def _take_room(self) -> None:
        lines = len(self._lines()) if self.size.width else 1
        if self.styles.height is None or self.styles.height.value != lines:
            self.styles.height = lines

    def _lines(self) -> list[str]:
        return fmt.wrap(self.words, self.size.width, at_most=max(1, self.screen.size.height // 4))


def cache_share(summary: DownloadsSummary) -> str:
    """How full the cache is: "93 %"; empty without a limit."""
    limit = summary.cache_limit_bytes
    return fmt.percent(summary.cache_bytes / limit) if limit else ""


def disk_facts(summary: DownloadsSummary) -> tuple[str, ...]:
    """What the files take: "120 GB free", "9.3 of 10 GB cache", "41.0 GB mine"."""
    facts = []
    if summary.free_bytes:
        facts.append(f"{fmt.size(summary.free_bytes)} free")
    if summary.cache_limit_bytes:
        facts.append(f"{fmt.share_of(summary.cache_bytes, summary.cache_limit_bytes)} cache")
    if summary.user_bytes:
        facts.append(f"{fmt.size(summary.user_bytes)} mine")
    return tuple(facts)


_WORKS = {
    "sweep": "Looking over the downloads",
    "verify": "Checking the downloads",
    "move": "Moving the downloads",
    "export": "Exporting",
    "rescue": "Rescuing the database",
}


def upkeep_words(upkeep: UpkeepState | None) -> str:
    """ "Checking the downloads: 120 of 1,204"; empty while nothing such runs."""
    if upkeep is None:
        return ""
    far = f": {fmt.number(upkeep.done)} of {fmt.number(upkeep.total)}" if upkeep.total else "…"
    return _WORKS[upkeep.work] + far


_WAYS_OUT: dict[HoldKind, tuple[str, str]] = {
    "paused": ("resume_all", "lets it go on."),
    "metered": ("download_anyway", "downloads the chosen one anyway."),
}
"""The action that ends a hold, and what it does in words that follow its key."""


def totals_words(summary: DownloadsSummary, keymap: Keymap) -> str:
    """ "5 waiting, 2 running · 61.2 of 140.8 MB · about 0:22 left", or why all waits; empty without work."""
    if summary.hold_reason:
        action, does = _WAYS_OUT.get(summary.hold_kind, ("", ""))
        key = keymap.written(action) if action else ""
        return f"{summary.hold_reason} {key} {does}" if key else summary.hold_reason
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
    parts = [", ".join(counts), fmt.share_of(summary.bytes_downloaded, summary.bytes_total)]
    if summary.bytes_per_second > 0:
        left = (summary.bytes_total - summary.bytes_downloaded) / summary.bytes_per_second
        parts += [fmt.rate(summary.bytes_per_second), f"about {fmt.duration(round(left) * 1000)} left"]
    return " · ".join(parts)
