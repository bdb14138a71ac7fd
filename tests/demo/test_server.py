"""The demo server as other rooms' tests use it: starts, goes, comes back, tells what was asked."""

from pathlib import Path

import httpx
import pytest

from jellytui.demo.server import DemoServer
from tests.support.signed_in import signed_in


async def test_a_client_signs_in_lists_and_downloads(demo_server: DemoServer) -> None:
    async with signed_in(demo_server) as client:
        listed = (await client.get("/Items", params={"recursive": "true", "includeItemTypes": "Audio"})).json()
        assert listed["TotalRecordCount"] == 14
        track = demo_server.library.tracks[0]
        answer = await client.get(f"/Items/{track.id}/Download")
    assert answer.status_code == 200
    assert answer.content == track.file.read_bytes()


async def test_stopping_refuses_and_starting_again_keeps_port_and_token(demo_server: DemoServer) -> None:
    async with signed_in(demo_server) as client:
        url = demo_server.url
        await demo_server.stop()
        with pytest.raises(httpx.TransportError):
            await client.get("/System/Ping")
        await demo_server.start()
        assert demo_server.url == url
        assert (await client.get("/Users/Me")).status_code == 200


async def test_the_log_tells_what_a_client_asked(demo_server: DemoServer) -> None:
    async with signed_in(demo_server) as client:
        await client.get("/Items/Counts?isFavorite=true", headers={"X-Thing": "yes"})
    seen = demo_server.requests[-1]
    assert (seen.method, seen.path, seen.query, seen.headers["x-thing"]) == (
        "GET",
        "/Items/Counts",
        "isFavorite=true",
        "yes",
    )


def test_a_server_in_a_thread_serves_synchronous_code(small_library: Path) -> None:
    with DemoServer.in_thread(small_library) as demo:
        assert httpx.get(f"{demo.url}/health").text == "Healthy"
        demo.stop()
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{demo.url}/health")
        demo.start()
        assert httpx.get(f"{demo.url}/System/Ping").json() == "Jellyfin Server"
