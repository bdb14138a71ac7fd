"""Sessions: capabilities, who plays what, and controlling others (jellyfin-api.md 11.4, 11.5)."""

import random
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from jellytui.demo.catalog.dto import FULL_FIELDS, NOW_PLAYING_FIELDS, Dto, DtoOptions
from jellytui.demo.library import TICKS_PER_SECOND, DemoItem, DemoTrack
from jellytui.demo.routes.items import mix
from jellytui.demo.state.sessions import Session
from jellytui.demo.wire.endpoint import Call, Endpoint
from jellytui.demo.wire.query import guid
from jellytui.demo.wire.replies import NEVER_TEXT, ProblemError, TextError, date, empty, invalid, present
from jellytui.demo.world import World

GENERAL_COMMANDS = (
    "MoveUp", "MoveDown", "MoveLeft", "MoveRight", "PageUp", "PageDown", "PreviousLetter", "NextLetter", "ToggleOsd",
    "ToggleContextMenu", "Select", "Back", "TakeScreenshot", "SendKey", "SendString", "GoHome", "GoToSettings",
    "VolumeUp", "VolumeDown", "Mute", "Unmute", "ToggleMute", "SetVolume", "SetAudioStreamIndex",
    "SetSubtitleStreamIndex", "ToggleFullscreen", "DisplayContent", "GoToSearch", "DisplayMessage", "SetRepeatMode",
    "ChannelUp", "ChannelDown", "Guide", "ToggleStats", "PlayMediaSource", "PlayTrailers", "SetShuffleQueue",
    "PlayState", "PlayNext", "ToggleOsdMenu", "Play", "SetMaxStreamingBitrate", "SetPlaybackOrder",
)  # fmt: skip
_PLAYSTATE_COMMANDS = (
    "Stop", "Pause", "Unpause", "NextTrack", "PreviousTrack", "Seek", "Rewind", "FastForward", "PlayPause",
)  # fmt: skip
_PLAY_COMMANDS = ("PlayNow", "PlayNext", "PlayLast", "PlayInstantMix", "PlayShuffle")
_MEDIA_TYPES = ("Unknown", "Video", "Audio", "Photo", "Book")
NO_CAPABILITIES: dict[str, Any] = {
    "PlayableMediaTypes": [],
    "SupportedCommands": [],
    "SupportsMediaControl": False,
    "SupportsPersistentIdentifier": True,
}
_ACTIVE = timedelta(minutes=10)


def session_dto(world: World, session: Session, now: datetime) -> dict[str, Any]:
    """SessionInfoDto."""
    world.stop_if_idle(session, now)
    user = world.accounts.users.get(session.device.user_id)
    capabilities = session.capabilities or NO_CAPABILITIES
    playing = world.library.track(session.item_id or "")
    now_playing = Dto(world, DtoOptions(fields=NOW_PLAYING_FIELDS)).one(playing) if playing else None
    return present(
        PlayState=play_state(session, now),
        AdditionalUsers=[],
        Capabilities=capabilities,
        RemoteEndPoint="127.0.0.1",
        PlayableMediaTypes=capabilities.get("PlayableMediaTypes", []),
        Id=session.id,
        UserId=session.device.user_id,
        UserName=user.name if user else None,
        Client=session.device.client,
        LastActivityDate=date(session.last_activity),
        LastPlaybackCheckIn=date(session.last_check_in) or NEVER_TEXT,
        DeviceName=session.device.name,
        NowPlayingItem=now_playing,
        DeviceId=session.device.device_id,
        ApplicationVersion=session.device.version,
        IsActive=now - session.last_activity < _ACTIVE,
        SupportsMediaControl=session.controllable,
        SupportsRemoteControl=session.controllable,
        NowPlayingQueue=[] if world.emulation.is_12 else session.queue,
        NowPlayingQueueFullItems=None if world.emulation.is_12 else _full_queue(world, session),
        HasCustomDeviceName=False,
        PlaylistItemId=session.playlist_item_id,
        ServerId=world.server_id,
        SupportedCommands=capabilities.get("SupportedCommands", []),
    )


def _full_queue(world: World, session: Session) -> list[dict[str, Any]]:
    """The items of the reported queue, which 10.11 tells in full."""
    tracks = [track for entry in session.queue if (track := world.library.track(entry["Id"]))]
    return Dto(world, DtoOptions(fields=FULL_FIELDS)).many(tracks)


def push_sessions(world: World) -> None:
    """Sends all sessions to those who asked for them; called when one changes."""
    now = world.clock()
    listeners = [socket for socket in world.sessions.sockets() if socket.wants_sessions]
    if not listeners:
        return
    data = [session_dto(world, session, now) for session in world.sessions.all()]
    for socket in listeners:
        socket.send("Sessions", data)


