"""A clock whose hands the test turns."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta


class ManualClock:
    """Stands still until `advance`; sleepers wake in order of their times. `is_running` makes sleeps end at once."""

    def __init__(self, *, is_running: bool = False) -> None:
        self.slept: list[float] = []
        self._now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        self._monotonic = 1000.0
        self._is_running = is_running
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self._is_running or seconds <= 0:
            self._turn(max(0.0, seconds))
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._monotonic + seconds, self._count, future))
        await future

    async def advance(self, seconds: float) -> None:
        """Turns the hands and lets everybody who is due run."""
        end = self._monotonic + seconds
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, future = heapq.heappop(self._sleepers)
            self._turn(max(0.0, due - self._monotonic))
            if not future.done():
                future.set_result(None)
            for _ in range(10):
                await asyncio.sleep(0)
        self._turn(end - self._monotonic)

    def set_wall(self, moment: datetime) -> None:
        """Sets the wall clock alone, as a user or NTP does."""
        self._now = moment

    @property
    def sleepers(self) -> int:
        """How many wait."""
        return sum(1 for _, _, future in self._sleepers if not future.done())

    def _turn(self, seconds: float) -> None:
        self._monotonic += seconds
        self._now += timedelta(seconds=seconds)
