"""Names of files and folders below the demo's music folder."""

from pathlib import Path

from jellytui.demo.composer.catalogue import Album, Track

_LONGEST = 200  # bytes; file systems stop at 255


def album_path(album: Album) -> Path:
    """`Artist/Album`."""
    return Path(_safe(album.artist)) / _safe(album.title)


def track_path(album: Album, track: Track) -> Path:
    """`Artist/Album/NN - Title.flac`, in `Disc N` where there are several."""
    folder = album_path(album) / f"Disc {track.disc}" if album.discs > 1 else album_path(album)
    return folder / f"{_safe(f'{album.number(track):02d} - {track.title}')}.flac"


def _safe(name: str) -> str:
    cut = name.replace("/", "-").replace(":", "").encode()[:_LONGEST]
    return cut.decode("utf-8", "ignore").rstrip(". ")
