"""Lyrics (jellyfin-api.md 10)."""

import asyncio
from typing import Any

from starlette.responses import Response

from jellytui.demo.library import DemoTrack
from jellytui.demo.sources.lyrics import parse_lyrics
from jellytui.demo.wire.endpoint import Call, Endpoint
from jellytui.demo.wire.replies import ApiError, ProblemError, empty


def _track(call: Call) -> DemoTrack:
    item = call.item()
    if not isinstance(item, DemoTrack):
        raise ProblemError(404)
    return item


def _body(text: str, name: str) -> dict[str, Any]:
    return {"Metadata": {}, "Lyrics": parse_lyrics(text, synced=not name.lower().endswith(".txt"))}


async def get_lyrics(call: Call) -> Response:
    """`GET /Audio/{id}/Lyrics`: what a client has sent, else the file beside the music, else the tag."""
    track = _track(call)
    uploaded = call.world.uploaded_lyrics.get(track.id)
    if uploaded is not None:
        return call.json(_body(uploaded[1], uploaded[0]))
    if track.lyrics_file is not None:
        try:
            raw = await asyncio.to_thread(track.lyrics_file.read_bytes)
        except OSError as error:
            raise ProblemError(404) from error
        return call.json(_body(raw.decode("utf-8-sig", "replace"), track.lyrics_file.name))
    if track.lyrics_text is not None:
        return call.json(_body(track.lyrics_text, "tag.lrc"))
    raise ProblemError(404)


def _may_manage(call: Call) -> None:
    if not call.is_admin and not (call.user and call.user.policy.lyric_management):
        raise ApiError(403)


async def put_lyrics(call: Call) -> Response:
    """`POST /Audio/{id}/Lyrics?fileName=`."""
    _may_manage(call)
    track, name = _track(call), call.query.text("fileName") or "lyrics.lrc"
    text = (await call.request.body()).decode("utf-8", "replace")
    call.world.uploaded_lyrics[track.id] = (name, text)
    return call.json(_body(text, name))


async def delete_lyrics(call: Call) -> Response:
    """`DELETE /Audio/{id}/Lyrics`."""
    _may_manage(call)
    call.world.uploaded_lyrics.pop(_track(call).id, None)
    return empty()


async def remote_lyrics(call: Call) -> Response:
    """`GET /Audio/{id}/RemoteSearch/Lyrics`: there are no providers."""
    _may_manage(call)
    _track(call)
    return call.json([])


ENDPOINTS = (
    Endpoint("GET", "/audio/{itemid}/lyrics", get_lyrics),
    Endpoint("POST", "/audio/{itemid}/lyrics", put_lyrics),
    Endpoint("DELETE", "/audio/{itemid}/lyrics", delete_lyrics),
    Endpoint("GET", "/audio/{itemid}/remotesearch/lyrics", remote_lyrics),
)
