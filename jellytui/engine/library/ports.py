"""What the library asks of the server's client and of the connection: small protocols that engine.py fills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from jellytui.engine.errors import JellytuiError
from jellytui.engine.jellyfin.records import Library, Page, PlaylistEntry, UserData
from jellytui.engine.models import Album, Artist, Lyrics, Playlist, Track


class Link(Protocol):
    """The part of Connection that the library needs: the one circuit breaker."""

    @property
    def is_online(self) -> bool: ...

    async def wait_online(self) -> None:
        """Returns once the server is there."""

    def report_failure(self, error: JellytuiError) -> None:
        """Tells that the server was not there."""

    def report_success(self) -> None:
        """Tells that the server answered."""


class CatalogueServer(Protocol):
    """The part of JellyfinClient that a sync reads; `saved_since` (ISO 8601): only what the server saved since then."""

    async def music_libraries(self) -> Sequence[Library]:
        """The music libraries that the account may see."""

    async def tracks_page(
        self, library_id: str, start: int, limit: int, *, with_total: bool, saved_since: str | None = None
    ) -> Page[Track]:
        """A stretch of the catalogue query (jellyfin-api.md 7.5), always in the same order; `limit` 0 only counts."""

    async def albums_page(
        self, library_id: str, start: int, limit: int, *, with_total: bool, saved_since: str | None = None
    ) -> Page[Album]:
        """A stretch of the albums."""

    async def artists_page(self, library_id: str, start: int, limit: int, *, with_total: bool) -> Page[Artist]:
        """A stretch of the artists that the server lists."""

    async def playlists(self) -> Sequence[Playlist]:
        """All playlists of music."""

    async def playlist_entries(self, playlist_id: str) -> Sequence[PlaylistEntry]:
        """A playlist's entries in its order."""

    async def favorite_ids(self) -> frozenset[str]:
        """The ids of all favourites: tracks, albums, artists, playlists."""


class OutboxServer(Protocol):
    """The part of JellyfinClient that the outbox tells."""

    async def set_favorite(self, item_id: str, is_favorite: bool) -> None:
        """Makes an item a favourite, or none; may be repeated."""

    async def user_data(self, item_id: str) -> UserData:
        """What the server keeps of the user and an item. Raises NotFoundError."""

    async def mark_played(self, item_id: str, played_at: str) -> None:
        """Counts one play with its date; must not be repeated (jellyfin-api.md 11.3)."""

    async def set_last_played(self, item_id: str, played_at: str) -> None:
        """Sets the date of the last play alone."""


class LyricsServer(Protocol):
    """The part of JellyfinClient that lyrics need."""

    async def lyrics(self, item_id: str) -> Lyrics:
        """A track's words; empty when it has none."""


class ImageServer(Protocol):
    """The part of JellyfinClient that covers need."""

    async def image(self, item_id: str, tag: str, size_px: int) -> bytes:
        """An item's primary image, its longer side at most `size_px`. Raises NotFoundError."""
