"""Player: the verbs of playing, joined to the queue, the sound and what is heard."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

from jellytui.config import Settings
from jellytui.engine.bus import EventBus
from jellytui.engine.clock import Clock
from jellytui.engine.errors import UsageError
from jellytui.engine.events import PlayerState, QueueState
from jellytui.engine.models import QueueEntry, QueuePage, QueueWindow, RepeatMode, Track
from jellytui.engine.player.listening import Plays, Reports
from jellytui.engine.player.mpv import MpvSound
from jellytui.engine.player.queue import Queue
from jellytui.engine.player.sound import Sound
from jellytui.engine.player.source import LocalFiles
from jellytui.engine.player.store import Place, PlayerStore
from jellytui.engine.player.transport.transport import Transport
from jellytui.engine.storage.database import Database

_RESTART_AFTER_MS = 3000
"""`previous` restarts a track that is further than this."""
_REPEATS: tuple[RepeatMode, ...] = ("off", "all", "one")


class Player:
    """One queue and one sound. `start` finds queue, place and volume of the last time again, paused.

    Its verbs raise SoundError without libmpv, UsageError and NotFoundError for what is not in the queue.
    """

    def __init__(
        self,
        *,
        files: LocalFiles,
        stream_url: Callable[[str], str],
        reports: Reports,
        plays: Plays,
        database: Database,
        bus: EventBus,
        settings: Settings,
        clock: Clock,
        sound: Sound | None = None,
    ) -> None:
        self._bus = bus
        self._settings = settings
        self._store = PlayerStore(database, bus=bus, clock=clock)
        self._lock = asyncio.Lock()
        self._queue_version = 0
        self._transport = Transport(
            sound=sound or MpvSound(settings.player, settings.server),
            files=files,
            stream_url=stream_url,
            reports=reports,
            plays=plays,
            bus=bus,
            clock=clock,
            replaygain=settings.player.replaygain,
            lock=self._lock,
            on_queue=self._on_queue,
            on_place=self._keep,
        )

    async def start(self) -> None:
        """Restores the last queue; sound is made when it is first needed."""
        queue, place = await self._store.restore()
        self._transport.restore(queue, place)
        self._publish_queue()

    def take_settings(self, settings: Settings) -> None:
        """How many tracks the cache fetches ahead counts at once; of the sound's settings, none does."""
        self._settings = settings

    async def stop(self) -> None:
        """Writes what must not be lost and lets go of the sound; for the end of the engine."""
        await self._transport.close()
        await self._store.flush()

    # What there is

    @property
    def state(self) -> PlayerState:
        """What plays now."""
        return self._transport.state()

    def upcoming_tracks(self, count: int | None = None) -> list[Track]:
        """What plays next by itself, in play order; as many as the queue pre-cache takes unless said."""
        number = self._settings.cache.queue_precache_count if count is None else count
        return [entry.track for entry in self._queue.upcoming(number)]

    def window(self) -> QueueWindow:
        """The entries around the one that plays, for the cache; what plays next is known also with no pre-cache."""
        queue = self._queue
        current, previous = queue.current, queue.previous
        upcoming = self.upcoming_tracks(max(1, self._settings.cache.queue_precache_count))
        return QueueWindow(
            previous=previous.track if previous else None,
            current=current.track if current else None,
            upcoming=tuple(upcoming),
        )

    def queue_page(self, start: int, limit: int) -> QueuePage:
        """A stretch of the queue in play order."""
        if start < 0 or limit < 0:
            raise UsageError("A stretch of the queue starts at 0 or later and has no negative length.")
        queue = self._queue
        return QueuePage(
            version=self._queue_version,
            start=start,
            length=len(queue),
            current_index=queue.index,
            entries=queue.page(start, limit),
        )

    async def audio_devices(self) -> list[str]:
        """The names that [player] audio_device takes."""
        async with self._lock:
            return await self._transport.devices()

    async def wait_until_stopped(self) -> None:
        """Returns once nothing plays, nor is paused, nor waits."""
        await self._transport.wait_until_stopped()

    # Playing

    async def play_tracks(self, tracks: Sequence[Track], start_index: int = 0) -> None:
        """Plays these tracks instead of the queue, from one of them on."""
        if not tracks:
            raise UsageError("There is nothing to play in it.")
        async with self._lock:
            await self._transport.play(self._queue.filled(tracks, start_index, seed=_seed()))

    async def play(self) -> None:
        """Goes on, or begins with the queue's current or first entry."""
        async with self._lock:
            await self._transport.resume()

    async def pause(self) -> None:
        """Stands still until `play`."""
        async with self._lock:
            self._transport.pause()

    async def toggle_pause(self) -> None:
        """Pauses or goes on."""
        if self.state.status in ("playing", "loading", "stalled"):
            await self.pause()
        else:
            await self.play()

    async def halt(self) -> None:
        """Stops at the current entry's beginning; the queue stays."""
        async with self._lock:
            self._transport.halt()

    async def next_track(self) -> None:
        """Goes to the next entry, also with repeat one; stops behind the last."""
        async with self._lock:
            await self._turn_to(self._queue.after(0))

    async def previous_track(self) -> None:
        """Goes to the previous entry, or to this one's beginning when it is more than 3 s in or the first."""
        async with self._lock:
            previous = self._queue.previous
            if previous is None or self.state.position_ms > _RESTART_AFTER_MS:
                self._transport.seek(0)
            else:
                await self._turn_to(previous)

    async def seek(self, position_ms: int) -> None:
        """Goes to a place in the track; behind its end: to the next one."""
        async with self._lock:
            await self._seek(position_ms)

    async def seek_by(self, offset_ms: int) -> None:
        """Goes on or back. Several in a row add up, however long they wait for their turn."""
        async with self._lock:
            await self._seek(self.state.position_ms + offset_ms)

    async def set_volume(self, volume: int) -> None:
        """0 to 100; unmutes."""
        if not 0 <= volume <= 100:
            raise UsageError(f"The volume goes from 0 to 100, not to {volume}.")
        self._transport.set_volume(volume, is_muted=False)

    async def change_volume(self, by: int) -> None:
        """Louder or quieter, within 0 to 100; unmutes."""
        self._transport.set_volume(min(100, max(0, self.state.volume + by)), is_muted=False)

    async def toggle_mute(self) -> None:
        """Silences, or lets sound again."""
        self._transport.set_volume(self.state.volume, is_muted=not self.state.is_muted)

    # The queue

    async def enqueue(self, tracks: Sequence[Track], *, play_next: bool = False) -> int:
        """Adds tracks at the end, or right behind the current one; returns how many."""
        async with self._lock:
            changed = self._queue.played_next(tracks) if play_next else self._queue.appended(tracks)
            await self._transport.change_queue(changed)
        return len(tracks)

    async def play_entry(self, entry_id: int) -> None:
        """Plays an entry of the queue."""
        async with self._lock:
            await self._transport.play(self._queue.turned_to(entry_id))

    async def remove_entries(self, entry_ids: Sequence[int]) -> None:
        """Takes entries off; when the current one goes, the next plays."""
        async with self._lock:
            await self._transport.change_queue(self._queue.removed(entry_ids))

    async def move_entry(self, entry_id: int, to_index: int) -> None:
        """Moves an entry to another place in play order."""
        async with self._lock:
            await self._transport.change_queue(self._queue.moved(entry_id, to_index))

    async def clear(self) -> None:
        """Stops and empties the queue."""
        async with self._lock:
            await self._transport.change_queue(self._queue.cleared())

    async def set_repeat(self, mode: RepeatMode) -> None:
        """Repeats nothing, the queue, or the track."""
        async with self._lock:
            await self._transport.change_queue(self._queue.repeating(mode))

    async def cycle_repeat(self) -> None:
        """Off, all, one, off."""
        async with self._lock:
            after = _REPEATS[(_REPEATS.index(self._queue.repeat) + 1) % len(_REPEATS)]
            await self._transport.change_queue(self._queue.repeating(after))

    async def toggle_shuffle(self) -> None:
        """Shuffles what comes, or goes back to the order in which it was put in."""
        async with self._lock:
            queue = self._queue
            await self._transport.change_queue(queue.unshuffled() if queue.is_shuffled else queue.shuffled(_seed()))

    @property
    def _queue(self) -> Queue:
        return self._transport.queue

    async def _seek(self, position_ms: int) -> None:
        duration_ms = self.state.duration_ms
        if duration_ms and position_ms >= duration_ms:
            await self._turn_to(self._queue.after(0))
        else:
            self._transport.seek(max(0, position_ms))

    async def _turn_to(self, entry: QueueEntry | None) -> None:
        if entry is None:
            self._transport.end()
        else:
            await self._transport.play(self._queue.turned_to(entry.entry_id))

    def _on_queue(self, old: Queue, new: Queue) -> None:
        if old.play_order != new.play_order:
            self._queue_version += 1
        self._publish_queue()

    def _publish_queue(self) -> None:
        queue = self._queue
        self._bus.publish(
            QueueState(
                version=self._queue_version,
                length=len(queue),
                current_index=queue.index,
                remaining_ms=queue.remaining_ms(),
            )
        )

    def _keep(self, place: Place) -> None:
        self._store.keep(self._queue, place)


def _seed() -> int:
    return random.SystemRandom().getrandbits(64)