def play_state(session: Session, now: datetime) -> dict[str, Any]:
    """PlayState: each value of the latest report, else its default; the position goes on between reports (11.2)."""
    default: dict[str, Any] = {"CanSeek": False, "IsPaused": False, "IsMuted": False, "RepeatMode": "RepeatNone"}
    told = default | {"PlaybackOrder": "Default"} | session.play_state
    plays = session.item_id is not None and not told["IsPaused"] and session.last_check_in is not None
    if plays and "PositionTicks" in told and session.last_check_in is not None:
        told["PositionTicks"] += int((now - session.last_check_in).total_seconds()) * TICKS_PER_SECOND
    return told


async def list_sessions(call: Call) -> Response:
    """`GET /Sessions`: all to an administrator, else one's own; what is controllable on request."""
    now, query = call.world.clock(), call.query
    found = call.world.sessions.all()
    if call.user is not None and not call.is_admin:
        found = [session for session in found if session.device.user_id == call.user.id]
    device_id = query.text("deviceId")
    if device_id:
        found = [session for session in found if session.device.device_id == device_id]
    if query.guid("controllableByUserId"):
        found = [session for session in found if session.controllable]
    within = query.integer("activeWithinSeconds")
    if within:
        found = [session for session in found if now - session.last_activity <= timedelta(seconds=within)]
    return call.json([session_dto(call.world, session, now) for session in found])


async def capabilities(call: Call) -> Response:
    """`POST /Sessions/Capabilities`: by query."""
    query = call.query
    found = {
        "PlayableMediaTypes": query.enums("playableMediaTypes", frozenset(_MEDIA_TYPES)),
        "SupportedCommands": query.enums("supportedCommands", frozenset(GENERAL_COMMANDS)),
        "SupportsMediaControl": bool(query.boolean("supportsMediaControl")),
        "SupportsPersistentIdentifier": query.boolean("supportsPersistentIdentifier") is not False,
    }
    call.world.sessions.set_capabilities(call.session, found)
    return empty()


async def full_capabilities(call: Call) -> Response:
    """`POST /Sessions/Capabilities/Full`: an unknown command fails the validation (11.4)."""
    body = await call.body(parameter="capabilities")
    commands = _enum_list(body.get("supportedcommands"), GENERAL_COMMANDS, "GeneralCommandType")
    media = _enum_list(body.get("playablemediatypes"), _MEDIA_TYPES, "MediaType")
    found = {
        "PlayableMediaTypes": media,
        "SupportedCommands": commands,
        "SupportsMediaControl": bool(body.get("supportsmediacontrol")),
        "SupportsPersistentIdentifier": bool(body.get("supportspersistentidentifier", True)),
    }
    more = {"DeviceProfile": "deviceprofile", "AppStoreUrl": "appstoreurl", "IconUrl": "iconurl"}
    found |= {name: body[key] for name, key in more.items() if body.get(key) is not None}
    call.world.sessions.set_capabilities(call.session, found)
    push_sessions(call.world)
    return empty()


def _enum_list(values: Any, known: tuple[str, ...], kind: str) -> list[str]:
    spelling = {value.lower(): value for value in known}
    found = []
    for place, value in enumerate(values if isinstance(values, list) else [] if values is None else [values]):
        if str(value).lower() not in spelling:
            message = f"The JSON value could not be converted to {kind}. Path: $[{place}] | LineNumber: 0."
            raise ProblemError(400, {"capabilities": ["The capabilities field is required."], f"$[{place}]": [message]})
        found.append(spelling[str(value).lower()])
    return found


def _target(call: Call) -> Session:
    found = call.world.sessions.get(str(call.request.path_params["sessionid"]))
    if found is None:
        raise TextError(404)
    return found


def _push(session: Session, kind: str, data: dict[str, Any]) -> Response:
    if session.sockets:
        session.sockets[-1].send(kind, data)
    return empty()


def _enum(text: str, known: tuple[str, ...], name: str) -> str:
    found = next((each for each in known if each.lower() == text.lower()), None)
    if found is None:
        raise invalid(name, text)
    return found


