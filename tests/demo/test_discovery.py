"""UDP discovery, answered as the recorded servers did."""

import asyncio
import json
from pathlib import Path

import pytest

from jellytui.demo.library import Library
from jellytui.demo.server import DemoServer


class _Asker(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.answers.put_nowait(data)


async def _ask(server: DemoServer, question: str) -> bytes:
    loop = asyncio.get_running_loop()
    assert server.discovery_port is not None
    transport, asker = await loop.create_datagram_endpoint(_Asker, remote_addr=("127.0.0.1", server.discovery_port))
    try:
        transport.sendto(question.encode())
        return await asyncio.wait_for(asker.answers.get(), 0.2 if question == "hello" else 5)
    finally:
        transport.close()


async def test_questions_are_answered_as_recorded_and_nothing_else_is(
    small_library: Path, scanned_library: Library, recordings: Path
) -> None:
    recorded = json.loads((recordings / "12.0" / "discovery.json").read_text("utf-8"))
    async with DemoServer(small_library, library=scanned_library, discovery_port=0) as server:
        for entry in recorded:
            if entry["sent"] == "hello":
                with pytest.raises(TimeoutError):
                    await _ask(server, "hello")
                continue
            told, was = json.loads(await _ask(server, entry["sent"])), json.loads(entry["got"])
            assert list(told) == list(was)
            assert (told["Address"], told["Id"]) == (server.url, server.world.server_id)
            assert told["EndpointAddress"] is None


async def test_without_being_asked_for_there_is_no_discovery(demo_server: DemoServer) -> None:
    assert demo_server.discovery_port is None
