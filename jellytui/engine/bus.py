"""EventBus: one place through which the engine tells everybody what happened."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from types import TracebackType

from jellytui.engine.events import Event, StateEvent

log = logging.getLogger(__name__)

Callback = Callable[[Event], None]


class Listener:
    """Events for one slow consumer: states conflated by key, occurrences all kept, in order of first arrival.

    Use as an async context manager and iterate, or call `batch()` for all that is waiting.
    """

    def __init__(self, bus: EventBus, kinds: tuple[type[Event], ...] | None) -> None:
        self._bus = bus
        self._kinds = kinds
        self._waiting: dict[object, Event] = {}
        self._arrived = asyncio.Event()
        self._is_closed = False

    def accept(self, event: Event) -> None:
        """Takes one event; called by the bus on its loop."""
        if self._kinds is not None and not isinstance(event, self._kinds):
            return
        key: object = event.key if isinstance(event, StateEvent) else object()
        self._waiting[key] = event
        self._arrived.set()

    async def batch(self) -> list[Event]:
        """All that is waiting, at least one; empty once closed."""
        await self._arrived.wait()
        events = list(self._waiting.values())
        self._waiting.clear()
        if not self._is_closed:
            self._arrived.clear()
        return events

    async def __aiter__(self) -> AsyncIterator[Event]:
        while events := await self.batch():
            for event in events:
                yield event

    async def __aenter__(self) -> Listener:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stops listening and ends the iteration."""
        self._is_closed = True
        self._arrived.set()
        self._bus.forget(self)


class EventBus:
    """Publishes on one event loop; callbacks are cheap and synchronous, listeners are pulled."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._retained: dict[str, Event] = {}
        self._callbacks: list[tuple[tuple[type[Event], ...], Callback]] = []
        self._listeners: list[Listener] = []

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Names the loop on which everything is published."""
        self._loop = loop

    def publish(self, event: Event) -> None:
        """Hands the event to everybody; on the bus's loop only. A failing callback is logged, the others go on."""
        if isinstance(event, StateEvent) and event.retained:
            self._retained[event.key] = event
        for kinds, callback in list(self._callbacks):
            if not isinstance(event, kinds):
                continue
            try:
                callback(event)
            except Exception:
                log.exception("a subscriber failed on %s", type(event).__name__)
        for listener in list(self._listeners):
            listener.accept(event)

    def publish_threadsafe(self, event: Event) -> None:
        """Publishes from any thread; drops the event when the loop has ended."""
        if self._loop is None or self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self.publish, event)

    def subscribe(self, kinds: Iterable[type[Event]], callback: Callback) -> Callable[[], None]:
        """Calls back at once for each event of these kinds; returns what ends the subscription."""
        entry = (tuple(kinds), callback)
        self._callbacks.append(entry)

        def unsubscribe() -> None:
            if entry in self._callbacks:
                self._callbacks.remove(entry)

        return unsubscribe

    def listen(self, kinds: Iterable[type[Event]] | None = None) -> Listener:
        """A listener that first gets the retained states (the snapshot), then what happens."""
        listener = Listener(self, None if kinds is None else tuple(kinds))
        for event in self._retained.values():
            listener.accept(event)
        self._listeners.append(listener)
        return listener

    def forget(self, listener: Listener) -> None:
        """Takes a listener off; harmless when it is gone already."""
        if listener in self._listeners:
            self._listeners.remove(listener)
