"""DownloadButton: what a download is, at a glance; the seed's five states in three sizes, and one for waiting.

sm is one cell of a list: blank available, ⇣ waiting, ○◔◑◕● the ring while it comes down, ✓ here, ⏸ paused, ! failed,
· here, but the cache may take it away again. md says it of an album: `✓ 9`, `· 9`, `⇣ 4/11`, `d download`. lg adds the
words. No state is told by its colour alone.
"""

from __future__ import annotations

from typing import Literal

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from jellytui.engine.models import DownloadStatus
from jellytui.tui.format import percent, ring
from jellytui.tui.widgets.virtual_list import Cell

ItemDownload = tuple[DownloadStatus, float] | None
"""A track's download as `DownloadsStore.item_state` gives it."""

_SIGNS: dict[DownloadStatus, Cell] = {
    "pending": ("⇣", "dim"),
    "completed": ("✓", "good"),
    "paused": ("⏸", "warn"),
    "failed": ("!", "bad"),
}
CACHED: Cell = ("·", "good")
"""In place of ✓ when only the cache keeps the file, which may take it away again."""

_WORDS: dict[DownloadStatus, str] = {
    "pending": "waiting to come down",
    "completed": "on this machine",
    "paused": "paused",
    "failed": "failed · d tries again",
}
COLORS = {"": "$foreground", "dim": "$text-dim", "good": "$success", "warn": "$warning", "bad": "$error"}


def sm(download: ItemDownload) -> Cell:
    """The button in one cell: sign and role."""
    if download is None:
        return " ", ""
    status, progress = download
    return (ring(progress), "accent") if status == "downloading" else _SIGNS[status]


def md(completed: int, active: int, total: int, *, is_cached: bool = False) -> Cell:
    """The button of an album: how many of its tracks are here or coming; `is_cached` when the cache may take some."""
    if total and completed >= total:
        sign, role = CACHED if is_cached else _SIGNS["completed"]
        return f"{sign} {total}", role
    if active:
        return f"⇣ {completed}/{total}", "accent"
    if completed:
        return f"{completed}/{total}", "dim"
    return "d download", "dim"


def lg(download: ItemDownload, *, is_cached: bool = False) -> Cell:
    """The button in words; `is_cached` when only the cache keeps the file, which may take it away again."""
    if download is None:
        return "d download", "dim"
    if is_cached:
        sign, role = CACHED
        return f"{sign} in the cache · d keeps it", role
    status, progress = download
    sign, role = sm(download)
    if status == "downloading":
        return f"{sign} coming down, {percent(progress)}", role
    return f"{sign} {_WORDS[status]}", role


class DownloadButton(Widget):
    """The button as a widget of its own, for one track (lg) or an album (md)."""

    download: reactive[ItemDownload] = reactive(None)
    counts: reactive[tuple[int, int, int]] = reactive((0, 0, 0))
    is_cached: reactive[bool] = reactive(False)

    def __init__(self, variant: Literal["sm", "md", "lg"] = "lg", *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._variant = variant

    def validate_download(self, download: ItemDownload) -> ItemDownload:
        # Whole percents: what would draw the same must not draw again.
        return None if download is None else (download[0], int(download[1] * 100) / 100)

    def render(self) -> Content:
        match self._variant:
            case "sm":
                text, role = sm(self.download)
            case "md":
                text, role = md(*self.counts, is_cached=self.is_cached)
            case "lg":
                text, role = lg(self.download, is_cached=self.is_cached)
        return Content.styled(text, COLORS.get(role, "$primary"))
