"""Artists and genres of a library, out of the names in its tags and its folders (jellyfin-api.md 5.6, 6.1a)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import PurePosixPath

from jellytui.demo.library import DemoAlbum, DemoArtist, DemoFolder, DemoGenre, DemoTrack, item_id, tag_of
from jellytui.demo.sources.names import cleaned, folder_sort_name

_ARTIST = "MediaBrowser.Controller.Entities.Audio.MusicArtist"
_GENRE = "MediaBrowser.Controller.Entities.Audio.MusicGenre"


def artists_of(
    tracks: Sequence[DemoTrack], folders: Sequence[DemoFolder], *, merge_names: bool, now: datetime
) -> tuple[list[DemoArtist], dict[str, str]]:
    """The artists, and the id for each name in a tag.

    With `merge_names` (server 12) names that differ in punctuation only are one artist, and one that has a folder bears
    the folder's name; without (10.11) a folder must have exactly the artist's name.
    """
    key_of = _key(merge_names)
    artists = {key_of(folder.name): _from_folder(folder) for folder in folders}
    ids: dict[str, str] = {}
    for track in tracks:
        credited = dict.fromkeys([*track.artists, *track.album_artists])
        for name in credited:
            artist = artists.setdefault(key_of(name), _by_name(name, now))
            ids[name] = artist.id
    lengths: dict[str, int] = {}
    for track in tracks:
        for artist_id in {ids[name] for name in (*track.artists, *track.album_artists)}:
            lengths[artist_id] = lengths.get(artist_id, 0) + (track.run_time_ticks or 0)
    for artist in artists.values():
        artist.run_time_ticks = 0 if artist.is_folder else lengths.get(artist.id, 0)
    by_path = {artist.path: artist for artist in artists.values() if artist.is_folder}
    for track in tracks:
        for parent in PurePosixPath(track.path).parents:
            if str(parent) in by_path:
                by_path[str(parent)].run_time_ticks += track.run_time_ticks or 0
                by_path[str(parent)].genres = list(dict.fromkeys([*by_path[str(parent)].genres, *track.genres]))
    return list(artists.values()), ids


def genres_of(
    tracks: Sequence[DemoTrack], albums: Sequence[DemoAlbum], *, merge_names: bool, now: datetime
) -> tuple[list[DemoGenre], dict[str, str]]:
    """The genres, and the id for each name: those that 12 takes for the same are listed once, yet each has its id."""
    key_of = _key(merge_names)
    listed: dict[str, DemoGenre] = {}
    ids: dict[str, str] = {}
    for track in tracks:
        for name in track.genres:
            ids[name] = item_id(_GENRE, name.lower())
            listed.setdefault(key_of(name), _genre(name, ids[name], now))
    for album in albums:
        for genre in {id(each): each for name in album.genres if (each := listed.get(key_of(name)))}.values():
            if genre.image is None and album.image is not None:
                genre.image = replace(album.image, tag=tag_of(genre.id, album.image.tag))
    return list(listed.values()), ids


def _key(merge_names: bool) -> Callable[[str], str]:
    if merge_names:
        return lambda name: cleaned(name) or name.lower()
    return str.lower


def _from_folder(folder: DemoFolder) -> DemoArtist:
    return DemoArtist(
        id=folder.id,
        name=folder.name,
        sort_name=folder.sort_name,
        path=folder.path,
        parent_id=folder.parent_id,
        created=folder.created,
        saved=folder.saved,
        is_folder=True,
    )


def _by_name(name: str, now: datetime) -> DemoArtist:
    return DemoArtist(
        id=item_id(_ARTIST, name.lower()),
        name=name,
        sort_name=folder_sort_name(name),
        path=f"/config/metadata/artists/{name.replace('/', '_')}",
        parent_id=None,
        created=now,
        saved=now,
        is_folder=False,
    )


def _genre(name: str, genre_id: str, now: datetime) -> DemoGenre:
    return DemoGenre(
        id=genre_id,
        name=name,
        sort_name=folder_sort_name(name),
        path=f"/config/metadata/Genre/{name.replace('/', '_')}",
        parent_id=None,
        created=now,
        saved=now,
    )


def most_frequent(names: Iterable[str]) -> list[str]:
    """Each name once, the most frequent first, else in the order of appearance: how an album gets its artists."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: -counts[name])
