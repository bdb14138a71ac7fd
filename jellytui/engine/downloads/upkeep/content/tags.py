"""Reads the few tags that name a file that the library does not know: Vorbis comments (FLAC, Ogg) and ID3v2.

Only the beginning of the file is read. A file whose tags cannot be read has none: its name then is its id, until the
next sync knows better.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from jellytui.engine.models import Track

_HEAD_BYTES = 256 * 1024
_ID3_FRAMES = {
    b"TIT2": "title",
    b"TPE1": "artist",
    b"TPE2": "albumartist",
    b"TALB": "album",
    b"TRCK": "tracknumber",
    b"TPOS": "discnumber",
    b"TDRC": "date",
    b"TYER": "date",
}
_ID3_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")


def read_tags(path: Path, item_id: str) -> Track:
    """The track as its tags describe it; blocks. Empty texts where there are none."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        tags = _tags_of(head)
    except (OSError, struct.error, IndexError):
        tags = {}
    album, artist = tags.get("album", ""), tags.get("albumartist") or tags.get("artist", "")
    return Track(
        id=item_id,
        name=tags.get("title", ""),
        album=album,
        artists=(tags["artist"],) if tags.get("artist") else (),
        album_artist=artist,
        disc=_number(tags.get("discnumber")),
        number=_number(tags.get("tracknumber")),
        year=_number(tags.get("date")),
    )


def _tags_of(head: bytes) -> Mapping[str, str]:
    if head.startswith(b"ID3"):
        tags = dict(_id3(head))
        size = _synchsafe(head[6:10]) + 10
        return {**tags, **_tags_of(head[size:])} if head[size : size + 4] == b"fLaC" else tags
    if head.startswith(b"fLaC"):
        return dict(_flac(head))
    if head.startswith(b"OggS"):
        return dict(_ogg(head))
    return {}


def _flac(head: bytes) -> Iterator[tuple[str, str]]:
    position, is_last = 4, False
    while not is_last and position + 4 <= len(head):
        is_last, kind = bool(head[position] & 0x80), head[position] & 0x7F
        size = int.from_bytes(head[position + 1 : position + 4], "big")
        position += 4
        if kind == 4:
            yield from _comments(head[position : position + size])
        position += size


def _ogg(head: bytes) -> Iterator[tuple[str, str]]:
    """Joins the pages' bodies: the comments are the second packet, and often longer than a page."""
    body, position = b"", 0
    while head[position : position + 4] == b"OggS" and position + 27 <= len(head):
        lacing = head[position + 27 : position + 27 + head[position + 26]]
        start = position + 27 + len(lacing)
        body += head[start : start + sum(lacing)]
        position = start + sum(lacing)
    for mark in (b"\x03vorbis", b"OpusTags"):
        at = body.find(mark)
        if at >= 0:
            yield from _comments(body[at + len(mark) :])
            return


def _comments(block: bytes) -> Iterator[tuple[str, str]]:
    """A Vorbis comment: vendor, count, then NAME=value; the first of each name counts."""
    (vendor,) = struct.unpack_from("<I", block)
    (count,) = struct.unpack_from("<I", block, 4 + vendor)
    position = 8 + vendor
    seen: set[str] = set()
    for _ in range(min(count, 1000)):
        if position + 4 > len(block):
            return
        (size,) = struct.unpack_from("<I", block, position)
        text = block[position + 4 : position + 4 + size].decode("utf-8", "replace")
        position += 4 + size
        name, _, value = text.partition("=")
        name = name.lower().replace("album artist", "albumartist").replace("year", "date")
        if value.strip() and name not in seen:
            seen.add(name)
            yield name, _clean(value)


def _id3(head: bytes) -> Iterator[tuple[str, str]]:
    version, end = head[3], min(len(head), _synchsafe(head[6:10]) + 10)
    if version not in (3, 4) or head[5] & 0x80:
        return  # 2.2, and the rare form with escaped bytes
    position = 10
    if head[5] & 0x40:
        position += _synchsafe(head[10:14]) if version == 4 else struct.unpack_from(">I", head, 10)[0] + 4
    while position + 10 < end and head[position]:
        frame = head[position : position + 4]
        size = _synchsafe(head[position + 4 : position + 8])
        if version == 3:
            (size,) = struct.unpack_from(">I", head, position + 4)
        body = head[position + 10 : position + 10 + size]
        position += 10 + size
        if (name := _ID3_FRAMES.get(frame)) and body and body[0] < len(_ID3_ENCODINGS):
            text = body[1:].decode(_ID3_ENCODINGS[body[0]], "replace").split("\0")[0]
            if text.strip():
                yield name, _clean(text)


def _synchsafe(four: bytes) -> int:
    value = 0
    for byte in four:
        value = value << 7 | byte & 0x7F
    return value


def _number(text: str | None) -> int | None:
    """3, 3/12, 2004-05-01: the number in front."""
    match = re.match(r"\s*(\d{1,4})", text or "")
    return int(match[1]) if match else None


def _clean(text: str) -> str:
    return text.strip().replace("\r", " ").replace("\n", " ")[:500]
