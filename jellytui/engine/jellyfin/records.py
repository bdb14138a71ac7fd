"""What the server tells and is told besides music: pages, facts about files, users, playback reports."""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

from jellytui.engine.models import RepeatMode

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True):
    """A stretch of a query's result. `total` only where it was asked for; `server_date` is the answer's Date header."""

    items: tuple[T, ...]
    total: int | None = None
    server_date: str | None = None


class Library(Struct, frozen=True):
    """One music library of the server."""

    id: str
    name: str


class PlaylistEntry(Struct, frozen=True):
    """One place in a playlist; before 10.10 only `entry_id` tells copies of a track apart (jellyfin-api.md 13)."""

    entry_id: str
    track_id: str


class MediaFacts(Struct, frozen=True):
    """A file as of the server's last scan (jellyfin-api.md 6.3): `etag` changes with the file's own time."""

    item_id: str
    size_bytes: int | None = None
    etag: str | None = None
    container: str | None = None


class UserInfo(Struct, frozen=True):
    """The user behind the token and what he may do."""

    id: str
    name: str
    can_download: bool = True
    is_administrator: bool = False


class UserData(Struct, frozen=True):
    """What the server keeps of a user and an item; `last_played_at` in ISO 8601, None for never."""

    item_id: str
    is_favorite: bool = False
    play_count: int = 0
    last_played_at: str | None = None
    is_played: bool = False


class PlaybackReport(Struct, frozen=True, kw_only=True):
    """What plays, for /Sessions/Playing and its two sisters (jellyfin-api.md 11.1). `volume` 0 to 100."""

    item_id: str
    play_session_id: str
    position_ms: int = 0
    is_paused: bool = False
    is_muted: bool = False
    volume: int = 100
    repeat: RepeatMode = "off"
    is_shuffled: bool = False
    has_failed: bool = False


class StartReport(Struct, frozen=True, kw_only=True):
    """What became of the report that a track plays: whether the server counted it, None where nobody knows.

    `before` is what the server knew of the track ahead of it, None where it did not say.
    """

    is_counted: bool | None
    before: UserData | None = None
