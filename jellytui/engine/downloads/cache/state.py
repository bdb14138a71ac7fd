"""What the cache's policy looks at: plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from jellytui.engine.downloads.rows.cached import CachedRow
from jellytui.engine.models import Track


@dataclass(frozen=True)
class Wish:
    """A track that might be fetched, and how many bytes that takes."""

    track: Track
    bytes_expected: int


@dataclass(frozen=True, kw_only=True)
class Window:
    """Where the queue stands: anchored on the entry that plays, never on what is on the disk."""

    previous: str = ""
    current: str = ""
    """Item ids; empty where there is none."""
    upcoming: tuple[Wish, ...] = ()
    """What plays next by itself, in play order; empty with repeat one."""
    is_playing: bool = False
    """Whether anything was played since the start: a queue that was only restored fetches nothing."""


@dataclass(frozen=True, kw_only=True)
class CacheState:
    """All that a decision depends on."""

    window: Window = Window()
    rows: Mapping[str, CachedRow] = field(default_factory=dict)
    """By item id: those in the window and in the album in question, and all of the cache's that are unfinished."""
    evictable: Sequence[CachedRow] = ()
    """Rows of the cache alone that hold bytes and are not coming, the first to go first; as many as may be needed, so
    none where used and reserved bytes leave room for all that is wished."""
    used_bytes: int = 0
    """Of all rows that only the cache wants, unfinished ones included."""
    free_bytes: int | None = 1 << 62
    """Free on the disk; None while the download root is gone: then nothing is fetched or removed."""
    users_bytes: int = 0
    """What the user's own downloads will still write: on a full disk the cache makes way for them."""
    evicted: frozenset[str] = frozenset()
    """Which items of the window and the album were evicted within the last day and not played since."""
    leased: frozenset[str] = frozenset()
    """Items whose file somebody reads."""
    hold: Literal["", "link", "server"] = ""
    """Why nothing is fetched now: a metered link with `wifi_only`, or a server that is away. Nothing goes for what
    cannot come."""

    @property
    def reserved_bytes(self) -> int:
        """What the cache's own unfinished downloads will still write, as things are."""
        return sum(self.reserved_of(row) for row in self.rows.values() if not row.is_users)

    def reserved_of(self, row: CachedRow) -> int:
        """What the download of one row will still write, as things are: a listener is waited for in any case."""
        return 0 if self.hold and "stream" not in row.wanted_by else row.bytes_reserved
