"""NetworkWatch: is the link metered? Asks NetworkManager, else looks at the default route's interface."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from jellytui.engine.clock import Clock, SystemClock
from jellytui.engine.downloads.network.cost import Cost, cost_of_default_route, is_near
from jellytui.engine.downloads.network.networkmanager import NetworkManager

log = logging.getLogger(__name__)

POLL_S = 10.0
_JOIN_WITHIN_S = 0.3
"""How long the start waits for the first word of NetworkManager; later is well too."""


class NetworkWatch:
    """What `wifi_only` means: not on a metered link (design.md). Subscribers hear when `is_metered` changes."""

    def __init__(
        self,
        *,
        server_url: str,
        clock: Clock | None = None,
        proc: Path = Path("/proc"),
        sysfs: Path = Path("/sys"),
        bus_address: str | None = None,
    ) -> None:
        self._is_near = is_near(server_url)
        self._clock = clock or SystemClock()
        self._proc = proc
        self._sysfs = sysfs
        self._cost = Cost.FREE if self._is_near else Cost.UNKNOWN
        self._callbacks: list[Callable[[], None]] = []
        self._manager = NetworkManager(self._look, address=bus_address)
        self._joining: asyncio.Task[None] | None = None
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
        """Looks once, then whenever NetworkManager tells, and every ten seconds. A server in this house needs none."""
        if self._is_near:
            return
        self._joining = asyncio.create_task(self._manager.start(), name="join NetworkManager")
        await asyncio.wait({self._joining}, timeout=_JOIN_WITHIN_S)
        self._look()
        self._poller = asyncio.create_task(self._poll(), name="network watch")

    async def stop(self) -> None:
        """Looks no more."""
        tasks = [task for task in (self._joining, self._poller) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._manager.stop()

    async def _poll(self) -> None:
        while True:
            await self._clock.sleep(POLL_S)
            self._look()

    def _look(self) -> None:
        cost = self._manager.cost
        if cost is Cost.UNKNOWN:
            cost = cost_of_default_route(self._proc, self._sysfs)
        was_metered, self._cost = self.is_metered, cost
        if was_metered == self.is_metered:
            return
        log.info("the link is %s now", "metered" if self.is_metered else "not metered any more")
        for callback in list(self._callbacks):
            callback()
