"""Reads the tags of one music file into plain values, whatever its format (jellyfin-api.md 6.1a, issue 4 point 2)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mutagen
from mutagen.aiff import AIFF
from mutagen.flac import FLAC
from mutagen.id3 import ID3
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4, MP4Tags
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

EXTENSIONS = frozenset({".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".m4b", ".wav", ".aif", ".aiff"})

_FORMATS: tuple[tuple[type, str, str], ...] = (
    (FLAC, "flac", "flac"),
    (MP3, "mp3", "mp3"),
    (OggOpus, "ogg", "opus"),
    (OggVorbis, "ogg", "vorbis"),
    (OggFLAC, "ogg", "flac"),
    (MP4, "mov,mp4,m4a,3gp,3g2,mj2", "aac"),
    (WAVE, "wav", "pcm_s16le"),
    (AIFF, "aiff", "pcm_s16be"),
)
_ID3_NAMES = {
    "TIT2": "title", "TPE1": "artist", "TPE2": "albumartist", "TALB": "album", "TDRC": "date", "TRCK": "tracknumber",
    "TPOS": "discnumber", "USLT": "lyrics",
}  # fmt: skip
_MP4_NAMES = {
    "\xa9nam": "title", "\xa9ART": "artist", "aART": "albumartist", "\xa9alb": "album", "\xa9day": "date",
    "\xa9gen": "genre", "\xa9lyr": "lyrics",
}  # fmt: skip
_NUMBER = re.compile(r"\d+")
_GAIN = re.compile(r"[-+]?\d+(?:\.\d+)?")
_ID3_GENRE = re.compile(r"^\(\d+\)(?=.)")


class UnreadableFileError(Exception):
    """The file is no music that can be read; the words say why."""


@dataclass(slots=True)
class Tags:
    """What a file says about itself; None or empty where it says nothing."""

    container: str
    codec: str
    seconds: float
    bit_rate: int
    sample_rate: int
    channels: int
    bit_depth: int | None
    title: str | None = None
    artists: list[str] = field(default_factory=list)
    album_artists: list[str] = field(default_factory=list)
    album: str | None = None
    genres: list[str] = field(default_factory=list)
    date: datetime | None = None
    index: int | None = None
    disc: int | None = None
    gain_db: float | None = None
    lyrics: str | None = None
    has_picture: bool = False


def read_tags(file: Path) -> Tags:
    """Reads one file. Raises UnreadableFileError when it is not music or is broken."""
    audio = _open(file)
    container, codec = next(((c, k) for kind, c, k in _FORMATS if isinstance(audio, kind)), (file.suffix[1:], ""))
    info, values = audio.info, _values(audio)
    if getattr(info, "codec", "") == "alac":
        codec = "alac"
    return Tags(
        container=container,
        codec=codec,
        seconds=float(info.length),
        bit_rate=int(getattr(info, "bitrate", 0) or 0) or int(file.stat().st_size * 8 / max(info.length, 0.001)),
        sample_rate=int(getattr(info, "sample_rate", 48000)),
        channels=int(getattr(info, "channels", 2)),
        bit_depth=getattr(info, "bits_per_sample", None)
        if codec in {"flac", "alac"} or codec.startswith("pcm")
        else None,
        title=_first(values, "title"),
        artists=_names(values.get("artist", ())),
        album_artists=_names(values.get("albumartist", values.get("album artist", ()))),
        album=_first(values, "album"),
        genres=[_ID3_GENRE.sub("", genre.strip()) for genre in _split(values.get("genre", ())) if genre.strip()],
        date=_date(_first(values, "date") or _first(values, "year")),
        index=_integer(_first(values, "tracknumber")),
        disc=_integer(_first(values, "discnumber")),
        gain_db=_gain(_first(values, "replaygain_track_gain")),
        lyrics=_first(values, "lyrics"),
        has_picture=picture_of(audio) is not None,
    )


def read_picture(file: Path) -> bytes | None:
    """The first picture embedded in a file."""
    return picture_of(_open(file))


def picture_of(audio: Any) -> bytes | None:
    """The first picture of an opened file."""
    if isinstance(audio, FLAC):
        return bytes(audio.pictures[0].data) if audio.pictures else None
    if isinstance(audio.tags, ID3):
        id3: Any = audio.tags
        frames = id3.getall("APIC")
        return bytes(frames[0].data) if frames else None
    if isinstance(audio.tags, MP4Tags):
        mp4: Any = audio.tags
        covers = mp4.get("covr")
        return bytes(covers[0]) if covers else None
    return None  # a picture in Ogg comments is not read by the server either: library.json, Segfault Lullabies


def _open(file: Path) -> Any:
    try:
        audio = mutagen.File(file)
    except (mutagen.MutagenError, OSError, ValueError, EOFError) as error:
        raise UnreadableFileError(str(error) or type(error).__name__) from error
    if audio is None or audio.info is None:
        raise UnreadableFileError("not a music file")
    return audio


def _values(audio: Any) -> dict[str, list[str]]:
    tags = audio.tags
    if tags is None:
        return {}
    if isinstance(tags, ID3):
        return _id3_values(tags)
    if isinstance(tags, MP4Tags):
        return _mp4_values(tags)
    found: dict[str, list[str]] = {}
    for key, value in tags.items():
        found.setdefault(key.lower(), []).extend(map(str, value))
    return found


def _id3_values(tags: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for frame in tags.values():
        name = _ID3_NAMES.get(frame.FrameID)
        if frame.FrameID == "TXXX":
            name = frame.desc.lower()
        elif frame.FrameID == "TCON":
            found["genre"] = list(frame.genres)
        if name is not None:
            text = frame.text if isinstance(frame.text, list) else [frame.text]
            found.setdefault(name, []).extend(map(str, text))
    return found


def _mp4_values(tags: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in tags.items():
        if key in _MP4_NAMES:
            found[_MP4_NAMES[key]] = [str(each) for each in value]
        elif key in {"trkn", "disk"}:
            found["tracknumber" if key == "trkn" else "discnumber"] = [str(value[0][0] or "")]
        elif key.startswith("----:"):
            found[key.rsplit(":", 1)[1].lower()] = [bytes(each).decode("utf-8", "replace") for each in value]
    return found


def _first(values: dict[str, list[str]], name: str) -> str | None:
    return next((text for text in values.get(name, ()) if text.strip()), None)


def _split(texts: Iterable[str]) -> list[str]:
    """Several tags, NUL (ID3v2.4) and `|` make several values; `;` `/` `,` `&` do not (jellyfin-api.md 6.1a)."""
    return [part for text in texts for piece in text.split("\0") for part in piece.split("|")]


def _names(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for name in _split(texts) if name.strip()))


def _integer(text: str | None) -> int | None:
    """The first number of a text: `A1` is 1, `3/12` is 3."""
    match = _NUMBER.search(text or "")
    return int(match[0][:9]) if match else None


def _gain(text: str | None) -> float | None:
    match = _GAIN.match((text or "").strip())
    return float(match[0]) if match else None


def _date(text: str | None) -> datetime | None:
    numbers = [int(number) for number in _NUMBER.findall((text or "").split("T")[0].strip())][:3]
    if not numbers or not 1 <= numbers[0] <= 9999:
        return None
    year, month, day = (*numbers, 1, 1)[:3]
    try:
        return datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return datetime(year, 1, 1, tzinfo=UTC)
