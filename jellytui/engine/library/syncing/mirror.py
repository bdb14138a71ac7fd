"""Writes what the server listed into the mirror; only rows that differ are touched.

Each function works inside its caller's transaction and says whether anything changed. What the server's lists leave out
is made from the tracks (big-library.md b, jellyfin-api.md 5.5, 5.6), so that no track is out of reach: artists that
only tracks name, albums that only tracks name, one album of loose tracks for each artist.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from jellytui.engine.jellyfin.records import PlaylistEntry
from jellytui.engine.library.search import fold, name_key
from jellytui.engine.models import Album, Artist, Playlist, Track
from jellytui.engine.storage.database import Transaction

Row = dict[str, Any]

UNKNOWN_ARTIST = "(unknown artist)"
NO_ALBUM = "(no album)"
_FIRST = "\x01"
"""Between the parts of a sort key; no name holds it, and it stands before all that a name can hold."""


async def store_artists(transaction: Transaction, artists: Iterable[Artist]) -> bool:
    """Artists as the server lists them."""
    changed = await _write(transaction, "artists", [_artist_row(artist) for artist in artists])
    if changed:
        sql = "SELECT id FROM albums WHERE artist_id IN (SELECT value FROM json_each(?))"
        albums = await transaction.fetch_all(sql, (json.dumps(changed),))
        await _move_tracks(transaction, [row["id"] for row in albums])
    return bool(changed)


async def store_albums(transaction: Transaction, albums: Iterable[Album]) -> bool:
    """Albums as the server lists them."""
    changed = await _write(transaction, "albums", [_album_row(album) for album in albums])
    await _move_tracks(transaction, changed)
    return bool(changed)


async def store_tracks(transaction: Transaction, library_id: str, tracks: Iterable[Track]) -> bool:
    """Tracks of one library, with the artists and albums that only they name. Artists and albums come before them."""
    placed = list({track.id: _placed(track) for track in tracks}.values())
    placed = await _with_untold_plays(transaction, placed)
    await _insert_missing(transaction, "artists", [row for track in placed for row in _made_artists(track)])
    await _insert_missing(transaction, "albums", [_album_row(_made_album(track)) for track in placed])
    albums = await _albums(transaction, {track.album_id for track in placed})
    changed = await _write(transaction, "tracks", [_track_row(library_id, t, albums[t.album_id]) for t in placed])
    if not changed:
        return False
    ids = json.dumps(changed)
    row_ids = "SELECT t.row_id FROM json_each(:ids) w CROSS JOIN tracks t ON t.id = w.value"
    await transaction.execute(f"DELETE FROM track_artists WHERE track_row_id IN ({row_ids})", {"ids": ids})  # noqa: S608
    await transaction.execute(
        """INSERT INTO track_artists (artist_id, album_id, track_row_id)
            SELECT DISTINCT c.value, t.album_id, t.row_id
            FROM json_each(:ids) w CROSS JOIN tracks t ON t.id = w.value, json_each(t.credits) c""",
        {"ids": ids},
    )
    return True


async def store_playlists(
    transaction: Transaction, playlists: Sequence[tuple[Playlist, Sequence[PlaylistEntry] | None]]
) -> bool:
    """All playlists with all their entries (None keeps those that are there); the others go."""
    changed = bool(await _write(transaction, "playlists", [_playlist_row(playlist) for playlist, _ in playlists]))
    for playlist, entries in playlists:
        if entries is not None:
            changed |= await _store_entries(transaction, playlist.id, entries)
    kept = json.dumps([playlist.id for playlist, _ in playlists])
    gone = await transaction.execute("DELETE FROM playlists WHERE id NOT IN (SELECT value FROM json_each(?))", (kept,))
    return changed or gone > 0


async def store_favorites(transaction: Transaction, listed: frozenset[str]) -> bool:
    """The server's favourites, and on top the user's wishes that it may not have known when it answered."""
    wishes = await transaction.fetch_all("SELECT item_id, is_favorite FROM favorite_wishes")
    wished = {row["item_id"] for row in wishes if row["is_favorite"]}
    now = (listed | wished) - {row["item_id"] for row in wishes if not row["is_favorite"]}
    before = {row["item_id"] for row in await transaction.fetch_all("SELECT item_id FROM favorites")}
    await transaction.execute_many("INSERT INTO favorites (item_id) VALUES (?)", [(i,) for i in now - before])
    await transaction.execute_many("DELETE FROM favorites WHERE item_id = ?", [(i,) for i in before - now])
    return now != before


async def remove_unseen(transaction: Transaction, library_id: str) -> bool:
    """Removes the tracks of a library that a whole sync did not meet; downloads are no business of the mirror."""
    gone = await transaction.execute(
        """DELETE FROM tracks WHERE library_id = :library
            AND id NOT IN (SELECT track_id FROM sync_seen WHERE library_id = :library)""",
        {"library": library_id},
    )
    return gone > 0


async def remove_other_libraries(transaction: Transaction, library_ids: Iterable[str]) -> bool:
    """Removes the tracks of libraries that the server does not list any more."""
    kept = set(library_ids)
    # Asked first: from an index, where a NOT IN would read the whole table.
    there = [row["library_id"] for row in await transaction.fetch_all("SELECT DISTINCT library_id FROM tracks")]
    gone = [(library_id,) for library_id in there if library_id not in kept]
    await transaction.execute_many("DELETE FROM tracks WHERE library_id = ?", gone)
    return bool(gone)


async def remove_empty(transaction: Transaction) -> bool:
    """Removes albums and artists without a track, after a sync that was whole."""
    albums = await transaction.execute("DELETE FROM albums WHERE id NOT IN (SELECT album_id FROM tracks)")
    artists = await transaction.execute("DELETE FROM artists WHERE id NOT IN (SELECT artist_id FROM track_artists)")
    return albums + artists > 0


async def _with_untold_plays(transaction: Transaction, tracks: Sequence[Track]) -> list[Track]:
    """The tracks with the plays that wait in the outbox: the server's own count is without them."""
    rows = await transaction.fetch_all(
        """SELECT track_id, count(*) AS plays, max(played_at) AS played_at FROM plays
            WHERE reported = 0 AND track_id IN (SELECT value FROM json_each(?)) GROUP BY track_id""",
        (json.dumps([track.id for track in tracks]),),
    )
    untold = {row["track_id"]: row for row in rows}
    return [
        msgspec.structs.replace(
            track,
            play_count=track.play_count + row["plays"],
            last_played_at=max(track.last_played_at or "", row["played_at"]),
        )
        if (row := untold.get(track.id))
        else track
        for track in tracks
    ]


