"""Rebuilds the 63 tracks behind the recordings, as their README describes them; those in M4A are silent."""

import hashlib
import inspect
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from mutagen.ogg import OggPage

from tests.support import m4a, music
from tests.support.m4a import write_m4a
from tests.support.music import HOSTILE_ALBUM, HOSTILE_ARTIST, cover_jpeg, write_tags

_FIRST_MODIFIED = 1_763_863_796  # 2025-11-23 02:09:56 UTC; one second more for each file, in the order of the README
_FORMATS: dict[str, dict[str, Any]] = {
    ".flac": {"format": "FLAC", "subtype": "PCM_24", "compression_level": 0.0},
    ".mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "CONSTANT", "compression_level": 4 / 9},
    ".opus": {"format": "OGG", "subtype": "OPUS"},
    ".ogg": {"format": "OGG", "subtype": "VORBIS"},
}
"""The compression level of MP3 means 192 kbit/s: libsndfile counts down from 320 to 32."""


@dataclass(frozen=True)
class _Album:
    folder: str
    count: int
    extension: str
    artist: str
    album: str
    year: str
    genre: str
    extras: str = ""
    colour: str = "teal"


@dataclass(frozen=True)
class _File:
    path: str
    seconds: int
    tags: dict[str, str] = field(default_factory=dict)
    cover: bytes | None = None
    number: int = 0


_ALBUMS = (
    _Album("Alma Verde/Canción de Otoño", 8, "flac", "Alma Verde", "Canción de Otoño", "2019", "Folk", "RG E L"),
    _Album("Alma Verde/Greatest Hits", 6, "mp3", "Alma Verde", "Greatest Hits", "2022", "Folk", "E", "olive"),
    _Album("The Null Pointers/Greatest Hits", 7, "mp3", "The Null Pointers", "Greatest Hits", "2011",
           "Electronic", "E"),
    _Album(
        "The Null Pointers/Segfault Lullabies", 10, "opus", "The Null Pointers", "Segfault Lullabies", "2014",
        "Electronic", "RG",
    ),
    _Album("Björk Þórsdóttir/Jökull", 5, "m4a", "Björk Þórsdóttir", "Jökull", "2020", "Ambient"),
    _Album(
        "AC_DC Tribute Ünïcode/Bad _Chars_ _ _ _Quotes_", 4, "ogg", "AC/DC Tribute: Ünïcode?",
        'Bad <Chars> * | "Quotes"', "1999", "Rock; Metal", "RG",
    ),
    _Album("夜の音楽隊/東京の夜", 6, "flac", "夜の音楽隊", "東京の夜", "2021", "Jazz", "RG E L", "navy"),
    _Album(
        "[_bold] Markup/[Live] at _dev_null", 3, "mp3", "[/bold] Markup", "[Live] at /dev/null", "2017", "Rock", "E"
    ),
)  # fmt: skip


def build_recorded_library(folder: Path) -> None:
    """Writes the 63 files with covers, lyrics and dates."""
    files = list(_files())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda file: _write(folder, file), files))
    for album in _ALBUMS:
        (folder / album.folder / "cover.jpg").write_bytes(cover_jpeg(album.colour, 600))
        if "L" in album.extras:
            lines = "".join(f"[00:{second:02d}.50]Line at {second} seconds\n" for second in range(1, 23, 3))
            (folder / album.folder / "01 - part 1.lrc").write_text(lines, "utf-8")
            (folder / album.folder / "02 - part 2.txt").write_text("Plain lyrics\nwithout times\n", "utf-8")
    for number, file in enumerate(files):
        os.utime(folder / file.path, (_FIRST_MODIFIED + number, _FIRST_MODIFIED + number))


def _files() -> Iterator[_File]:
    for album in _ALBUMS:
        yield from _album_files(album)
    various = ("Alma Verde", "The Null Pointers feat. Björk Þórsdóttir", "Guest One & Guest Two", "Someone Else")
    for i, artist in enumerate(various, start=1):
        tags = {"title": f"Drive {i}", "artist": artist, "albumartist": "Various Artists", "album": "Night Drive"}
        tags |= {"tracknumber": str(i), "date": "2023", "genre": "Electronic", "compilation": "1"}
        yield _File(f"Various Artists/Night Drive/{i:02d}.mp3", 30, tags, number=i)
    for disc in (1, 2):
        for i in (1, 2, 3):
            tags = {"title": f"Dump {disc}-{i}", "artist": "The Null Pointers", "albumartist": "The Null Pointers"}
            tags |= {"album": "Core Dump", "tracknumber": str(i), "discnumber": f"{disc}/2", "date": "2009"}
            tags["genre"] = "Electronic"
            yield _File(f"The Null Pointers/Core Dump (2 CD)/CD{disc}/{i:02d}.flac", 25, tags, number=i)
    yield _File("loose untagged file.mp3", 15)
    yield _File("Loose/tagged, no album.flac", 15, {"title": "No album at all", "artist": "Solo"})
    long_tags = {"title": ("Ten minutes of 220 Hz " * 6).strip(), "artist": "Long", "albumartist": "Long"}
    long_tags |= {"album": "Long Player", "tracknumber": "1"}
    yield _File(f"Long/Long Player/{'x' * 180}.flac", 600, long_tags, number=1)
    hostile = {"title": "tab\tand\u202ebidi", "artist": HOSTILE_ARTIST, "album": HOSTILE_ALBUM, "tracknumber": "1"}
    yield _File("Hostile/Escape/01.flac", 15, hostile)


