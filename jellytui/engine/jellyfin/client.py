"""JellyfinClient: one method per endpoint, as one signed-in user on one server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

from jellytui.config import ServerSettings
from jellytui.engine.clock import Clock
from jellytui.engine.errors import NotFoundError, NotSignedInError
from jellytui.engine.jellyfin import dto, queries
from jellytui.engine.jellyfin.http import Http
from jellytui.engine.jellyfin.publicinfo import PublicInfo, public_info
from jellytui.engine.jellyfin.records import (
    Library,
    MediaFacts,
    Page,
    PlaybackReport,
    PlaylistEntry,
    UserData,
    UserInfo,
)
from jellytui.engine.jellyfin.session import ReadToken, Session
from jellytui.engine.models import Account, Album, Artist, Lyrics, Playlist, Track

if TYPE_CHECKING:
    import ssl


T = TypeVar("T")

_LONG_S = 120.0
"""For one answer that holds a whole list: 10.11 takes 7 s for a playlist of 2,000 (big-library.md e)."""
_REPORT_S = 10.0
_TICKS_PER_MS = 10_000


class JellyfinClient:
    """Speaks to the account's server. Every method raises the narrowest JellytuiError: ServerUnreachableError and its
    kinds, NotSignedInError, NotAllowedError, NotFoundError, NotJellyfinError, ServerError.

    `read_token` reads the account's token file: it is asked when the server no longer takes the token.
    """

    def __init__(
        self,
        *,
        account: Account,
        token: str,
        server: ServerSettings,
        clock: Clock,
        read_token: ReadToken = lambda: None,
    ) -> None:
        self.account = account
        self._http = Http(account.server_url, server, name=account.server_name)
        self._session = Session(
            self._http, device_id=account.device_id, token=token, read_token=read_token, clock=clock
        )
        self._user_id = account.user_id
        self._version = queries.version(account.server_version)

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.close()

    # Being signed in

    @property
    def name(self) -> str:
        """What the server is called in words."""
        return self._http.name

    def on_refused(self, callback: Callable[[NotSignedInError], None]) -> None:
        """Calls back when a request found that no token we have is taken any more."""
        self._session.on_refused = callback

    async def take_newer_token(self) -> bool:
        """Whether another process has signed in meanwhile; its token is used from then on."""
        return await self._session.take_newer_token()

    async def public_info(self) -> PublicInfo:
        """/System/Info/Public: who answers there, and which version. Raises ServerStartingError."""
        found = await public_info(self._http)
        self._version = queries.version(found.version)
        return found

    async def user(self) -> UserInfo:
        """/Users/Me: the user behind the token. Raises NotSignedInError."""
        return dto.user_info(dto.record(self._http.json(await self._session.user())))

    def authorization(self) -> str:
        """The Authorization header's value, for bodies of files."""
        return self._session.authorization

    def extra_headers(self) -> dict[str, str]:
        """What config.toml adds to each request, for proxies."""
        return self._http.extra_headers

    async def tls(self) -> ssl.SSLContext:
        """The TLS context of this server. Raises TlsError."""
        return await self._http.tls()

    # The catalogue

    async def music_libraries(self) -> list[Library]:
        """The music libraries that the account may see."""
        views = await self._get("/UserViews", {"userId": self._user_id})
        return list(dto.items(views, dto.music_library))

    async def tracks_page(
        self, library_id: str, start: int, limit: int, *, with_total: bool, saved_since: str | None = None
    ) -> Page[Track]:
        """A stretch of the catalogue query (jellyfin-api.md 7.5), always in the same order; `limit` 0 only counts."""
        params = queries.catalogue(self._user_id, library_id, self._version, saved_since)
        return await self._page("/Items", params, dto.track, start, limit, with_total=with_total)

    async def albums_page(
        self, library_id: str, start: int, limit: int, *, with_total: bool, saved_since: str | None = None
    ) -> Page[Album]:
        """A stretch of the albums."""
        params = queries.albums(self._user_id, library_id, saved_since)
        return await self._page("/Items", params, dto.album, start, limit, with_total=with_total)

    async def artists_page(self, library_id: str, start: int, limit: int, *, with_total: bool) -> Page[Artist]:
        """A stretch of the artists that the server lists; who is only an album artist may be missing before 12."""
        path, params = queries.artists(self._user_id, library_id, self._version)
        return await self._page(path, params, dto.artist, start, limit, with_total=with_total)

    async def tracks_by_ids(self, ids: Sequence[str]) -> list[Track]:
        """The tracks of these ids in their order, unknown ones left out."""
        found = await self._by_ids(ids, queries.tracks(self._user_id, self._version), dto.track)
        return _in_order(ids, {track.id: track for track in found})

    async def playlists(self) -> list[Playlist]:
        """All playlists of music."""
        listed = await self._get("/Items", queries.playlists(self._user_id), timeout_s=_LONG_S)
        return list(dto.items(listed, dto.playlist))

    async def playlist_entries(self, playlist_id: str) -> list[PlaylistEntry]:
        """A playlist's entries in its order. Raises NotFoundError."""
        path = f"/Playlists/{_segment(playlist_id)}/Items"
        listed = await self._get(path, queries.entries(self._user_id), timeout_s=_LONG_S)
        return list(dto.items(listed, dto.playlist_entry))

    async def favorite_ids(self) -> frozenset[str]:
        """The ids of all favourites: tracks, albums, artists, playlists."""
        kinds = "Audio,MusicAlbum,MusicArtist,Playlist"
        listed = await self._get("/Items", queries.favorites(self._user_id, kinds), timeout_s=_LONG_S)
        found = dto.items(listed, dto.item_id)
        of_artists = queries.favorite_artists(self._user_id, self._version)
        if of_artists is not None:
            found += dto.items(await self._get("/Artists", of_artists, timeout_s=_LONG_S), dto.item_id)
        return frozenset(found)

    # What belongs to one item

    async def lyrics(self, item_id: str) -> Lyrics:
        """A track's words; empty when it has none."""
        try:
            return dto.lyrics(await self._get(f"/Audio/{_segment(item_id)}/Lyrics"), item_id)
        except NotFoundError:
            return Lyrics(item_id=item_id)

    async def image(self, item_id: str, tag: str, size_px: int) -> bytes:
        """An item's primary image, its longer side at most `size_px`. Raises NotFoundError.

        Images need no token, and with one the server looks at permissions for each (jellyfin-api.md 3.6).
        """
        path = f"/Items/{_segment(item_id)}/Images/Primary"
        response = await self._http.send("GET", path, params=queries.image(tag, size_px), accept="image/*")
        self._http.check(response)
        return response.content

    async def media_facts(self, ids: Sequence[str]) -> list[MediaFacts]:
        """Size and ETag of these items' files as of the server's last scan, in the order of the ids."""
        params: queries.Params = {"userId": self._user_id, "fields": "MediaSources", "enableUserData": False}
        found = await self._by_ids(ids, params, dto.media_facts)
        return _in_order(ids, {facts.item_id: facts for facts in found})

    def download_url(self, item_id: str) -> str:
        """The user's way to the file: permission asked, an activity entry written; needs the Authorization header."""
        return f"{self._http.base_url}/Items/{_segment(item_id)}/Download"

    def stream_url(self, item_id: str) -> str:
        """The listener's and the cache's way to the same bytes: anonymous, so that no token is ever in it."""
        return f"{self._http.base_url}/Audio/{_segment(item_id)}/stream?static=true"

    def limited_url(self, item_id: str, bit_rate: int) -> str:
        """The music in at most so many bits a second: the file itself where it is small enough, else an MP3 made while
        it is sent (jellyfin-api.md 8.4); needs the Authorization header."""
        query = urlencode(queries.limited(self._user_id, bit_rate))
        return f"{self._http.base_url}/Audio/{_segment(item_id)}/universal?{query}"

    # What the user does

    async def set_favorite(self, item_id: str, is_favorite: bool) -> None:
        """Makes an item a favourite, or none; may be repeated. Raises NotFoundError."""
        method = "POST" if is_favorite else "DELETE"
        await self._session.send(method, f"/UserFavoriteItems/{_segment(item_id)}", params=self._as_user())

    async def user_data(self, item_id: str) -> UserData:
        """What the server keeps of the user and an item. Raises NotFoundError."""
        path = f"/UserItems/{_segment(item_id)}/UserData"
        return dto.user_data(await self._get(path, self._as_user()), item_id)

    async def mark_played(self, item_id: str, played_at: str) -> None:
        """Counts one play with its date; must not be repeated (jellyfin-api.md 11.3). Raises NotFoundError."""
        params = {**self._as_user(), "datePlayed": played_at}
        await self._session.send("POST", f"/UserPlayedItems/{_segment(item_id)}", params=params)

    async def set_last_played(self, item_id: str, played_at: str) -> None:
        """Sets the date of the last play alone. Raises NotFoundError."""
        path, body = f"/UserItems/{_segment(item_id)}/UserData", {"LastPlayedDate": played_at}
        await self._session.send("POST", path, params=self._as_user(), body=body)

    async def report_started(self, report: PlaybackReport) -> None:
        """Playback began: the server counts a play at once (jellyfin-api.md 11.2)."""
        await self._session.send("POST", "/Sessions/Playing", body=_playback(report), timeout_s=_REPORT_S)

    async def report_progress(self, report: PlaybackReport) -> None:
        """Where playback is."""
        await self._session.send("POST", "/Sessions/Playing/Progress", body=_playback(report), timeout_s=_REPORT_S)

    async def report_stopped(self, report: PlaybackReport) -> None:
        """Playback ended. Without its position the server would count the play a second time."""
        body = {
            "ItemId": report.item_id,
            "MediaSourceId": report.item_id,
            "PlaySessionId": report.play_session_id,
            "PositionTicks": max(0, report.position_ms) * _TICKS_PER_MS,
            "Failed": report.has_failed,
        }
        await self._session.send("POST", "/Sessions/Playing/Stopped", body=body, timeout_s=_REPORT_S)

    async def sign_out(self) -> None:
        """Ends the token at the server."""
        await self._session.send("POST", "/Sessions/Logout", timeout_s=_REPORT_S)

    # Helpers

    def _as_user(self) -> queries.Params:
        return {"userId": self._user_id}

    async def _get(self, path: str, params: queries.Params | None = None, *, timeout_s: float | None = None) -> Any:
        return self._http.json(await self._session.send("GET", path, params=params, timeout_s=timeout_s))

    async def _page(
        self,
        path: str,
        params: queries.Params,
        decode: Callable[[dto.Dto], T | None],
        start: int,
        limit: int,
        *,
        with_total: bool,
    ) -> Page[T]:
        params = {**params, **queries.page(start, limit, with_total=with_total)}
        response = await self._session.send("GET", path, params=params, timeout_s=_LONG_S)

        def read() -> Page[T]:
            answer = self._http.json(response)
            total = dto.total(answer) if with_total else None
            return Page(items=dto.items(answer, decode), total=total, server_date=response.headers.get("date"))

        # 2,000 tracks take 55 ms, and on the loop the app draws.
        return await asyncio.to_thread(read)

    async def _by_ids(
        self, ids: Iterable[str], params: queries.Params, decode: Callable[[dto.Dto], T | None]
    ) -> list[T]:
        wanted = list(dict.fromkeys(ids))
        found: list[T] = []
        for start in range(0, len(wanted), queries.IDS_AT_ONCE):
            some = wanted[start : start + queries.IDS_AT_ONCE]
            found += dto.items(await self._get("/Items", {**params, **queries.of_ids(some)}), decode)
        return found


def _in_order(ids: Iterable[str], found: Mapping[str, T]) -> list[T]:
    return [found[item_id] for item_id in ids if item_id in found]


def _playback(report: PlaybackReport) -> dict[str, object]:
    return {
        "ItemId": report.item_id,
        "MediaSourceId": report.item_id,
        "PlaySessionId": report.play_session_id,
        "PositionTicks": max(0, report.position_ms) * _TICKS_PER_MS,
        "IsPaused": report.is_paused,
        "IsMuted": report.is_muted,
        "VolumeLevel": report.volume,
        "CanSeek": True,
        "PlayMethod": "DirectPlay",
        "RepeatMode": queries.REPEAT[report.repeat],
        "PlaybackOrder": "Shuffle" if report.is_shuffled else "Default",
    }


def _segment(item_id: str) -> str:
    """An id as a part of a path, whatever it is made of."""
    return quote(item_id, safe="")
