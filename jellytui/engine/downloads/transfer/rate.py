"""The bandwidth limit of all downloads together, and their courtesy towards a listener."""

from __future__ import annotations

import asyncio

from jellytui.engine.clock import Clock

_BURST_S = 0.25


class Gate:
    """What a transfer passes with each chunk: waits while a listener is short of bytes and when over the limit."""

    def __init__(self, *, max_rate: int, clock: Clock) -> None:
        self._max_rate = max_rate
        """Bytes per second; 0 = no limit."""
        self._clock = clock
        self._free_at = clock.monotonic()
        self._open = asyncio.Event()
        self._open.set()

    def hold(self, is_held: bool) -> None:
        """Stops all reading while a listener has less than ten seconds ahead (design.md)."""
        if is_held:
            self._open.clear()
        else:
            self._open.set()

    async def admit(self, count: int) -> bool:
        """Lets a chunk of that size pass; whether it had to wait."""
        has_waited = not self._open.is_set()
        if has_waited:
            await self._open.wait()
        if not self._max_rate:
            return has_waited
        now = self._clock.monotonic()
        self._free_at = max(self._free_at, now - _BURST_S) + count / self._max_rate
        if self._free_at <= now:
            return has_waited
        await self._clock.sleep(self._free_at - now)
        return True
