"""Music itself: Download, File, static streams, universal and progressive transcodes (jellyfin-api.md 8)."""

import re
from collections.abc import Callable
from pathlib import Path

from starlette.responses import Response, StreamingResponse

from jellytui.demo.catalog.streams import source_container
from jellytui.demo.library import TICKS_PER_SECOND, DemoTrack, Library
from jellytui.demo.wire.endpoint import Access, Call, Endpoint
from jellytui.demo.wire.files import Content, attachment, content_response, content_type, open_file
from jellytui.demo.wire.replies import ApiError, ProblemError, TextError, TranscodeError, chunked, date, empty
from jellytui.demo.wire.transcode import CONTENT_TYPES, Recipe, arguments, has_ffmpeg, missing_ffmpeg, transcode

_SAFE = re.compile(r"[a-zA-Z0-9\-._,|]{0,40}")
_LAST_TICKS = 5 * TICKS_PER_SECOND
_DEFAULT_BIT_RATE = 128_000
_STREAM_TYPES = {".mka": "video/x-matroska", ".wma": "video/x-ms-asf"}


async def download(call: Call) -> Response:
    """`GET /Items/{id}/Download`: the user's permission, and an entry in the activity log for each request (8.2)."""
    if call.user is not None and not call.user.policy.download:
        raise ApiError(403)
    item = call.item()
    if not isinstance(item, DemoTrack):
        raise TextError(400)
    response = await _file(call, item, disposition=attachment(item.file.name))
    _log_download(call, item)
    return response


def _log_download(call: Call, track: DemoTrack) -> None:
    if call.user is None or call.device is None:
        return
    call.world.activity.append(
        {
            "Id": len(call.world.activity) + 1,
            "Name": f"{call.user.name} is downloading {track.name}",
            "ShortOverview": f"App: {call.device.client}, Device: {call.device.name}",
            "Type": "UserDownloadingContent",
            "ItemId": track.id,
            "Date": date(call.world.clock()),
            "UserId": call.user.id,
            "Severity": "Information",
        }
    )


async def file(call: Call) -> Response:
    """`GET /Items/{id}/File`: the same bytes without log and without that permission."""
    item = call.item()
    if not isinstance(item, DemoTrack):
        raise TextError(400)
    return await _file(call, item)


async def _file(
    call: Call, track: DemoTrack, *, disposition: str | None = None, media_type: str | None = None
) -> Response:
    request, library = call.request, call.world.library
    made = library.read_audio(track, 0, 0) is not None
    content = Content(track.size, track.modified, _maker(library, track)) if made else await open_file(track.file)
    return await content_response(
        request.method,
        request.headers,
        content,
        media_type=media_type or content_type(track.file),
        disposition=disposition,
    )


def _maker(library: Library, track: DemoTrack) -> Callable[[int, int], bytes]:
    def read(start: int, count: int) -> bytes:
        return library.read_audio(track, start, count) or b""

    return read


def _any_track(call: Call) -> DemoTrack:
    """The track of a stream, which is served to anybody. Raises 404 text."""
    track = call.world.library.track(call.path_guid("itemid", "itemId"))
    if track is None:
        raise TextError(404)
    return track


async def stream(call: Call) -> Response:
    """`GET|HEAD /Audio/{id}/stream[.container]`: anonymous; `static=true` is the file (8.3)."""
    for name in ("container", "audioCodec"):
        _check_safe(name, call.query.text(name))
    track = _any_track(call)
    if call.query.boolean("static"):
        return await _file(call, track, media_type=_STREAM_TYPES.get(track.file.suffix.lower()))
    container = str(
        call.request.path_params.get("container") or call.query.text("container") or source_container(track)
    )
    recipe = Recipe(
        container=container.lower(),
        codec=call.query.text("audioCodec"),
        bit_rate=call.query.integer("audioBitRate") or call.query.integer("audioBitrate") or _default_rate(container),
        channels=call.query.integer("audioChannels") or call.query.integer("maxAudioChannels"),
        sample_rate=call.query.integer("audioSampleRate"),
        start_ticks=call.query.ticks("startTimeTicks") or 0,
    )
    return _transcoded(call, track, recipe)


def _default_rate(container: str) -> int | None:
    return None if container.lower() in {"flac", "wav"} else _DEFAULT_BIT_RATE