def _album_files(album: _Album) -> Iterator[_File]:
    for i in range(1, album.count + 1):
        word = album.album.split()[0]
        tags = {"title": f"{word} part {i}", "artist": album.artist, "albumartist": album.artist, "album": album.album}
        tags |= {"tracknumber": f"{i}/{album.count}", "date": album.year, "genre": album.genre}
        if "RG" in album.extras:
            tags |= {"replaygain_track_gain": f"{-(3 + i / 2):.2f} dB", "replaygain_album_gain": "-5.00 dB"}
        cover = cover_jpeg(album.colour, 600) if "E" in album.extras and i == 1 else None
        yield _File(f"{album.folder}/{i:02d} - part {i}.{album.extension}", 20 + 7 * i, tags, cover, i)


def _write(folder: Path, file: _File) -> None:
    target = folder / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".m4a":
        write_m4a(target, file.seconds)
        _write_mp4_tags(target, file.tags)
        return
    if target.suffix == ".mp3":
        _write_mp3(target, file)
    elif target.suffix == ".opus":
        _write_opus(target, file)
    else:
        _write_tone(target, file)
    write_tags(target, file.tags, file.cover)


def _write_tone(target: Path, file: _File) -> None:
    rate = 8_000 if target.suffix == ".opus" else 44_100  # which for Opus is only what the encoder has to do
    second = 0.1 * np.sin(2 * np.pi * (180 + 40 * file.number) * np.arange(rate, dtype=np.float32) / rate)
    both = np.column_stack([second, second]).astype(np.float32)  # whole turns: each second is like the first
    with soundfile.SoundFile(target, "w", rate, 2, **_FORMATS[target.suffix]) as out:
        for _ in range(file.seconds):
            out.write(both)  # a second at a time: libvorbis crashes on much more


def _write_opus(target: Path, file: _File) -> None:
    """Encodes a second and repeats its pages, for the encoder is slow."""
    _write_tone(target, replace(file, seconds=1))
    read: Any = OggPage
    with target.open("rb") as stream:
        pages = []
        while stream.tell() < target.stat().st_size:
            pages.append(read(stream))
    headers, sound = pages[:2], pages[2:]
    with target.open("wb") as out:
        for page in headers:
            out.write(page.write())
        for second in range(file.seconds):
            for page in sound:
                page.last = second == file.seconds - 1 and page is sound[-1]
                out.write(page.write())
                page.position += 48_000
                page.sequence += len(sound)


def _write_mp3(target: Path, file: _File) -> None:
    """Encodes ten seconds and repeats their frames, for the encoder is slow and each frame stands for itself."""
    _write_tone(target, replace(file, seconds=10))
    data = target.read_bytes()
    first = 144 * 192_000 // 44_100  # the header of the encoder, which would tell the length of ten seconds
    start = data.index(b"\xff\xfb", first - 2)
    frames = data[start:]
    wanted = round(file.seconds * 192_000 / 8)
    target.write_bytes((frames * (wanted // len(frames) + 1))[:wanted])


def _write_mp4_tags(target: Path, tags: dict[str, str]) -> None:
    from mutagen.mp4 import MP4

    kind: Any = MP4
    audio = kind(target)
    names = {"title": "\xa9nam", "artist": "\xa9ART", "albumartist": "aART", "album": "\xa9alb", "date": "\xa9day",
             "genre": "\xa9gen"}  # fmt: skip
    for name, key in names.items():
        audio[key] = [tags[name]]
    audio["trkn"] = [tuple(int(number) for number in tags["tracknumber"].split("/"))]
    audio.save()


@pytest.fixture(scope="session")
def recorded_music() -> Path:
    """The folder of the 63 tracks, built once and kept for later runs. Do not change it."""
    sources = "".join(inspect.getsource(module) for module in (sys.modules[__name__], m4a, music))
    version = hashlib.sha256(sources.encode()).hexdigest()[:12]
    kept = Path(tempfile.gettempdir()) / f"jellytui-recorded-music-{os.getuid()}-{version}"
    if not kept.is_dir():
        building = Path(tempfile.mkdtemp(prefix="jellytui-recorded-music-"))
        build_recorded_library(building)
        try:
            building.rename(kept)
        except OSError:  # another worker was faster
            shutil.rmtree(building)
    return kept
