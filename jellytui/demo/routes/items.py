"""Lists of items and single items: `/Items`, views, latest, similar, mixes, counts, hints (jellyfin-api.md 5)."""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from starlette.responses import Response

from jellytui.demo.catalog.dto import FULL_FIELDS, Dto, DtoOptions, PlaylistItem, kind_of, page, playlist_item
from jellytui.demo.catalog.filters import ITEM_TYPES, ItemFilter
from jellytui.demo.catalog.sorting import cut, group_in_order, sort_items
from jellytui.demo.library import DemoAlbum, DemoArtist, DemoGenre, DemoItem, DemoTrack, item_id
from jellytui.demo.sources.names import cleaned
from jellytui.demo.wire.endpoint import Call, Endpoint
from jellytui.demo.wire.replies import ProblemError, StringError, empty, present

_MIX_TRACKS = 200
_SIMILAR_ITEMS = 50


async def list_items(call: Call) -> Response:
    """`GET /Items`."""
    user = call.target_user()
    chosen = ItemFilter(call.world, call.query, user)
    group = chosen.whole_group()
    whole = group_in_order(group, call.world, call.query) if group else None
    if whole is not None:
        shown, total, start = cut(whole, call.query)
        return call.json(page(Dto(call.world, DtoOptions.of(call.query, user)).many(shown), total, start))
    items = chosen.select()
    limit = call.query.integer("limit")
    searched = cleaned(call.query.text("searchTerm") or "")
    if searched and call.world.emulation.is_12 and limit is not None and limit > 0:
        items = items[: 3 * limit]  # 12 fetches no more candidates than that (5.1a)
    ordered = sort_items(items, call.world, call.query, user)
    shown, total, start = cut(ordered, call.query)
    if limit is not None and limit <= 0 and call.world.library.view in items:
        shown = ordered  # the views come whatever the limit: errors.json, `trailing slash`
    dto = Dto(call.world, DtoOptions.of(call.query, user))
    return call.json(page(dto.many(shown), total, start))


async def get_item(call: Call) -> Response:
    """`GET /Items/{id}`; the empty id is the user's root folder (2.2)."""
    user = call.target_user()
    item = _find(call)
    return call.json(Dto(call.world, DtoOptions(fields=FULL_FIELDS, user=user)).one(item))


def _find(call: Call) -> DemoItem:
    wanted = call.path_guid("itemid", "itemId")
    if not wanted.strip("0"):
        return call.world.library.root
    playlist = call.world.playlists.get(wanted)
    if playlist is not None and playlist.visible_to(call.user.id if call.user else None):
        return playlist_item(call.world, playlist)
    return call.item()


async def get_root(call: Call) -> Response:
    """`GET /Items/Root`."""
    options = DtoOptions(fields=FULL_FIELDS, user=call.target_user())
    return call.json(Dto(call.world, options).one(call.world.library.root))


async def delete_item(call: Call) -> Response:
    """`DELETE /Items/{id}`: playlists by their owner or an administrator; music is never deleted here (13)."""
    _delete(call, call.path_guid("itemid", "itemId"))
    return empty()


def _delete(call: Call, wanted: str) -> None:
    user = call.user
    playlist = call.world.playlists.get(wanted)
    if playlist is not None and playlist.visible_to(user.id if user else None):
        if not call.is_admin and (user is None or playlist.owner_id != user.id):
            raise StringError(401, "Unauthorized access")
        call.world.playlists.delete(playlist)
        return
    if playlist is not None or not call.sees_library or call.world.library.get(wanted) is None:
        raise ProblemError(404)
    raise StringError(401, "Unauthorized access")


async def user_views(call: Call) -> Response:
    """`GET /UserViews`."""
    user = call.target_user()
    library = call.world.library
    views = [library.view] if user is None or user.policy.all_folders else []
    if views and any(each.visible_to(user.id if user else None) for each in call.world.playlists.all()):
        views.append(library.playlists_view)
    dto = Dto(call.world, DtoOptions(fields=FULL_FIELDS, user=user))
    return call.json(page(dto.many(views), len(views), 0))


