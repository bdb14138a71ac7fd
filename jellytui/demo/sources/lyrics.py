"""Reads lyrics files as the server does: LRC with times and words, or plain lines (jellyfin-api.md 10)."""

import re
from typing import Any

_TIME = re.compile(r"\[(\d+):(\d{1,2})(?:[.:](\d{1,3}))?\]")
_WORD = re.compile(r"<(\d+):(\d{1,2})(?:[.:](\d{1,3}))?>")


def parse_lyrics(text: str, *, synced: bool) -> list[dict[str, Any]]:
    """Lines for LyricDto. Untimed lines of an LRC are dropped; a file without any time is plain after all."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if synced and _TIME.search(text):
        return _synced(text)
    return [{"Text": line} for line in text.split("\n")]


def _synced(text: str) -> list[dict[str, Any]]:
    timed: list[tuple[int, str]] = []
    for line in text.split("\n"):
        rest, times = line.strip(), []
        while match := _TIME.match(rest):
            times.append(_ticks(match))
            rest = rest[match.end() :].lstrip()
        timed += [(start, rest) for start in times]
    timed.sort(key=lambda each: each[0])
    starts = [start for start, _ in timed]
    return [_line(start, rest, next((s for s in starts if s > start), None)) for start, rest in timed]


def _line(start: int, text: str, next_start: int | None) -> dict[str, Any]:
    marks = list(_WORD.finditer(text))
    plain = _WORD.sub("", text)
    cues: list[dict[str, Any]] = []
    removed = 0
    for place, mark in enumerate(marks):
        position = mark.start() - removed
        removed += mark.end() - mark.start()
        following = marks[place + 1] if place + 1 < len(marks) else None
        end = following.start() - removed if following else len(plain)
        cue: dict[str, Any] = {"Position": position, "EndPosition": end, "Start": _ticks(mark)}
        until = _ticks(following) if following else next_start
        cues.append(cue | ({"End": until} if until is not None else {}))
    return {"Text": plain, "Start": start, "Cues": cues}


def _ticks(match: re.Match[str]) -> int:
    fraction = (match[3] or "0").ljust(3, "0")
    return ((int(match[1]) * 60 + int(match[2])) * 1000 + int(fraction)) * 10_000
