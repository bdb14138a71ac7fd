"""Playback reports and PlaybackInfo (jellyfin-api.md 8.5, 11.1, 11.2)."""

import secrets
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from jellytui.demo.catalog.streams import media_source, source_container
from jellytui.demo.library import DemoTrack
from jellytui.demo.routes.sessions import push_sessions, queue_entries
from jellytui.demo.sources.names import dashed
from jellytui.demo.state.sessions import Session
from jellytui.demo.wire.endpoint import Call, Endpoint
from jellytui.demo.wire.query import guid
from jellytui.demo.wire.replies import ProblemError, TextError, empty

_ENUMS = {
    "playmethod": ("Transcode", "DirectStream", "DirectPlay"),
    "repeatmode": ("RepeatNone", "RepeatAll", "RepeatOne"),
    "playbackorder": ("Default", "Shuffle"),
}
_STATE_MEMBERS = {
    "positionticks": "PositionTicks", "canseek": "CanSeek", "ispaused": "IsPaused", "ismuted": "IsMuted",
    "volumelevel": "VolumeLevel", "audiostreamindex": "AudioStreamIndex", "subtitlestreamindex": "SubtitleStreamIndex",
    "mediasourceid": "MediaSourceId", "playmethod": "PlayMethod", "repeatmode": "RepeatMode",
    "playbackorder": "PlaybackOrder",
}  # fmt: skip
_NUMBERS = frozenset({"positionticks", "volumelevel", "audiostreamindex", "subtitlestreamindex"})


async def started(call: Call) -> Response:
    """`POST /Sessions/Playing`: counts the play at once."""
    body = await _report(call, "playbackStartInfo")
    if call.device is None:
        return empty()
    session, track = call.session, _track(call, body)
    _update(call, session, body, track)
    if track is not None and call.user is not None:
        call.world.user_data.started(call.user.id, track.id, call.world.clock())
        _tell(call, track)
    push_sessions(call.world)
    return empty()


async def progress(call: Call) -> Response:
    """`POST /Sessions/Playing/Progress`: the session's state, and nothing lasting after a start."""
    body = await _report(call, "playbackProgressInfo")
    if call.device is None:
        return empty()
    session, track = call.session, _track(call, body)
    had_started = track is not None and session.item_id == track.id
    _update(call, session, body, track)
    position = body.get("positionticks")
    if track is not None and call.user is not None and not had_started and position is not None:
        call.world.user_data.reached(call.user.id, track.id, position, track.run_time_ticks)
    push_sessions(call.world)
    return empty()


async def stopped(call: Call) -> Response:
    """`POST /Sessions/Playing/Stopped`: without a position it counts once more; a failed play saves nothing."""
    body = await _report(call, "playbackStopInfo")
    position = body.get("positionticks")
    if position is not None and position < 0:
        raise TextError(400)
    if call.device is None:
        return empty()  # an API key has no session
    session, track = call.session, _track(call, body)
    had_started = track is not None and session.item_id == track.id
    session.item_id, session.playlist_item_id, session.play_state, session.queue = None, None, {}, []
    session.last_check_in = call.world.clock()
    push_sessions(call.world)
    if track is None or call.user is None or body.get("failed"):
        return empty()
    call.world.user_data.stopped(call.user.id, track.id, position, track.run_time_ticks, started=had_started)
    _tell(call, track)
    return empty()


async def ping(call: Call) -> Response:
    """`POST /Sessions/Playing/Ping`: keeps a transcode alive."""
    if call.query.text("playSessionId") is None:
        raise ProblemError(400, {"playSessionId": ["The playSessionId field is required."]})
    return empty()


async def _report(call: Call, parameter: str) -> dict[str, Any]:
    """A report: enums of any case, numbers as numbers or strings. Raises 400 for others (11.1)."""
    body = await call.body(parameter=parameter)
    bad = ProblemError(
        400, {"": ["The supplied value is invalid."], parameter: [f"The {parameter} field is required."]}
    )
    if body.get("itemid") is not None:
        body["itemid"] = guid(str(body["itemid"]))
        if body["itemid"] is None:
            raise bad
    for name, known in _ENUMS.items():
        if body.get(name) is not None:
            spelled = next((each for each in known if each.lower() == str(body[name]).lower()), None)
            if spelled is None:
                raise bad
            body[name] = spelled
    for name in _NUMBERS & body.keys():
        try:
            body[name] = None if body[name] is None else int(body[name])
        except (TypeError, ValueError, OverflowError) as error:
            raise bad from error
    return body


def _track(call: Call, body: dict[str, Any]) -> DemoTrack | None:
    return call.world.library.track(body.get("itemid") or "")  # access is not asked: users.json, `playback report`


