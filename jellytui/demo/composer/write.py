"""Writes one piece of music: renders it, cuts it into its tracks, and puts FLAC, lyrics and tags into files."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from mutagen.flac import FLAC, Picture

from jellytui.demo.composer.catalogue import Album, Track
from jellytui.demo.composer.lyrics import POEMS, lrc
from jellytui.demo.composer.music.arrange import Score, arrange
from jellytui.demo.composer.names import track_path
from jellytui.demo.composer.sound.loudness import Measured, gain_db, measure
from jellytui.demo.composer.sound.mix import play
from jellytui.demo.composer.sound.waves import SAMPLE_RATE, count_of

_FRONT_COVER = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of music: mostly one track, or several of an album that go on without a gap."""

    album: Album
    tracks: tuple[Track, ...]

    @property
    def seconds(self) -> float:
        """Its whole length."""
        return sum(track.seconds for track in self.tracks)

    @property
    def seed(self) -> int:
        """What all its chance grows from: the names of its artist, album and first track."""
        return zlib.crc32(f"{self.album.artist}/{self.album.title}/{self.tracks[0].title}".encode())


@dataclass(frozen=True, slots=True)
class Written:
    """What is known of a piece once its audio is written: its loudness, for all of its tracks alike."""

    piece: Piece
    measured: Measured


def pieces_of(album: Album) -> list[Piece]:
    """The pieces of an album, in its order."""
    groups: list[list[Track]] = []
    for track in album.tracks:
        if track.joined:
            groups[-1].append(track)
        else:
            groups.append([track])
    return [Piece(album, tuple(group)) for group in groups]


def compose_piece(piece: Piece) -> Score:
    """The notes of a piece: the same each time."""
    first = piece.tracks[0]
    style = first.style or piece.album.style
    return arrange(style, piece.album.tonic_of(first), first.energy, piece.seconds, piece.seed)


def write_piece(root: Path, piece: Piece) -> Written:
    """Renders a piece and writes its files below a folder, without tags yet: those need the whole album."""
    score = compose_piece(piece)
    samples = play(score, piece.seed)
    whole = np.round(samples * 32767.0).astype(np.int16)
    start = 0
    for track in piece.tracks:
        file = root / track_path(piece.album, track)
        file.parent.mkdir(parents=True, exist_ok=True)
        end = start + count_of(track.seconds)
        # the lightest compression: a tenth larger, in half the time that somebody waits for the first start
        soundfile.write(
            file, whole[:, start:end].T, SAMPLE_RATE, format="FLAC", subtype="PCM_16", compression_level=0.0
        )
        start = end
        if track.words:
            _write_lyrics(file, score, piece.album, track)
    return Written(piece, measure(samples))


def write_tags(root: Path, album: Album, written: Sequence[Written], cover: bytes) -> None:
    """Tags every track of an album; all tracks of one piece have one gain, so that their joint is not heard."""
    album_gain = gain_db([each.measured for each in written])
    album_peak = max(each.measured.peak for each in written)
    for each in written:
        for track in each.piece.tracks:
            audio = _flac(root / track_path(album, track))
            audio.update(_tags(album, track))
            audio["replaygain_track_gain"] = f"{gain_db([each.measured]):+.2f} dB"
            audio["replaygain_track_peak"] = f"{each.measured.peak:.6f}"
            audio["replaygain_album_gain"] = f"{album_gain:+.2f} dB"
            audio["replaygain_album_peak"] = f"{album_peak:.6f}"
            if album.embedded:
                audio.add_picture(_picture(cover))
            audio.save()


def _tags(album: Album, track: Track) -> dict[str, list[str]]:
    on_disc = sum(each.disc == track.disc for each in album.tracks)
    tags = {
        "title": [track.title],
        "artist": list(track.artists or (album.artist,)),
        "albumartist": [album.artist],
        "album": [album.title],
        "date": [album.date],
        "genre": list(track.genres or album.genres),
        "tracknumber": [str(album.number(track))],
        "tracktotal": [str(on_disc)],
        "discnumber": [str(track.disc)],
        "disctotal": [str(album.discs)],
    }
    return tags | ({"compilation": ["1"]} if album.compilation else {})


def _flac(file: Path) -> Any:
    return FLAC(file)  # type: ignore[no-untyped-call]  # mutagen has no types


def _picture(cover: bytes) -> Any:
    picture: Any = Picture()  # type: ignore[no-untyped-call]
    picture.type, picture.mime, picture.data = _FRONT_COVER, "image/jpeg", cover
    picture.width = picture.height = 600
    picture.depth = 24
    return picture


def _write_lyrics(file: Path, score: Score, album: Album, track: Track) -> None:
    poem = POEMS[track.words]
    if poem.synced:
        artist = (track.artists or (album.artist,))[0]
        file.with_suffix(".lrc").write_text(lrc(score, poem, title=track.title, artist=artist), "utf-8")
    else:
        file.with_suffix(".txt").write_text("\n".join(poem.lines) + "\n", "utf-8")
