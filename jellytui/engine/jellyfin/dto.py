"""The server's JSON -> our models: the one boundary at which hostile strings are cleaned.

Tolerant: a missing or odd member never fails a page (jellyfin-api.md 15, 17.2); an item without an id is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from jellytui.engine.jellyfin.records import Library, MediaFacts, PlaylistEntry, UserData, UserInfo
from jellytui.engine.models import Album, Artist, LyricLine, Lyrics, Playlist, Track

T = TypeVar("T")
Dto = Mapping[str, Any]

NAMELESS = "(no name)"
_TICKS_PER_MS = 10_000
_TOO_LARGE = 2**63
_BLANKS = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
# C0, DEL, C1, lone surrogates, and the marks that turn the direction of text around.
_UNWANTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def clean(text: object) -> str:
    """The text on one line, without anything that could steer a terminal (textual.md, pitfall 22)."""
    if not isinstance(text, str):
        return ""
    return _UNWANTED.sub("", _BLANKS.sub(" ", text)).strip()


def normal_id(value: object) -> str:
    """An id in the server's own form, without dashes and in lower case; opaque otherwise (jellyfin-api.md 1)."""
    return clean(value).replace("-", "").lower()


def record(dto: object) -> Dto:
    """An object's members; none of anything else."""
    return dto if isinstance(dto, Mapping) else {}


def items(dto: object, decode: Callable[[Dto], T | None]) -> tuple[T, ...]:
    """The decodable entries of a QueryResult's `Items`, or of a bare array."""
    found = dto.get("Items") if isinstance(dto, Mapping) else dto
    if not isinstance(found, list):
        return ()
    decoded = (decode(entry) for entry in found if isinstance(entry, Mapping))
    return tuple(item for item in decoded if item is not None)


def total(dto: object) -> int | None:
    """A QueryResult's `TotalRecordCount`, to be believed only where it was asked for."""
    found = _integer(record(dto).get("TotalRecordCount"))
    return None if found is None else max(0, found)


def music_library(dto: Dto) -> Library | None:
    """A view of the user; None for what is no music library."""
    item_id = normal_id(dto.get("Id"))
    if not item_id or dto.get("CollectionType") != "music":
        return None
    return Library(id=item_id, name=clean(dto.get("Name")) or NAMELESS)


def track(dto: Dto) -> Track | None:
    """An Audio item."""
    item_id = normal_id(dto.get("Id"))
    if not item_id:
        return None
    artist_names, artist_ids = _people(dto.get("ArtistItems"), dto.get("Artists"))
    album_artist_names, album_artist_ids = _people(dto.get("AlbumArtists"), [dto.get("AlbumArtist")])
    image_item_id, image_tag = _cover(dto)
    data = user_data(dto.get("UserData"), item_id)
    return Track(
        id=item_id,
        name=clean(dto.get("Name")) or NAMELESS,
        album=clean(dto.get("Album")),
        artists=artist_names or album_artist_names,
        album_id=normal_id(dto.get("AlbumId")),
        artist_ids=artist_ids,
        album_artist=album_artist_names[0] if album_artist_names else "",
        album_artist_id=album_artist_ids[0] if album_artist_ids else "",
        disc=_integer(dto.get("ParentIndexNumber")),
        number=_integer(dto.get("IndexNumber")),
        duration_ms=_milliseconds(dto.get("RunTimeTicks")),
        year=_integer(dto.get("ProductionYear")),
        genres=_names(dto.get("Genres")),
        container=clean(dto.get("Container")),
        is_favorite=data.is_favorite,
        play_count=data.play_count,
        last_played_at=data.last_played_at,
        has_lyrics=dto.get("HasLyrics") is True,
        image_item_id=image_item_id,
        image_tag=image_tag,
        gain_db=_number(dto.get("NormalizationGain")),
        album_gain_db=_number(dto.get("AlbumNormalizationGain")),
        date_created=date(dto.get("DateCreated")) or "",
        sort_name=clean(dto.get("SortName")),
        etag=clean(dto.get("Etag")),
    )


def album(dto: Dto) -> Album | None:
    """A MusicAlbum item; its tracks are counted in the mirror."""
    item_id = normal_id(dto.get("Id"))
    if not item_id:
        return None
    names, ids = _people(dto.get("AlbumArtists"), [dto.get("AlbumArtist")])
    image_item_id, image_tag = _own_image(dto)
    return Album(
        id=item_id,
        name=clean(dto.get("Name")) or NAMELESS,
        album=clean(dto.get("Name")),
        artists=names,
        artist_ids=ids,
        year=_integer(dto.get("ProductionYear")),
        genres=_names(dto.get("Genres")),
        duration_ms=_milliseconds(dto.get("RunTimeTicks")),
        is_favorite=user_data(dto.get("UserData"), item_id).is_favorite,
        image_item_id=image_item_id,
        image_tag=image_tag,
        date_created=date(dto.get("DateCreated")) or "",
        sort_name=clean(dto.get("SortName")),
    )


def artist(dto: Dto) -> Artist | None:
    """A MusicArtist item."""
    item_id = normal_id(dto.get("Id"))
    if not item_id:
        return None
    image_item_id, image_tag = _own_image(dto)
    name = clean(dto.get("Name")) or NAMELESS
    return Artist(
        id=item_id,
        name=name,
        artists=(name,),
        is_favorite=user_data(dto.get("UserData"), item_id).is_favorite,
        image_item_id=image_item_id,
        image_tag=image_tag,
        sort_name=clean(dto.get("SortName")),
    )


