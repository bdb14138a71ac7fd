"""Bytes per second, over the last few seconds."""

from __future__ import annotations

from collections import deque

from jellytui.engine.clock import Clock

WINDOW_S = 5.0
_STEP_S = 0.25


class SpeedMeter:
    """Counts bytes as they come; the mean over the last five seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began_at = clock.monotonic()
        self._steps: deque[tuple[float, int]] = deque()

    def add(self, count: int) -> None:
        """Counts bytes that came just now."""
        now = self._clock.monotonic()
        if self._steps and now - self._steps[-1][0] < _STEP_S:
            began, before = self._steps[-1]
            self._steps[-1] = (began, before + count)
        else:
            self._steps.append((now, count))
        self._forget(now)

    @property
    def bytes_per_second(self) -> float:
        now = self._clock.monotonic()
        self._forget(now)
        elapsed = min(WINDOW_S, now - self._began_at)
        return sum(count for _, count in self._steps) / max(elapsed, _STEP_S)

    def _forget(self, now: float) -> None:
        while self._steps and now - self._steps[0][0] > WINDOW_S:
            self._steps.popleft()