async def latest(call: Call) -> Response:
    """`GET /Items/Latest`: a bare array, albums unless `groupItems=false` (5.7)."""
    user = call.target_user()
    limit = call.query.integer("limit", 20)
    grouped = call.query.boolean("groupItems") is not False
    library = call.world.library
    played = call.query.boolean("isPlayed")
    found: dict[str, DemoItem] = {}
    for track in library.newest_tracks() if user is None or user.policy.all_folders else ():
        for item in _shown_as(call, track) if grouped else [track]:
            if played is None or user is None or call.world.user_data.get(user.id, item.id).played == played:
                found.setdefault(item.id, item)
        if limit and 0 < limit <= len(found):
            break
    options = DtoOptions.of(call.query, user)
    if not call.world.emulation.is_12 and grouped:
        options = replace(options, fields=options.fields | {"ChildCount"})
    return call.json(Dto(call.world, options).many(found.values()))


def _shown_as(call: Call, track: DemoTrack) -> list[DemoItem]:
    """Its album; a track without one stands for itself on 10.11 and for nothing on 12 (5.7)."""
    album = call.world.library.album_of(track)
    return [album] if album else [] if call.world.emulation.is_12 else [track]


async def similar(call: Call) -> Response:
    """`GET /Items/{id}/Similar`: by genre; nothing for artists without metadata of the internet (5.7)."""
    user, item = call.target_user(), call.item()
    excluded = set(call.query.guids("excludeArtistIds"))
    library = call.world.library
    pool: list[DemoItem] = []
    if isinstance(item, DemoTrack):
        pool = list(library.tracks)
    elif isinstance(item, DemoAlbum):
        pool = list(library.albums)
    related = [other for other in pool if other is not item and set(other.genres) & set(item.genres)]
    found = [other for other in related if not excluded & library.artist_ids_of(_credited(other))]
    random.shuffle(found)
    limit = call.query.integer("limit")
    found = found[: limit if limit and limit > 0 else _SIMILAR_ITEMS]
    return call.json(page(Dto(call.world, DtoOptions.of(call.query, user)).many(found), len(found), 0))


def _credited(item: DemoItem) -> list[str]:
    return [*item.artists, *item.album_artists] if isinstance(item, DemoTrack | DemoAlbum) else []


async def instant_mix(call: Call) -> Response:
    """`GET …/InstantMix`: tracks that share a genre with the seed, in a new order each time (5.7)."""
    user = call.target_user()
    tracks = mix(call, _seed(call))
    shown, _, _ = cut(tracks, call.query)
    return call.json(page(Dto(call.world, DtoOptions.of(call.query, user)).many(shown), len(tracks), 0))


def _seed(call: Call) -> DemoItem | None:
    params, library = call.request.path_params, call.world.library
    if "name" in params:
        return next((genre for genre in library.genres if genre.name.lower() == str(params["name"]).lower()), None)
    if "itemid" in params:
        return _find(call)
    wanted = call.query.guid("id")
    found = library.get(wanted or "")
    if found is None:
        raise ProblemError(404)
    return found


def mix(call: Call, seed: DemoItem | None) -> list[DemoTrack]:
    """Up to 200 tracks that go with a seed; with no genre to go by, any."""
    library = call.world.library
    genres = set(_genres_of(call, seed)) if seed is not None else set()
    pool = (library.tracks[place] for place in random.sample(range(len(library.tracks)), len(library.tracks)))
    found = list(islice((track for track in pool if not genres or genres & set(track.genres)), _MIX_TRACKS))
    if isinstance(seed, DemoTrack):
        found = [seed, *(track for track in found if track is not seed)][:_MIX_TRACKS]
    return found


def _genres_of(call: Call, seed: DemoItem) -> list[str]:
    if isinstance(seed, DemoGenre):
        return [name for name, genre_id in call.world.library.genre_ids.items() if genre_id == seed.id]
    if isinstance(seed, DemoTrack | DemoAlbum):
        return seed.genres
    tracks = seed.tracks if isinstance(seed, PlaylistItem) else call.world.library.tracks_of(seed)
    return [genre for track in tracks for genre in track.genres]


