"""A small world for the cache's policy: carries decisions out at once, in memory, and counts what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from jellytui.engine.downloads.cache.policy import (
    TUNING,
    AlbumPlayed,
    CacheConfig,
    CacheEvent,
    Decisions,
    StorageChanged,
    Tuning,
    WindowMoved,
    decide,
    limit_of,
)
from jellytui.engine.downloads.cache.state import CacheState, Window, Wish
from jellytui.engine.downloads.rows.cached import CachedRow
from jellytui.engine.models import Track


@dataclass
class Tally:
    """What was fetched and removed; bytes."""

    fetched: int = 0
    fetched_again: int = 0
    evicted: int = 0
    evictions: int = 0
    rounds: int = 0
    """How often the cache was made room in."""
    dropped: int = 0
    """What had come of downloads whose wishes were withdrawn."""
    decisions: int = 0


@dataclass
class CacheWorld:
    """Rows, plays, evictions and a queue. `sizes` are the true sizes, `albums` the tracks of each."""

    sizes: Mapping[str, int]
    albums: Mapping[str, Sequence[Track]]
    config: CacheConfig = field(default_factory=CacheConfig)
    tuning: Tuning = TUNING
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    rows: dict[str, CachedRow] = field(default_factory=dict)
    window: Window = field(default_factory=Window)
    leased: set[str] = field(default_factory=set)
    evicted_at: dict[str, datetime] = field(default_factory=dict)
    played_at: dict[str, dict[str, datetime]] = field(default_factory=dict)
    disk_bytes: int = 1 << 50
    """What the disk has room for, the cache included."""
    is_away: bool = False
    """The disk is unplugged."""
    hold: Literal["", "link", "server"] = ""
    tally: Tally = field(default_factory=Tally)
    ever: set[str] = field(default_factory=set)
    accesses: int = 0
    used: int = 0
    _unfinished: dict[str, None] = field(default_factory=dict)

    # What happens

    def start(self, current: Track, upcoming: Sequence[Track], previous: str = "") -> Decisions:
        """A track starts, streamed where it is not here."""
        self.move(current, upcoming, previous)
        if not self.is_here(current.id):
            self.want(current, "stream", 300)
        return self.decide(WindowMoved())

    def move(self, current: Track | None, upcoming: Sequence[Track], previous: str = "") -> None:
        """The queue stands elsewhere."""
        self.window = Window(
            previous=previous,
            current=current.id if current else "",
            upcoming=tuple(map(self.wish, upcoming)),
            is_playing=True,
        )

    def play(self, track: Track) -> Decisions:
        """A track was really played."""
        self.accesses += 1
        if track.id in self.rows:
            self._put(replace(self.rows[track.id], last_access=self.accesses))
        self.evicted_at.pop(track.id, None)
        plays = self.played_at.setdefault(track.album_id, {})
        plays[track.id] = self.now
        since = self.now - self.tuning.album_memory
        distinct = sum(1 for at in plays.values() if at >= since)
        album = tuple(map(self.wish, self.albums[track.album_id]))
        return self.decide(AlbumPlayed(album, distinct))

    def transfer(self, room: int) -> None:
        """That many bytes come down, the most urgent first."""
        coming = [row for row in self.rows.values() if row.is_coming]
        for row in sorted(coming, key=lambda row: (-row.priority, row.download_id)):
            if room <= 0:
                break
            taken = min(room, self.sizes[row.item_id] - row.bytes_here)
            room -= taken
            self.receive(row.item_id, taken)
        if coming:
            self.decide(StorageChanged())

    def receive(self, item_id: str, size: int) -> None:
        """Some bytes of a file come; with the last one it is complete, and no stream any more."""
        row = self.rows[item_id]
        self.tally.fetched += size
        if item_id in self.ever:
            self.tally.fetched_again += size
        here = row.bytes_here + size
        if here < self.sizes[item_id]:
            self._put(replace(row, status="downloading", bytes_here=here))
            return
        self.ever.add(item_id)
        self._put(replace(row, status="completed", bytes_here=here, bytes_expected=here))

    def fail(self, item_id: str) -> None:
        """Its download fails for good."""
        self._put(replace(self.rows[item_id], status="failed"))

    def pause(self, item_id: str) -> None:
        """Nobody listens to it any more, and nobody else wants it: what came stays."""
        row = self.rows[item_id]
        if row.is_coming and row.wanted_by == {"stream"}:
            self._put(replace(row, status="paused", wanted_by=frozenset()))

    def keep(self, item_id: str) -> None:
        """The user wants it."""
        row = self.rows[item_id]
        self._put(replace(row, wanted_by=row.wanted_by | {"user"}))

    def is_here(self, item_id: str) -> bool:
        return item_id in self.rows and self.rows[item_id].status == "completed"

    # What is decided

    def decide(self, event: CacheEvent) -> Decisions:
        """Decides and carries out."""
        self.tally.decisions += 1
        decisions = decide(self.state(event), event, self.config, self.tuning)
        for one in decisions.withdraw:
            row = self.rows[one.row.item_id]
            wanted_by = row.wanted_by - {one.wanted_by}
            if wanted_by or row.status == "completed":
                self._put(replace(row, wanted_by=wanted_by))
            else:
                self.tally.dropped += row.bytes_here
                self._drop(row.item_id)
        for removal in decisions.evict:
            self.tally.evicted += removal.row.bytes_here
            self.tally.evictions += 1
            self.evicted_at[removal.row.item_id] = self.now
            self._drop(removal.row.item_id)
        self.tally.rounds += bool(decisions.evict)
        for fetch in decisions.fetch:
            self.want(fetch.track, fetch.wanted_by, fetch.priority)
        return decisions

    def state(self, event: CacheEvent | None = None) -> CacheState:
        """What the policy sees."""
        album = event.album if isinstance(event, AlbumPlayed) else ()
        asked = [
            self.window.previous,
            self.window.current,
            *(wish.track.id for wish in (*self.window.upcoming, *album)),
        ]
        rows = {item_id: self.rows[item_id] for item_id in asked if item_id in self.rows}
        rows |= {row.item_id: row for row in self.unfinished()}
        state = CacheState(
            window=self.window,
            rows=rows,
            used_bytes=self.used,
            free_bytes=None if self.is_away else self.disk_bytes - self.used,
            users_bytes=sum(row.bytes_reserved for row in self.unfinished() if row.is_users),
            evicted=frozenset(self._banned(asked)),
            leased=frozenset(self.leased),
            hold=self.hold,
        )
        wished = sum(wish.bytes_expected for wish in (*self.window.upcoming, *album))
        if state.used_bytes + state.reserved_bytes + wished <= limit_of(state, self.config, self.tuning):
            return state
        return replace(state, evictable=self.evictable())

    def evictable(self) -> list[CachedRow]:
        found = [row for row in self.rows.values() if not row.is_coming and not row.is_users and row.bytes_here]
        found.sort(key=lambda row: (row.status == "completed", row.last_access, row.download_id))
        return found

    def unfinished(self) -> list[CachedRow]:
        return [self.rows[item_id] for item_id in self._unfinished]

    def want(self, track: Track, wanted_by: str, priority: int) -> None:
        """A row for the track, or one want more of the row that is there."""
        row = self.rows.get(track.id)
        if row is None:
            self.accesses += 1
            row = CachedRow(
                download_id=self.accesses, item_id=track.id, status="pending", bytes_expected=self.sizes[track.id]
            )
        is_listened = wanted_by == "stream" and row.status in ("paused", "failed")
        is_resumed = is_listened or row.is_left
        self._put(
            replace(
                row,
                wanted_by=row.wanted_by | {wanted_by},
                priority=max(priority, row.priority),
                status="pending" if is_resumed else row.status,
            )
        )

    def wish(self, track: Track) -> Wish:
        return Wish(track, self.sizes[track.id])

    def _banned(self, item_ids: Iterable[str]) -> list[str]:
        since = self.now - self.tuning.not_again_for
        return [item_id for item_id in item_ids if item_id in self.evicted_at and self.evicted_at[item_id] > since]

    def _put(self, row: CachedRow) -> None:
        self._forget(row.item_id)
        self.rows[row.item_id] = row
        if not row.is_users:
            self.used += row.bytes_here
        if row.status != "completed":
            self._unfinished[row.item_id] = None

    def _drop(self, item_id: str) -> None:
        self._forget(item_id)
        del self.rows[item_id]

    def _forget(self, item_id: str) -> None:
        row = self.rows.get(item_id)
        if row is not None and not row.is_users:
            self.used -= row.bytes_here
        self._unfinished.pop(item_id, None)

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
