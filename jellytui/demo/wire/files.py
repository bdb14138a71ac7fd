"""Sends a file with the ranges and validators of the server's PhysicalFile (jellyfin-api.md 8.2)."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from stat import S_ISREG
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from jellytui.demo.wire.replies import TextError

CHUNK_BYTES = 256 * 1024
_RANGE = re.compile(r"\s*[a-z]+\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.IGNORECASE)
_CONTENT_TYPES = {
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".mp2": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".m4b": "audio/mp4",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".aif": "audio/x-aiff",
    ".aiff": "audio/x-aiff",
    ".wv": "audio/x-wavpack",
    ".wma": "audio/x-ms-wma",
    ".aac": "audio/aac",
    ".mka": "audio/x-matroska",
}


class FileGoneError(Exception):
    """The file got shorter while it was sent: the connection must break."""


def content_type(file: Path) -> str:
    """The type by extension, as recorded (8.2)."""
    return _CONTENT_TYPES.get(file.suffix.lower(), "application/octet-stream")


def attachment(name: str) -> str:
    """Content-Disposition in the server's two forms (8.2)."""
    plain = "".join(char if char.isascii() and char.isprintable() else "_" for char in name.replace('"', ""))
    quoted = plain if re.fullmatch(r"[\w.!#$%&'*+^`|~-]+", plain, re.ASCII) else f'"{plain}"'
    return f"attachment; filename={quoted}; filename*=UTF-8''{quote(name, safe='!#$&+-.^_`|~')}"


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes to send: how many, since when, and how to read some of them."""

    size: int
    modified: datetime
    read: Callable[[int, int], bytes]
    """Bytes from a place, so many at most. Raises FileGoneError when they are there no more."""
    close: Callable[[], None] = lambda: None


async def open_file(file: Path) -> Content:
    """A file. Raises TextError 404 when it has gone, 500 when it cannot be read."""
    try:
        stat = await asyncio.to_thread(file.stat)
        if not S_ISREG(stat.st_mode):
            raise TextError(404)
        handle = await asyncio.to_thread(file.open, "rb")
    except FileNotFoundError as error:
        raise TextError(404) from error
    except OSError as error:
        raise TextError(500) from error

    def read(start: int, count: int) -> bytes:
        handle.seek(start)
        found = handle.read(count)
        if not found:
            raise FileGoneError(file.name)
        return found

    return Content(stat.st_size, datetime.fromtimestamp(int(stat.st_mtime), UTC), read, handle.close)


async def content_response(
    method: str, headers: Mapping[str, str], content: Content, *, media_type: str, disposition: str | None = None
) -> Response:
    """The whole or the asked part: 200, 206, 304, 412 or 416."""
    size, modified = content.size, content.modified.replace(microsecond=0)
    out = {"Last-Modified": format_datetime(modified, usegmt=True)}
    status = _precondition(headers, modified)
    if status is not None:
        content.close()
        return Response(status_code=status, headers=out if status == 304 else None)
    out |= {"Content-Type": media_type, "Accept-Ranges": "bytes"}
    if disposition:
        out["Content-Disposition"] = disposition
    start, end = 0, size - 1
    asked = _asked_range(headers, modified, size)
    if asked is not None:
        if asked[0] >= size or asked[1] < asked[0]:
            content.close()
            return Response(status_code=416, headers=out | {"Content-Range": f"bytes */{size}"})
        start, end = asked
        out["Content-Range"] = f"bytes {start}-{end}/{size}"
    out["Content-Length"] = str(end - start + 1)
    status = 206 if asked else 200
    if method == "HEAD":
        content.close()
        return Response(status_code=status, headers=out)

    async def body() -> AsyncIterator[bytes]:
        place = start
        try:
            while place <= end:
                chunk = await asyncio.to_thread(content.read, place, min(end - place + 1, CHUNK_BYTES))
                place += len(chunk)
                yield chunk
        finally:
            content.close()

    return StreamingResponse(body(), status, out)


def _precondition(headers: Mapping[str, str], modified: datetime) -> int | None:
    unmodified_since = _http_date(headers.get("if-unmodified-since"))
    if unmodified_since is not None and modified > unmodified_since:
        return 412
    modified_since = _http_date(headers.get("if-modified-since"))
    if modified_since is not None and modified <= modified_since:
        return 304
    return None


def _asked_range(headers: Mapping[str, str], modified: datetime, size: int) -> tuple[int, int] | None:
    """First and last byte; past the end for what cannot be satisfied; None for the whole file."""
    match = _RANGE.fullmatch(headers.get("range", ""))
    if match is None or not (match[1] or match[2]):
        return None
    if_range = _http_date(headers.get("if-range"))
    if if_range is not None and modified > if_range:
        return None
    if not match[1]:
        length = int(match[2])
        return (max(0, size - length), size - 1) if length and size else (size, size)
    start = int(match[1])
    end = int(match[2]) if match[2] else size - 1
    if match[2] and end < start:
        return None
    return start, min(end, size - 1)


def _http_date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    if moment is None:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
