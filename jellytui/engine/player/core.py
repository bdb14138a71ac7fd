"""Core: a libmpv core from its making to its end, each in a thread, however early its user goes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any

from jellytui.engine.errors import SoundError
from jellytui.engine.player.stream import Streams

log = logging.getLogger(__name__)

CLOSED = "The sound is closed."
_CLOSE_TIMEOUT_S = 5.0

Made = tuple[Any, Streams]
"""The handle of python-mpv, and the streams that it reads."""


class Core:
    """One libmpv core: made once, or again where that has failed, and ended once."""

    def __init__(self) -> None:
        self._making: asyncio.Task[Made] | None = None
        self._is_closed = False

    async def open(self, make: Callable[[], Made]) -> Made:
        """What `make` made in a thread. Who is cancelled meanwhile leaves it to the next one, or to `close`.

        Raises SoundError once closed, and what `make` raises.
        """
        if self._is_closed:
            raise SoundError(CLOSED)
        if self._making is None or _has_failed(self._making):
            self._making = asyncio.create_task(asyncio.to_thread(make))
        made = await asyncio.shield(self._making)
        if self._has_closed():
            raise SoundError(CLOSED)
        return made

    async def close(self) -> None:
        """Ends it, also while it is being made; waits for that a while."""
        self._is_closed = True
        if self._making is None:
            return
        _, late = await asyncio.wait([asyncio.create_task(_end(self._making))], timeout=_CLOSE_TIMEOUT_S)
        if late:
            log.warning("libmpv did not end in time; it ends with the process")

    def _has_closed(self) -> bool:
        return self._is_closed


def _has_failed(making: asyncio.Task[Made]) -> bool:
    return making.done() and (making.cancelled() or making.exception() is not None)


async def _end(making: asyncio.Task[Made]) -> None:
    await asyncio.wait([making])
    if _has_failed(making):
        return
    handle, _ = making.result()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def terminate() -> None:
        handle.terminate()
        with contextlib.suppress(RuntimeError):  # the loop has not waited for us
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=terminate, name="mpv-terminate", daemon=True).start()
    await ended.wait()
