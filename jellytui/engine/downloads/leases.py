"""Leases: who reads a file holds one, and evict, delete, move and repair leave it alone until it is released."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Leases:
    """Counts the readers of each item's file; on the engine's loop only."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()
        self._waiting: dict[str, list[Callable[[], None]]] = {}

    @contextmanager
    def hold(self, item_id: str) -> Iterator[None]:
        """Holds the item's file while the block runs."""
        self._held[item_id] += 1
        try:
            yield
        finally:
            self._held[item_id] -= 1
            if not self._held[item_id]:
                del self._held[item_id]
                for callback in self._waiting.pop(item_id, []):
                    callback()

    def is_held(self, item_id: str) -> bool:
        """Whether somebody reads it."""
        return item_id in self._held

    def when_released(self, item_id: str, callback: Callable[[], None]) -> None:
        """Calls back once nobody reads it any more; at once when nobody does."""
        if item_id in self._held:
            self._waiting.setdefault(item_id, []).append(callback)
        else:
            callback()
