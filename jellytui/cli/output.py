"""How the command line speaks: results on stdout, progress and messages on stderr."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from jellytui.engine.models import Album, Artist, DownloadInfo, Item, Playlist, Track

_BAR_CELLS = 30


def print_json(value: Any) -> None:
    """One JSON document."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def say(text: str) -> None:
    """A message to the person, never part of the result."""
    print(text, file=sys.stderr)


def print_items(items: Sequence[Item]) -> None:
    """A line for each item: id, then what a person recognises it by."""
    for item in items:
        print(f"{item.id}  {describe(item)}")


def describe(item: Item) -> str:
    """An item in a few words."""
    match item:
        case Track():
            return " · ".join(part for part in (item.name, ", ".join(item.artists), item.album) if part)
        case Album():
            year = f" ({item.year})" if item.year else ""
            return f"{item.name}{year} · {', '.join(item.artists)} · {count(item.track_count, 'track')}"
        case Artist():
            return f"{item.name} · {count(item.album_count, 'album')}"
        case Playlist():
            return f"{item.name} · {count(item.track_count, 'track')}"


def print_downloads(rows: Sequence[DownloadInfo]) -> None:
    """A line for each download: its number, its state, its name."""
    for row in rows:
        share = f"{row.progress:4.0%}" if row.status in ("downloading", "paused") else "    "
        words = " · ".join(part for part in (row.name, ", ".join(row.artists), row.error_message) if part)
        print(f"{row.id:>6}  {row.status:<11} {share}  {words}")


def count(number: int, noun: str) -> str:
    """ "1 track", "2 tracks", "1,204 tracks"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def clock_time(milliseconds: int) -> str:
    """m:ss, or h:mm:ss from an hour on."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    if minutes < 60:
        return f"{minutes}:{seconds:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


class ProgressLine:
    """A bar that redraws itself on a terminal; nothing where stderr is none."""

    def __init__(self) -> None:
        self._is_on = sys.stderr.isatty()
        self._last = ""

    def show(self, done: int, total: int, text: str) -> None:
        """Draws the bar; done of total in any unit, total 0 when unknown."""
        if not self._is_on:
            return
        share = min(1.0, done / total) if total else 0.0
        filled = round(share * _BAR_CELLS)
        line = f"{'━' * filled}{'─' * (_BAR_CELLS - filled)} {share:4.0%}  {text}"
        if line != self._last:
            sys.stderr.write(f"\r\x1b[2K{line}")
            sys.stderr.flush()
            self._last = line

    def end(self) -> None:
        """Takes the bar away."""
        if self._is_on and self._last:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
            self._last = ""
