"""Background: what the player does beside its verbs, never at the same time as one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from jellytui.engine.bus import EventBus
from jellytui.engine.clock import Clock
from jellytui.engine.errors import JellytuiError
from jellytui.engine.events import ProblemOccurred
from jellytui.engine.models import Problem

log = logging.getLogger(__name__)

Work = Callable[..., Awaitable[None]]


class Background:
    """Runs work under the player's lock; an error of it becomes a problem for the user."""

    def __init__(self, *, lock: asyncio.Lock, bus: EventBus, clock: Clock) -> None:
        self._lock = lock
        self._bus = bus
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, work: Work, *arguments: Any) -> None:
        """Does it as soon as no verb is under way."""
        self._start(self._locked(work, arguments))

    def run_later(self, seconds: float, work: Work, *arguments: Any) -> None:
        """Does it after some time."""
        self._start(self._delayed(seconds, work, arguments))

    async def close(self) -> None:
        """Gives up what has not been done."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _locked(self, work: Work, arguments: Sequence[Any]) -> None:
        async with self._lock:
            await work(*arguments)

    async def _delayed(self, seconds: float, work: Work, arguments: Sequence[Any]) -> None:
        await self._clock.sleep(seconds)
        await self._locked(work, arguments)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, JellytuiError):
            self._bus.publish(ProblemOccurred(problem=Problem(code=error.code, text=error.text)))
        else:
            log.error("playing on failed", exc_info=error)
