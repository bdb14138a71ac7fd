"""Waiting for conditions instead of for time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_POLL_S = 0.01
_LIMIT_S = 30.0


async def settle(rounds: int = 40) -> None:
    """Lets the loop, and threads that answer it at once (SQLite), do what is ready."""
    for _ in range(rounds):
        await asyncio.sleep(0)
    await asyncio.sleep(0.002)
    for _ in range(rounds):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object]) -> None:
    """Returns once the condition holds. Raises TimeoutError when it never does."""
    async with asyncio.timeout(_LIMIT_S):
        while not condition():
            await asyncio.sleep(_POLL_S)
