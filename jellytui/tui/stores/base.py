"""Store: a plain object that mirrors some of the backend's events and tells subscribers which keys changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from jellytui.engine.events import Event

Keys = frozenset[str]
Subscriber = Callable[[Keys], None]


class Store:
    """Applies events and collects the keys that they changed; `flush` hands them out at once.

    The bridge applies and flushes, at most 4 times a second for what changes fast. Screens subscribe through
    `BaseScreen.follow`, which holds back what happens while they are hidden.
    """

    kinds: ClassVar[tuple[type[Event], ...]] = ()
    """The events that this store applies."""

    def __init__(self) -> None:
        self._changed: set[str] = set()
        self._subscribers: list[Subscriber] = []

    async def load(self) -> None:
        """Reads what no retained state carries; called once, when the events are already listened to."""

    def apply(self, event: Event) -> None:
        """Takes one event of `kinds` and marks what it changes."""
        raise NotImplementedError

    def mark(self, *keys: str) -> None:
        """Notes that these keys have changed."""
        self._changed.update(keys)

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Calls back with the changed keys at each flush; returns what ends the subscription."""
        self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)

        return unsubscribe

    def flush(self) -> None:
        """Tells the subscribers what changed since the last flush; does nothing when nothing did."""
        if not self._changed:
            return
        keys = frozenset(self._changed)
        self._changed.clear()
        for subscriber in list(self._subscribers):
            subscriber(keys)
