"""What a Listing is in SQL: one statement that gives the row ids in their order."""

from __future__ import annotations

from dataclasses import dataclass

from jellytui.engine.errors import UsageError
from jellytui.engine.library.search import TABLES, filter_by
from jellytui.engine.models import Listing


@dataclass(frozen=True)
class _Source:
    """FROM and WHERE of a listing. CROSS JOIN keeps SQLite at walking the small set and not the whole table."""

    tables: str
    condition: str = "1"
    order: str = "i.sort_key"


_BY_YEAR = "i.year IS NULL, i.year, i.sort_key, i.id"
_DOWNLOADED = "SELECT d.item_id FROM downloads d WHERE d.status = 'completed'"
_DOWNLOADED_ALBUMS = f"SELECT t.album_id FROM ({_DOWNLOADED}) d CROSS JOIN tracks t ON t.id = d.item_id"  # noqa: S608
_DOWNLOADED_ARTISTS = f"""SELECT c.artist_id FROM ({_DOWNLOADED}) d CROSS JOIN tracks t ON t.id = d.item_id
    CROSS JOIN track_artists c ON c.track_row_id = t.row_id"""  # noqa: S608
_DOWNLOADED_PLAYLISTS = f"""SELECT e.playlist_id FROM ({_DOWNLOADED}) d
    CROSS JOIN playlist_entries e ON e.track_id = d.item_id"""  # noqa: S608
_ARTISTS_OF_ALBUM = """SELECT c.artist_id FROM tracks t CROSS JOIN track_artists c ON c.track_row_id = t.row_id
    WHERE t.album_id = :parent"""

_SOURCES = {
    ("track", "all"): _Source("tracks i"),
    ("track", "artist"): _Source(
        "track_artists c CROSS JOIN tracks i ON i.row_id = c.track_row_id CROSS JOIN albums a ON a.id = i.album_id",
        "c.artist_id = :parent",
        "a.year IS NULL, a.year, a.sort_key, a.id, i.sort_key",
    ),
    ("track", "album"): _Source("tracks i", "i.album_id = :parent"),
    ("track", "playlist"): _Source(
        "playlist_entries e CROSS JOIN tracks i ON i.id = e.track_id", "e.playlist_id = :parent", "e.position"
    ),
    ("track", "favorites"): _Source("favorites f CROSS JOIN tracks i ON i.id = f.item_id"),
    ("track", "downloaded"): _Source(f"({_DOWNLOADED}) d CROSS JOIN tracks i ON i.id = d.item_id"),
    ("album", "all"): _Source("albums i"),
    ("album", "artist"): _Source(
        "albums i", "i.id IN (SELECT c.album_id FROM track_artists c WHERE c.artist_id = :parent)", _BY_YEAR
    ),
    ("album", "favorites"): _Source("favorites f CROSS JOIN albums i ON i.id = f.item_id"),
    ("album", "downloaded"): _Source("albums i", f"i.id IN ({_DOWNLOADED_ALBUMS})"),
    ("artist", "all"): _Source("artists i"),
    ("artist", "album"): _Source("artists i", f"i.id IN ({_ARTISTS_OF_ALBUM})"),
    ("artist", "favorites"): _Source("favorites f CROSS JOIN artists i ON i.id = f.item_id"),
    ("artist", "downloaded"): _Source("artists i", f"i.id IN ({_DOWNLOADED_ARTISTS})"),
    ("playlist", "all"): _Source("playlists i"),
    ("playlist", "favorites"): _Source("favorites f CROSS JOIN playlists i ON i.id = f.item_id"),
    ("playlist", "downloaded"): _Source("playlists i", f"i.id IN ({_DOWNLOADED_PLAYLISTS})"),
}


def row_ids_sql(listing: Listing) -> tuple[str, dict[str, str]]:
    """The statement for a listing and its parameters. Raises UsageError for a scope that a kind does not have."""
    source = _SOURCES.get((listing.kind, listing.scope))
    if source is None:
        raise UsageError(f"There is no list of {TABLES[listing.kind]} by {listing.scope}.")
    conditions, parameters = [source.condition], {"parent": listing.parent}
    if found := filter_by(listing.kind, listing.query):
        conditions.append(found.condition)
        parameters |= found.parameters
    sql = f"SELECT i.row_id FROM {source.tables} WHERE {' AND '.join(conditions)} ORDER BY {source.order}"  # noqa: S608
    return sql, parameters