def _update(call: Call, session: Session, body: dict[str, Any], track: DemoTrack | None) -> None:
    session.item_id = track.id if track and call.sees_library else None
    session.last_check_in = call.world.clock()
    session.playlist_item_id = body.get("playlistitemid") if session.item_id else None
    session.play_state = {shown: body[name] for name, shown in _STATE_MEMBERS.items() if body.get(name) is not None}
    if track is not None and call.sees_library:
        session.play_state.setdefault("MediaSourceId", track.id)
        session.play_state.setdefault("PlayMethod", "DirectPlay")
    if "nowplayingqueue" in body:
        session.queue = queue_entries(body["nowplayingqueue"])


def _tell(call: Call, track: DemoTrack) -> None:
    assert call.user is not None
    album = call.world.library.album_of(track)
    call.world.user_data_changed(call.user.id, [track, *([album] if album else [])])


async def playback_info(call: Call) -> Response:
    """`GET|POST /Items/{id}/PlaybackInfo`: direct play, or a transcode when profile or bit rate demand it (8.5)."""
    post = call.request.method == "POST"
    body = await call.body(parameter="playbackInfoDto", required=False) if post else {}
    call.target_user()
    item = call.item()
    if not isinstance(item, DemoTrack):
        return call.json({"MediaSources": [], "PlaySessionId": secrets.token_hex(16)})
    profile = body.get("deviceprofile")
    may_transcode = call.user is None or call.user.policy.transcoding
    plain = not (may_transcode and isinstance(profile, dict)) or body.get("enabletranscoding") is False
    source = media_source(item, call.world.emulation, default_stream=plain)
    play_session = secrets.token_hex(16)
    if not may_transcode:
        source["SupportsTranscoding"] = False
    elif isinstance(profile, dict):
        _apply_profile(call, item, source, body, profile, play_session)
    for switch, member in (("enabledirectplay", "SupportsDirectPlay"), ("enabledirectstream", "SupportsDirectStream"),
                           ("enabletranscoding", "SupportsTranscoding")):  # fmt: skip
        if body.get(switch) is False:
            source[member] = False
    if not source["SupportsTranscoding"]:
        source.pop("TranscodingUrl", None)
        source.pop("TranscodingContainer", None)
    return call.json({"MediaSources": [source], "PlaySessionId": play_session})


def _apply_profile(
    call: Call, track: DemoTrack, source: dict[str, Any], body: dict[str, Any], profile: dict[str, Any], session: str
) -> None:
    """Adds the transcode that a device profile asks for."""
    members = {name.lower(): value for name, value in profile.items()}
    limit = body.get("maxstreamingbitrate") or members.get("maxstreamingbitrate")
    reason = None
    if body.get("enabledirectplay") is False:
        reason = "DirectPlayError"
    elif limit and track.bit_rate and track.bit_rate > int(limit):
        reason = "ContainerBitrateExceedsLimit"
    elif not _plays_directly(track, members.get("directplayprofiles") or []):
        reason = "ContainerNotSupported"
    targets = [each for each in members.get("transcodingprofiles") or [] if isinstance(each, dict)]
    if reason is None or not targets:
        return
    target = {name.lower(): str(value) for name, value in targets[0].items()}
    container, codec = target.get("container", "mp3"), target.get("audiocodec", "mp3")
    bit_rate = min(int(limit or 128_000), int(members.get("musicstreamingtranscodingbitrate") or 128_000))
    device_id = call.client.device_id or (call.device.device_id if call.device else "")
    parameters = {
        "DeviceId": device_id,
        "MediaSourceId": track.id,
        "AudioCodec": codec,
        "AudioBitrate": bit_rate,
        "PlaySessionId": session,
        "ApiKey": call.client.token or "",
        "TranscodeReasons": reason,
    }
    source |= {"SupportsDirectPlay": False, "SupportsDirectStream": False}
    source["TranscodingUrl"] = f"/audio/{dashed(track.id)}/stream.{container}?{urlencode(parameters)}"
    source["TranscodingContainer"] = container


def _plays_directly(track: DemoTrack, profiles: list[Any]) -> bool:
    for profile in profiles:
        members = {name.lower(): str(value or "") for name, value in profile.items()}
        containers = [each for each in members.get("container", "").split(",") if each]
        codecs = [each for each in members.get("audiocodec", "").split(",") if each]
        fits = not containers or bool({source_container(track), *track.container.split(",")} & set(containers))
        if fits and (not codecs or track.codec in codecs):
            return True
    return False


ENDPOINTS = (
    Endpoint("POST", "/sessions/playing", started),
    Endpoint("POST", "/sessions/playing/progress", progress),
    Endpoint("POST", "/sessions/playing/stopped", stopped),
    Endpoint("POST", "/sessions/playing/ping", ping),
    Endpoint("GET", "/items/{itemid}/playbackinfo", playback_info),
    Endpoint("POST", "/items/{itemid}/playbackinfo", playback_info),
)
