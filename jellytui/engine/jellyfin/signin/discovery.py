"""Servers of this network: a question by UDP to port 7359, and who answers within two seconds (jellyfin-api.md 4.1)."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlsplit

from jellytui.engine.clock import Clock
from jellytui.engine.jellyfin import dto
from jellytui.engine.models import DiscoveredServer

log = logging.getLogger(__name__)

Address = tuple[str, int]

QUESTION = b"Who is JellyfinServer?"
PORT = 7359
EVERYBODY: Sequence[Address] = (("255.255.255.255", PORT), ("127.0.0.1", PORT))
"""A broadcast does not reach a server that listens on this machine's loopback alone."""
DURATION_S = 2.0
_ASK_AGAIN_S = 0.5
_MOST_SERVERS = 50
_LONGEST_NAME = 60
_LONGEST_URL = 200


async def discover(clock: Clock, addresses: Sequence[Address] = EVERYBODY) -> AsyncIterator[DiscoveredServer]:
    """Asks and gives each server once, as it answers. Without a network there are none."""
    answers: asyncio.Queue[DiscoveredServer | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Answers(answers),
            local_addr=("0.0.0.0", 0),  # noqa: S104 - answers may come in on any interface
            allow_broadcast=True,
        )
    except OSError as error:
        log.info("this machine cannot ask for servers: %s", error)
        return
    asking = asyncio.create_task(_ask(transport, addresses, clock, answers))
    found: set[str] = set()
    try:
        while (server := await answers.get()) is not None and len(found) < _MOST_SERVERS:
            if server.id not in found:
                found.add(server.id)
                yield server
    finally:
        asking.cancel()
        transport.close()


async def _ask(
    transport: asyncio.DatagramTransport,
    addresses: Sequence[Address],
    clock: Clock,
    answers: asyncio.Queue[DiscoveredServer | None],
) -> None:
    """Asks twice, since datagrams get lost; ends the queue when the time is over."""
    for pause_s in (_ASK_AGAIN_S, DURATION_S - _ASK_AGAIN_S):
        for address in addresses:
            try:
                transport.sendto(QUESTION, address)
            except OSError as error:
                log.info("nobody can be asked at %s: %s", address[0], error)
        await clock.sleep(pause_s)
    answers.put_nowait(None)


class _Answers(asyncio.DatagramProtocol):
    """Hands on what can be read; anybody in the network may answer anything."""

    def __init__(self, answers: asyncio.Queue[DiscoveredServer | None]) -> None:
        self._answers = answers

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        server = decoded(data, addr[0])
        if server is not None and self._answers.qsize() < _MOST_SERVERS:
            self._answers.put_nowait(server)

    def error_received(self, exc: Exception) -> None:
        log.debug("an answer got lost: %s", exc)


def decoded(data: bytes, sender: str) -> DiscoveredServer | None:
    """An answer as data, None for anything else. An address that is none is replaced by the sender's."""
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        return None
    server_id = dto.normal_id(answer.get("Id")) if isinstance(answer, dict) else ""
    if not server_id:
        return None
    url = dto.clean(answer.get("Address")).rstrip("/")
    if not _is_address(url):
        url = f"http://{sender}:8096"
    return DiscoveredServer(url=url, name=dto.clean(answer.get("Name"))[:_LONGEST_NAME] or sender, id=server_id[:64])


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_plain = "@" not in parts.netloc and " " not in url and len(url) <= _LONGEST_URL
    return parts.scheme in ("http", "https") and bool(parts.hostname) and is_plain
