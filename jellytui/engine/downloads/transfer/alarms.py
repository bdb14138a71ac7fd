"""Alarms: when each waiting row is due, by a clock that nobody sets."""

from __future__ import annotations

import heapq

from jellytui.engine.clock import Clock


class Alarms:
    """One alarm for each row; a later one takes the place of an earlier."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[int, float] = {}
        """When each row is due, monotonic."""
        self._heap: list[tuple[float, int]] = []
        """The same as a heap; an entry counts only while `_due` says so too."""

    def set(self, download_id: int, seconds: float) -> None:
        """The row is due after so many seconds, whatever is done to the wall clock meanwhile."""
        due = self._due[download_id] = self._clock.monotonic() + seconds
        heapq.heappush(self._heap, (due, download_id))

    def ring(self) -> list[int]:
        """The rows that are due; their alarms are over."""
        rung: list[int] = []
        while self._heap and self._heap[0][0] <= self._clock.monotonic():
            due, download_id = heapq.heappop(self._heap)
            if self._due.get(download_id) == due:
                del self._due[download_id]
                rung.append(download_id)
        return rung

    @property
    def is_set(self) -> bool:
        """Whether some row waits."""
        return bool(self._heap)

    async def wait(self) -> None:
        """Returns when the next row is due; some alarm must be set."""
        await self._clock.sleep(max(0.0, self._heap[0][0] - self._clock.monotonic()))
