"""NetworkWatch: is the link metered? Asks NetworkManager, else looks at the default route's interface."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from jellytui.engine.clock import Clock, SystemClock
from jellytui.engine.downloads.network.cost import Cost, cost_of_default_route, is_near

log = logging.getLogger(__name__)

POLL_S = 10.0


class NetworkWatch:
    """What `wifi_only` means: not on a metered link (design.md). Subscribers hear when `is_metered` changes."""

    def __init__(
        self,
        *,
        server_url: str,
        clock: Clock | None = None,
        proc: Path = Path("/proc"),
        sysfs: Path = Path("/sys"),
    ) -> None:
        self._is_near = is_near(server_url)
        self._clock = clock or SystemClock()
        self._proc = proc
        self._sysfs = sysfs
        self._cost = Cost.FREE if self._is_near else Cost.UNKNOWN
        self._callbacks: list[Callable[[], None]] = []
        self._poller: asyncio.Task[None] | None = None

    @property
    def cost(self) -> Cost:
        """What the link costs, as far as known."""
        return self._cost

    @property
    def is_metered(self) -> bool:
        """Whether it is known to cost money; a link of which nobody knows does not (servers, containers)."""
        return self._cost is Cost.METERED

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Calls back whenever `is_metered` has changed; returns what ends that."""
        self._callbacks.append(callback)

        def unsubscribe() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return unsubscribe

    async def start(self) -> None:
        """Looks once, and from then on every ten seconds. A server in this house needs no looking."""
        if self._is_near:
            return
        await self._look()
        self._poller = asyncio.create_task(self._poll(), name="network watch")

    async def stop(self) -> None:
        """Looks no more."""
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)
            self._poller = None

    async def _poll(self) -> None:
        while True:
            await self._clock.sleep(POLL_S)
            await self._look()

    async def _look(self) -> None:
        self._set(cost_of_default_route(self._proc, self._sysfs))

    def _set(self, cost: Cost) -> None:
        was_metered, self._cost = self.is_metered, cost
        if was_metered == self.is_metered:
            return
        log.info("the link is %s now", "metered" if self.is_metered else "not metered any more")
        for callback in list(self._callbacks):
            callback()
