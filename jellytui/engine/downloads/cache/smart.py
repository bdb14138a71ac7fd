"""SmartCache: hears of every track played, asks the policy, and has the downloads carry out what it decides."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Literal

from jellytui.config import Settings
from jellytui.engine.bus import EventBus
from jellytui.engine.clock import Clock
from jellytui.engine.downloads.cache.asks import Albums, CacheDownloads
from jellytui.engine.downloads.cache.due import DueAlbums
from jellytui.engine.downloads.cache.policy import (
    NEXT_ENTRY_PRIORITY,
    TUNING,
    AlbumPlayed,
    CacheEvent,
    Decisions,
    Fetch,
    StorageChanged,
    Tuning,
    WindowMoved,
    decide,
    limit_of,
)
from jellytui.engine.downloads.cache.state import CacheState, Window, Wish
from jellytui.engine.downloads.cache.steps import steps_of
from jellytui.engine.downloads.disk import DISK_CHECK_EVERY_S, Disk
from jellytui.engine.downloads.ports import Network
from jellytui.engine.downloads.rows.cached import CachedRow, CachedRows, guessed_bytes
from jellytui.engine.errors import DiskError
from jellytui.engine.events import ConnectionState, DownloadEvent, Event, PlayerState
from jellytui.engine.models import CacheStep, CacheUse, Origin, OriginUse, QueueWindow, Track
from jellytui.engine.storage.database import Database

log = logging.getLogger(__name__)

_FOLLOWED_AFTER_S = 2.0
"""Storage, link and settings change many times at once; one decision follows them all."""

_PLAYS = "cache_plays"
_BYTES_SAVED = "cache_bytes_saved"
_ORIGINS: tuple[Origin, ...] = ("user", "stream", "queue", "album")


class SmartCache:
    """The seed's SmartCache. `network` tells of metered links; without it no link is."""

    def __init__(
        self,
        *,
        downloads: CacheDownloads,
        catalogue: Albums,
        database: Database,
        bus: EventBus,
        settings: Settings,
        clock: Clock,
        disk: Disk,
        network: Network | None = None,
        tuning: Tuning = TUNING,
    ) -> None:
        self._downloads = downloads
        self._catalogue = catalogue
        self._rows = CachedRows(database)
        self._bus = bus
        self._config = settings.cache
        self._clock = clock
        self._disk = disk
        self._network = network
        self._tuning = tuning
        self._window = QueueWindow()
        self._is_playing = False
        self._player = PlayerState()
        self._is_server_away = False
        self._due = DueAlbums(database)
        self._lock = asyncio.Lock()
        self._waiting: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscriptions: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Begins to watch the storage and the link."""
        now = self._clock.now()
        await self._rows.forget(
            plays_before=now - self._tuning.album_memory, evictions_before=now - self._tuning.not_again_for
        )
        self._subscriptions = [
            self._bus.subscribe([DownloadEvent], self._on_download),
            self._bus.subscribe([PlayerState], self._on_player),
            self._bus.subscribe([ConnectionState], self._on_connection),
            self._downloads.when_full(self._make_room),
        ]
        if self._network is not None:
            self._subscriptions.append(self._network.subscribe(self._on_link))
        self._soon("storage", self._keep_limit)
        self._soon("due", self._fetch_due)

    def take_settings(self, settings: Settings) -> None:
        """Decides by other settings from now on, within two seconds."""
        self._config = settings.cache
        self._soon("link", self._follow_link)

    async def stop(self) -> None:
        """Decides nothing any more; what was decided is carried out."""
        for unsubscribe in self._subscriptions:
            unsubscribe()
        self._subscriptions = []
        while self._tasks:  # what is being carried out may put off more
            for name in list(self._waiting):
                self._give_up(name)
            await asyncio.gather(*self._tasks, return_exceptions=True)
        async with self._lock:
            await self._rows.close()

    # What the player tells

    async def on_track_started(self, window: QueueWindow) -> None:
        """A track plays: the next ones are fetched (seed, queue pre-caching)."""
        self._give_up("queue")
        self._window, self._is_playing = window, True
        await self._decide(WindowMoved())

    async def on_track_played(self, track: Track) -> None:
        """A track was really played: it counts towards its album, and as its file's last access."""
        await self._count_play(track)
        await self._downloads.touch(track.id)
        await self._rows.record_play(track.album_id, track.id, self._clock.now())
        if self._config.album_affinity_enabled and track.album_id:
            await self._follow_album(track.album_id)

    def on_queue_restored(self, window: QueueWindow) -> None:
        """The queue of an earlier run is there again, said right after the start: its next ones stay, but nothing is
        fetched before something plays."""
        self._window = window
        self._soon("queue", self._follow_window)

    def on_queue_changed(self, window: Callable[[], QueueWindow]) -> None:
        """The queue is another one: what is fetched for it follows once it has stood still for some seconds."""

        async def follow() -> None:
            self._window = window()
            await self._follow_window()

        self._soon("queue", follow, wait_s=self._tuning.debounce_s, is_restarted=True)

    # What a person asks

    async def use(self) -> CacheUse:
        """What the cache holds and what it was good for."""
        state = await self._state()
        uses = {use.origin: use for use in await self._rows.uses()}
        return CacheUse(
            uses=tuple(
                OriginUse(origin=origin, files=uses[origin].files, bytes=uses[origin].size)
                if origin in uses
                else OriginUse(origin=origin)
                for origin in _ORIGINS
            ),
            cache_bytes=state.used_bytes,
            reserved_bytes=state.reserved_bytes,
            limit_bytes=limit_of(state, self._config, self._tuning),
            free_bytes=state.free_bytes or 0,
            plays=await self._rows.counter(_PLAYS),
            bytes_saved=await self._rows.counter(_BYTES_SAVED),
            is_metered=self._is_metered(),
            settings=self._config,
        )

    async def plan(self) -> list[CacheStep]:
        """What would be fetched or removed now, and why; nothing is done."""
        events: list[CacheEvent] = [WindowMoved()]
        current = self._window.current
        if current is not None and current.album_id:
            events.append(await self._album_played(current.album_id))
        return steps_of([decide(await self._state(event), event, self._config, self._tuning) for event in events])

    async def clear(self) -> int:
        """Removes all that only the cache wants, but for what is being read; the bytes that went."""
        async with self._lock:
            state = await self._state()
            coming = [row for row in state.rows.values() if row.is_coming and not row.is_users]
            heard = [row for row in coming if self._downloads.is_leased(row.item_id)]
            for wanted_by in ("queue", "album"):
                await self._withdraw([row.item_id for row in heard if wanted_by in row.wanted_by], wanted_by)
            return await self._evict([*coming, *await self._rows.evictable(state.used_bytes)])

    async def keep(self, item_ids: Sequence[str]) -> list[int]:
        """Makes what is cached one's own: it no longer counts and never goes by itself."""
        return await self._downloads.keep(item_ids)

    # Deciding

    async def _decide(self, event: CacheEvent) -> Decisions:
        async with self._lock:
            state = await self._state(event)
            decisions = decide(state, event, self._config, self._tuning)
            if decisions.is_put_off and state.free_bytes is None:
                self._soon("disk", self._follow_disk, wait_s=DISK_CHECK_EVERY_S)
            try:
                await self._carry_out(decisions)
            except DiskError as error:
                log.warning("the cache waits for the disk: %s", error)  # it went just now
            return decisions

    async def _carry_out(self, decisions: Decisions) -> None:
        for withdraw_by in ("queue", "album"):
            await self._withdraw(
                [one.row.item_id for one in decisions.withdraw if one.wanted_by == withdraw_by], withdraw_by
            )
        if decisions.evict:
            freed = await self._evict([one.row for one in decisions.evict])
            log.info("the cache was full: %d files, %d bytes removed", len(decisions.evict), freed)
        await self._fetch(decisions.fetch)

    async def _withdraw(self, item_ids: Sequence[str], wanted_by: Literal["queue", "album"]) -> None:
        if item_ids:
            await self._downloads.withdraw(item_ids, wanted_by)

    async def _evict(self, rows: Sequence[CachedRow]) -> int:
        """Removes files; the bytes that went."""
        if not rows:
            return 0
        gone = set(await self._downloads.evict([row.download_id for row in rows]))
        return sum(row.bytes_here for row in rows if row.download_id in gone)

    async def _fetch(self, fetches: Sequence[Fetch]) -> None:
        """Asks for tracks, each stretch of the same wish and priority at once, in their order."""
        batches: dict[tuple[Literal["queue", "album"], int], list[Track]] = {}
        for fetch in fetches:
            batches.setdefault((fetch.wanted_by, fetch.priority), []).append(fetch.track)
        for (wanted_by, priority), tracks in batches.items():
            await self._downloads.want(tracks, wanted_by, priority=priority)

    async def _album_played(self, album_id: str) -> AlbumPlayed:
        """The album of a track that was played; without its tracks below the threshold, for nobody asks then."""
        since = self._clock.now() - self._tuning.album_memory
        played = await self._rows.distinct_played(album_id, since)
        if played < self._config.album_affinity_threshold:
            return AlbumPlayed((), played)
        return AlbumPlayed(tuple(map(_wish, await self._catalogue.tracks_of_album(album_id))), played)

    async def _state(self, event: CacheEvent | None = None) -> CacheState:
        """All that a decision looks at. What may go is read only when the limit is near."""
        window = self._window
        upcoming = tuple(map(_wish, window.upcoming))
        album = event.album if isinstance(event, AlbumPlayed) else ()
        around = [track for track in (window.previous, window.current, *window.upcoming) if track is not None]
        asked = [*(track.id for track in around), *(wish.track.id for wish in album)]
        rows = {**await self._rows.unfinished(), **await self._rows.of_items(asked)}
        state = CacheState(
            window=Window(
                previous=window.previous.id if window.previous else "",
                current=window.current.id if window.current else "",
                upcoming=upcoming,
                is_playing=self._is_playing,
            ),
            rows=rows,
            used_bytes=await self._rows.used_bytes(),
            free_bytes=await asyncio.to_thread(self._disk.free_bytes),
            users_bytes=await self._rows.users_bytes(),
            evicted=await self._rows.evicted(self._clock.now(), self._tuning.not_again_for) if album else frozenset(),
            leased=frozenset(item_id for item_id in rows if self._downloads.is_leased(item_id)),
            hold="server" if self._is_server_away else "link" if self._is_metered() else "",
        )
        wished = sum(wish.bytes_expected for wish in (*upcoming, *album))
        taken, limit = state.used_bytes + state.reserved_bytes + wished, limit_of(state, self._config, self._tuning)
        if taken <= limit:
            return state
        # What stays whatever happens may stand among them.
        staying = sum(row.bytes_here for row in rows.values())
        return await self._with_evictable(state, taken - int(limit * self._tuning.low_water) + staying)

    async def _with_evictable(self, state: CacheState, enough_bytes: int) -> CacheState:
        evictable = await self._rows.evictable(enough_bytes)
        leased = {row.item_id for row in evictable if self._downloads.is_leased(row.item_id)}
        return replace(state, evictable=evictable, leased=state.leased | leased)

    def _is_metered(self) -> bool:
        return self._config.wifi_only and self._network is not None and self._network.is_metered

    # What it hears

    async def _count_play(self, track: Track) -> None:
        """A play from the disk of what no user had asked for was the cache's doing."""
        if self._player.source != "disk" or self._player.track is None or self._player.track.id != track.id:
            return
        row = (await self._rows.of_items([track.id])).get(track.id)
        if row is None or row.is_users:
            return
        await self._rows.add_to(_PLAYS, 1)
        if row.last_access:
            await self._rows.add_to(_BYTES_SAVED, row.bytes_here)

    def _on_player(self, event: Event) -> None:
        if isinstance(event, PlayerState):
            self._player = event

    def _on_download(self, event: Event) -> None:
        """The cache's own files began, grew or failed: their true sizes may be beyond the limit. Who has skipped to the
        next track and back has left it less urgent than it is."""
        if not isinstance(event, DownloadEvent):
            return
        download, upcoming = event.download, self._window.upcoming
        if event.type in ("started", "completed", "failed") and not download.is_kept:
            self._soon("storage", self._keep_limit)
        is_next = bool(upcoming) and download.item_id == upcoming[0].id
        is_left = download.status == "pending" and "stream" not in download.wanted_by
        if is_next and is_left and download.priority < NEXT_ENTRY_PRIORITY:
            self._soon("next", self._follow_window)

    def _on_connection(self, event: Event) -> None:
        """What was left while the server was away is planned once it is back."""
        if not isinstance(event, ConnectionState):
            return
        was_away, self._is_server_away = self._is_server_away, event.is_away
        if was_away and not self._is_server_away:
            self._soon("link", self._follow_link)

    def _on_link(self) -> None:
        """What was held back is planned now; what is metered now is held back by the downloads."""
        self._soon("link", self._follow_link)

    async def _follow_link(self) -> None:
        await self._follow_window()
        await self._fetch_due()

    async def _follow_disk(self) -> None:
        """Looks again until the disk is back; then does what was left for it."""
        if await asyncio.to_thread(self._disk.free_bytes) is None:
            self._soon("disk", self._follow_disk, wait_s=DISK_CHECK_EVERY_S)
        else:
            await self._follow_link()

    async def _fetch_due(self) -> None:
        for album_id in await self._due.all() if self._config.album_affinity_enabled else ():
            await self._follow_album(album_id)

    async def _follow_album(self, album_id: str) -> None:
        """Its rest is fetched, or due when link and disk allow it."""
        decisions = await self._decide(await self._album_played(album_id))
        async with self._lock:
            await self._due.set(album_id, is_due=decisions.is_put_off)

    async def _follow_window(self) -> None:
        await self._decide(WindowMoved())

    async def _make_room(self) -> bool:
        """The disk is full: makes way for what is the user's; whether anything goes."""
        return bool((await self._decide(StorageChanged())).evict)

    async def _keep_limit(self) -> None:
        await self._decide(StorageChanged())

    # Later

    def _soon(
        self,
        name: str,
        work: Callable[[], Awaitable[None]],
        *,
        wait_s: float = _FOLLOWED_AFTER_S,
        is_restarted: bool = False,
    ) -> None:
        """Does the work later; what waits already under that name waits on, or anew."""
        if name in self._waiting and not is_restarted:
            return
        self._give_up(name)
        task = asyncio.create_task(self._after_a_while(wait_s, name, work), name=f"cache {name}")
        self._waiting[name] = task
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    async def _after_a_while(self, wait_s: float, name: str, work: Callable[[], Awaitable[None]]) -> None:
        await self._clock.sleep(wait_s)
        # What has begun is carried out, so from here on nobody gives it up.
        del self._waiting[name]
        await work()

    def _give_up(self, name: str) -> None:
        waiting = self._waiting.pop(name, None)
        if waiting is not None:
            waiting.cancel()

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("the cache could not follow", exc_info=error)


def _wish(track: Track) -> Wish:
    return Wish(track, guessed_bytes(track.duration_ms, track.container))
