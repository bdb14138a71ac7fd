"""Start-up, base path, sockets over time, sessions and transcodes: what the recordings' exchanges alone do not show."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from jellytui.demo.library import Library
from jellytui.demo.server import DemoServer
from jellytui.demo.wire.emulation import SERVER_10_11, SERVER_12, Emulation
from jellytui.demo.wire.transcode import Recipe, transcode
from tests.support.hearing import tone
from tests.support.signed_in import signed_in


async def test_a_server_that_migrates_answers_as_the_recorded_one(demo_server: DemoServer) -> None:
    demo_server.world.phase = "setup"
    async with httpx.AsyncClient(base_url=demo_server.url) as client:
        info = await client.get("/System/Info/Public")
        other = await client.post("/Items")
        health = await client.get("/health")
    assert (info.status_code, info.json()["startupWizardCompleted"]) == (200, False)
    assert (other.status_code, other.headers["retry-after"], other.headers["content-type"]) == (503, "005", "text/html")
    assert (health.status_code, health.text) == (200, "Degraded")


async def test_a_server_that_loads_refuses_bad_tokens_already_and_lets_good_ones_wait(demo_server: DemoServer) -> None:
    async with signed_in(demo_server) as client:
        demo_server.world.phase = "loading"
        good = await client.get("/Users/Me")
        bad = await client.get("/Users/Me", headers={"Authorization": 'MediaBrowser Token="wrong"'})
        info, ping = await client.get("/System/Info/Public"), await client.get("/System/Ping")
        demo_server.world.phase = "ready"
        assert (await client.get("/Users/Me")).status_code == 200
    assert (good.status_code, bad.status_code, info.status_code, ping.status_code) == (503, 401, 503, 200)
    assert "retry-after" not in good.headers


async def test_below_a_base_path_all_is_there_and_elsewhere_leads_to_it(
    small_library: Path, scanned_library: Library
) -> None:
    async with (
        DemoServer(small_library, library=scanned_library, base_path="/jellyfin") as server,
        signed_in(server) as client,
        httpx.AsyncClient(base_url=server.url.removesuffix("/jellyfin")) as outside,
    ):
        assert (await client.get("/Items/Counts")).json()["SongCount"] == 14
        assert (await outside.get("/JELLYFIN/system/info/public")).json()["LocalAddress"] == server.url
        redirects = [await outside.get(path) for path in ("/System/Info/Public", "/Items")]
    assert [each.status_code for each in redirects] == [302, 302]
    assert [each.headers["location"] for each in redirects] == ["../../jellyfin/web/", "jellyfin/web/"]


@asynccontextmanager
async def _socket(server: DemoServer, client: httpx.AsyncClient) -> AsyncIterator[ClientConnection]:
    url = server.url.replace("http", "ws", 1) + "/socket"
    header = {"Authorization": client.headers["Authorization"]}
    async with connect(url, additional_headers=header, proxy=None, ping_interval=None) as socket:
        yield socket


@pytest.mark.parametrize("version", ["12.0", "10.11"])
async def test_a_handshake_is_taken_or_refused_as_recorded(
    small_library: Path, scanned_library: Library, recordings: Path, version: str
) -> None:
    emulate = SERVER_12 if version == "12.0" else SERVER_10_11
    recorded = json.loads((recordings / version / "websocket.json").read_text("utf-8"))
    expected = {each["note"]: each["handshake"].split()[1] for each in recorded if "handshake" in each}
    async with (
        DemoServer(small_library, library=scanned_library, emulate=emulate) as server,
        signed_in(server) as client,
    ):
        header = client.headers["Authorization"]
        token = header.rsplit('"', 2)[1]
        ways = {
            "no token": ("", None),
            "bad token": (f"?ApiKey={'0' * 32}", None),
            "ApiKey": (f"?ApiKey={token}", None),
            "api_key": (f"?api_key={token}", None),
            "header": ("", header),
        }
        got = {note: await _handshake(server, *way) for note, way in ways.items()}
    assert got == expected


async def _handshake(server: DemoServer, query: str, header: str | None) -> str:
    url = server.url.replace("http", "ws", 1) + "/socket" + query
    headers = {"Authorization": header} if header else {}
    try:
        async with connect(url, additional_headers=headers, proxy=None):
            return "101"
    except InvalidStatus as error:
        return str(error.response.status_code)


async def _kinds(socket: ClientConnection, seconds: float) -> list[str]:
    """The types of what comes within so many seconds."""
    found: list[str] = []
    try:
        async with asyncio.timeout(seconds):
            while True:
                message: dict[str, Any] = json.loads(await socket.recv())
                found.append(message["MessageType"])
    except (TimeoutError, ConnectionClosed):
        return found


@pytest.mark.parametrize("emulate", [SERVER_12, SERVER_10_11], ids=["12", "10.11"])
async def test_a_silent_socket_is_reminded_once_then_dead_on_12_and_alive_on_10_11(
    small_library: Path, scanned_library: Library, emulate: Emulation
) -> None:
    server = DemoServer(small_library, library=scanned_library, emulate=emulate, keep_alive_seconds=1)
    async with server, signed_in(server) as client, _socket(server, client) as socket:
        assert await _kinds(socket, 1.5) == ["ForceKeepAlive", "ForceKeepAlive"]
        await client.post(f"/UserFavoriteItems/{server.library.tracks[0].id}")
        heard = await _kinds(socket, 0.8)
    assert heard == ([] if emulate.is_12 else ["UserDataChanged"])


async def test_a_server_that_is_told_to_end_says_so_on_its_sockets(demo_server: DemoServer) -> None:
    async with signed_in(demo_server) as client, _socket(demo_server, client) as socket:
        assert "ForceKeepAlive" in str(await socket.recv())
        await demo_server.shut_down()
        assert await _kinds(socket, 10) == ["ServerShuttingDown"]


async def test_who_asks_for_sessions_hears_when_one_changes(demo_server: DemoServer) -> None:
    track = demo_server.library.tracks[0].id
    async with signed_in(demo_server) as client, _socket(demo_server, client) as socket:
        await socket.send('{"MessageType":"SessionsStart","Data":"0,1000"}')
        await socket.send('{"MessageType":"KeepAlive"}')
        async with asyncio.timeout(10):
            while json.loads(await socket.recv())["MessageType"] != "KeepAlive":
                continue
        await client.post("/Sessions/Playing", json={"ItemId": track})
        message = json.loads(await asyncio.wait_for(socket.recv(), 10))
    assert message["MessageType"] == "Sessions"
    assert message["Data"][0]["NowPlayingItem"]["Id"] == track


async def test_a_position_goes_on_between_reports_and_playing_ends_without_them(demo_server: DemoServer) -> None:
    world, start = demo_server.world, demo_server.world.clock()
    async with signed_in(demo_server) as client:
        report = {"ItemId": demo_server.library.tracks[0].id, "PositionTicks": 10_000_000}
        world.clock = lambda: start
        await client.post("/Sessions/Playing", json=report)
        world.clock = lambda: start + timedelta(seconds=3)
        seen = (await client.get("/Sessions")).json()[0]
        await client.post("/Sessions/Playing/Progress", json=report | {"IsPaused": True})
        world.clock = lambda: start + timedelta(seconds=9)
        paused = (await client.get("/Sessions")).json()[0]
        world.clock = lambda: start + timedelta(seconds=700)
        later = (await client.get("/Sessions")).json()[0]
    assert seen["PlayState"]["PositionTicks"] == 40_000_000
    assert paused["PlayState"]["PositionTicks"] == 10_000_000
    assert "NowPlayingItem" not in later


async def test_without_ffmpeg_a_transcode_fails_in_plain_words(
    demo_server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    async with signed_in(demo_server) as client:
        answer = await client.get(f"/Audio/{demo_server.library.tracks[0].id}/stream.mp3?audioBitRate=64000")
    assert answer.status_code == 500
    assert "ffmpeg is not installed" in answer.text


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed: no transcodes to look at")
async def test_with_ffmpeg_a_transcode_streams_without_a_length(demo_server: DemoServer) -> None:
    track = next(each for each in demo_server.library.tracks if each.container == "flac")
    query = "container=mp3&transcodingContainer=mp3&audioCodec=mp3&transcodingProtocol=http"
    async with signed_in(demo_server) as client:
        plain = await client.get(f"/Audio/{track.id}/stream.mp3?audioBitRate=64000")
        universal = await client.get(f"/Audio/{track.id}/universal?{query}", headers={"Range": "bytes=0-9"})
    for answer in (plain, universal):
        assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")
        assert answer.headers["accept-ranges"] == "none"
        assert "content-length" not in answer.headers
        assert len(answer.content) > 2000


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed: no transcodes to look at")
async def test_a_transcode_that_is_left_in_the_middle_is_over(tmp_path: Path) -> None:
    stream = transcode(tone(tmp_path / "long.wav", 20.0), Recipe("wav"))
    async with asyncio.timeout(10), aclosing(stream):
        await anext(stream)
        await asyncio.sleep(0.1)  # until ffmpeg has filled the pipe


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