async def _store_entries(transaction: Transaction, playlist_id: str, entries: Sequence[PlaylistEntry]) -> bool:
    rows = await transaction.fetch_all(
        "SELECT entry_id, track_id FROM playlist_entries WHERE playlist_id = ? ORDER BY position", (playlist_id,)
    )
    new = [(entry.entry_id, entry.track_id) for entry in entries]
    if [tuple(row) for row in rows] == new:
        return False
    await transaction.execute("DELETE FROM playlist_entries WHERE playlist_id = ?", (playlist_id,))
    await transaction.execute_many(
        "INSERT INTO playlist_entries (playlist_id, position, entry_id, track_id) VALUES (?, ?, ?, ?)",
        [(playlist_id, position, *entry) for position, entry in enumerate(new)],
    )
    return True


async def _write(transaction: Transaction, table: str, rows: Sequence[Row]) -> list[str]:
    """Inserts or updates the rows that differ from what is there; returns their ids."""
    if not rows:
        return []
    columns = list(rows[0])
    names = ", ".join(columns)
    ids = json.dumps([row["id"] for row in rows])
    there = {
        row["id"]: dict(row)
        for row in await transaction.fetch_all(
            f"SELECT {names} FROM {table} WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608
            (ids,),
        )
    }
    changed = [row for row in rows if there.get(row["id"]) != row]
    places = ", ".join(f":{column}" for column in columns)
    updates = ", ".join(f"{column} = excluded.{column}" for column in columns if column != "id")
    await transaction.execute_many(
        f"INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT (id) DO UPDATE SET {updates}",  # noqa: S608
        changed,
    )
    return [row["id"] for row in changed]


async def _insert_missing(transaction: Transaction, table: str, rows: Sequence[Row]) -> None:
    ids = json.dumps([row["id"] for row in rows])
    there = await transaction.fetch_all(
        f"SELECT id FROM {table} WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608
        (ids,),
    )
    known = {row["id"] for row in there}
    await _write(transaction, table, list({row["id"]: row for row in rows if row["id"] not in known}.values()))


