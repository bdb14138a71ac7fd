"""A server with a certificate of its own making: refused, unless config.toml says otherwise."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import pytest_asyncio

from jellytui.config import ServerSettings, Settings
from jellytui.demo.server import DemoServer
from jellytui.engine.clock import SystemClock
from jellytui.engine.errors import BodyBrokenError, TlsError
from jellytui.engine.jellyfin.auth import SignInService, stored_token
from jellytui.engine.jellyfin.client import JellyfinClient
from jellytui.engine.jellyfin.media import MediaClient
from jellytui.engine.models import Account
from jellytui.paths import Paths

Certificate = tuple[Path, Path]
"""The file with a certificate, and the one with its key."""


def made(folder: Path, alternative_name: str) -> Certificate:
    """A self-signed certificate."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    file, key = folder / "attic.pem", folder / "attic.key"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=attic"]
    words += ["-addext", f"subjectAltName={alternative_name}", "-keyout", str(key), "-out", str(file)]
    subprocess.run([openssl, *words], check=True, capture_output=True, timeout=60)
    return file, key


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """One that is made for 127.0.0.1."""
    return made(tmp_path_factory.mktemp("tls"), "IP:127.0.0.1")


@asynccontextmanager
async def behind_tls(server: DemoServer, certificate: Certificate) -> AsyncIterator[str]:
    """The server's address with TLS in front, as a reverse proxy does it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    ends: set[asyncio.StreamWriter] = set()

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", server.port)
        ends.update((writer, server_writer))
        await asyncio.gather(pump(reader, server_writer), pump(server_reader, writer))

    front = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://127.0.0.1:{front.sockets[0].getsockname()[1]}"
    finally:
        front.close()
        for end in ends:
            end.close()
        await front.wait_closed()


@pytest_asyncio.fixture
async def https_url(demo_server: DemoServer, certificate: Certificate) -> AsyncIterator[str]:
    async with behind_tls(demo_server, certificate) as url:
        yield url


def service(paths: Paths, server: ServerSettings) -> SignInService:
    return SignInService(paths=paths, settings=Settings(server=server), clock=SystemClock())


async def test_a_certificate_of_ones_own_is_refused_and_the_way_out_is_named(paths: Paths, https_url: str) -> None:
    for typed in (https_url, https_url.removeprefix("https://")):
        with pytest.raises(TlsError, match="ca_file"):
            await service(paths, ServerSettings()).probe(typed)


@pytest.mark.parametrize("way", ["ca_file", "verify"])
async def test_a_certificate_that_config_trusts_is_taken_by_everything(
    paths: Paths, https_url: str, certificate: Certificate, demo_server: DemoServer, way: str
) -> None:
    server = ServerSettings(ca_file=str(certificate[0])) if way == "ca_file" else ServerSettings(verify=False)
    sign_in = service(paths, server)
    account = await sign_in.with_password(await sign_in.probe(https_url.removeprefix("https://")), "demo", "demo")
    assert account.server_url == https_url

    token = stored_token(paths, account) or ""
    client = JellyfinClient(account=account, token=token, server=server, clock=SystemClock())
    library = (await client.music_libraries())[0]
    track = (await client.tracks_page(library.id, 0, 1, with_total=False)).items[0]
    async with MediaClient(client=client).open(client.stream_url(track.id), authorized=False) as response:
        size = sum([len(chunk) async for chunk in response.chunks()])
    assert size == (await client.media_facts([track.id]))[0].size_bytes
    await client.close()


async def test_a_ca_file_that_is_not_there_is_named(paths: Paths, https_url: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    with pytest.raises(TlsError, match=r"missing\.pem"):
        await service(paths, ServerSettings(ca_file=str(missing))).probe(https_url)
    missing.write_text("no certificate", encoding="utf-8")
    with pytest.raises(TlsError, match=r"missing\.pem"):
        await service(paths, ServerSettings(ca_file=str(missing))).probe(https_url)


async def test_a_certificate_for_another_name_says_so(paths: Paths, demo_server: DemoServer, tmp_path: Path) -> None:
    certificate = made(tmp_path, "DNS:attic.example")
    trusting = service(paths, ServerSettings(ca_file=str(certificate[0])))
    async with behind_tls(demo_server, certificate) as url:
        with pytest.raises(TlsError, match="another name"):
            await trusting.probe(url)


async def test_the_end_is_noticed_though_the_connection_stays_open_and_bytes_may_gather(
    certificate: Certificate, account: Account
) -> None:
    """Servers say over TLS that no more comes and leave the socket open, as asyncio's do."""
    music = bytes(range(256)) * 400
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        length = b"Content-Length: 200000\r\n" if b"/cut" in asked else b""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: audio/flac\r\n" + length + b"\r\n" + music)
        writer.close()

    server = ServerSettings(ca_file=str(certificate[0]))
    client = JellyfinClient(account=account, token="t", server=server, clock=SystemClock())
    media = MediaClient(client=client)

    async def read(url: str) -> bytes:
        async with asyncio.timeout(10), media.open(url, authorized=False) as response:
            return b"".join([chunk async for chunk in response.chunks(lambda: 30.0)])

    front = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{front.sockets[0].getsockname()[1]}"
    assert await read(f"{url}/whole") == music
    with pytest.raises(BodyBrokenError, match="broke"):
        await read(f"{url}/cut")
    front.close()
    await client.close()
