"""NetworkWatch: is the link metered? Asks NetworkManager, else looks at the default route's interface."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from jellytui.engine.clock import Clock, SystemClock
from jellytui.engine.downloads.network.cost import (
    Address,
    Cost,
    address_of,
    cost_of_default_route,
    is_on_link,
    is_this_machine,
    name_in_the_house,
)
from jellytui.engine.downloads.network.networkmanager import NetworkManager

log = logging.getLogger(__name__)

POLL_S = 10.0
_JOIN_WITHIN_S = 0.3
"""How long the start waits for the first word of NetworkManager, and of the house's names; later is well too."""


class NetworkWatch:
    """What `wifi_only` means: not on a metered link (design.md). Subscribers hear when `is_metered` changes.

    A server on the same Ethernet or Wi-Fi costs nothing, whatever leads out; behind a VPN it costs what leads out does.
    """

    def __init__(
        self,
        *,
        server_url: str,
        clock: Clock | None = None,
        proc: Path = Path("/proc"),
        sysfs: Path = Path("/sys"),
        bus_address: str | None = None,
    ) -> None:
        self._is_this_machine = is_this_machine(server_url)
        self._name = name_in_the_house(server_url)
        self._addresses: list[Address] = []
        self._clock = clock or SystemClock()
        self._proc = proc
        self._sysfs = sysfs
        self._cost = Cost.FREE if self._is_this_machine else Cost.UNKNOWN
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
        """Looks once, then whenever NetworkManager tells, and every ten seconds; not for a server on this machine."""
        if self._is_this_machine:
            return
        self._joining = asyncio.create_task(self._join(), name="join NetworkManager")
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

    async def _join(self) -> None:
        await asyncio.gather(self._find(), self._manager.start())
        self._look()

    async def _poll(self) -> None:
        while True:
            await self._clock.sleep(POLL_S)
            await self._find()
            self._look()

    async def _find(self) -> None:
        """Finds the addresses of a server with a name or address of the house; any other may be anywhere."""
        if self._name is None:
            return
        address = address_of(self._name)
        try:
            found = [] if address else await asyncio.get_running_loop().getaddrinfo(self._name, None)
        except (OSError, UnicodeError):
            found = []
        named = [address_of(str(sockaddr[0])) for *_, sockaddr in found]
        self._addresses = [each for each in [address, *named] if each is not None]

    def _is_on_link(self) -> bool:
        return bool(self._addresses) and all(is_on_link(each, self._proc, self._sysfs) for each in self._addresses)

    def _look(self) -> None:
        cost = Cost.FREE if self._is_on_link() else self._manager.cost
        if cost is Cost.UNKNOWN:
            cost = cost_of_default_route(self._proc, self._sysfs)
        was_metered, self._cost = self.is_metered, cost
        if was_metered == self.is_metered:
            return
        log.info("the link is %s now", "metered" if self.is_metered else "not metered any more")
        for callback in list(self._callbacks):
            callback()
