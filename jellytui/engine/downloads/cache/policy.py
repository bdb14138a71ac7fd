"""The cache's policy, pure: state and event in, decisions with their reasons out.

Theory of operation. Three things happen to the cache: the queue's window moves, a track was really played, or bytes
came to the disk. Each is decided alone from the state; whoever calls carries the decisions out.

    WindowMoved     withdraw what is queued for a window that has passed; fetch the next ones      (queue pre-cache)
    AlbumPlayed     from the threshold of distinct tracks on, fetch the rest of the album            (album affinity)
    StorageChanged  nothing is wished; only the limit is kept

and each ends by making room: used and reserved bytes, with what is about to be fetched, stay within the limit. When
they would not, the least recently played goes, down to the low-water mark, so that evictions come rarely and many
at once. Never goes: what a user wants, what somebody reads, and the window of entries around the one that plays. The
window is bounded by half of the limit, else a few long tracks would make the limit void. While the download root is
gone only wishes are withdrawn: of a disk that is away nobody knows how full it is, and nothing on it can go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from jellytui.config import CacheSettings
from jellytui.engine.downloads.cache.state import CacheState, Wish
from jellytui.engine.downloads.disk import FREE_FLOOR_BYTES
from jellytui.engine.downloads.rows.cached import CachedRow
from jellytui.engine.models import Track

CacheConfig = CacheSettings
"""The seed's six settings by their names."""

NEXT_ENTRY_PRIORITY = 200
QUEUE_PRIORITY = -100
ALBUM_PRIORITY = -200
"""design.md, The download engine."""
_HOLDS = {"link": "the link is metered (wifi_only)", "server": "the server does not answer"}


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """What the seed leaves open, chosen by tests/bench/cache_simulation."""

    low_water: float = 0.9
    """Evicting goes down to this share of the limit."""
    largest_album: float = 0.2
    """An album larger than this share of the limit is not fetched."""
    largest_window: float = 0.5
    """The window's next ones may take this share of the limit."""
    nearly_done: float = 0.5
    """A fetch of which this share is here is not stopped when its wish is stale."""
    not_again_for: timedelta = timedelta(days=1)
    """What was evicted is not fetched again for that long unless it plays or is about to."""
    album_memory: timedelta = timedelta(days=7)
    """Plays older than this no longer count towards the threshold: else, after some months of shuffling, each play of
    any album would fetch it whole."""
    debounce_s: float = 4.0
    """Who edits the queue changes it many times; the cache follows once the queue has stood still for that long."""
    free_floor_bytes: int = FREE_FLOOR_BYTES


TUNING = Tuning()


@dataclass(frozen=True)
class WindowMoved:
    """The entry that plays, or what follows it, is another one."""


@dataclass(frozen=True)
class AlbumPlayed:
    """A track was really played: its album, and how many distinct tracks of it were."""

    album: tuple[Wish, ...]
    distinct_played: int


@dataclass(frozen=True)
class StorageChanged:
    """Files grew, came or went, or the limit is another one."""


CacheEvent = WindowMoved | AlbumPlayed | StorageChanged


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """Queue this track for download."""

    track: Track
    wanted_by: Literal["queue", "album"]
    priority: int
    bytes_expected: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Withdraw:
    """Take the wish back; what nobody else wants then stops."""

    row: CachedRow
    wanted_by: Literal["queue", "album"]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Evict:
    """Remove this file, or stop this download and remove what came of it."""

    row: CachedRow
    reason: str


@dataclass(frozen=True, kw_only=True)
class Leave:
    """Do not fetch this track, though it was thought of."""

    track: Track
    reason: str


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """What to do, in this order: withdraw, evict, fetch."""

    withdraw: tuple[Withdraw, ...] = ()
    evict: tuple[Evict, ...] = ()
    fetch: tuple[Fetch, ...] = ()
    leave: tuple[Leave, ...] = ()
    is_put_off: bool = False
    """Something is left only for link or disk: to be decided again once they allow it."""


def decide(state: CacheState, event: CacheEvent, config: CacheConfig, tuning: Tuning = TUNING) -> Decisions:
    """What is to be done about an event. Depends on its arguments alone."""
    return _Decision(state, config, tuning).after(event)


def limit_of(state: CacheState, config: CacheConfig, tuning: Tuning = TUNING) -> int:
    """How much the cache may take now: the setting, or less where the disk is nearly full, or will be by what is the
    user's."""
    if state.free_bytes is None:
        return config.storage_limit
    free_bytes = state.free_bytes - tuning.free_floor_bytes - state.users_bytes
    return min(config.storage_limit, max(0, state.used_bytes + free_bytes))


