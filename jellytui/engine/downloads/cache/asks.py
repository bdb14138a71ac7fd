"""What the cache asks of the others: small protocols that engine.py fills."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, Protocol

from jellytui.engine.models import Track


class Albums(Protocol):
    """Where an album's tracks are looked up."""

    async def tracks_of_album(self, album_id: str) -> list[Track]:
        """An album's tracks by disc and number."""


class CacheDownloads(Protocol):
    """What the cache asks of the DownloadManager."""

    async def want(
        self, tracks: Sequence[Track], wanted_by: Literal["queue", "album"], *, priority: int | None = None
    ) -> list[int]:
        """Queues tracks for the cache, joining what is there or on its way; the ids of their rows."""

    async def withdraw(self, item_ids: Sequence[str], wanted_by: Literal["queue", "album"]) -> None:
        """Takes wishes back; an unfinished download that nobody else wants stops."""

    async def evict(self, download_ids: Sequence[int]) -> list[int]:
        """Removes what only the cache wants and nobody reads, and remembers that; the ids of those that went."""

    async def touch(self, item_id: str) -> None:
        """The item was accessed now."""

    async def keep(self, item_ids: Sequence[str]) -> list[int]:
        """Makes what is cached the user's own. Raises JellytuiError without the server's permission."""

    def when_full(self, make_room: Callable[[], Awaitable[bool]]) -> Callable[[], None]:
        """Asks for room where the disk is full, before anybody waits for it; returns what ends that."""

    def is_leased(self, item_id: str) -> bool:
        """Whether somebody reads the item's file."""
