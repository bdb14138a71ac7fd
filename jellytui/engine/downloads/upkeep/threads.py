"""Work in threads that can be stopped: whoever is cancelled waits until his thread has let go of the files."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class StoppedError(Exception):
    """Raised in the thread once nobody waits for it any more."""


class Stop:
    """Asked by the thread between two steps."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Tells the thread to end soon."""
        self._event.set()

    def check(self) -> None:
        """Raises StoppedError when the work is not wanted any more."""
        if self._event.is_set():
            raise StoppedError


async def stoppable(work: Callable[Concatenate[Stop, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs `work(stop, …)` in a thread; when cancelled it stops the thread, waits for its end, then goes."""
    stop = Stop()
    running = asyncio.ensure_future(asyncio.to_thread(work, stop, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # seen: StoppedError, or an error that nobody waits for
        raise


async def finished(work: Coroutine[Any, Any, T]) -> T:
    """Runs to its end what must not be done by half; a cancelled caller goes only then."""
    running = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
