"""What the download room asks of the others: small protocols that engine.py fills."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from jellytui.engine.errors import JellytuiError
from jellytui.engine.models import Track


class Catalogue(Protocol):
    """Where tracks are looked up."""

    async def tracks(self, ids: Sequence[str]) -> list[Track]:
        """The tracks of these ids in their order, unknown ones left out. Raises ServerUnreachableError."""

    async def tracks_of_album(self, album_id: str) -> list[Track]:
        """An album's tracks by disc and number."""

    async def tracks_of_artist(self, artist_id: str) -> list[Track]:
        """An artist's tracks, album by album."""

    async def tracks_of_playlist(self, playlist_id: str) -> list[Track]:
        """A playlist's tracks in its own order."""

    async def favorite_tracks(self) -> list[Track]:
        """All favourite tracks."""


class Facts(Protocol):
    """What the server's last scan knew of a file (jellyfin-api.md 6.3)."""

    @property
    def item_id(self) -> str: ...

    @property
    def size_bytes(self) -> int | None: ...

    @property
    def etag(self) -> str | None: ...

    @property
    def container(self) -> str | None: ...


class User(Protocol):
    """What the server lets the account do."""

    @property
    def can_download(self) -> bool: ...


class Server(Protocol):
    """The part of JellyfinClient that downloads need."""

    async def user(self) -> User:
        """The account as the server knows it now."""

    async def media_facts(self, ids: Sequence[str]) -> Sequence[Facts]:
        """Size and ETag of these items' files as of the last scan."""

    def download_url(self, item_id: str) -> str:
        """The user's way to the file: permission asked, an activity entry written."""

    def stream_url(self, item_id: str) -> str:
        """The listener's and the cache's way to the same bytes: anonymous."""

    def limited_url(self, item_id: str, bit_rate: int) -> str:
        """The music in at most so many bits a second, with the token: the file where it is small enough, else made."""


class Link(Protocol):
    """The part of Connection that downloads need: the one circuit breaker."""

    @property
    def is_online(self) -> bool: ...

    async def wait_online(self) -> None:
        """Returns once the server is there."""

    def report_failure(self, error: JellytuiError) -> None:
        """Tells that the server was not there."""

    def report_success(self) -> None:
        """Tells that the server answered."""


class Network(Protocol):
    """What the machine's link costs (NetworkWatch)."""

    @property
    def is_metered(self) -> bool:
        """Whether bytes cost money; False where nobody knows."""

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Calls back on the loop at each change; returns what ends that."""


class CoverShelf(Protocol):
    """Where covers are kept (Covers)."""

    async def path(self, item_id: str, tag: str) -> object:
        """Fetches an item's cover when it is not there yet; never raises for a server that has none."""


class LyricsShelf(Protocol):
    """Where words are kept (LyricsStore)."""

    async def get(self, item_id: str) -> object:
        """Fetches a track's words when they are not there yet. Raises JellytuiError."""


class MediaResponse(Protocol):
    """A response whose body is being read."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By lower-case name."""

    def chunks(self, patience_s: Callable[[], float] | None = None) -> AsyncIterator[bytes]:
        """The body as it comes, undecoded; left to gather for so many seconds. Raises BodyBrokenError."""

    def hurry(self) -> None:
        """Has what is left to gather read now."""


class Media(Protocol):
    """Opens bodies of files."""

    def open(
        self, url: str, *, start: int = 0, end: int | None = None, if_range: str | None = None, authorized: bool
    ) -> AbstractAsyncContextManager[MediaResponse]:
        """Asks for a file from byte `start` to `end`, inclusive. Raises ServerUnreachableError before the first."""
