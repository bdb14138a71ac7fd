"""The parameters of our queries: cheap for the server, and what to leave out on which version (big-library.md).

Never asked for: ChildCount and RecursiveItemCount (10.11 does not answer), MediaSources of whole lists (twice the
bytes), /Artists/AlbumArtists (12 s on 12), a sort by SortName of all tracks (2 to 3 times the server's time).
"""

from __future__ import annotations

import re

from jellytui.engine.models import RepeatMode

Params = dict[str, str | int | bool | None]

IDS_AT_ONCE = 100
"""A request line may have 8192 bytes (jellyfin-api.md 2.2)."""
OLDEST = (10, 9)
_ARTISTS_AS_ITEMS = (12,)
_ETAG_BY_ITSELF = (10, 11)
_IMAGES: Params = {"enableImageTypes": "Primary", "imageTypeLimit": 1}
_BARE: Params = {"enableImages": False, "enableUserData": False}

REPEAT: dict[RepeatMode, str] = {"off": "RepeatNone", "all": "RepeatAll", "one": "RepeatOne"}


def version(text: str) -> tuple[int, ...]:
    """ "10.11.11" or "12.0.0-rc5" as numbers to compare; empty for what has none."""
    return tuple(int(part) for part in re.findall(r"\d+", text.partition("-")[0]))


def page(start: int, limit: int, *, with_total: bool) -> Params:
    """A stretch of a list. The total costs a count of the whole table each time."""
    return {"startIndex": start, "limit": limit, "enableTotalRecordCount": with_total}


def tracks(user_id: str, server: tuple[int, ...]) -> Params:
    """The fields of a track that the mirror keeps; before 10.11 an Etag moves only together with DateLastSaved."""
    fields = "Genres,DateCreated,SortName,ParentId,Etag"
    if server < _ETAG_BY_ITSELF:
        fields += ",DateLastSaved"
    return {"userId": user_id, "includeItemTypes": "Audio", "recursive": True, "fields": fields, **_IMAGES}


def catalogue(user_id: str, library_id: str, server: tuple[int, ...], saved_since: str | None) -> Params:
    """All tracks of a library (jellyfin-api.md 7.5); neighbours share an album, which the server looks up for each."""
    return {**tracks(user_id, server), **_of(library_id, saved_since), "sortBy": "Album,SortName"}


def limited(user_id: str, bit_rate: int) -> dict[str, str | int]:
    """Any container as it is where its bit rate is small enough, else MP3; all of these are needed (8.4)."""
    return {
        "userId": user_id,
        "container": "ogg,opus,mp3,aac,m4a,m4b,alac,flac,wav,aiff,aif,ape,wma,wv,webm,mka",
        "maxStreamingBitrate": bit_rate,
        "audioBitRate": bit_rate,
        "audioCodec": "mp3",
        "transcodingContainer": "mp3",
        "transcodingProtocol": "http",
    }


def albums(user_id: str, library_id: str, saved_since: str | None) -> Params:
    """All albums of a library; many are called Greatest Hits, so the artist decides among equals."""
    return {
        "userId": user_id,
        "includeItemTypes": "MusicAlbum",
        "recursive": True,
        "fields": "Genres,DateCreated,SortName",
        "sortBy": "SortName,AlbumArtist",
        **_of(library_id, saved_since),
        **_IMAGES,
    }


def artists(user_id: str, library_id: str, server: tuple[int, ...]) -> tuple[str, Params]:
    """Path and parameters. As items 12 lists all artists and 10.11 only those with a folder (jellyfin-api.md 5.6)."""
    common: Params = {"userId": user_id, "fields": "SortName", "sortBy": "SortName", **_IMAGES}
    if server >= _ARTISTS_AS_ITEMS:
        return "/Items", {**common, "includeItemTypes": "MusicArtist", "recursive": True}
    return "/Artists", {**common, "parentId": library_id}


def playlists(user_id: str) -> Params:
    """All playlists: with a library as parent 10.x gives none (jellyfin-api.md 13)."""
    return {"userId": user_id, "includeItemTypes": "Playlist", "recursive": True, "sortBy": "SortName", **_IMAGES}


def entries(user_id: str) -> Params:
    """A playlist's entries: once in full, since paging saves little, and only ids, since the mirror has the rest."""
    return {"userId": user_id, **_BARE}


def favorites(user_id: str, kinds: str) -> Params:
    """The ids of favourites. The filter's membership is the truth, UserData beside it is not always (10.11)."""
    return {
        "userId": user_id,
        "includeItemTypes": kinds,
        "recursive": True,
        "filters": "IsFavorite",
        "enableTotalRecordCount": False,
        **_BARE,
    }


def favorite_artists(user_id: str, server: tuple[int, ...]) -> Params | None:
    """The same for /Artists, where artists without a folder are no items; None where all are."""
    if server >= _ARTISTS_AS_ITEMS:
        return None
    return {"userId": user_id, "filters": "IsFavorite", **_BARE}


def of_ids(ids: list[str]) -> Params:
    """Items by id. The limit: an id that the server cannot read makes it forget the filter and list everything."""
    return {"ids": ",".join(ids), "limit": len(ids), "enableTotalRecordCount": False}


def image(tag: str, size_px: int) -> Params:
    """Scaled and re-encoded by the server, never enlarged (jellyfin-api.md 9)."""
    return {"tag": tag, "maxWidth": size_px, "maxHeight": size_px, "quality": 90, "format": "Jpg"}


def _of(library_id: str, saved_since: str | None) -> Params:
    """Despite its name `minDateLastSavedForUser` is about the item, and it works on every version (7.2)."""
    return {"parentId": library_id, "minDateLastSavedForUser": saved_since}
