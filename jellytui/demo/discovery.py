"""Answers clients that look for servers by UDP (jellyfin-api.md 4.1, discovery.json)."""

import asyncio
import json
from typing import cast

from jellytui.demo.world import World

DISCOVERY_PORT = 7359
_QUESTION = "who is jellyfinserver?"


class _Answerer(asyncio.DatagramProtocol):
    def __init__(self, world: World) -> None:
        self._world = world
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is None or _QUESTION not in data.decode("utf-8", "replace").lower():
            return
        told = {
            "Address": self._world.address,
            "Id": self._world.server_id,
            "Name": self._world.server_name,
            "EndpointAddress": None,  # written here, unlike in all other answers
        }
        self._transport.sendto(json.dumps(told, separators=(",", ":")).encode(), addr)


async def answer_discovery(world: World, port: int) -> asyncio.DatagramTransport:
    """Listens on 127.0.0.1 until the transport is closed. Raises OSError when the port is taken."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Answerer(world), ("127.0.0.1", port))
    return transport
