"""Builds real tagged music files, short and fast: FLAC, MP3, Ogg and Opus by libsndfile, tags by mutagen."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import soundfile
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, TALB, TCON, TDRC, TIT2, TPE1, TPE2, TPOS, TRCK, TXXX, USLT
from PIL import Image

RATE = 44_100
_FORMATS = {".flac": ("FLAC", "PCM_16"), ".mp3": ("MP3", "MPEG_LAYER_III"), ".ogg": ("OGG", "VORBIS"),
            ".opus": ("OGG", "OPUS"), ".wav": ("WAV", "PCM_16"), ".aiff": ("AIFF", "PCM_16")}  # fmt: skip
_ID3_FRAMES: dict[str, Any] = {"title": TIT2, "artist": TPE1, "albumartist": TPE2, "album": TALB, "genre": TCON,
                               "date": TDRC, "tracknumber": TRCK, "discnumber": TPOS}  # fmt: skip

HOSTILE_ARTIST = "Hos\x1b]0;owned\x07tile"
HOSTILE_ALBUM = "Escape \x1b[31mred"
HOSTILE_TITLE = "tab\tand\u202ebidi [bold]"


@dataclass(frozen=True)
class Song:
    """One file to build. `tags` hold one text or several; `rate` is lower for long files that need not sound well."""

    path: str
    tags: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    seconds: float = 1.0
    frequency_hz: float = 220.0
    cover: bytes | None = None
    rate: int = RATE


def write_song(folder: Path, song: Song) -> Path:
    """Writes the file with its tags and embedded cover and returns its path."""
    file = folder / song.path
    file.parent.mkdir(parents=True, exist_ok=True)
    rate = 48_000 if file.suffix == ".opus" else song.rate
    time = np.arange(round(song.seconds * rate), dtype=np.float32) / rate
    tone = 0.3 * np.sin(2 * np.pi * song.frequency_hz * time, dtype=np.float32)
    kind, subtype = _FORMATS[file.suffix]
    soundfile.write(file, np.column_stack([tone, tone]), rate, format=kind, subtype=subtype)
    write_tags(file, song.tags, song.cover)
    return file


def write_tags(file: Path, tags: Mapping[str, str | Sequence[str]], cover: bytes | None = None) -> None:
    """Writes tags by their Vorbis names, whatever the format, and a cover into FLAC and MP3."""
    values = {name: [value] if isinstance(value, str) else list(value) for name, value in tags.items()}
    if file.suffix in {".mp3", ".wav", ".aiff"}:
        _write_id3(file, values, cover)
        return
    if not values and cover is None:
        return
    audio: Any = mutagen.File(file)
    for name, texts in values.items():
        audio[name] = texts
    if cover is not None and isinstance(audio, FLAC):
        _add_picture(audio, cover)
    audio.save()


def _add_picture(audio: Any, cover: bytes) -> None:
    picture: Any = _untyped(Picture)()
    picture.data, picture.type, picture.mime = cover, 3, "image/jpeg"
    audio.add_picture(picture)


def _untyped(thing: Any) -> Any:
    """mutagen has annotations in some places only."""
    return thing


def _write_id3(file: Path, values: Mapping[str, Sequence[str]], cover: bytes | None) -> None:
    if not values and cover is None:
        return
    audio: Any = mutagen.File(file)
    if audio.tags is None:
        audio.add_tags()
    frames: Any = audio.tags
    for name, texts in values.items():
        if name in _ID3_FRAMES:
            frames.add(_ID3_FRAMES[name](encoding=3, text=list(texts)))
        elif name == "lyrics":
            frames.add(_untyped(USLT)(encoding=3, lang="eng", desc="", text=texts[0]))
        else:
            frames.add(_untyped(TXXX)(encoding=3, desc=name.upper(), text=list(texts)))
    if cover is not None:
        frames.add(_untyped(APIC)(encoding=3, mime="image/jpeg", type=3, desc="Cover", data=cover))
    audio.save()


def cover_jpeg(colour: str, size: int = 300) -> bytes:
    """A picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(out, "JPEG", quality=85)
    return out.getvalue()


def album_tags(artist: str, album: str, title: str, number: int, **more: str | Sequence[str]) -> dict[str, Any]:
    """The usual tags of a track, its artist as album artist too."""
    usual = {"title": title, "artist": artist, "albumartist": artist, "album": album, "tracknumber": str(number)}
    return usual | more


def build_small_library(folder: Path) -> None:
    """Fourteen tracks of a second or two, made in a fraction of a second.

    Alma Verde: "Canción de Otoño" (4 FLAC, cover in the folder and in track 1, LRC, plain lyrics, gains) and
    "Night Drive" (2 MP3 by various artists). The Null Pointers: "Core Dump" (2 + 2 FLAC on two discs in folders).
    夜の音楽隊: "東京の夜" (1 Ogg, 1 Opus, 1 FLAC, cover). One album of hostile names. No two tracks sound the same.
    """
    green = cover_jpeg("seagreen")
    songs: list[Song] = []
    for i in range(1, 5):
        tags = album_tags("Alma Verde", "Canción de Otoño", f"Canción part {i}", i, date="2019", genre="Folk")
        tags["replaygain_track_gain"] = f"{-(3 + i / 2):.2f} dB"
        name = f"Alma Verde/Canción de Otoño/{i:02d} - part {i}.flac"
        songs.append(
            Song(name, tags, seconds=2 if i == 1 else 1, frequency_hz=180 + 40 * i, cover=green if i == 1 else None)
        )
    for i, artist in enumerate(("Alma Verde", "Guest One & Guest Two"), start=1):
        tags = album_tags(artist, "Night Drive", f"Drive {i}", i, date="2023", genre="Electronic")
        tags |= {"albumartist": "Various Artists", "compilation": "1"}
        songs.append(Song(f"Various Artists/Night Drive/{i:02d}.mp3", tags, frequency_hz=400 + 40 * i))
    for disc in (1, 2):
        for i in (1, 2):
            tags = album_tags("The Null Pointers", "Core Dump", f"Dump {disc}-{i}", i, date="2009", genre="Electronic")
            tags["discnumber"] = f"{disc}/2"
            path = f"The Null Pointers/Core Dump (2 CD)/CD{disc}/{i:02d}.flac"
            songs.append(Song(path, tags, frequency_hz=500 + 80 * disc + 30 * i))
    for i, extension in enumerate(("ogg", "opus", "flac"), start=1):
        tags = album_tags("夜の音楽隊", "東京の夜", f"東京の夜 part {i}", i, date="2021", genre=["Jazz", "Ambient"])
        songs.append(Song(f"夜の音楽隊/東京の夜/{i:02d}.{extension}", tags, frequency_hz=700 + 40 * i))
    tags = album_tags(HOSTILE_ARTIST, HOSTILE_ALBUM, HOSTILE_TITLE, 1)
    songs.append(Song("Hostile/Escape/01.flac", tags, frequency_hz=900))
    for song in songs:
        write_song(folder, song)
    (folder / "Alma Verde/Canción de Otoño/cover.jpg").write_bytes(green)
    (folder / "夜の音楽隊/東京の夜/cover.jpg").write_bytes(cover_jpeg("indigo"))
    lyrics = folder / "Alma Verde/Canción de Otoño"
    (lyrics / "01 - part 1.lrc").write_text("[00:00.50]First line\n[00:01.00]Second line\n[00:01.50]\n", "utf-8")
    (lyrics / "02 - part 2.txt").write_text("Plain lyrics\nwithout times\n", "utf-8")