async def _albums(transaction: Transaction, ids: Iterable[str]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Of each album: the beginning of its tracks' sort keys, and its artists' ids."""
    rows = await transaction.fetch_all(
        """SELECT a.id, a.sort_key, a.body, coalesce(p.sort_key, '') AS artist_key
            FROM json_each(?) w CROSS JOIN albums a ON a.id = w.value LEFT JOIN artists p ON p.id = a.artist_id""",
        (json.dumps(list(ids)),),
    )
    return {
        # The id keeps two albums of one name apart.
        row["id"]: (
            _FIRST.join((row["artist_key"], row["sort_key"], row["id"])),
            msgspec.json.decode(row["body"], type=Album).artist_ids,
        )
        for row in rows
    }


async def _move_tracks(transaction: Transaction, album_ids: Sequence[str]) -> None:
    """Puts the tracks of albums where these, and their artists, stand now: the server need not list them again."""
    if not album_ids:
        return
    await transaction.execute(
        """UPDATE tracks SET sort_key = moved.sort_key FROM (
                SELECT t.row_id, coalesce(p.sort_key, '') || :first || a.sort_key
                    || substr(t.sort_key, instr(t.sort_key, :first || a.id || :first)) AS sort_key
                FROM json_each(:ids) w CROSS JOIN albums a ON a.id = w.value
                    LEFT JOIN artists p ON p.id = a.artist_id CROSS JOIN tracks t ON t.album_id = a.id
            ) moved WHERE tracks.row_id = moved.row_id AND tracks.sort_key <> moved.sort_key""",
        {"ids": json.dumps(album_ids), "first": _FIRST},
    )


def _made_id(kind: str, *names: str) -> str:
    """The id of what the server gave none, always the same for the same names."""
    return "made-" + hashlib.sha256("\0".join((kind, *map(fold, names))).encode()).hexdigest()[:32]


def _artist_ids(names: Sequence[str], ids: Sequence[str]) -> tuple[str, ...]:
    """An id for each name: the server's, or a made one."""
    given = (*ids, *([""] * len(names)))
    return tuple(artist_id or _made_id("artist", name) for name, artist_id in zip(names, given, strict=False))


def _placed(track: Track) -> Track:
    """The track with ids for its album and all its artists."""
    artists = track.artists or ((track.album_artist,) if track.album_artist else ())
    first = track.album_artist or (artists[0] if artists else "")
    return msgspec.structs.replace(
        track,
        artists=artists,
        artist_ids=_artist_ids(artists, track.artist_ids),
        album_artist_id=track.album_artist_id or (_made_id("artist", track.album_artist) if track.album_artist else ""),
        album_id=track.album_id or _made_id("album", track.album, first),
    )


def _made_artists(track: Track) -> list[Row]:
    people = list(zip(track.artist_ids, track.artists, strict=True))
    if track.album_artist:
        people.append((track.album_artist_id, track.album_artist))
    return [_artist_row(Artist(id=artist_id, name=name)) for artist_id, name in people or [_UNKNOWN]]


def _made_album(track: Track) -> Album:
    """The album that a track says it is of."""
    name = track.album or NO_ALBUM
    people = [(track.album_artist_id, track.album_artist)] if track.album_artist else []
    people = people or list(zip(track.artist_ids, track.artists, strict=True))[:1]
    return Album(
        id=track.album_id,
        name=name,
        album=name,
        artists=tuple(artist for _, artist in people),
        artist_ids=tuple(artist_id for artist_id, _ in people),
        year=track.year,
        genres=track.genres,
        image_item_id=track.image_item_id,
        image_tag=track.image_tag,
        date_created=track.date_created,
    )


def _artist_row(artist: Artist) -> Row:
    artist = msgspec.structs.replace(artist, artists=artist.artists or (artist.name,), is_favorite=False)
    return {
        "id": artist.id,
        "sort_key": name_key(artist.name, artist.sort_name),
        "words": fold(artist.name),
        "body": msgspec.json.encode(artist),
    }


def _album_row(album: Album) -> Row:
    ids = _artist_ids(album.artists, album.artist_ids)
    # Counted in the mirror: the server's own sum changes with every re-scan.
    album = msgspec.structs.replace(album, artist_ids=ids, is_favorite=False, duration_ms=0, track_count=0)
    return {
        "id": album.id,
        "artist_id": ids[0] if ids else "",
        "year": album.year,
        "sort_key": name_key(album.name, album.sort_name),
        "words": _words(album.name, *album.artists),
        "body": msgspec.json.encode(album),
    }


def _track_row(library_id: str, track: Track, album: tuple[str, tuple[str, ...]]) -> Row:
    album_key, album_artist_ids = album
    credits_ = [*track.artist_ids, *filter(None, [track.album_artist_id]), *album_artist_ids] or [_UNKNOWN[0]]
    place = f"{track.disc or 0:04}{_FIRST}{track.number or 0:05}{_FIRST}{fold(track.name)}"
    lasting = msgspec.structs.replace(track, is_favorite=False, play_count=0, last_played_at=None)
    return {
        "id": track.id,
        "library_id": library_id,
        "album_id": track.album_id,
        "duration_ms": track.duration_ms,
        "play_count": track.play_count,
        "last_played_at": track.last_played_at,
        "credits": json.dumps(list(dict.fromkeys(credits_))),
        "sort_key": f"{album_key}{_FIRST}{place}",
        "words": _words(track.name, *track.artists, track.album_artist, track.album),
        "body": msgspec.json.encode(lasting),
    }


def _playlist_row(playlist: Playlist) -> Row:
    playlist = msgspec.structs.replace(playlist, is_favorite=False, duration_ms=0, track_count=0)
    return {
        "id": playlist.id,
        "sort_key": name_key(playlist.name),
        "words": fold(playlist.name),
        "body": msgspec.json.encode(playlist),
    }


def _words(*names: str) -> str:
    """What an item is found by, its own name first; a name that comes twice once."""
    return " ".join(dict.fromkeys(fold(name) for name in names if name))


_UNKNOWN = (_made_id("artist", ""), UNKNOWN_ARTIST)
