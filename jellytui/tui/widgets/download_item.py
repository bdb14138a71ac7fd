"""DownloadItem: one download in one line of the list: sign, name, bar, share, speed and time left, or why it waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jellytui.engine.models import DownloadInfo
from jellytui.tui import format as fmt
from jellytui.tui.keymap import Keymap
from jellytui.tui.widgets.download_button import CACHED, sm
from jellytui.tui.widgets.virtual_list import Cell

MAX_ATTEMPTS = 3
"""Attempts of a download before it fails (seed, DownloadWorker)."""

_WAITS = {"server": "waits for the server", "disk": "waits for room on the disk"}
_FOR = {"queue": "for the queue", "album": "for its album", "stream": "from listening"}
_NARROW = 56


@dataclass(frozen=True)
class DownloadItem:
    """A row of the downloads, the moment at which it is drawn (for the countdown of a retry), and the keys."""

    row: DownloadInfo
    now: datetime
    keymap: Keymap
    with_album: bool = False
    """Whether its album stands with its name, where no heading says it."""

    def cells(self, room: int) -> list[Cell]:
        """The line in so many cells."""
        name = max(8, min(36, room * 2 // 7))
        head: list[Cell] = [self._sign(), (" ", ""), *self._name(name), ("  ", "")]
        rest = room - name - 4
        match self.row.status:
            case "downloading":
                return head + self._progress(rest, is_narrow=room < _NARROW)
            case "completed":
                return head + self._completed(rest)
            case "failed":
                text = self.row.error_message or "It failed; the server did not say why."
                return [*head, (fmt.fit(text, rest), "bad")]
        return [*head, (fmt.fit(self.words(), rest), "dim")]

    def words(self) -> str:
        """Why it does not come down now."""
        row = self.row
        if row.status == "paused":
            if not row.bytes_downloaded:
                return "paused"
            here = row.bytes_downloaded
            return f"paused at {fmt.share_of(here, row.file_size) if row.file_size else fmt.size(here)}"
        if row.wait_reason == "retry":
            reason = (row.error_message or "It did not come").rstrip(".")
            return f"{self._countdown()} ({min(row.retry_count, MAX_ATTEMPTS)} of {MAX_ATTEMPTS}): {reason}"
        if row.wait_reason == "metered":
            key = self.keymap.written("download_anyway")
            return "waits: this link is metered" + (f"; {key} downloads it anyway" if key else "")
        if row.wait_reason in _WAITS:
            return _WAITS[row.wait_reason]
        reason = _FOR.get(row.origin, "")
        return f"waiting · {reason}" if reason else "waiting"

    def _name(self, room: int) -> list[Cell]:
        name = self.row.name or self.row.item_id
        if not self.with_album or not self.row.album:
            return [(fmt.fit(name, room), "")]
        shown = fmt.cut(name, room)
        return [(shown, ""), (fmt.fit(f" · {self.row.album}", room - fmt.width(shown)), "dim")]

    def _sign(self) -> Cell:
        if self.row.status == "pending" and self.row.wait_reason == "retry":
            return "↻", "warn"
        if self.row.status == "completed" and not self.row.is_kept:
            return CACHED
        return sm((self.row.status, self.row.progress))

    def _countdown(self) -> str:
        left = _seconds_until(self.row.next_attempt_at, self.now)
        return f"again in {fmt.duration(left * 1000)}" if left else "again now"

    def _progress(self, room: int, *, is_narrow: bool) -> list[Cell]:
        row = self.row
        numbers = f"{fmt.percent(row.progress):>6}"
        if not is_narrow:
            speed = fmt.rate(row.bytes_per_second) if row.bytes_per_second > 0 else ""
            numbers += f"{speed:>12}{time_left(row):>9}"
        full, empty = fmt.bar(row.progress, max(4, room - len(numbers)))
        return [(full, "accent"), (empty, "line"), (numbers, "")]

    def _completed(self, room: int) -> list[Cell]:
        row = self.row
        size = f"{fmt.size(row.file_size or row.bytes_downloaded):>10}"
        if room < _NARROW // 2:
            return [(fmt.fit(size, room, "right"), "dim")]
        keeper = "gone from the server" if row.gone_on_server else "" if row.is_kept else "cache"
        since = (row.completed_at or "")[:10] if room >= _NARROW else ""
        facts = f"{size}{fmt.duration(row.duration_ms):>9}"
        return [
            (fmt.fit(keeper, room - len(facts) - len(since)), "warn" if row.gone_on_server else "dim"),
            (since, "dim"),
            (facts, "dim"),
        ]


def time_left(row: DownloadInfo) -> str:
    """The time until it is here at its present speed; empty while nothing can be said."""
    if not row.file_size or row.bytes_per_second <= 0:
        return ""
    return fmt.duration(round(max(0, row.file_size - row.bytes_downloaded) / row.bytes_per_second) * 1000)


def _seconds_until(moment: str | None, now: datetime) -> int:
    if not moment:
        return 0
    return max(0, round((datetime.fromisoformat(moment) - now).total_seconds()))
