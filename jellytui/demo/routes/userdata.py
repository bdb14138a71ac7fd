"""Favourites, played marks, ratings and user data (jellyfin-api.md 11.3, 14)."""

from math import isfinite

from starlette.responses import Response

from jellytui.demo.catalog.dto import playlist_item
from jellytui.demo.library import DemoAlbum, DemoItem, DemoTrack
from jellytui.demo.state.users import User
from jellytui.demo.wire.endpoint import Call, Endpoint
from jellytui.demo.wire.query import parse_date
from jellytui.demo.wire.replies import ProblemError, StringError

_LIKED = 10.0
_DISLIKED = 1.0


def _target(call: Call) -> tuple[User, DemoItem]:
    user = call.required_user()
    playlist = call.world.playlists.get(call.path_guid("itemid", "itemId"))
    if playlist is not None and playlist.visible_to(user.id):
        return user, playlist_item(call.world, playlist)
    return user, call.item()


def _saved(call: Call, user: User, item: DemoItem) -> Response:
    """The answer to a save; the user's sockets hear of the item and of its album (12)."""
    changed = [item]
    album = call.world.library.album_of(item) if isinstance(item, DemoTrack) else None
    if album is not None:
        changed.append(album)
    call.world.user_data_changed(user.id, changed)
    return call.json(call.world.user_data.dto(user.id, item, as_saved=True))


async def favorite(call: Call) -> Response:
    """`POST /UserFavoriteItems/{id}`."""
    user, item = _target(call)
    call.world.user_data.change(user.id, item.id, favorite=True)
    return _saved(call, user, item)


async def unfavorite(call: Call) -> Response:
    """`DELETE /UserFavoriteItems/{id}`."""
    user, item = _target(call)
    call.world.user_data.change(user.id, item.id, favorite=False)
    return _saved(call, user, item)


async def rate(call: Call) -> Response:
    """`POST /UserItems/{id}/Rating?likes=`."""
    user, item = _target(call)
    likes = call.query.boolean("likes")
    call.world.user_data.change(user.id, item.id, rating=None if likes is None else _LIKED if likes else _DISLIKED)
    return _saved(call, user, item)


async def unrate(call: Call) -> Response:
    """`DELETE /UserItems/{id}/Rating`."""
    user, item = _target(call)
    call.world.user_data.change(user.id, item.id, rating=None)
    return _saved(call, user, item)


async def mark_played(call: Call) -> Response:
    """`POST /UserPlayedItems/{id}?datePlayed=`; of a folder, all tracks in it (11.3)."""
    user, item = _target(call)
    played_at = call.query.date("datePlayed")
    ids = [track.id for track in call.world.library.tracks_of(item)] or [item.id]
    call.world.user_data.mark_played(user.id, ids, played_at, call.world.clock())
    return _saved(call, user, item)


async def mark_unplayed(call: Call) -> Response:
    """`DELETE /UserPlayedItems/{id}`."""
    user, item = _target(call)
    ids = [track.id for track in call.world.library.tracks_of(item)] or [item.id]
    call.world.user_data.mark_unplayed(user.id, ids)
    return _saved(call, user, item)


async def get_user_data(call: Call) -> Response:
    """`GET /UserItems/{id}/UserData`."""
    user, item = _target(call)
    return call.json(call.world.user_data.dto(user.id, item))


async def set_user_data(call: Call) -> Response:
    """`POST /UserItems/{id}/UserData`: writes what it is told; what is absent or null stays (11.3)."""
    body = await call.body(parameter="userDataDto")
    user, item = _target(call)
    if not user.policy.preferences:
        raise StringError(403, "User is not allowed to update this item user data.")
    names = {"playcount": "play_count", "isfavorite": "favorite", "played": "played", "rating": "rating",
             "playbackpositionticks": "position_ticks"}  # fmt: skip
    values = {names[name]: value for name, value in body.items() if name in names and value is not None}
    for name, value in values.items():
        switch = name in {"favorite", "played"}
        number = isinstance(value, int | float) and isfinite(value)
        if isinstance(value, bool) != switch or not number:
            raise ProblemError(400, {f"$.{name}": ["The JSON value could not be converted."]})
    if body.get("likes") is not None:
        values["rating"] = _LIKED if body["likes"] else _DISLIKED
    if body.get("lastplayeddate") is not None:
        values["last_played"] = parse_date(str(body["lastplayeddate"]))
        if values["last_played"] is None:
            raise ProblemError(400, {"$.LastPlayedDate": ["The JSON value could not be converted."]})
    if isinstance(item, DemoAlbum | DemoTrack) or values:
        call.world.user_data.change(user.id, item.id, **values)
    return _saved(call, user, item)


ENDPOINTS = (
    Endpoint("POST", "/userfavoriteitems/{itemid}", favorite),
    Endpoint("DELETE", "/userfavoriteitems/{itemid}", unfavorite),
    Endpoint("POST", "/users/{userid}/favoriteitems/{itemid}", favorite),
    Endpoint("DELETE", "/users/{userid}/favoriteitems/{itemid}", unfavorite),
    Endpoint("POST", "/useritems/{itemid}/rating", rate),
    Endpoint("DELETE", "/useritems/{itemid}/rating", unrate),
    Endpoint("POST", "/users/{userid}/items/{itemid}/rating", rate),
    Endpoint("DELETE", "/users/{userid}/items/{itemid}/rating", unrate),
    Endpoint("POST", "/userplayeditems/{itemid}", mark_played),
    Endpoint("DELETE", "/userplayeditems/{itemid}", mark_unplayed),
    Endpoint("POST", "/users/{userid}/playeditems/{itemid}", mark_played),
    Endpoint("DELETE", "/users/{userid}/playeditems/{itemid}", mark_unplayed),
    Endpoint("GET", "/useritems/{itemid}/userdata", get_user_data),
    Endpoint("POST", "/useritems/{itemid}/userdata", set_user_data),
)