async def suggestions(call: Call) -> Response:
    """`GET /Items/Suggestions`: random items of a type."""
    user = call.target_user()
    types = set(call.query.enums("type", ITEM_TYPES)) or {"Audio", "MusicAlbum", "MusicArtist"}
    found = [item for item in call.world.library.everything() if kind_of(item) in types]
    random.shuffle(found)
    shown, total, start = cut(found, call.query)
    total = total if call.query.boolean("enableTotalRecordCount") else len(shown)
    return call.json(page(Dto(call.world, DtoOptions.of(call.query, user)).many(shown), total, start))


async def counts(call: Call) -> Response:
    """`GET /Items/Counts`; 10.11 leaves artists and the sum at 0 (5.7)."""
    user, library, data = call.target_user(), call.world.library, call.world.user_data
    favorite = call.query.boolean("isFavorite")

    def count(items: Sequence[DemoItem]) -> int:
        if user is not None and not user.policy.all_folders:
            return 0
        if favorite is None or user is None:
            return len(items)
        return sum(data.get(user.id, item.id).favorite == favorite for item in items)

    is_12 = call.world.emulation.is_12
    artists = count([artist for artist in library.artists if artist.is_folder]) if is_12 else 0
    songs, albums = count(library.tracks), count(library.albums)
    total = songs + albums + count([*library.artists, *library.folders]) if is_12 else 0
    names = ("MovieCount", "SeriesCount", "EpisodeCount", "ArtistCount", "ProgramCount", "TrailerCount", "SongCount",
             "AlbumCount", "MusicVideoCount", "BoxSetCount", "BookCount", "ItemCount")  # fmt: skip
    known = {"ArtistCount": artists, "SongCount": songs, "AlbumCount": albums, "ItemCount": total}
    return call.json({name: known.get(name, 0) for name in names})


async def search_hints(call: Call) -> Response:
    """`GET /Search/Hints`. A missing term fails the validation, an empty one too (5.7)."""
    user = call.target_user()
    term = call.query.text("searchTerm")
    if term is None:
        raise ProblemError(400, {"searchTerm": ["The searchTerm field is required."]})
    types = set(call.query.enums("includeItemTypes", ITEM_TYPES))
    found = [
        item
        for item in (call.world.library.everything() if user is None or user.policy.all_folders else ())
        if kind_of(item) in {"Audio", "MusicAlbum", "MusicArtist", "MusicGenre"}
        and (not types or kind_of(item) in types)
        and cleaned(term) in cleaned(item.name)
        and _is_asked_for(call, item)
    ]
    found.sort(key=lambda item: (item.sort_name, item.id))
    hints = [*_people_hints(call, found), *(_hint(item) for item in found)]
    start, limit = max(call.query.integer("startIndex", 0) or 0, 0), call.query.integer("limit")
    shown = hints[start : None if limit is None or limit < 0 else start + limit]
    return call.json({"SearchHints": shown, "TotalRecordCount": len(shown)})


def _people_hints(call: Call, found: list[DemoItem]) -> list[dict[str, Any]]:
    """Each artist once more as a person, with another id than the artist's (5.7)."""
    if call.query.boolean("includePeople") is False or call.query.listed("includeItemTypes"):
        return []
    names = [item.name for item in found if isinstance(item, DemoArtist)]
    members: dict[str, Any] = {"Type": "Person", "MediaType": "Unknown", "Artists": [], "ChannelId": None}
    ids = [item_id("MediaBrowser.Controller.Entities.Person", name) for name in names]
    return [{"ItemId": each, "Id": each, "Name": name} | members for each, name in zip(ids, names, strict=True)]


def _is_asked_for(call: Call, item: DemoItem) -> bool:
    switches = {"MusicArtist": "includeArtists", "MusicGenre": "includeGenres"}
    return call.query.boolean(switches.get(kind_of(item), "includeMedia")) is not False


