"""What to ask for when a part of a file is here, and whether the answer continues it: pure (downloads-playback.md 1.4).

ASP.NET answers 206 with *another* file when that file is older than `If-Range` (jellyfin-api.md 8.2), so the answer's
own word is not enough: offset, total, validators and the overlapping bytes must all agree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

OVERLAP = 64 * 1024
"""Bytes that are asked for again and compared."""

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True, kw_only=True)
class Held:
    """What is here: `size` bytes of a body that had these validators and this total."""

    size: int = 0
    total: int | None = None
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to ask for: from `start` on, if the file is still the one named by `if_range`."""

    start: int = 0
    if_range: str | None = None


@dataclass(frozen=True, kw_only=True)
class Body:
    """The body to take: from `start`; at 0 it begins anew and whatever is here goes."""

    start: int
    total: int | None
    etag: str | None
    last_modified: str | None
    mime_type: str | None

    @property
    def held(self) -> Held:
        """What there is to remember of it, before any of its bytes."""
        return Held(total=self.total, etag=self.etag, last_modified=self.last_modified)


@dataclass(frozen=True)
class Anew:
    """What is here does not continue: drop it and ask from the beginning."""

    reason: str


@dataclass(frozen=True)
class NotMusic:
    """The answer is a page or a compressed stream; `reason` in words."""

    reason: str


def request_for(held: Held) -> Request:
    """From 64 KiB before the end of what is here, so that what lies there can be compared."""
    start = held.size - OVERLAP
    if start <= 0:
        return Request()
    is_strong = held.etag is not None and not held.etag.startswith("W/")
    return Request(start=start, if_range=held.etag if is_strong else held.last_modified)


def judge(request: Request, held: Held, status: int, headers: Mapping[str, str]) -> Body | Anew | NotMusic:
    """What a 200, 206 or 416 means for what is here; `headers` by lower-case name."""
    if status == 416:
        return Anew("the server's file is shorter than what was here")
    if reason := _no_music(headers):
        return NotMusic(reason)
    if status == 200:
        return _body(0, _length(headers), headers)
    encoding = headers.get("content-encoding", "identity")
    match = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if match is None or encoding != "identity":
        return Anew("the answer does not say which part of the file it is")
    first, last, total = (int(number) for number in match.groups())
    if first != request.start or last != total - 1:
        return Anew("the server sent another part than the one asked for")
    if request.start > 0:
        if held.total is not None and total != held.total:
            return Anew("the file has another length now")
        if headers.get("etag") != held.etag or headers.get("last-modified") != held.last_modified:
            return Anew("the file has changed on the server")
    return _body(first, total, headers)


def _body(start: int, total: int | None, headers: Mapping[str, str]) -> Body:
    return Body(
        start=start,
        total=total,
        etag=headers.get("etag"),
        last_modified=headers.get("last-modified"),
        mime_type=headers.get("content-type"),
    )


def _length(headers: Mapping[str, str]) -> int | None:
    """The body's length where the answer says it; none for a chunked one, whatever its Content-Length."""
    if "transfer-encoding" in headers:
        return None
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() else None


def _no_music(headers: Mapping[str, str]) -> str | None:
    """Why the answer cannot be music: only what is surely none (mka, wma, ac3 and others have odd types)."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        return "A web page came instead of music: a proxy or a login page stands between here and the server."
    if kind in ("application/json", "application/problem+json", "text/json"):
        return "A message came instead of music: something else than the Jellyfin server answers here."
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity") and "content-range" not in headers:
        return f"A proxy compresses the music on its way ({encoding}); switch that off for audio."
    return None
