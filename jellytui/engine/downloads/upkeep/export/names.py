"""Names of exported folders and files that every file system takes: FAT, exFAT, NTFS, APFS, short names too.

A name is one component: it never leads anywhere else, never vanishes on Windows, and never looks like another.
"""

from __future__ import annotations

import re
import unicodedata

from jellytui.engine.models import Track

LONGEST_BYTES = 140
"""Of UTF-8, number and ending included: encrypted folders take 143, and Windows counts 260 for the whole path."""

_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$|clock\$)", re.IGNORECASE)
_LEFT_OUT = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
"""Control and format signs (U+202E turns the text around), and what is no sign at all."""


def safe_name(text: str, ending: str = "", *, otherwise: str = "Unknown", number: int = 1) -> str:
    """The text as one name with that ending (".flac"); from the second of the same name on with a number."""
    suffix = (f" ({number})" if number > 1 else "") + ending
    room = LONGEST_BYTES - len(suffix.encode())
    stem = _shortened(_plain(text), room) or _shortened(_plain(otherwise), room) or "_"
    if _RESERVED.fullmatch(stem.partition(".")[0].rstrip()):
        stem = "_" + _shortened(stem, room - 1)
    return unicodedata.normalize("NFC", stem + suffix)


def folded(name: str) -> str:
    """What two names have in common that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())


def artist_folder(track: Track) -> str:
    """Whose folder the track goes into."""
    return safe_name(track.album_artist or next(iter(track.artists), ""), otherwise="Unknown artist")


def album_folder(track: Track, number: int = 1) -> str:
    """The album's folder, `Album (Year)`."""
    year = f" ({track.year})" if track.year else ""
    other = f" ({number})" if number > 1 else ""
    return safe_name(track.album, year + other, otherwise="Unknown album")


def track_file(track: Track, ending: str, *, has_discs: bool, number: int = 1) -> str:
    """The track's file, `01 - Title.ext`, or `1-01 - Title.ext` where the album has several discs."""
    disc = f"{track.disc}-" if has_discs and track.disc else ""
    place = f"{disc}{track.number:02} - " if track.number else ""
    return safe_name(place + (_plain(track.name) or track.id), ending, otherwise=track.id, number=number)


def _plain(text: str) -> str:
    """Composed, without signs that some system forbids, hides or cuts."""
    text = unicodedata.normalize("NFC", text)
    text = "".join(" " if sign in "\t\n\r" else sign for sign in text)
    text = "".join(sign for sign in text if unicodedata.category(sign) not in _LEFT_OUT)
    text = re.sub(r"\s+", " ", _FORBIDDEN.sub("_", text))
    return _trimmed(text)


def _trimmed(text: str) -> str:
    """Windows drops dots and spaces at the end; a dot in front hides a file."""
    text = text.strip(" ").rstrip(". ")
    return re.sub(r"^\.+", lambda dots: "_" * len(dots[0]), text)


def _shortened(text: str, room: int) -> str:
    """The beginning of the text that fits into so many bytes of UTF-8."""
    return _trimmed(text.encode()[: max(0, room)].decode(errors="ignore"))
