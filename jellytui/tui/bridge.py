"""Turns the backend's events into calls on the stores, on Textual's side of the loop.

Tasks made outside Textual lose its context and their timers die silently (textual.md 6.7): the app runs `pump` as a
worker, one for each stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from jellytui.engine.backend import Backend
from jellytui.engine.events import Event, OccurrenceEvent
from jellytui.tui.stores.base import Store

CALM_SECONDS = 0.05
BUSY_SECONDS = 0.25


async def pump(
    backend: Backend,
    stores: Sequence[Store],
    *,
    every_seconds: float,
    occurrences: Sequence[type[Event]] = (),
    on_occurrence: Callable[[Event], None] | None = None,
) -> None:
    """Feeds the stores until the stream ends: the first event at once, then at most one flush in so many seconds."""
    kinds = [kind for store in stores for kind in store.kinds]
    async with backend.events([*kinds, *occurrences]) as stream:
        for store in stores:
            await store.load()
            store.flush()
        while events := await stream.batch():
            for event in events:
                if isinstance(event, OccurrenceEvent) and on_occurrence is not None:
                    on_occurrence(event)
                for store in stores:
                    if isinstance(event, store.kinds):
                        store.apply(event)
            for store in stores:
                store.flush()
            # What comes meanwhile waits in the stream, conflated by key.
            await asyncio.sleep(every_seconds)
