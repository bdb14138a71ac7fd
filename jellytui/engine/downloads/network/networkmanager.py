"""What NetworkManager says of the link, over D-Bus: its property Metered, and when it changes."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from jellytui.engine.downloads.network.cost import Cost

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

log = logging.getLogger(__name__)

_NAME = "org.freedesktop.NetworkManager"
_PATH = "/org/freedesktop/NetworkManager"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_ANSWER_WITHIN_S = 5.0

_COST_OF = {1: Cost.METERED, 2: Cost.FREE, 3: Cost.METERED, 4: Cost.FREE}
"""NMMetered: yes, no, guessed yes, guessed no; 0 is unknown."""


class NetworkManager:
    """A connection to the system bus. `cost` is what NetworkManager said last; unknown where it is not there."""

    def __init__(self, on_change: Callable[[], None], *, address: str | None = None) -> None:
        self.cost = Cost.UNKNOWN
        self._on_change = on_change
        self._address = address
        self._bus: MessageBus | None = None
        self._asking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connects, asks, and listens from then on. Without D-Bus the cost stays unknown."""
        try:
            await self._connect()
        except (ImportError, OSError, EOFError) as error:
            log.debug("no NetworkManager can be asked: %s", error)
            return
        await self._ask()

    async def stop(self) -> None:
        """Leaves the bus."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        if self._bus is not None:
            self._bus.disconnect()
            self._bus = None

    async def _connect(self) -> None:
        """Raises OSError where there is no bus, or it does not let us in."""
        # Half a screen's worth of time: not on the loop.
        await asyncio.to_thread(importlib.import_module, "dbus_fast.aio")
        from dbus_fast import AuthError, BusType, DBusError, InvalidAddressError
        from dbus_fast.aio import MessageBus

        try:
            bus = MessageBus(self._address, bus_type=BusType.SYSTEM)
            await bus.connect()
        except (AuthError, DBusError, InvalidAddressError) as error:
            raise OSError(str(error)) from error
        self._bus = bus
        bus.add_message_handler(self._hear)
        for rule in (
            f"type='signal',sender='{_NAME}',path='{_PATH}',interface='{_PROPERTIES}',member='PropertiesChanged'",
            f"type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='{_NAME}'",
        ):
            await self._call("org.freedesktop.DBus", "/org/freedesktop/DBus", "AddMatch", "s", [rule])

    def _hear(self, message: Message) -> None:
        """NetworkManager has changed, come or gone. Its word is asked for anew: a signal may be anybody's."""
        if message.member not in ("PropertiesChanged", "NameOwnerChanged") or self._asking is not None:
            return
        self._asking = asyncio.create_task(self._ask(), name="ask NetworkManager")

    async def _ask(self) -> None:
        """Reads the property; unknown where nobody answers."""
        reply = await self._call(_NAME, _PATH, "Get", "ss", [_NAME, "Metered"], interface=_PROPERTIES)
        self._asking = None
        before, self.cost = self.cost, _COST_OF.get(reply, Cost.UNKNOWN)
        if self.cost is not before:
            self._on_change()

    async def _call(
        self, destination: str, path: str, member: str, signature: str, body: list[str], *, interface: str | None = None
    ) -> int:
        """Calls a method; the number in its answer, 0 where there is none."""
        from dbus_fast import Message, MessageFlag, MessageType, Variant

        assert self._bus is not None
        message = Message(
            destination=destination,
            path=path,
            interface=interface or destination,
            member=member,
            signature=signature,
            body=body,
            flags=MessageFlag.NO_AUTOSTART,
        )
        try:
            reply = await asyncio.wait_for(self._bus.call(message), _ANSWER_WITHIN_S)
        except (TimeoutError, EOFError, OSError):
            return 0
        if reply is None or reply.message_type is not MessageType.METHOD_RETURN or not reply.body:
            return 0
        value = reply.body[0]
        return int(value.value) if isinstance(value, Variant) and isinstance(value.value, int) else 0
