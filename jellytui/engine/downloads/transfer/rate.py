"""The bandwidth limit of all downloads together, and their courtesy towards a listener."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from jellytui.engine.clock import Clock

_BURST_S = 0.25
_BREATH_RATE = 64_000_000
"""Bytes per second at which a transfer leaves the processor to others."""
_BREATH_BURST_S = 0.004


class Gate:
    """What a transfer passes with each chunk: waits while a listener is short of bytes and when over the limit."""

    def __init__(self, *, max_rate: int, clock: Clock) -> None:
        self._max_rate = max_rate
        """Bytes per second; 0 = no limit."""
        self._clock = clock
        self._free_at = clock.monotonic()
        self._is_held = False
        self._reviewed = asyncio.Event()

    def limit(self, max_rate: int) -> None:
        """Another limit in bytes per second from now on; 0 = none."""
        self._max_rate = max_rate

    def hold(self, is_held: bool) -> None:
        """Stops all reading while a listener has less than ten seconds ahead (design.md)."""
        self._is_held = is_held
        self.review()

    def review(self) -> None:
        """Lets everybody who waits look again: who was held may be exempt now."""
        self._reviewed.set()
        self._reviewed = asyncio.Event()

    async def admit(self, count: int, *, is_exempt: Callable[[], bool]) -> bool:
        """Lets a chunk of that size pass, at once what a listener waits for; whether it had to wait."""
        has_waited = False
        while self._is_held and not is_exempt():
            has_waited = True
            await self._reviewed.wait()
        if not self._max_rate or is_exempt():
            return has_waited
        now = self._clock.monotonic()
        self._free_at = max(self._free_at, now - _BURST_S) + count / self._max_rate
        if self._free_at <= now:
            return has_waited
        await self._clock.sleep(self._free_at - now)
        return True


class Breath:
    """The pauses of a stream on a fast line, in true time; on one slower than 64 MB/s it needs none."""

    def __init__(self) -> None:
        self._free_at = time.monotonic()

    def needed_s(self, count: int) -> float:
        """How long to pause after so many bytes, in seconds."""
        now = time.monotonic()
        self._free_at = max(self._free_at, now - _BREATH_BURST_S) + count / _BREATH_RATE
        return max(0.0, self._free_at - now)
