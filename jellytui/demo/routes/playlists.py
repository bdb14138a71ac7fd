"""Playlists (jellyfin-api.md 13)."""

from collections.abc import Sequence

from starlette.responses import Response

from jellytui.demo.catalog.dto import Dto, DtoOptions, page
from jellytui.demo.catalog.sorting import cut
from jellytui.demo.library import DemoTrack
from jellytui.demo.state.playlists import Playlist
from jellytui.demo.wire.endpoint import Call, Endpoint
from jellytui.demo.wire.query import guid
from jellytui.demo.wire.replies import ApiError, ProblemError, TextError, empty


def _playlist(call: Call, *, to_edit: bool = False) -> Playlist:
    """The list of the path. Raises 404 where the caller may not see it, 403 where he may not edit it."""
    user_id = call.user.id if call.user else None
    found = call.world.playlists.get(call.path_guid("playlistid", "playlistId"))
    if found is None or not (found.visible_to(user_id) or call.is_api_key):
        raise call.not_found("Playlist not found")
    if to_edit and not (found.editable_by(user_id) or call.is_api_key):
        raise ApiError(403)
    return found


def _expanded(call: Call, ids: Sequence[str]) -> list[str]:
    """Tracks for ids: folders become their tracks, unknown ids nothing."""
    library = call.world.library
    return [track.id for each in ids if (item := library.get(each)) for track in library.tracks_of(item)]


def _body_guids(values: object) -> list[str]:
    return [found for each in values if (found := guid(str(each)))] if isinstance(values, list) else []


async def create(call: Call) -> Response:
    """`POST /Playlists`: by body, or by query as in old times; public unless told otherwise."""
    body = await call.body(parameter="createPlaylistRequest", required=False)
    user = call.required_user()
    name = body.get("name") if "name" in body else call.query.text("name")
    if name is None:
        required = ["JSON deserialization was missing required properties, including the following: Name."]
        raise ProblemError(400, {"$": required, "createPlaylistRequest": ["The field is required."]})
    ids = _body_guids(body.get("ids")) if "ids" in body else call.query.guids("ids")
    owner = call.world.accounts.users.get(guid(str(body.get("userid") or "")) or "", user)
    public = body.get("ispublic") is not False
    entries, now = _expanded(call, ids), call.world.clock()
    playlist = call.world.playlists.create(str(name), owner.id, entries, public=public, now=now)
    _share(call, playlist, body.get("users"))
    return call.json({"Id": playlist.id})


async def get_playlist(call: Call) -> Response:
    """`GET /Playlists/{id}`."""
    playlist = _playlist(call)
    shares = [{"UserId": user_id, "CanEdit": can_edit} for user_id, can_edit in playlist.shares.items()]
    return call.json({"OpenAccess": playlist.public, "Shares": shares, "ItemIds": playlist.entries})


async def update(call: Call) -> Response:
    """`POST /Playlists/{id}`: `Ids` replaces the whole list; what is absent stays."""
    playlist = _playlist(call, to_edit=True)
    body = await call.body(parameter="updatePlaylistRequest")
    if body.get("name") is not None:
        playlist.name = str(body["name"])
    if body.get("ispublic") is not None:
        playlist.public = bool(body["ispublic"])
    _share(call, playlist, body.get("users"))
    if isinstance(body.get("ids"), list):
        call.world.playlists.replace(playlist, _expanded(call, _body_guids(body["ids"])))
    call.world.playlists.save(playlist)
    return empty()


def _share(call: Call, playlist: Playlist, users: object) -> None:
    if not isinstance(users, list):
        return
    members = [{name.lower(): value for name, value in each.items()} for each in users if isinstance(each, dict)]
    found = {guid(str(each.get("userid"))): bool(each.get("canedit")) for each in members}
    playlist.shares = {user_id: can_edit for user_id, can_edit in found.items() if user_id}
    call.world.playlists.save(playlist)


async def entries(call: Call) -> Response:
    """`GET /Playlists/{id}/Items`: in the order of the list, each with its PlaylistItemId."""
    playlist, user = _playlist(call), call.target_user()
    library = call.world.library
    tracks = [track for entry in playlist.entries if (track := library.track(entry))]
    shown, _, start = cut(tracks, call.query)
    dto = Dto(call.world, DtoOptions.of(call.query, user))
    rows = [dto.one(track, playlist_item_id=track.id) for track in shown if isinstance(track, DemoTrack)]
    return call.json(page(rows, len(tracks), start))


async def add(call: Call) -> Response:
    """`POST /Playlists/{id}/Items?ids=`."""
    playlist = _playlist(call, to_edit=True)
    position = call.query.integer("position")
    ids = call.world.playlists.without_known(playlist, call.query.guids("ids"))
    call.world.playlists.add(playlist, _expanded(call, ids), position)
    return empty()


async def remove(call: Call) -> Response:
    """`DELETE /Playlists/{id}/Items?entryIds=`."""
    playlist = _playlist(call, to_edit=True)
    call.world.playlists.remove(playlist, call.query.guids("entryIds"))
    return empty()


async def move(call: Call) -> Response:
    """`POST /Playlists/{id}/Items/{entry}/Move/{index}`: past the end is a 500."""
    playlist = _playlist(call, to_edit=True)
    text = str(call.request.path_params["index"])
    try:
        index = int(text)
        call.world.playlists.move(playlist, guid(str(call.request.path_params["itemid"])) or "", index)
    except ValueError as error:
        raise ProblemError(400, {"newIndex": [f"The value '{text}' is not valid."]}) from error
    except IndexError as error:
        raise TextError(500) from error
    return empty()


async def users(call: Call) -> Response:
    """`GET /Playlists/{id}/Users`."""
    playlist = _playlist(call, to_edit=True)
    return call.json([{"UserId": user_id, "CanEdit": can_edit} for user_id, can_edit in playlist.shares.items()])


async def user_access(call: Call) -> Response:
    """`GET /Playlists/{id}/Users/{user}`: may he edit?"""
    playlist, user_id = _playlist(call), call.path_guid("userid", "userId")
    if not playlist.visible_to(user_id):
        raise call.not_found("User permissions not found")
    return call.json({"UserId": user_id, "CanEdit": playlist.editable_by(user_id)})


async def share(call: Call) -> Response:
    """`POST /Playlists/{id}/Users/{user}`: breaks on a private list, as on the server."""
    playlist, user_id = _playlist(call, to_edit=True), call.path_guid("userid", "userId")
    body = await call.body(parameter="updatePlaylistUserRequest")
    if not playlist.public:
        raise TextError(500)
    playlist.shares[user_id] = bool(body.get("canedit"))
    call.world.playlists.save(playlist)
    return empty()


ENDPOINTS = (
    Endpoint("POST", "/playlists", create),
    Endpoint("GET", "/playlists/{playlistid}", get_playlist),
    Endpoint("POST", "/playlists/{playlistid}", update),
    Endpoint("GET", "/playlists/{playlistid}/items", entries),
    Endpoint("POST", "/playlists/{playlistid}/items", add),
    Endpoint("DELETE", "/playlists/{playlistid}/items", remove),
    Endpoint("POST", "/playlists/{playlistid}/items/{itemid}/move/{index}", move),
    Endpoint("GET", "/playlists/{playlistid}/users", users),
    Endpoint("GET", "/playlists/{playlistid}/users/{userid}", user_access),
    Endpoint("POST", "/playlists/{playlistid}/users/{userid}", share),
)
