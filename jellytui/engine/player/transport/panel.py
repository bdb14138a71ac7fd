"""Panel: what the player shows, published at every change and once a second while it plays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from jellytui.engine.bus import EventBus
from jellytui.engine.clock import Clock
from jellytui.engine.errors import ServerUnreachableError
from jellytui.engine.events import ConnectionState, PlayerState, ProblemOccurred
from jellytui.engine.models import Problem
from jellytui.engine.player.queue import Queue
from jellytui.engine.player.sound import Sound, SoundFacts
from jellytui.engine.player.store import Place
from jellytui.engine.player.transport.deck import Deck

Status = Literal["stopped", "loading", "playing", "paused", "stalled"]

_TICK_S = 1.0
_PAUSED_TICK_S = 10.0
"""Also while paused: after some minutes without a report the server ends the session (jellyfin-api.md 11.2)."""
_KEEP_EVERY_S = 5.0


class Panel:
    """The player's state beside the queue. `on_place` keeps it; `on_tick` looks after the play each second."""

    def __init__(
        self,
        *,
        sound: Sound,
        deck: Deck,
        bus: EventBus,
        clock: Clock,
        queue: Callable[[], Queue],
        on_place: Callable[[Place], None],
        on_tick: Callable[[], None],
        due_in_s: Callable[[], float | None],
    ) -> None:
        self.volume, self.is_muted = 80, False
        self.facts: SoundFacts | None = None
        self.sound_problem = ""
        self.is_waiting = False
        """For the server, with nothing in the sound."""
        self.resume_ms = 0
        """Where the current entry begins when it is loaded; its position while it is not."""
        self._status: Status = "stopped"
        self._stopped = asyncio.Event()
        self._stopped.set()
        self._sound = sound
        self._deck = deck
        self._bus = bus
        self._clock = clock
        self._queue = queue
        self._on_place = on_place
        self._on_tick = on_tick
        self._due_in_s = due_in_s
        self._connection = ConnectionState()
        self._is_absence_told = False
        self._published: PlayerState | None = None
        self._kept_at = clock.monotonic()
        self._ticker: asyncio.Task[None] | None = None

    @property
    def status(self) -> Status:
        """Stopped, loading, playing, paused, or stalled: waiting for bytes."""
        return self._status

    @property
    def is_server_away(self) -> bool:
        """Whether it is known that the server is not there."""
        return self._connection.is_away

    @property
    def position_ms(self) -> int:
        """Where the current entry is."""
        if self._deck.current is None or self._status == "loading":
            return self.resume_ms
        return self._sound.position_ms

    @property
    def duration_ms(self) -> int:
        """How long the current entry is: by its file, else by the catalogue.

        What is still coming is at least as long as the catalogue says: where its length is unknown, mpv takes what has
        come for all there is.
        """
        load, facts, entry = self._deck.current, self._current_facts(), self._queue().current
        by_sound, by_catalogue = facts.duration_ms if facts else 0, entry.track.duration_ms if entry else 0
        if by_sound and load is not None and load.is_local:
            return by_sound
        return max(by_sound, by_catalogue)

    def state(self) -> PlayerState:
        """All that a face shows of the player."""
        queue, load, facts = self._queue(), self._deck.current, self._current_facts()
        entry = queue.current
        return PlayerState(
            track=entry.track if entry else None,
            entry_id=entry.entry_id if entry else None,
            status="stalled" if self._is_stuck() else self._status,
            position_ms=self.position_ms,
            duration_ms=self.duration_ms,
            volume=self.volume,
            is_muted=self.is_muted,
            repeat=queue.repeat,
            is_shuffled=queue.is_shuffled,
            source="" if load is None else "disk" if load.is_local else "server",
            codec=facts.codec if facts else "",
            sample_rate_hz=facts.sample_rate_hz if facts else 0,
            bit_depth=facts.bit_depth if facts else 0,
            gain_db=self._deck.gain(load.entry.track) if load else None,
            waiting_for=self._waiting_for(),
            has_sound=not self.sound_problem,
            sound_problem=self.sound_problem,
        )

    def set_status(self, status: Status) -> None:
        """Shows another status; writes the place down at once."""
        is_change = status != self._status
        self._status = status
        if status == "stopped":
            self._stopped.set()
        else:
            self._stopped.clear()
        if is_change:
            self.retick()
        self.publish()

    def connect(self, state: ConnectionState) -> None:
        """Hears of the server."""
        self._connection = state
        self._is_absence_told = self._is_absence_told and self.is_server_away
        self.publish()

    def tell_of_absence(self) -> None:
        """Says, once each time that the server goes away, that what is here plays instead of what was chosen."""
        if self._is_absence_told:
            return
        self._is_absence_told = True
        words = f"{self._connection.server_name or 'The server'} does not answer. Playing what is on this machine."
        self._bus.publish(ProblemOccurred(problem=Problem(code=ServerUnreachableError.code, text=words)))

    def publish(self) -> None:
        """Tells everybody, and the disk, when something has changed."""
        state = self.state()
        if state == self._published:
            return
        self._published = state
        self._bus.publish(state)
        self.keep()

    def keep(self) -> None:
        """Writes the place down."""
        entry = self._queue().current
        self._kept_at = self._clock.monotonic()
        self._on_place(
            Place(
                entry_id=entry.entry_id if entry else None,
                position_ms=self.position_ms,
                volume=self.volume,
                is_muted=self.is_muted,
                repeat=self._queue().repeat,
            )
        )

    def retick(self) -> None:
        """Begins the ticks anew: each second while it plays, rarely while it is paused, none while it is stopped."""
        self.stop_ticks()
        if self._status != "stopped":
            self._ticker = asyncio.create_task(self._tick())

    def stop_ticks(self) -> None:
        """No more ticks."""
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None

    async def wait_until_stopped(self) -> None:
        """Returns once the status is "stopped"."""
        await self._stopped.wait()

    async def _tick(self) -> None:
        while True:
            due_in_s = self._due_in_s()
            pause = _PAUSED_TICK_S if self._status == "paused" else _TICK_S
            await self._clock.sleep(pause if due_in_s is None else min(pause, due_in_s))
            self._on_tick()
            self._show_position()

    def _show_position(self) -> None:
        """The position goes out each second; to the disk only every few."""
        state = self.state()
        if state != self._published:
            self._published = state
            self._bus.publish(state)
        if self._clock.monotonic() - self._kept_at >= _KEEP_EVERY_S:
            self.keep()

    def _current_facts(self) -> SoundFacts | None:
        load = self._deck.current
        return self.facts if load and self.facts and self.facts.load_id == load.load_id else None

    def _is_stuck(self) -> bool:
        """It loads from a server that is not there."""
        load = self._deck.current
        return self._status == "loading" and self.is_server_away and load is not None and not load.is_local

    def _waiting_for(self) -> str:
        if self._status != "stalled" and not self._is_stuck():
            return ""
        if self.is_server_away or self.is_waiting:
            return f"waits for {self._connection.server_name or 'the server'}"
        return "waits for the music"
