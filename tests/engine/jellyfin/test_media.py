"""Bodies of files over real sockets, from a server that writes its answers byte by byte as a test says."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from jellytui.config import ServerSettings
from jellytui.engine.clock import SystemClock
from jellytui.engine.errors import BodyBrokenError, ServerUnreachableError
from jellytui.engine.jellyfin.client import JellyfinClient
from jellytui.engine.jellyfin.media import MediaClient, MediaResponse, MediaTimeouts
from jellytui.engine.jellyfin.wire.sockets import GATHERED_BYTES
from jellytui.engine.models import Account
from tests.support.waiting import until

MUSIC = os.urandom(700_000) + b"\n\r\n\n\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: audio/flac\r\nContent-Length: %d\r\n\r\n" % len(MUSIC)

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def answering(answer: Answer, host: str = "127.0.0.1") -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A server's address, and what tells that a client has left."""
    has_left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await answer(writer)
        with suppress(ConnectionResetError):  # what the client left unread
            await reader.read()
        has_left.set()
        writer.close()

    server = await asyncio.start_server(serve, host, 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/music", has_left
    finally:
        server.close()


def writing(*pieces: bytes, then_close: bool = False) -> Answer:
    """An answer in pieces that arrive one by one."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.002)  # else the kernel would join them
        if then_close:
            writer.write_eof()

    return answer


def media(*, read_s: float = 5.0) -> MediaClient:
    account = Account(
        server_url="http://127.0.0.1",
        server_id="s",
        server_name="music",
        server_version="10.11.0",
        user_id="u",
        user_name="demo",
        device_id="d",
    )
    client = JellyfinClient(account=account, token="t", server=ServerSettings(), clock=SystemClock())
    return MediaClient(client=client, timeouts=MediaTimeouts(read_s=read_s))


async def fetched(url: str, *, read_s: float = 5.0) -> bytes:
    async with media(read_s=read_s).open(url, authorized=False) as response:
        assert response.status == 200
        return b"".join([chunk async for chunk in response.chunks()])


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param((HEAD + MUSIC,), id="together"),
        pytest.param((HEAD, MUSIC), id="apart"),
        pytest.param((HEAD[:-1], HEAD[-1:] + MUSIC), id="blank line in two"),
        pytest.param((HEAD[:-3], HEAD[-3:-1], HEAD[-1:], MUSIC), id="blank line in three"),
        pytest.param((HEAD.replace(b"\r\n", b"\n") + MUSIC,), id="bare line feeds"),
        pytest.param((b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + HEAD + MUSIC,), id="early hints"),
        pytest.param((HEAD + MUSIC + b"too much",), id="more than announced"),
    ],
)
async def test_a_body_of_known_length_comes_whole_however_it_is_cut(pieces: tuple[bytes, ...]) -> None:
    async with answering(writing(*pieces)) as (url, _):
        assert await fetched(url) == MUSIC


async def test_a_chunked_body_comes_without_its_marks() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (MUSIC[:100_000], MUSIC[100_000:])]
    async with answering(writing(head + chunks[0], chunks[1], b"0\r\n\r\n")) as (url, _):
        assert await fetched(url) == MUSIC


async def test_a_body_without_a_length_ends_with_the_connection() -> None:
    async with answering(writing(b"HTTP/1.1 200 OK\r\n\r\n" + MUSIC, then_close=True)) as (url, _):
        assert await fetched(url) == MUSIC


async def test_a_body_that_is_cut_gives_what_came_and_then_says_so() -> None:
    async with (
        answering(writing(HEAD + MUSIC[:300_000], then_close=True)) as (url, _),
        media().open(url, authorized=False) as response,
    ):
        came = bytearray()

        async def take() -> None:
            async for chunk in response.chunks():
                came.extend(chunk)

        with pytest.raises(BodyBrokenError, match="broke in the middle"):
            await take()
        assert came == MUSIC[:300_000]


async def test_a_body_that_falls_silent_is_broken() -> None:
    async with answering(writing(HEAD + MUSIC[:300_000])) as (url, _):
        with pytest.raises(BodyBrokenError, match="silent"):
            await fetched(url, read_s=0.1)


async def test_a_server_that_hangs_up_before_it_answers_is_not_reached() -> None:
    async with answering(writing(then_close=True)) as (url, _):
        with pytest.raises(ServerUnreachableError):
            await fetched(url)


async def test_a_port_where_nobody_listens_is_not_reached() -> None:
    async with answering(writing()) as (url, _):
        pass
    with pytest.raises(ServerUnreachableError):
        await fetched(url)


async def test_a_name_with_an_address_that_leads_nowhere_is_reached_by_the_other() -> None:
    async with answering(writing(HEAD + MUSIC)) as (url, _):
        assert await fetched(url.replace("127.0.0.1", "localhost")) == MUSIC


async def test_who_is_cancelled_in_the_middle_closes_the_connection() -> None:
    async with answering(writing(HEAD + MUSIC[:300_000])) as (url, has_left):
        began = asyncio.Event()

        async def listen() -> None:
            async with media().open(url, authorized=False) as response:
                async for _ in response.chunks():
                    began.set()

        task = asyncio.create_task(listen())
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await has_left.wait()


async def test_many_bodies_at_once_do_not_mix() -> None:
    async with answering(writing(HEAD, MUSIC[:350_000], MUSIC[350_000:])) as (url, _):
        client = media()

        async def one() -> bytes:
            async with client.open(url, authorized=False) as response:
                return b"".join([chunk async for chunk in response.chunks()])

        assert await asyncio.gather(*(one() for _ in range(8))) == [MUSIC] * 8


async def test_what_comes_in_drops_is_left_to_gather_for_whoever_has_patience() -> None:
    drops = [MUSIC[start : start + 10_000] for start in range(0, len(MUSIC), 10_000)]

    async def pieces(patience_s: Callable[[], float] | None) -> list[bytes]:
        async with (
            asyncio.timeout(20),  # less than the patience: what is complete is not waited for
            answering(writing(HEAD, *drops)) as (url, _),
            media().open(url, authorized=False) as response,
        ):
            return [piece async for piece in response.chunks(patience_s)]

    hasty, patient = await pieces(None), await pieces(lambda: 30.0)
    assert b"".join(hasty) == b"".join(patient) == MUSIC
    assert len(hasty) > 20
    assert all(len(piece) >= GATHERED_BYTES for piece in patient[1:-1])


async def test_patience_ends_though_little_has_come_and_silence_counts_as_ever() -> None:
    async def silent_after_a_while(writer: asyncio.StreamWriter) -> None:
        await writing(HEAD, MUSIC[:1000], MUSIC[1000:3000])(writer)

    pieces: list[bytes] = []

    async def read(url: str) -> None:
        async with media(read_s=0.2).open(url, authorized=False) as response:
            async for piece in response.chunks(lambda: 0.1):
                pieces.append(piece)

    async with answering(silent_after_a_while) as (url, _):
        with pytest.raises(BodyBrokenError, match="silent"):
            await read(url)
    assert b"".join(pieces) == MUSIC[:3000]


async def test_what_has_gathered_is_read_at_once_by_somebody_in_a_hurry() -> None:
    pieces: list[bytes] = []
    has_sent = asyncio.Event()

    async def send_a_little(writer: asyncio.StreamWriter) -> None:
        await writing(HEAD, *(MUSIC[start : start + 10_000] for start in range(0, 90_000, 10_000)))(writer)
        has_sent.set()

    async def read(response: MediaResponse) -> None:
        async for piece in response.chunks(lambda: 30.0):
            pieces.append(piece)

    async with (
        answering(send_a_little) as (url, _),
        media(read_s=30.0).open(url, authorized=False) as response,
    ):
        reading = asyncio.create_task(read(response))
        await has_sent.wait()
        assert sum(map(len, pieces)) < 90_000
        response.hurry()
        await until(lambda: b"".join(pieces) == MUSIC[:90_000])
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
