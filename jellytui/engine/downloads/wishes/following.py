"""Following: downloaded playlists and favourites go after the server's at each sync (issue 5, point 3)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

from jellytui.engine.downloads.ports import Catalogue
from jellytui.engine.downloads.rows.wants import Wants
from jellytui.engine.downloads.upkeep.strays import Mirror
from jellytui.engine.errors import JellytuiError
from jellytui.engine.models import Track

log = logging.getLogger(__name__)

FAVORITES = "favorites"
_PLAYLIST = "playlist:"


def playlist_want(playlist_id: str) -> str:
    """The want of a followed playlist."""
    return f"{_PLAYLIST}{playlist_id}"


class Following:
    """Compares each followed list with what it held before: only what is new comes down, so a deleted track stays
    deleted; what was taken out is wanted by that list no more. A track that the whole library has lost was taken out by
    nobody: its file may have moved, or the account may not see it now (jellyfin-api.md 15)."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        mirror: Mirror,
        wants: Wants,
        request: Callable[[Sequence[Track], str], Awaitable[object]],
        withdraw: Callable[[Sequence[str], str], Awaitable[object]],
    ) -> None:
        self._catalogue = catalogue
        self._mirror = mirror
        self._wants = wants
        self._request = request
        self._withdraw = withdraw

    async def sync(self) -> None:
        """Looks at every followed list once; one that is empty or cannot be read changes nothing."""
        for wanted_by in await self._wants.followed():
            try:
                tracks = await self._tracks(wanted_by)
                if tracks:
                    await self._apply(wanted_by, tracks)
            except JellytuiError as error:
                log.warning("%s cannot be followed now: %s", wanted_by, error)

    async def _tracks(self, wanted_by: str) -> list[Track]:
        if wanted_by == FAVORITES:
            return await self._catalogue.favorite_tracks()
        return await self._catalogue.tracks_of_playlist(wanted_by.removeprefix(_PLAYLIST))

    async def _apply(self, wanted_by: str, tracks: Sequence[Track]) -> None:
        before = await self._wants.tracks_of(wanted_by)
        now = {track.id for track in tracks}
        added = [track for track in tracks if track.id not in before]
        gone = [track.id for track in await self._mirror.tracks(sorted(before - now))]
        # Asked for before they are remembered: a crash in between asks twice, which changes nothing.
        if added:
            await self._request(added, wanted_by)
        if gone:
            await self._withdraw(gone, wanted_by)
        await self._wants.remember(wanted_by, added=[track.id for track in added], removed=gone)
