"""NullSound: a Sound without libmpv whose music passes by the test's clock."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from jellytui.engine.clock import Clock
from jellytui.engine.errors import JellytuiError
from jellytui.engine.player.sound import (
    OpenStream,
    SoundEnded,
    SoundEvent,
    SoundFacts,
    SoundListener,
    SoundStalled,
    SoundStarted,
)


@dataclass
class Loaded:
    """What was given to `load` or `append`."""

    load_id: int
    uri: str
    gain_db: float | None
    start_ms: int = 0


@dataclass
class NullSound:
    """Plays silence of `lengths_ms[uri]`, else `length_ms`; a load of a URI in `failures` ends with that error, one in
    `starving` waits for its first bytes.

    `guess_ms` is what it says of a load's length as it begins; 0 = nothing.
    """

    clock: Clock
    length_ms: int = 100_000
    lengths_ms: dict[str, int] = field(default_factory=dict)
    guess_ms: int = 0
    failures: dict[str, JellytuiError] = field(default_factory=dict)
    starving: set[str] = field(default_factory=set)
    open_error: JellytuiError | None = None
    loads: list[Loaded] = field(default_factory=list)
    playing: Loaded | None = None
    appended: Loaded | None = None
    is_paused: bool = False
    is_stalled: bool = False
    is_open: bool = False
    volume: int = -1
    is_muted: bool = False

    def __post_init__(self) -> None:
        self._listener: SoundListener | None = None
        self._base_ms = 0
        self._since = 0.0
        self._ending: asyncio.Task[None] | None = None

    async def open(self, listener: SoundListener, open_stream: OpenStream) -> None:
        if self.open_error is not None:
            raise self.open_error
        self._listener = listener
        self.is_open = True

    @property
    def position_ms(self) -> int:
        if self.playing is None:
            return 0
        passed = 0 if self.is_paused or self.is_stalled else round((self.clock.monotonic() - self._since) * 1000)
        return min(self._length_ms(self.playing), self._base_ms + passed)

    @property
    def uris(self) -> list[str]:
        """What was loaded or appended, in order."""
        return [loaded.uri for loaded in self.loads]

    def load(self, uri: str, *, start_ms: int, gain_db: float | None) -> int:
        self.appended = None
        loaded = self._make(uri, gain_db, start_ms)
        self._start(loaded)
        return loaded.load_id

    def append(self, uri: str, *, gain_db: float | None) -> int:
        self.appended = self._make(uri, gain_db, 0)
        return self.appended.load_id

    def drop_appended(self) -> None:
        self.appended = None

    def set_paused(self, is_paused: bool) -> None:
        self._base_ms = self.position_ms
        self.is_paused = is_paused
        self._run_on()

    def stall(self, is_stalled: bool) -> None:
        """Bytes are missing, or have come."""
        self._base_ms = self.position_ms
        self.is_stalled = is_stalled
        self._post(SoundStalled(is_stalled=is_stalled))
        self._run_on()

    def seek(self, position_ms: int) -> None:
        if self.playing is None:
            return
        self._base_ms = position_ms
        self._run_on()
        self._post(SoundStarted(load_id=self.playing.load_id))

    def set_volume(self, volume: int) -> None:
        self.volume = volume

    def set_muted(self, is_muted: bool) -> None:
        self.is_muted = is_muted

    def halt(self) -> None:
        self.playing = self.appended = None
        self._stop_ending()

    def devices(self) -> list[str]:
        return ["auto"]

    async def close(self) -> None:
        self.halt()
        self.is_open = False

    def break_off(self, error: JellytuiError | None = None) -> None:
        """The present load ends where it is: by an error, or like a network that is gone."""
        assert self.playing is not None
        self._end(self.playing, error)

    def _make(self, uri: str, gain_db: float | None, start_ms: int) -> Loaded:
        loaded = Loaded(len(self.loads) + 1, uri, gain_db, start_ms)
        self.loads.append(loaded)
        return loaded

    def _start(self, loaded: Loaded) -> None:
        self.playing = loaded
        self._base_ms = loaded.start_ms
        if loaded.uri in self.failures:
            self._end(loaded, self.failures[loaded.uri])
            return
        if loaded.uri in self.starving:
            return
        self._run_on()
        if self.guess_ms:
            self._post(SoundFacts(load_id=loaded.load_id, duration_ms=self.guess_ms))
        self._post(SoundStarted(load_id=loaded.load_id))

    def _run_on(self) -> None:
        """From here, now."""
        self._since = self.clock.monotonic()
        self._stop_ending()
        if self.playing is not None and not self.is_paused and not self.is_stalled:
            left_ms = self._length_ms(self.playing) - self._base_ms
            self._ending = asyncio.create_task(self._end_later(self.playing, left_ms / 1000))

    async def _end_later(self, loaded: Loaded, seconds: float) -> None:
        await self.clock.sleep(seconds)
        self._ending = None
        self._end(loaded, None)

    def _end(self, loaded: Loaded, error: JellytuiError | None) -> None:
        position_ms = self.position_ms
        self._stop_ending()
        following, self.playing, self.appended = self.appended, None, None
        self._post(
            SoundEnded(
                load_id=loaded.load_id,
                reason="error" if error else "eof",
                position_ms=position_ms,
                duration_ms=self._length_ms(loaded),
                error=error,
            )
        )
        if following is not None:
            self._start(following)

    def _length_ms(self, loaded: Loaded) -> int:
        return self.lengths_ms.get(loaded.uri, self.length_ms)

    def _stop_ending(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None

    def _post(self, event: SoundEvent) -> None:
        if self._listener is not None:
            asyncio.get_running_loop().call_soon(self._listener, event)