def _hint(item: DemoItem) -> dict[str, Any]:
    track = item if isinstance(item, DemoTrack) else None
    album = item if isinstance(item, DemoAlbum) else None
    credited = track or album
    return (
        present(
            ItemId=item.id,
            Id=item.id,
            Name=item.name,
            IndexNumber=track.index if track else None,
            ProductionYear=credited.year if credited else None,
            PrimaryImageTag=item.image.tag if item.image else None,
            Type=kind_of(item),
            IsFolder=None if track or isinstance(item, DemoGenre | DemoArtist) else True,
            RunTimeTicks=item.run_time_ticks if isinstance(item, DemoTrack | DemoAlbum | DemoArtist) else None,
            MediaType="Audio" if track else "Unknown",
            Album=track.album if track else None,
            AlbumId=track.album_id if track else None,
            AlbumArtist=credited.album_artists[0] if credited and credited.album_artists else None,
            Artists=credited.artists if credited else [],
        )
        | {"ChannelId": None}
        | present(PrimaryImageAspectRatio=1 if item.image else None)
    )


async def facets(call: Call) -> Response:
    """`GET /Items/Filters` and `/Items/Filters2`: what there is to filter by."""
    user = call.target_user()
    items = ItemFilter(call.world, call.query, user).select()
    names = sorted({genre for item in items for genre in item.genres})
    if call.request.url.path.lower().endswith("2"):
        ids = call.world.library.genre_ids
        found: dict[str, Any] = {"Genres": [{"Name": name, "Id": ids.get(name, "")} for name in names], "Tags": []}
        if call.world.emulation.is_12:
            found |= {"AudioLanguages": [], "SubtitleLanguages": []}
        return call.json(found)
    years = sorted({item.year for item in items if isinstance(item, DemoTrack | DemoAlbum) and item.year})
    return call.json({"Genres": names, "Tags": [], "OfficialRatings": [], "Years": years})


async def ancestors(call: Call) -> Response:
    """`GET /Items/{id}/Ancestors`: from the parent up to the root."""
    user, library = call.target_user(), call.world.library
    item: DemoItem | None = call.item()
    chain: list[DemoItem] = []
    while item is not None and item.parent_id is not None:
        item = library.get(item.parent_id)
        if item is not None:
            chain.append(item)
    return call.json(Dto(call.world, DtoOptions(fields=FULL_FIELDS, user=user)).many(chain))


async def delete_items(call: Call) -> Response:
    """`DELETE /Items?ids=`: as `DELETE /Items/{id}` for each; none named, nothing done."""
    for each in call.query.guids("ids"):
        _delete(call, each)
    return empty()


_MIX_PATHS = (
    "/items/{itemid}/instantmix",
    "/songs/{itemid}/instantmix",
    "/albums/{itemid}/instantmix",
    "/artists/{itemid}/instantmix",
    "/playlists/{itemid}/instantmix",
    "/musicgenres/instantmix",
    "/artists/instantmix",
    "/musicgenres/{name}/instantmix",
)

ENDPOINTS = (
    Endpoint("GET", "/items", list_items),
    Endpoint("DELETE", "/items", delete_items),
    Endpoint("GET", "/users/{userid}/items", list_items),
    Endpoint("GET", "/items/root", get_root),
    Endpoint("GET", "/users/{userid}/items/root", get_root),
    Endpoint("GET", "/items/latest", latest),
    Endpoint("GET", "/users/{userid}/items/latest", latest),
    Endpoint("GET", "/items/counts", counts),
    Endpoint("GET", "/items/suggestions", suggestions),
    Endpoint("GET", "/users/{userid}/suggestions", suggestions),
    Endpoint("GET", "/items/filters", facets),
    Endpoint("GET", "/items/filters2", facets),
    Endpoint("GET", "/items/{itemid}", get_item),
    Endpoint("GET", "/users/{userid}/items/{itemid}", get_item),
    Endpoint("DELETE", "/items/{itemid}", delete_item),
    Endpoint("GET", "/items/{itemid}/ancestors", ancestors),
    Endpoint("GET", "/items/{itemid}/similar", similar),
    Endpoint("GET", "/albums/{itemid}/similar", similar),
    Endpoint("GET", "/artists/{itemid}/similar", similar),
    Endpoint("GET", "/userviews", user_views),
    Endpoint("GET", "/users/{userid}/views", user_views),
    Endpoint("GET", "/search/hints", search_hints),
    *(Endpoint("GET", path, instant_mix) for path in _MIX_PATHS),
)
