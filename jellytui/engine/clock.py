"""Time as the engine sees it, so that tests can turn the hands."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, Protocol


class Clock(Protocol):
    """Wall clock, monotonic clock and sleeping."""

    def now(self) -> datetime:
        """The wall clock in UTC; may jump."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""

    async def sleep(self, seconds: float) -> None:
        """Waits for that many seconds of this clock."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def first_of(*waits: Coroutine[Any, Any, object]) -> None:
    """Returns when the first of these waits is over; the others are cancelled, and over too."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def timestamp(moment: datetime) -> str:
    """The moment as stored in the database: ISO 8601 in UTC with microseconds, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
