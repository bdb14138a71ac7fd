"""Artists and genres (jellyfin-api.md 5.6)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from starlette.responses import Response

from jellytui.demo.catalog.dto import FULL_FIELDS, Dto, DtoOptions, page
from jellytui.demo.catalog.sorting import cut, sort_items
from jellytui.demo.library import DemoArtist, DemoItem, item_id
from jellytui.demo.sources.names import cleaned
from jellytui.demo.state.users import User
from jellytui.demo.wire.endpoint import Call, Endpoint
from jellytui.demo.wire.replies import ProblemError

_Item = TypeVar("_Item", bound=DemoItem)


async def artists(call: Call) -> Response:
    """`GET /Artists`: who plays on tracks."""
    return _listed(call, call.world.library.credited_ids(album_artists=False))


async def album_artists(call: Call) -> Response:
    """`GET /Artists/AlbumArtists`."""
    return _listed(call, call.world.library.credited_ids(album_artists=True), by_albums=True)


def _listed(call: Call, ids: set[str], *, by_albums: bool = False) -> Response:
    user = call.target_user()
    found = [artist for artist in call.world.library.artists if artist.id in ids and _passes(call, artist, user)]
    return _page(call, found, user, by_albums=by_albums)


def _passes(call: Call, artist: DemoArtist, user: User | None) -> bool:
    query, library = call.query, call.world.library
    if user is not None and not user.policy.all_folders:
        return False
    data = call.world.user_data.get(user.id if user else "", artist.id)
    favorite = query.boolean("isFavorite")
    if "isfavorite" in {each.lower() for each in query.listed("filters")}:
        favorite = True
    if favorite is not None and data.favorite != favorite:
        return False
    genres = {name.lower() for name in query.names("genres")}
    genre_ids = set(query.guids("genreIds"))
    years = set(query.integers("years"))
    if not (genres or genre_ids or years):
        return _named(call, artist)
    tracks = library.tracks_of(artist)
    of_tracks = {genre for track in tracks for genre in track.genres}
    return (
        (not genres or bool(genres & {genre.lower() for genre in of_tracks}))
        and (not genre_ids or bool(genre_ids & {library.genre_ids[genre] for genre in of_tracks}))
        and (not years or bool(years & {track.year for track in tracks if track.year}))
        and _named(call, artist)
    )


def _named(call: Call, item: DemoItem) -> bool:
    query = call.query
    name = item.sort_name.lower()
    starts, least, below = (query.text(n) for n in ("nameStartsWith", "nameStartsWithOrGreater", "nameLessThan"))
    return (
        cleaned(query.text("searchTerm") or "") in cleaned(item.name)
        and name.startswith((starts or "").lower())
        and name >= (least or "").lower()
        and (below is None or name < below.lower())
    )


async def genres(call: Call) -> Response:
    """`GET /Genres` and `/MusicGenres`."""
    user = call.target_user()
    sees = user is None or user.policy.all_folders
    return _page(call, [genre for genre in call.world.library.genres if sees and _named(call, genre)], user)


def _page(call: Call, found: Sequence[DemoItem], user: User | None, *, by_albums: bool = False) -> Response:
    """A page of items by name; 10.11 gives no total without a limit, both give none when not asked to (5.6)."""
    ordered = sort_items(found, call.world, call.query, user)
    if not call.query.listed("sortBy"):
        ordered.sort(key=lambda item: item.sort_name)
    shown, total, start = cut(ordered, call.query)
    unlimited = call.query.integer("limit") is None and not call.world.emulation.is_12
    if unlimited or call.query.boolean("enableTotalRecordCount") is False:
        total = 0
    counted = frozenset(call.query.enums("includeItemTypes", frozenset({"Audio", "MusicAlbum", "MusicArtist"})))
    options = replace(DtoOptions.of(call.query, user), counted=counted, counts_album_artists=by_albums)
    return call.json(page(Dto(call.world, options).many(shown), total, start))


async def artist_by_name(call: Call) -> Response:
    """`GET /Artists/{name}`."""
    return _by_name(call, call.world.library.artists)


async def genre_by_name(call: Call) -> Response:
    """`GET /MusicGenres/{name}`."""
    return _by_name(call, call.world.library.genres)


async def plain_genre_by_name(call: Call) -> Response:
    """`GET /Genres/{name}`: of another type than the genres of music, with another id and without a picture."""
    user, genre = call.target_user(), _named_item(call, call.world.library.genres)
    plain = replace(genre, id=item_id("MediaBrowser.Controller.Entities.Genre", genre.name), image=None)
    options = DtoOptions(fields=FULL_FIELDS, user=user)
    counted = Dto(call.world, options).one(genre)
    told = Dto(call.world, options).one(plain) | {"Type": "Genre", "ParentId": None}
    return call.json(told | {name: value for name, value in counted.items() if name.endswith("Count")})


def _by_name(call: Call, items: Sequence[DemoItem]) -> Response:
    user = call.target_user()
    return call.json(Dto(call.world, DtoOptions(fields=FULL_FIELDS, user=user)).one(_named_item(call, items)))


def _named_item(call: Call, items: Sequence[_Item]) -> _Item:
    name = str(call.request.path_params["name"])
    found = next((item for item in items if item.name.lower() == name.lower()), None)
    if found is None:
        raise ProblemError(404)
    return found


ENDPOINTS = (
    Endpoint("GET", "/artists", artists),
    Endpoint("GET", "/artists/albumartists", album_artists),
    Endpoint("GET", "/artists/{name}", artist_by_name),
    Endpoint("GET", "/genres", genres),
    Endpoint("GET", "/genres/{name}", plain_genre_by_name),
    Endpoint("GET", "/musicgenres", genres),
    Endpoint("GET", "/musicgenres/{name}", genre_by_name),
)