def _check_safe(name: str, value: str | None) -> None:
    if value is not None and not _SAFE.fullmatch(value):
        message = f"The field {name} must match the regular expression '^[a-zA-Z0-9\\-\\._,|]{{0,40}}$'."
        raise ProblemError(400, {name: [message]})


def _transcoded(call: Call, track: DemoTrack, recipe: Recipe) -> Response:
    if not Path(track.file).is_file():
        raise TextError(500)
    if not has_ffmpeg():
        return Response(missing_ffmpeg(), 500, media_type="text/plain")
    length = track.run_time_ticks or 0
    start = (
        min(recipe.start_ticks, max(0, length - _LAST_TICKS)) if recipe.start_ticks >= length else recipe.start_ticks
    )
    recipe = Recipe(recipe.container, recipe.codec, recipe.bit_rate, recipe.channels, recipe.sample_rate, start)
    arguments(track.file, recipe)
    headers = {"Content-Type": CONTENT_TYPES[recipe.container], "Accept-Ranges": "none"}
    if call.request.method == "HEAD":
        return chunked(Response(headers=headers))
    return StreamingResponse(transcode(track.file, recipe), headers=headers)


async def universal(call: Call) -> Response:
    """`GET|HEAD /Audio/{id}/universal`: the file when the client can play it, else a transcode (8.4)."""
    for name in ("audioCodec", "transcodingContainer"):
        _check_safe(name, call.query.text(name))
    call.target_user()
    item = call.item()
    if not isinstance(item, DemoTrack):
        raise ProblemError(404)
    may_transcode = call.user is None or call.user.policy.transcoding
    if not may_transcode or _plays_directly(call, item):
        return await _file(call, item)
    container, protocol = call.query.text("transcodingContainer"), call.query.text("transcodingProtocol")
    if not (container and call.query.text("audioCodec") and protocol):
        raise TranscodeError
    if protocol.lower() == "hls":
        return _master_playlist(item)
    limits = [call.query.integer("maxStreamingBitrate"), call.query.integer("audioBitRate")]
    rate = min([limit for limit in limits if limit], default=256_000)
    recipe = Recipe(
        container=container.lower(),
        codec=call.query.text("audioCodec"),
        bit_rate=rate,
        channels=call.query.integer("transcodingAudioChannels") or call.query.integer("maxAudioChannels"),
        sample_rate=call.query.integer("maxAudioSampleRate"),
        start_ticks=call.query.ticks("startTimeTicks") or 0,
    )
    return _transcoded(call, item, recipe)


def _plays_directly(call: Call, track: DemoTrack) -> bool:
    query = call.query
    limit = query.integer("maxStreamingBitrate")
    if limit is not None and (track.bit_rate or 0) > limit:
        return False
    rate, depth = query.integer("maxAudioSampleRate"), query.integer("maxAudioBitDepth")
    if (rate is not None and (track.sample_rate or 0) > rate) or (depth is not None and (track.bit_depth or 0) > depth):
        return False
    mine = {source_container(track), *track.container.split(",")}
    for entry in query.listed("container"):
        container, *codecs = entry.lower().split("|")
        if container in mine and (not codecs or track.codec in codecs):
            return True
    return False


def _master_playlist(track: DemoTrack) -> Response:
    lines = [
        "#EXTM3U",
        "#EXT-X-STREAM-INF:BANDWIDTH=128000,AVERAGE-BANDWIDTH=128000",
        f"main.m3u8?MediaSourceId={track.id}",
    ]
    return Response("\n".join(lines) + "\n", headers={"Content-Type": "application/vnd.apple.mpegurl"})


async def end_transcode(call: Call) -> Response:
    """`DELETE /Videos/ActiveEncodings`: 204 even for an unknown one, both ids required (8.6)."""
    missing = [name for name in ("deviceId", "playSessionId") if call.query.text(name) is None]
    if missing:
        raise ProblemError(400, {name: [f"The {name} field is required."] for name in missing})
    return empty()


ENDPOINTS = (
    Endpoint("GET", "/items/{itemid}/download", download),
    Endpoint("GET", "/items/{itemid}/file", file),
    *(
        Endpoint(method, path, stream, Access.ANYONE)
        for path in ("/audio/{itemid}/stream", "/audio/{itemid}/stream.{container}")
        for method in ("GET", "HEAD")
    ),
    *(Endpoint(method, "/audio/{itemid}/universal", universal) for method in ("GET", "HEAD")),
    Endpoint("DELETE", "/videos/activeencodings", end_transcode),
)