async def play(call: Call) -> Response:
    """`POST /Sessions/{id}/Playing`: folders become their tracks, shuffles and mixes plain lists (11.5)."""
    command = _enum(call.query.text("playCommand") or "", _PLAY_COMMANDS, "playCommand")
    session = _target(call)
    items = [item for each in call.query.guids("itemIds") if (item := _playable(call, each))]
    if command == "PlayInstantMix":
        tracks = [track for item in items for track in mix(call, item)]
    else:
        tracks = [track for item in items for track in _tracks(call, item)]
    if command == "PlayShuffle":
        random.shuffle(tracks)
    data = present(
        ItemIds=[track.id for track in tracks],
        StartPositionTicks=call.query.ticks("startPositionTicks"),
        PlayCommand="PlayNow" if command in {"PlayInstantMix", "PlayShuffle"} else command,
        ControllingUserId=call.user.id if call.user else None,
        SubtitleStreamIndex=call.query.integer("subtitleStreamIndex"),
        AudioStreamIndex=call.query.integer("audioStreamIndex"),
        MediaSourceId=call.query.text("mediaSourceId"),
        StartIndex=call.query.integer("startIndex"),
    )
    return _push(session, "Play", data)


def _playable(call: Call, item_id: str) -> DemoItem | None:
    playlist = call.world.playlists.get(item_id)
    if playlist is None:
        return call.world.library.get(item_id)
    from jellytui.demo.catalog.dto import playlist_item

    return playlist_item(call.world, playlist)


def _tracks(call: Call, item: DemoItem) -> list[DemoTrack]:
    """The tracks of an item; those of a playlist in SortName order, as the server resolves them."""
    entries: list[DemoTrack] | None = getattr(item, "tracks", None)
    if entries is None:
        return call.world.library.tracks_of(item)
    return sorted(entries, key=lambda track: track.sort_name)


async def playstate(call: Call) -> Response:
    """`POST /Sessions/{id}/Playing/{command}`."""
    command = _enum(str(call.request.scope["spelled"]).rsplit("/", 1)[1], _PLAYSTATE_COMMANDS, "command")
    session = _target(call)
    data = present(
        Command=command,
        SeekPositionTicks=call.query.ticks("seekPositionTicks"),
        ControllingUserId=call.user.id if call.user else None,
    )
    return _push(session, "Playstate", data)


async def general_command(call: Call) -> Response:
    """`POST /Sessions/{id}/Command` with a GeneralCommand."""
    body = await call.body(parameter="command")
    name = _enum(str(body.get("name") or ""), GENERAL_COMMANDS, "Name")
    arguments = {key: str(value) for key, value in (body.get("arguments") or {}).items()}
    return _general(call, _target(call), name, arguments)


async def named_command(call: Call) -> Response:
    """`POST /Sessions/{id}/Command/{name}`."""
    name = _enum(str(call.request.scope["spelled"]).rsplit("/", 1)[1], GENERAL_COMMANDS, "command")
    return _general(call, _target(call), name, {})


async def message(call: Call) -> Response:
    """`POST /Sessions/{id}/Message`."""
    body = await call.body(parameter="command")
    if not body.get("text"):
        raise ProblemError(400, {"Text": ["The Text field is required."]})
    timeout = body.get("timeoutms")
    arguments = {"Header": str(body.get("header") or "Message from Server"), "Text": str(body["text"])}
    arguments |= {"TimeoutMs": str(timeout)} if timeout is not None else {}
    return _general(call, _target(call), "DisplayMessage", arguments, user_id="0" * 32)


def _general(
    call: Call, session: Session, name: str, arguments: dict[str, str], user_id: str | None = None
) -> Response:
    controlling = user_id or (call.user.id if call.user else "0" * 32)
    return _push(session, "GeneralCommand", {"Name": name, "ControllingUserId": controlling, "Arguments": arguments})


def queue_entries(queue: Any) -> list[dict[str, Any]]:
    """The entries of a reported queue, without what is none."""
    found = []
    for entry in queue if isinstance(queue, list) else []:
        item_id = guid(str(entry.get("Id") or entry.get("id") or "")) if isinstance(entry, dict) else None
        if item_id:
            found.append(present(Id=item_id, PlaylistItemId=entry.get("PlaylistItemId") or entry.get("playlistItemId")))
    return found


ENDPOINTS = (
    Endpoint("GET", "/sessions", list_sessions),
    Endpoint("POST", "/sessions/capabilities", capabilities),
    Endpoint("POST", "/sessions/capabilities/full", full_capabilities),
    Endpoint("POST", "/sessions/{sessionid}/playing", play),
    Endpoint("POST", "/sessions/{sessionid}/playing/{command}", playstate),
    Endpoint("POST", "/sessions/{sessionid}/command", general_command),
    Endpoint("POST", "/sessions/{sessionid}/command/{command}", named_command),
    Endpoint("POST", "/sessions/{sessionid}/message", message),
)
