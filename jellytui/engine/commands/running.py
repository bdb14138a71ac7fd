"""Running: commands that are done whole, also when nobody waits for them any more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from jellytui.engine.errors import EngineGoneError, JellytuiError

log = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S = 5.0


class Running:
    """Each has a task of its own: its caller may be cancelled at any moment (a face goes, somebody presses ctrl+c)."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    async def whole(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Does it to its end; a cancelled caller goes at once. Raises EngineGoneError once closed."""
        if self._is_closed:
            work.close()
            raise EngineGoneError("This jellytui is ending.")
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_log_failure)
            raise

    async def close(self) -> None:
        """Waits a while for what is under way, then breaks it off."""
        self._is_closed = True
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=_CLOSE_TIMEOUT_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def _log_failure(task: asyncio.Task[Any]) -> None:
    if task.cancelled() or (error := task.exception()) is None:
        return
    if isinstance(error, JellytuiError):
        log.info("a command for which nobody waited failed: %s", error)
    else:
        log.error("a command for which nobody waited broke", exc_info=error)