class _Decision:
    """One decision in the making."""

    def __init__(self, state: CacheState, config: CacheConfig, tuning: Tuning) -> None:
        self._state = state
        self._config = config
        self._tuning = tuning
        self._limit = limit_of(state, config, tuning)
        self._withdraw: list[Withdraw] = []
        self._leave: list[Leave] = []
        self._is_put_off = False

    def after(self, event: CacheEvent) -> Decisions:
        if isinstance(event, WindowMoved):
            self._withdraw_stale()
            wishes = self._next_ones()
        elif isinstance(event, AlbumPlayed):
            wishes = self._rest_of_album(event)
        else:
            wishes = []
        fetch, evict = self._make_room(wishes)
        return Decisions(
            withdraw=tuple(self._withdraw),
            evict=tuple(evict),
            fetch=tuple(fetch),
            leave=tuple(self._leave),
            is_put_off=self._is_put_off,
        )

    # Queue pre-cache

    def _withdraw_stale(self) -> None:
        wanted = {wish.track.id for wish in self._queue_window()}
        for row in self._state.rows.values():
            if row.status == "completed" or row.item_id == self._state.window.current:
                continue
            if row.bytes_here and row.bytes_here >= row.bytes_expected * self._tuning.nearly_done:
                continue
            if "queue" in row.wanted_by and row.item_id not in wanted:
                stale = Withdraw(row=row, wanted_by="queue", reason="no longer among the next in the queue")
                self._withdraw.append(stale)
            if "album" in row.wanted_by and not self._config.album_affinity_enabled:
                self._withdraw.append(Withdraw(row=row, wanted_by="album", reason="albums are no longer fetched"))

    def _next_ones(self) -> list[Fetch]:
        if not self._state.window.is_playing:
            return []
        wishes, taken = [], 0
        for place, wish in enumerate(self._queue_window()):
            row = self._state.rows.get(wish.track.id)
            taken += self._size(wish)
            if taken > self._limit * self._tuning.largest_window:
                self._leave_out(wish, "the next tracks may take no more than half of the cache")
                break
            priority = QUEUE_PRIORITY if place else NEXT_ENTRY_PRIORITY
            if row is not None and self._is_settled(row, wish, priority):
                continue
            wishes.append(
                Fetch(
                    track=wish.track,
                    wanted_by="queue",
                    priority=priority,
                    bytes_expected=self._missing(wish),
                    reason="plays next" if place == 0 else f"plays in {place + 1} tracks",
                )
            )
        return wishes

    def _is_settled(self, row: CachedRow, wish: Wish, priority: int) -> bool:
        """Whether there is nothing to ask for; what is on its way is asked for where it would come too late."""
        if row.is_left:
            return False
        if row.status in ("failed", "paused"):
            self._leave_out(wish, f"its download is {row.status}")
            return True
        is_wanted = row.is_users or "queue" in row.wanted_by
        return row.status == "completed" or (is_wanted and row.priority >= priority)

    def _queue_window(self) -> Sequence[Wish]:
        """The next ones in play order, each track once."""
        if not self._config.queue_precache_enabled:
            return ()
        ahead = self._state.window.upcoming[: self._config.queue_precache_count]
        current = self._state.window.current
        return list({wish.track.id: wish for wish in ahead if wish.track.id != current}.values())

    # Album affinity

    def _rest_of_album(self, event: AlbumPlayed) -> list[Fetch]:
        if not self._config.album_affinity_enabled or event.distinct_played < self._config.album_affinity_threshold:
            return []
        missing = [wish for wish in event.album if not self._is_here(wish)]
        whole = sum(map(self._size, event.album))
        if whole > self._limit * self._tuning.largest_album:
            for wish in missing:
                self._leave_out(wish, "the album is larger than a fifth of the cache")
            return []
        return [
            Fetch(
                track=wish.track,
                wanted_by="album",
                priority=ALBUM_PRIORITY,
                bytes_expected=self._missing(wish),
                reason=f"{event.distinct_played} tracks of its album were played",
            )
            for wish in missing
            if not self._is_banned(wish)
        ]

    def _is_here(self, wish: Wish) -> bool:
        row = self._state.rows.get(wish.track.id)
        return wish.track.id == self._state.window.current or (row is not None and row.is_stock)

    def _is_banned(self, wish: Wish) -> bool:
        row = self._state.rows.get(wish.track.id)
        if row is not None and not row.is_left:
            self._leave_out(wish, f"its download is {row.status}")
            return True
        if wish.track.id in self._state.evicted:
            self._leave_out(wish, "it was removed less than a day ago")
            return True
        return False

    def _size(self, wish: Wish) -> int:
        """What the server said of the file, else the guess."""
        row = self._state.rows.get(wish.track.id)
        return row.bytes_expected if row is not None and row.bytes_expected else wish.bytes_expected

    def _missing(self, wish: Wish) -> int:
        """What of it is still to be asked for; what is on its way is reserved already."""
        row = self._state.rows.get(wish.track.id)
        if row is None:
            return wish.bytes_expected
        return 0 if row.is_coming else max(0, self._size(wish) - row.bytes_here)

    # Room

    def _make_room(self, wishes: list[Fetch]) -> tuple[list[Fetch], list[Evict]]:
        """What of the wishes fits, and what goes for it."""
        if self._state.free_bytes is None:
            self._put_off(wishes, "the download folder is not there")
            return [], []
        if self._state.hold:
            self._put_off(wishes, _HOLDS[self._state.hold])
            wishes = []
        taken = self._state.used_bytes + self._state.reserved_bytes - self._given_back()
        wished = sum(fetch.bytes_expected for fetch in wishes)
        if taken + wished <= self._limit:
            return wishes, []
        going = {one.row.item_id for one in self._withdraw}
        protected = self._protected() | going
        goers = [row for row in self._state.evictable if row.item_id not in protected and not row.is_users]
        asked = {fetch.track.id for fetch in wishes}
        room = self._limit - taken + sum(row.bytes_here for row in goers if row.item_id not in asked)
        fetches = self._fitting(wishes, room)
        resumed = {fetch.track.id for fetch in fetches}
        goers = [row for row in goers if row.item_id not in resumed]
        taken += sum(fetch.bytes_expected for fetch in fetches)
        evict = self._evictions(goers, taken) if taken > self._limit else []
        taken -= sum(one.row.bytes_here for one in evict)
        if taken > self._limit:
            evict += self._given_up(taken - self._limit)
        gone = {one.row.item_id for one in evict}
        return [fetch for fetch in fetches if fetch.track.id not in gone], evict

    def _fitting(self, wishes: Iterable[Fetch], room: int) -> list[Fetch]:
        """The first ones that fit: a gap in an order of playing helps nobody."""
        fetches: list[Fetch] = []
        is_full = False
        for fetch in wishes:
            is_full = is_full or fetch.bytes_expected > room
            if is_full and fetch.bytes_expected:
                self._leave.append(Leave(track=fetch.track, reason="the cache has no room for it"))
                continue
            fetches.append(fetch)
            room -= fetch.bytes_expected
        return fetches

    def _evictions(self, goers: Iterable[CachedRow], taken: int) -> list[Evict]:
        goal = self._limit * self._tuning.low_water
        evictions: list[Evict] = []
        for row in goers:
            if taken <= goal:
                break
            evictions.append(Evict(row=row, reason=_why(row)))
            taken -= row.bytes_here
        return evictions

    def _given_up(self, needed: int) -> list[Evict]:
        """The last resort: unfinished downloads of the cache stop: an album's, then the queue's farthest."""
        window = self._state.window
        kept = {one.row.item_id for one in self._withdraw} | self._state.leased | {window.current, window.previous}
        order = {wish.track.id: place for place, wish in enumerate(self._queue_window())}
        coming = [
            row
            for row in self._state.rows.values()
            if row.is_coming and not row.is_users and "stream" not in row.wanted_by and row.item_id not in kept
        ]
        coming.sort(key=lambda row: ("queue" in row.wanted_by, -order.get(row.item_id, 0), row.download_id))
        evictions = []
        for row in coming:
            if needed <= 0:
                break
            evictions.append(Evict(row=row, reason="the cache has no room for it"))
            needed -= row.bytes_here + self._state.reserved_of(row)
        return evictions

    def _given_back(self) -> int:
        """Bytes of downloads that stop because their only wish was withdrawn."""
        return sum(
            one.row.bytes_here + self._state.reserved_of(one.row)
            for one in self._withdraw
            if one.row.wanted_by == {one.wanted_by}
        )

    def _protected(self) -> set[str]:
        """The entries around the one that plays, as far as they may take of the limit, and what is being read."""
        window = self._state.window
        protected = {window.previous, window.current, *self._state.leased}
        taken = 0
        for wish in {wish.track.id: wish for wish in window.upcoming if wish.track.id != window.current}.values():
            row = self._state.rows.get(wish.track.id)
            taken += row.bytes_here if row is not None else 0
            if taken > self._limit * self._tuning.largest_window:
                break
            protected.add(wish.track.id)
        return protected

    def _put_off(self, wishes: Sequence[Fetch], reason: str) -> None:
        self._leave += [Leave(track=fetch.track, reason=reason) for fetch in wishes]
        self._is_put_off = bool(wishes)

    def _leave_out(self, wish: Wish, reason: str) -> None:
        self._leave.append(Leave(track=wish.track, reason=reason))


def _why(row: CachedRow) -> str:
    if row.status in ("failed", "paused"):
        return f"the cache is full, and its download is {row.status}"
    if not row.last_access:
        return "the cache is full, and it was never played"
    return "the cache is full, and it was played the longest ago"