def playlist(dto: Dto) -> Playlist | None:
    """A Playlist item; None for one of videos (jellyfin-api.md 13)."""
    item_id = normal_id(dto.get("Id"))
    if not item_id or dto.get("MediaType") not in (None, "Audio", "Unknown"):
        return None
    image_item_id, image_tag = _own_image(dto)
    return Playlist(
        id=item_id,
        name=clean(dto.get("Name")) or NAMELESS,
        duration_ms=_milliseconds(dto.get("RunTimeTicks")),
        is_favorite=user_data(dto.get("UserData"), item_id).is_favorite,
        image_item_id=image_item_id,
        image_tag=image_tag,
    )


def playlist_entry(dto: Dto) -> PlaylistEntry | None:
    """An entry of /Playlists/{id}/Items; None for what is no music."""
    track_id = normal_id(dto.get("Id"))
    if not track_id or dto.get("Type") not in (None, "Audio"):
        return None
    return PlaylistEntry(entry_id=normal_id(dto.get("PlaylistItemId")) or track_id, track_id=track_id)


def item_id(dto: Dto) -> str | None:
    """Only the id."""
    return normal_id(dto.get("Id")) or None


def media_facts(dto: Dto) -> MediaFacts | None:
    """The first media source of an item."""
    found = normal_id(dto.get("Id"))
    if not found:
        return None
    sources = dto.get("MediaSources")
    source = sources[0] if isinstance(sources, list) and sources and isinstance(sources[0], Mapping) else {}
    return MediaFacts(
        item_id=found,
        size_bytes=_integer(source.get("Size")),
        etag=clean(source.get("ETag")) or None,
        container=clean(source.get("Container") or dto.get("Container")) or None,
    )


def user_info(dto: Dto) -> UserInfo:
    """A UserDto with its policy; a policy that says nothing forbids nothing."""
    policy = dto.get("Policy")
    policy = policy if isinstance(policy, Mapping) else {}
    return UserInfo(
        id=normal_id(dto.get("Id")),
        name=clean(dto.get("Name")),
        can_download=policy.get("EnableContentDownloading") is not False,
        is_administrator=policy.get("IsAdministrator") is True,
    )


def user_data(dto: object, item_id: str) -> UserData:
    """A UserItemDataDto; empty where the item came without. Its `Key` is no key (jellyfin-api.md 6.1)."""
    if not isinstance(dto, Mapping):
        return UserData(item_id=item_id)
    return UserData(
        item_id=item_id,
        is_favorite=dto.get("IsFavorite") is True,
        play_count=max(0, _integer(dto.get("PlayCount")) or 0),
        last_played_at=date(dto.get("LastPlayedDate")),
        is_played=dto.get("Played") is True,
    )


def lyrics(dto: object, item_id: str) -> Lyrics:
    """A LyricDto; lines keep their blanks between words but no control characters."""
    found = dto.get("Lyrics") if isinstance(dto, Mapping) else None
    entries = [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []
    lines = tuple(LyricLine(text=clean(entry.get("Text")), start_ms=_start(entry.get("Start"))) for entry in entries)
    return Lyrics(item_id=item_id, lines=lines)


def date(value: object) -> str | None:
    """A server's date (0 to 7 fraction digits, with or without Z) as ISO 8601 in UTC; None for none or year 1."""
    if not isinstance(value, str) or value.startswith("0001-"):
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _people(pairs: object, names: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and ids of NameGuidPairs; the bare names where there are no pairs. Joined by id, never by name (5.6)."""
    found = [pair for pair in pairs if isinstance(pair, Mapping)] if isinstance(pairs, list) else []
    if found:
        return tuple(clean(pair.get("Name")) or NAMELESS for pair in found), tuple(
            normal_id(pair.get("Id")) for pair in found
        )
    return _names(names), ()


def _names(values: object) -> tuple[str, ...]:
    if not isinstance(values, Iterable) or isinstance(values, str | Mapping):
        return ()
    return tuple(name for value in values if (name := clean(value)))


def _cover(dto: Dto) -> tuple[str, str]:
    """The album's picture before the track's own: a track's is mostly the same and costs a request each (9)."""
    album_id, album_tag = normal_id(dto.get("AlbumId")), clean(dto.get("AlbumPrimaryImageTag"))
    return (album_id, album_tag) if album_id and album_tag else _own_image(dto)


def _own_image(dto: Dto) -> tuple[str, str]:
    tags = dto.get("ImageTags")
    tag = clean(tags.get("Primary")) if isinstance(tags, Mapping) else ""
    return (normal_id(dto.get("Id")), tag) if tag else ("", "")


def _integer(value: object) -> int | None:
    """None also for what SQLite cannot hold."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _TOO_LARGE else None


def _number(value: object) -> float | None:
    """None also for what is no finite number (`1e999` is JSON)."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < _TOO_LARGE:
        return None
    return float(value)


def _milliseconds(ticks: object) -> int:
    return max(0, (_integer(ticks) or 0) // _TICKS_PER_MS)


def _start(ticks: object) -> int | None:
    value = _integer(ticks)
    return None if value is None else max(0, value // _TICKS_PER_MS)
