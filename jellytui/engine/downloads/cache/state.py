"""What the cache's policy looks at: plain data, read from the downloads table by rows/cached.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jellytui.engine.models import DownloadStatus, Track

CACHE_WANTS = frozenset(["stream", "queue", "album"])
"""The wants that are not a user's (design.md, who wants a file)."""

_BITS_PER_MS = {"flac": 1000, "alac": 1000, "wav": 1411, "aiff": 1411, "aif": 1411, "ape": 900, "wv": 900, "dsf": 5645}
_LOSSY_BITS_PER_MS = 256


@dataclass(frozen=True, kw_only=True)
class CachedRow:
    """One download as the cache sees it; sizes in bytes."""

    download_id: int
    item_id: str
    name: str = ""
    status: DownloadStatus = "completed"
    priority: int = 0
    bytes_here: int = 0
    """On the disk now, the `.part` included."""
    bytes_expected: int = 0
    """What the whole file takes, as far as known."""
    last_access: int = 0
    """Grows with each play; 0 for what was never played."""
    wanted_by: frozenset[str] = frozenset()

    @property
    def is_users(self) -> bool:
        """Whether somebody wants it who is not the cache."""
        return not self.wanted_by <= CACHE_WANTS

    @property
    def is_coming(self) -> bool:
        """Whether it is queued or on its way: that counts as stock."""
        return self.status in ("pending", "downloading")

    @property
    def is_stock(self) -> bool:
        """Whether it is here or will be."""
        return self.status == "completed" or self.is_coming

    @property
    def bytes_reserved(self) -> int:
        """What its download will still write."""
        return max(0, self.bytes_expected - self.bytes_here) if self.is_coming else 0


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
    """Rows of the cache alone that hold bytes and are not coming, the first to go first. May be empty where used and
    reserved bytes leave room for all that is wished."""
    used_bytes: int = 0
    """Of all rows that only the cache wants, unfinished ones included."""
    free_bytes: int = 1 << 62
    """Free on the disk."""
    evicted: frozenset[str] = frozenset()
    """Which items of the window and the album were evicted within the last day and not played since."""
    leased: frozenset[str] = frozenset()
    """Items whose file somebody reads."""
    is_held: bool = False
    """A metered link with `wifi_only`: nothing new is fetched."""

    @property
    def reserved_bytes(self) -> int:
        """What the cache's own unfinished downloads will still write."""
        return sum(row.bytes_reserved for row in self.rows.values() if not row.is_users)


def guessed_bytes(duration_ms: int, container: str) -> int:
    """A guess at a file's size from duration and container, until the server has said it."""
    return duration_ms * _BITS_PER_MS.get(container.lower().split(",")[0], _LOSSY_BITS_PER_MS) // 8
