"""Where a track's bytes come from, chosen when it is loaded, not when it is queued (design.md, The player)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from jellytui.engine.models import LocalSource, MediaItem, RemoteSource, Track


class GrowingFile(Protocol):
    """A file that is still coming, or is there already; one reader's own. Called on mpv's threads, not on the loop."""

    ahead_s: Callable[[], float]
    """Set by the player: how many seconds of music it has beyond what is heard; so long what comes may be left to
    gather. Asked on the loop."""

    def size(self) -> int | None:
        """The length in bytes; None when nobody knows it (transcodes). May wait. Raises JellytuiError, OSError."""

    def readinto(self, offset: int, buffer: memoryview) -> int:
        """Reads from byte `offset` on; waits until at least one byte is there. Returns how many, 0 at the end.

        Raises JellytuiError or OSError when they will not come any more, and when cancelled.
        """

    def cancel(self) -> None:
        """Ends a wait that is under way, and each later one, from any thread."""

    def close(self) -> None:
        """Lets the file go. May be called twice."""


class LocalFiles(Protocol):
    """The files of the downloads, as the player sees them."""

    async def local_path(self, item_id: str) -> Path | None:
        """The file of a completed download that is there; else None."""

    async def first_local(self, item_ids: Sequence[str]) -> str | None:
        """The first of these items whose file is there; None without one."""

    def lease(self, item_id: str) -> AbstractContextManager[None]:
        """Held while the file is played: evict, delete, move and repair leave it alone."""

    async def open_stream(self, item_id: str) -> GrowingFile:
        """Opens the item's file while it comes (issue 6, one fetch). Raises DiskError where nothing can be written."""


async def create_media_item(track: Track, *, files: LocalFiles, stream_url: Callable[[str], str]) -> MediaItem:
    """Makes a track ready to load: the local file when it is there, else the server's stream (the seed's name)."""
    path = await files.local_path(track.id)
    if path is not None:
        return MediaItem(track=track, source=LocalSource(file_path=str(path), jellyfin_item_id=track.id))
    return MediaItem(track=track, source=RemoteSource(stream_url=stream_url(track.id), jellyfin_item_id=track.id))
