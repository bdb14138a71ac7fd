"""Where the engine looks tracks up: in the mirror first, at the server for what the mirror does not know."""

from __future__ import annotations

from collections.abc import Sequence

from jellytui.engine.jellyfin.client import JellyfinClient
from jellytui.engine.library.views import LibraryViews
from jellytui.engine.models import Track


class MirrorCatalogue:
    """Tracks by id, album, artist, playlist, favourites; joins the library to downloads and player."""

    def __init__(self, views: LibraryViews, client: JellyfinClient) -> None:
        self._views = views
        self._client = client

    async def tracks(self, ids: Sequence[str]) -> list[Track]:
        """The tracks of these ids in their order; those that neither mirror nor server knows are left out.

        Raises ServerUnreachableError when the mirror lacks one and the server cannot be asked.
        """
        known = {track.id: track for track in await self._views.tracks(ids)}
        missing = [item_id for item_id in dict.fromkeys(ids) if item_id not in known]
        if missing:
            known |= {track.id: track for track in await self._client.tracks_by_ids(missing)}
        return [known[item_id] for item_id in ids if item_id in known]

    async def tracks_of_album(self, album_id: str) -> list[Track]:
        """An album's tracks by disc and number."""
        return await self._views.tracks_of_album(album_id)

    async def tracks_of_artist(self, artist_id: str) -> list[Track]:
        """All tracks by an artist, album by album."""
        return await self._views.tracks_of_artist(artist_id)

    async def tracks_of_playlist(self, playlist_id: str) -> list[Track]:
        """A playlist's tracks in its own order, duplicates kept."""
        return await self._views.tracks_of_playlist(playlist_id)

    async def favorite_tracks(self) -> list[Track]:
        """All favourite tracks."""
        return await self._views.favorite_tracks()
