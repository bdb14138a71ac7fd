"""Servers found in the network, and what anybody in it may answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from jellytui.engine.jellyfin.signin.discovery import DURATION_S, decoded, discover
from jellytui.engine.models import DiscoveredServer
from tests.support.clock import ManualClock
from tests.support.waiting import until

ATTIC = {"Address": "http://192.168.1.2:8096", "Id": "7f95021f-555e-46e2-96c5-c60f7132e8c7", "Name": "attic"}
FOUND = DiscoveredServer(url="http://192.168.1.2:8096", name="attic", id="7f95021f555e46e296c5c60f7132e8c7")


class _Server(asyncio.DatagramProtocol):
    """Answers each question with the same datagrams."""

    def __init__(self, answers: list[bytes]) -> None:
        self.questions: list[bytes] = []
        self._answers = answers
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.questions.append(data)
        assert self._transport is not None
        for answer in self._answers:
            self._transport.sendto(answer, addr)


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[tuple[_Server, tuple[str, int]]]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: _Server(list(answers)), ("127.0.0.1", 0))
    try:
        yield server, transport.get_extra_info("sockname")
    finally:
        transport.close()


async def test_servers_are_given_as_they_answer_once_each_and_for_two_seconds() -> None:
    clock = ManualClock()
    bedroom = {**ATTIC, "Id": "2" * 32, "Name": "bedroom"}
    found: list[str] = []
    async with answering(json.dumps(ATTIC).encode(), b"\xff\x00", json.dumps(bedroom).encode()) as (server, address):

        async def look() -> None:
            async for each in discover(clock, [address]):
                found.append(each.name)

        looking = asyncio.create_task(look())
        await until(lambda: len(found) == 2)
        await clock.advance(DURATION_S / 2)
        await until(lambda: len(server.questions) == 2)
        assert not looking.done()
        await clock.advance(DURATION_S)
        await asyncio.wait_for(looking, 10)

    assert found == ["attic", "bedroom"]
    assert server.questions == [b"Who is JellyfinServer?"] * 2


async def test_without_anybody_there_is_nobody() -> None:
    clock = ManualClock(is_running=True)
    assert [each async for each in discover(clock, [("127.0.0.1", 9)])] == []
    assert sum(clock.slept) == DURATION_S


def test_a_recorded_answer_is_understood(recordings: Path) -> None:
    for version, port in (("12.0", 8096), ("10.11", 8097)):
        entries = json.loads((recordings / version / "discovery.json").read_text("utf-8"))
        found = decoded(entries[0]["got"].encode(), "192.168.1.9")
        assert found is not None
        assert (found.url, found.name, len(found.id)) == (f"http://127.0.0.1:{port}", "vm", 32)


@pytest.mark.parametrize(
    ("change", "url", "name"),
    [
        ({}, "http://192.168.1.2:8096", "attic"),
        ({"Name": "at\x1b]0;owned\x07tic\u202e\n"}, "http://192.168.1.2:8096", "at]0;ownedtic"),
        ({"Name": None, "Address": None}, "http://10.0.0.7:8096", "10.0.0.7"),
        ({"Name": "x" * 5000, "Address": "file:///etc/passwd"}, "http://10.0.0.7:8096", "x" * 60),
        ({"Address": "http://ana:pw@attic"}, "http://10.0.0.7:8096", "attic"),
        ({"Address": "http://[attic"}, "http://10.0.0.7:8096", "attic"),
        ({"Address": "https://attic/jellyfin/"}, "https://attic/jellyfin", "attic"),
    ],
)
def test_hostile_answers_are_cleaned(change: dict[str, object], url: str, name: str) -> None:
    found = decoded(json.dumps({**ATTIC, **change}).encode(), "10.0.0.7")
    assert found == DiscoveredServer(url=url, name=name, id=FOUND.id)


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"{}", b'{"Id": 7}', b"\xff\xfe", b"[" * 3000, b"Jellyfin"])
def test_what_is_no_answer_is_nobody(data: bytes) -> None:
    assert decoded(data, "10.0.0.7") is None
