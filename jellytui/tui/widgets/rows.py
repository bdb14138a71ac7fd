"""How artists, albums, playlists and tracks look in one line of a list.

One cell says what a track's download is (looks.md, the seed's DownloadButton): blank = available, ⇣ waiting, ○◔◑◕● the
ring while it comes down, ✓ here, ⏸ paused, ! failed. An album says `✓ 9` when all are here, `⇣ 4/11` while some are.
"""

from __future__ import annotations

from jellytui.engine.models import Album, Artist, DownloadStatus, Item, Playlist, Track
from jellytui.tui.format import cut, duration, fit, number, ring, width
from jellytui.tui.session import Session
from jellytui.tui.widgets.virtual_list import Cell

_TIME = 8
_SIGNS: dict[DownloadStatus, Cell] = {
    "pending": ("⇣", "dim"),
    "completed": ("✓", "good"),
    "paused": ("⏸", "dim"),
    "failed": ("!", "bad"),
}


def download_sign(session: Session, item_id: str) -> Cell:
    """A track's download in one cell."""
    state = session.downloads.item_state(item_id)
    if state is None:
        return " ", ""
    status, progress = state
    return (ring(progress), "accent") if status == "downloading" else _SIGNS[status]


def playing_sign(session: Session, item: Item) -> Cell:
    """▶ before the track that plays, ⏸ while it is paused; a blank for all others."""
    state = session.player.state
    if state.track is None or state.track.id != item.id or state.status == "stopped":
        return " ", ""
    return ("⏸" if state.status == "paused" else "▶"), "accent"


def heart(session: Session, item: Item) -> Cell:
    """♥ for a favourite."""
    return ("♥", "accent") if session.library.is_favorite(item) else (" ", "")


def row(session: Session, item: Item, room: int, *, is_in_album: bool = False) -> list[Cell]:
    """An item's line in so many cells; `is_in_album` where the album's heading says what the rows need not."""
    match item:
        case Artist():
            return _counted(session, item, room, item.album_count)
        case Playlist():
            return _counted(session, item, room, item.track_count)
        case Album():
            return _album(session, item, room)
        case Track():
            return _album_track(session, item, room) if is_in_album else _track(session, item, room)


def _counted(session: Session, item: Artist | Playlist, room: int, count: int) -> list[Cell]:
    shown = f"{number(count):>6}" if count and room >= 26 else ""
    return [(fit(item.name, room - len(shown) - 3), ""), (shown, "dim"), (" ", ""), heart(session, item)]


def _album(session: Session, album: Album, room: int) -> list[Cell]:
    if room < 34:
        return [(fit(album.name, room - 8), ""), *_album_downloads(session, album)]
    year = str(album.year) if album.year else ""
    name = room - 26
    artist = ", ".join(album.artists) if room >= 60 else ""
    cells: list[Cell] = _two(album.name, artist, name) if artist else [(fit(album.name, name), "")]
    return [
        *cells,
        heart(session, album),
        (f"{year:>5} ", "dim"),
        *_album_downloads(session, album),
        (f"{duration(album.duration_ms):>{_TIME}}", "dim"),
    ]


def _album_downloads(session: Session, album: Album) -> list[Cell]:
    """Sign and counts in 8 cells."""
    completed, active, total = session.downloads.album_counts(album.id)
    total = max(album.track_count, total)
    if completed and completed >= total:
        return [(" ✓ ", "good"), (fit(str(total), 5), "dim")]
    if active:
        return [(" ⇣ ", "accent"), (fit(f"{completed}/{total}", 5), "dim")]
    if completed:
        return [("   ", ""), (fit(f"{completed}/{total}", 5), "dim")]
    return [("   ", ""), (fit(str(total or ""), 5), "dim")]


def _album_track(session: Session, track: Track, room: int) -> list[Cell]:
    is_playing = playing_sign(session, track)[0] != " "
    artist = ", ".join(track.artists)
    guest = f"  {artist}" if artist and artist != track.album_artist else ""
    name = room - 5 - 2 - _TIME
    title = cut(track.name, name)
    role = "accent" if is_playing else ""
    return [
        (f"{track.number or '':>2} ", role or "dim"),
        download_sign(session, track.id),
        (f" {title}", role),
        (fit(guest, name - width(title)), "dim"),
        (" ", ""),
        heart(session, track),
        (f"{duration(track.duration_ms):>{_TIME}}", role or "dim"),
    ]


def _track(session: Session, track: Track, room: int) -> list[Cell]:
    """A track among tracks of many albums: with its artist, and its album where there is room."""
    role = "accent" if playing_sign(session, track)[0] != " " else ""
    name = room - 2 - 2 - _TIME
    artist = ", ".join(track.artists)
    cells = _two(track.name, artist, name, role)
    if name >= 80:
        cells = [(fit(track.name, name * 2 // 5), role), *_two(artist, track.album, name - name * 2 // 5, "dim")]
    return [
        download_sign(session, track.id),
        (" ", ""),
        *cells,
        (" ", ""),
        heart(session, track),
        (f"{duration(track.duration_ms):>{_TIME}}", role or "dim"),
    ]


def _two(first: str, second: str, room: int, role: str = "") -> list[Cell]:
    """Two columns, the second dim; the second shares the line only where both have room."""
    if room < 30:
        return [(fit(first, room), role)]
    left = room * 3 // 5
    return [(fit(first, left - 2), role), ("  ", ""), (fit(second, room - left), "dim")]
