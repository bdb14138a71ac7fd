"""Transport: moves the sound along the queue.

A sound's events come between the verbs, in order; what needs to wait for something is done in a task under the
player's lock, so that verbs and advances never overlap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from jellytui.engine.bus import EventBus
from jellytui.engine.clock import Clock
from jellytui.engine.errors import JellytuiError, SoundError
from jellytui.engine.events import ConnectionState, Event, PlayerState, ProblemOccurred
from jellytui.engine.models import Problem, QueueEntry
from jellytui.engine.player.listening import Listening, Plays, Reports
from jellytui.engine.player.queue import Queue
from jellytui.engine.player.sound import (
    Sound,
    SoundDevice,
    SoundEnded,
    SoundEvent,
    SoundFacts,
    SoundStalled,
    SoundStarted,
)
from jellytui.engine.player.source import LocalFiles
from jellytui.engine.player.store import Place
from jellytui.engine.player.transport.background import Background
from jellytui.engine.player.transport.breaks import Breaks, way_on
from jellytui.engine.player.transport.deck import Deck, Load
from jellytui.engine.player.transport.local import next_local
from jellytui.engine.player.transport.panel import Panel, Status

_TRY_AGAIN_S = 10.0
_SILENT_S = 3.0


class Transport:
    """Plays the queue's current entry, and the next one after it. `on_queue` and `on_place` hear of each change."""

    def __init__(
        self,
        *,
        sound: Sound,
        files: LocalFiles,
        stream_url: Callable[[str], str],
        reports: Reports,
        plays: Plays,
        bus: EventBus,
        clock: Clock,
        replaygain: Literal["album", "track", "off"],
        lock: asyncio.Lock,
        on_queue: Callable[[Queue, Queue], None],
        on_place: Callable[[Place], None],
    ) -> None:
        self.queue = Queue()
        self._sound = sound
        self._files = files
        self._bus = bus
        self._on_queue = on_queue
        self._deck = Deck(sound=sound, files=files, stream_url=stream_url, replaygain=replaygain)
        self._listening = Listening(reports=reports, plays=plays, bus=bus, clock=clock, state=self.state)
        self._panel = Panel(
            sound=sound,
            deck=self._deck,
            bus=bus,
            clock=clock,
            queue=lambda: self.queue,
            on_place=on_place,
            on_tick=self._listening.tick,
            due_in_s=self._listening.due_in_s,
        )
        self._is_open = False
        self._has_started = False
        """Whether the present load was heard already."""
        self._is_starved = False
        self._breaks = Breaks()
        self._background = Background(lock=lock, bus=bus, clock=clock)
        self._unsubscribe = bus.subscribe([ConnectionState], self._on_connection)

    def state(self) -> PlayerState:
        """What plays now."""
        return self._panel.state()

    async def wait_until_stopped(self) -> None:
        """Returns once the status is "stopped"."""
        await self._panel.wait_until_stopped()

    # Verbs; the caller holds the lock

    async def devices(self) -> list[str]:
        """The audio devices. Raises SoundError."""
        await self._open_sound()
        return self._sound.devices()

    def restore(self, queue: Queue, place: Place) -> None:
        """Takes up what was kept, paused."""
        self.queue = queue
        self._panel.volume, self._panel.is_muted = place.volume, place.is_muted
        self._panel.resume_ms = place.position_ms if queue.current else 0
        self._set_status("paused" if queue.current else "stopped")

    async def play(self, queue: Queue) -> None:
        """Plays the current entry of this queue. Raises SoundError."""
        self._listening.end(position_ms=self._panel.position_ms)
        self._set_queue(queue)
        self._breaks.forget_failures()
        await self._load_current(0)

    async def resume(self) -> None:
        """Goes on where it stands. Raises SoundError."""
        if self._deck.current is not None:
            self._sound.set_paused(False)
            self._go_on(self._deck.current) if self._has_started else self._set_status("loading")
            self._watch_silence()
        elif self.queue.current is not None:
            await self._load_current(self._panel.resume_ms)
        elif len(self.queue):
            await self.play(self.queue.turned_to(self.queue.play_order[0]))

    def pause(self) -> None:
        """Stands still."""
        if self._panel.status == "stopped":
            return
        if self._deck.current is not None:
            self._sound.set_paused(True)
        self._set_status("paused")
        self._listening.report()

    def halt(self) -> None:
        """Stops at the current entry's beginning."""
        self._listening.end(position_ms=self._panel.position_ms)
        self._deck.clear()
        self._panel.resume_ms = 0
        self._set_status("stopped")

    def end(self) -> None:
        """Stops, and no entry is current any more."""
        self.halt()
        self._set_queue(self.queue.turned_to(None))
        self._panel.publish()

    def seek(self, position_ms: int) -> None:
        """Goes to a place in the current entry, loaded or not."""
        if self._deck.current is not None:
            self._sound.seek(position_ms)
        else:
            self._panel.resume_ms = position_ms if self.queue.current else 0
        self._panel.publish()
        self._listening.report()

    def set_volume(self, volume: int, *, is_muted: bool) -> None:
        """Sets both."""
        self._panel.volume, self._panel.is_muted = volume, is_muted
        if self._is_open:
            self._sound.set_volume(volume)
            self._sound.set_muted(is_muted)
        self._panel.publish()
        self._listening.report()

    async def change_queue(self, queue: Queue) -> None:
        """Takes a changed queue; what plays goes on if it is still current, else the new current entry plays."""
        before, now = self.queue.current, queue.current
        if before != now:
            self._listening.end(position_ms=self._panel.position_ms)
        self._set_queue(queue)
        if before == now:
            await self._prepare()
        elif now is None:
            self.halt()
        elif self._panel.status in ("paused", "stopped"):
            self._deck.clear()
            self._panel.resume_ms = 0
        else:
            await self._load_current(0)
        self._panel.publish()
        self._panel.keep()  # also where the panel shows nothing of the change

    async def close(self) -> None:
        """Ends the play, waits for what is written, lets go of the sound."""
        self._unsubscribe()
        self._panel.stop_ticks()
        await self._background.close()
        self._panel.keep()
        await self._listening.finish()
        self._is_open = False
        await self._sound.close()
        self._deck.let_go()

    # Loading

    async def _load_current(self, start_ms: int, *, is_plain: bool = False) -> None:
        entry = self.queue.current
        if entry is None:
            return
        self._has_started = self._is_starved = False
        self._panel.resume_ms = start_ms
        self._panel.is_waiting = False
        try:
            await self._open_sound()
        except SoundError as error:
            self._panel.sound_problem = error.text
            self._set_status("stopped")
            raise
        self._sound.set_paused(False)
        await self._deck.load(entry, start_ms=start_ms, is_plain=is_plain)
        self._set_status("loading")
        self._watch_silence()

    async def _open_sound(self) -> None:
        if self._is_open:
            return
        await self._sound.open(self._on_sound, self._files.open_stream)
        self._is_open = True
        self._panel.sound_problem = ""
        self._sound.set_volume(self._panel.volume)
        self._sound.set_muted(self._panel.is_muted)

    async def _prepare(self) -> None:
        """Appends what plays next, so that it follows without a gap."""
        entry = self.queue.next
        if entry is not None and self._panel.is_server_away:
            entry = await next_local(self.queue, self._files)
        await self._deck.prepare(entry)

    async def _advance(self, ended: QueueEntry) -> None:
        """Loads what follows an entry that has ended without a next one in the sound."""
        if self._deck.current is not None or self.queue.current != ended:
            return
        entry = self.queue.next
        if self._panel.is_server_away:
            entry = await next_local(self.queue, self._files) or entry
        await self._go_to(entry)

    async def _go_to(self, entry: QueueEntry | None) -> None:
        if entry is None:
            self.end()
            return
        self._listening.end(position_ms=self._panel.position_ms)
        self._set_queue(self.queue.turned_to(entry.entry_id))
        await self._load_current(0)

    # What the sound says

    def _on_sound(self, event: SoundEvent) -> None:
        if isinstance(event, SoundStarted):
            self._on_started(event)
        elif isinstance(event, SoundEnded):
            self._on_ended(event)
        elif isinstance(event, SoundStalled):
            self._on_stalled(event)
        elif isinstance(event, SoundFacts):
            self._panel.facts = event
            self._panel.publish()
        elif isinstance(event, SoundDevice):
            self._panel.sound_problem = event.problem
            self._panel.publish()

    def _on_started(self, event: SoundStarted) -> None:
        load = self._deck.current
        if event.load_id == self._deck.dropped:
            self._background.run(self._load_current, 0)
            return
        if load is None or event.load_id != load.load_id:
            return
        self._breaks.forget_failures()
        self._has_started = True
        if self._panel.status != "paused":
            self._go_on(load)
        self._panel.publish()
        self._background.run(self._prepare)

    def _go_on(self, load: Load) -> None:
        """Sound comes: a play begins, or the one that waited or was paused goes on."""
        before = self._panel.status
        self._set_status("stalled" if self._is_starved else "playing")
        if not self._listening.is_on:
            self._breaks.forget_cut()
            self._listening.begin(load.entry.track, self._panel.duration_ms)
            self._panel.retick()
        elif before in ("paused", "loading"):
            self._listening.report()

    def _on_stalled(self, event: SoundStalled) -> None:
        self._is_starved = event.is_stalled
        if event.is_stalled and self._panel.status == "playing":
            self._set_status("stalled")
        elif not event.is_stalled and self._panel.status == "stalled" and self._deck.current and self._has_started:
            self._set_status("playing")

    def _on_ended(self, event: SoundEnded) -> None:
        load = self._deck.current
        if load is None or event.load_id != load.load_id:
            return
        if error := self._breaks.error_of(load, event):
            self._panel.resume_ms = event.position_ms
            self._background.run(self._on_failed, load, error)
            return
        self._listening.end(position_ms=event.duration_ms, rest_ms=event.duration_ms - event.position_ms)
        self._panel.resume_ms = 0
        ahead = self._deck.take_over()
        if ahead is None:
            self._background.run(self._advance, load.entry)
            return
        self._has_started = False
        self._set_queue(self.queue.turned_to(ahead.entry.entry_id))
        self._set_status("loading")

    async def _on_failed(self, load: Load, error: JellytuiError) -> None:
        """A track broke off, or did not begin: waits for the server, takes another way, or skips it."""
        if self._deck.current is not load:
            return
        position_ms = self._panel.resume_ms
        match "again" if await self._deck.is_outdated(load) else way_on(load, error):
            case "by_url":
                await self._load_again(position_ms, is_plain=True)
            case "again":
                await self._load_again(position_ms)
            case "wait":
                await self._wait_or_go_on(position_ms)
            case "skip":
                await self._skip(load.entry, error)

    async def _load_again(self, position_ms: int, *, is_plain: bool = False) -> None:
        """Goes on at the same place from another file; when paused, as soon as that ends."""
        if self._panel.status == "paused":
            self._deck.clear()
            self._panel.resume_ms = position_ms
        else:
            await self._load_current(position_ms, is_plain=is_plain)

    async def _wait_or_go_on(self, position_ms: int) -> None:
        self._deck.clear()
        has_begun = self._listening.is_on or position_ms > 0
        if not has_begun and self._panel.is_server_away and await self._gives_way():
            return
        self._panel.resume_ms = position_ms
        if self._panel.status == "paused":
            return
        self._panel.is_waiting = True
        self._set_status("stalled")
        self._background.run_later(_TRY_AGAIN_S, self._try_again, self.queue.current)

    def _watch_silence(self) -> None:
        load = self._deck.current
        if load is not None and not load.is_local and not self._has_started and self._panel.is_server_away:
            self._background.run_later(_SILENT_S, self._leave_silent, load)

    async def _leave_silent(self, load: Load) -> None:
        """With no network, a track of which too little is here to begin gives way to one that is here."""
        is_silent = self._deck.current is load and not self._has_started and self._panel.status == "loading"
        has_begun = self._listening.is_on or self._panel.resume_ms > 0
        if not is_silent or has_begun or not self._panel.is_server_away:
            return
        if not await self._gives_way():
            self._background.run_later(_TRY_AGAIN_S, self._leave_silent, load)

    async def _gives_way(self) -> bool:
        """Whether the current entry gave way to one that is here."""
        local = await next_local(self.queue, self._files)
        if local is None or local == self.queue.current:
            return False
        self._panel.tell_of_absence()
        await self._go_to(local)
        return True

    async def _try_again(self, entry: QueueEntry | None) -> None:
        if self.queue.current == entry and self._panel.is_waiting and self._panel.status == "stalled":
            await self._load_current(self._panel.resume_ms)

    async def _skip(self, entry: QueueEntry, error: JellytuiError) -> None:
        """Says it and goes on, or stops."""
        self._listening.end(position_ms=self._panel.resume_ms, has_failed=True)
        self._deck.clear()
        self._panel.resume_ms = 0
        goes_on, words = self._breaks.skipped(entry, error)
        if not goes_on:
            self._set_status("stopped")
        self._bus.publish(ProblemOccurred(problem=Problem(code=error.code, text=words)))
        if goes_on:
            await self._go_to(self.queue.after(0))

    def _on_connection(self, event: Event) -> None:
        if not isinstance(event, ConnectionState):
            return
        was_away = self._panel.is_server_away
        self._panel.connect(event)
        if was_away == self._panel.is_server_away:
            return
        self._background.run(self._prepare)
        self._watch_silence()
        if was_away:
            self._background.run(self._try_again, self.queue.current)

    # Helpers

    def _set_queue(self, queue: Queue) -> None:
        old, self.queue = self.queue, queue
        if old is not queue:
            self._on_queue(old, queue)

    def _set_status(self, status: Status) -> None:
        self._panel.set_status(status)
        self._listening.run(status == "playing")
