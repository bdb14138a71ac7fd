"""How artists, albums, playlists and tracks look in one line of a list.

One cell says what a track's download is (looks.md, the seed's DownloadButton), see `download_button.sm`; `·` is what
the cache alone keeps: it is here, but may go. An album says `✓ 9` when all are here, `· 9` when the cache may take some
of them, `⇣ 4/11` while some are coming.
"""

from __future__ import annotations

from jellytui.engine.models import Album, Artist, Item, Playlist, Track
from jellytui.tui.format import cut, duration, fit, number, width
from jellytui.tui.session import Session
from jellytui.tui.widgets.download_button import CACHED, sm
from jellytui.tui.widgets.virtual_list import Cell

_TIME = 8
_DOWNLOADS = 8
_YEAR = 6
_HEART = 2


def download_sign(session: Session, item_id: str) -> Cell:
    """A track's download in one cell."""
    download = session.downloads.item_download(item_id)
    if download is None:
        return " ", ""
    if download.status == "completed" and not download.is_kept:
        return CACHED
    return sm((download.status, download.progress))


def playing_sign(session: Session, item: Item | None) -> Cell:
    """▶ before the track that plays, ⏸ while it is paused; a blank for all others."""
    state = session.player.state
    if item is None or state.track is None or state.track.id != item.id or state.status == "stopped":
        return " ", ""
    return ("⏸" if state.status == "paused" else "▶"), "accent"


def heart(session: Session, item: Item) -> Cell:
    """♥ for a favourite, after a blank."""
    return (" ♥", "accent") if session.library.is_favorite(item) else ("  ", "")


def row(session: Session, item: Item, room: int) -> list[Cell]:
    """The line of an artist, playlist or album, or of a track among those of many albums, in so many cells."""
    match item:
        case Artist():
            return _counted(session, item, room, item.album_count)
        case Playlist():
            return _counted(session, item, room, item.track_count)
        case Album():
            return _album(session, item, room)
        case Track():
            return track_row(session, item, room)


def album_track_row(session: Session, track: Track, room: int, *, show_download: bool = True) -> list[Cell]:
    """A track below its album's title, which says what the row need not."""
    role = _role(session, track)
    artist = ", ".join(track.artists)
    guest = f"  {artist}" if artist and track.album_artist and artist != track.album_artist else ""
    name = room - 3 - 2 * show_download - _HEART - _TIME
    title = cut(track.name, name)
    return [
        (f"{track.number or '':>2} ", role or "dim"),
        *([download_sign(session, track.id), (" ", "")] if show_download else []),
        (title, role),
        (fit(guest, name - width(title)), "dim"),
        heart(session, track),
        (f"{duration(track.duration_ms):>{_TIME}}", role or "dim"),
    ]


def track_row(session: Session, track: Track, room: int, *, show_download: bool = True) -> list[Cell]:
    """A track among tracks of many albums: with its artist, and its album where there is room."""
    role = _role(session, track)
    name = room - 2 * show_download - _HEART - _TIME
    artist = ", ".join(track.artists)
    return [
        *([download_sign(session, track.id), (" ", "")] if show_download else []),
        *_columns(name, (track.name, role), (artist, "dim"), (track.album, "dim")),
        heart(session, track),
        (f"{duration(track.duration_ms):>{_TIME}}", role or "dim"),
    ]


def _role(session: Session, track: Track) -> str:
    """Lit while it plays; dim while the server is away and the track is not here."""
    if playing := playing_sign(session, track)[1]:
        return playing
    if session.connection.state.status != "offline":
        return ""
    download = session.downloads.item_download(track.id)
    return "" if download is not None and download.status == "completed" else "dim"


def _counted(session: Session, item: Artist | Playlist, room: int, count: int) -> list[Cell]:
    shown = f"{number(count):>6}" if count and room >= 30 else ""
    return [(fit(item.name, room - len(shown) - _HEART), ""), (shown, "dim"), heart(session, item)]


def _album(session: Session, album: Album, room: int) -> list[Cell]:
    """What there is no room for goes in this order: artist, time, year."""
    has_year = room >= 30
    has_time = room >= 44
    name = room - _HEART - _DOWNLOADS - _YEAR * has_year - _TIME * has_time
    artist = ", ".join(album.artists)
    columns = [(album.name, ""), (artist, "dim")] if room >= 64 else [(album.name, "")]
    return [
        *_columns(name, *columns),
        heart(session, album),
        *([(f"{album.year or '':>{_YEAR}}", "dim")] if has_year else []),
        *_album_downloads(session, album),
        *([(f"{duration(album.duration_ms):>{_TIME}}", "dim")] if has_time else []),
    ]


def _album_downloads(session: Session, album: Album) -> list[Cell]:
    """Sign and counts in so many cells as _DOWNLOADS says."""
    completed, active, total = session.downloads.album_counts(album.id)
    total = max(album.track_count, total)
    if completed and completed >= total:
        sign, role = CACHED if session.downloads.is_album_cached(album.id) else sm(("completed", 1.0))
        return [(f"  {sign} ", role), (fit(str(total), 4), "dim")]
    if active:
        return [("  ⇣ ", "accent"), (fit(f"{completed}/{total}", 4), "dim")]
    if completed:
        return [("    ", ""), (fit(f"{completed}/{total}", 4), "dim")]
    return [("    ", ""), (fit(str(total or ""), 4), "dim")]


def _columns(room: int, *columns: Cell) -> list[Cell]:
    """The first column and as many of the others as have room, each cut to its share."""
    shown = [columns[0], *(columns[1:] if room >= 72 else columns[1:2] if room >= 34 else ())]
    if len(shown) == 1:
        return [(fit(shown[0][0], room), shown[0][1])]
    first = room * (2 if len(shown) == 3 else 3) // 5
    cells: list[Cell] = [(fit(shown[0][0], first), shown[0][1])]
    others = shown[1:]
    left = room - first
    for place, (text, role) in enumerate(others):
        share = left // (len(others) - place)
        cells += [("  ", ""), (fit(text, share - 2), role)]
        left -= share
    return cells
