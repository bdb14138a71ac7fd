"""Downloads through nginx as reverse proxy, with and without buffering, are those of the server itself."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from jellytui.demo.library import DemoTrack
from jellytui.demo.server import DemoServer
from jellytui.demo.synthetic.library import SyntheticLibrary
from tests.support.signed_in import signed_in

_NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")
_CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass {upstream};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $http_connection;
      proxy_buffering {buffering};
      proxy_buffers 4 8k;
      proxy_max_temp_file_size 64k;
    }}
  }}
}}
"""


@pytest.fixture(scope="module")
def nginx() -> str:
    """The program; where it is not installed it skips, or fails when JELLYTUI_TEST_PROGRAMS says that all are there."""
    if _NGINX is not None:
        return _NGINX
    message = "nginx is not installed: downloads through a reverse proxy are not tested (Debian: nginx-light)"
    if os.environ.get("JELLYTUI_TEST_PROGRAMS") == "required":
        pytest.fail(message)
    pytest.skip(message)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[DemoServer]:
    """A server of tracks of a megabyte and more, so that a proxy has something to hold back."""
    async with DemoServer(Path("/synthetic"), library=SyntheticLibrary(20)) as running:
        yield running


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Proxy:
    def __init__(self, program: str, folder: Path, upstream: str, buffering: str) -> None:
        self.port = _free_port()
        folder.mkdir()
        file = folder / "nginx.conf"
        told = {"folder": folder, "port": self.port, "upstream": upstream, "buffering": buffering}
        file.write_text(_CONFIGURATION.format(**told))
        self._process = subprocess.Popen([program, "-p", str(folder), "-c", str(file)], stderr=subprocess.DEVNULL)

    async def ready(self) -> str:
        """Its address, once it listens. Raises TimeoutError when it never does."""
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                    continue
                writer.close()
                return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Ends it and its worker."""
        self._process.terminate()
        self._process.wait(20)


@pytest.mark.parametrize("buffering", ["on", "off"])
async def test_a_download_through_nginx_is_that_of_the_server(
    nginx: str, server: DemoServer, tmp_path: Path, buffering: str
) -> None:
    track = max(server.library.tracks, key=lambda each: each.size)
    proxy = _Proxy(nginx, tmp_path / "nginx", server.url, buffering)
    try:
        async with signed_in(server) as direct:
            header = {"Authorization": direct.headers["Authorization"], "Accept-Encoding": "identity"}
            async with httpx.AsyncClient(base_url=await proxy.ready(), headers=header, timeout=20) as proxied:
                expected, got = await _answers(direct, track), await _answers(proxied, track)
    finally:
        proxy.stop()
    assert got == expected
    assert [status for status, *_ in got] == [200, 206, 206, 206, 416, 304, 200, 405]


async def _answers(client: httpx.AsyncClient, track: DemoTrack) -> list[tuple[int, dict[str, str], bytes]]:
    """What a download engine asks, and what matters of each answer."""
    path, half = f"/Items/{track.id}/Download", track.size // 2
    whole = await client.get(path)
    modified = whole.headers["last-modified"]
    asked = [
        whole,
        await client.get(path, headers={"Range": f"bytes={half}-"}),
        await client.get(path, headers={"Range": f"bytes={half}-", "If-Range": modified}),
        await client.get(path, headers={"Range": "bytes=-1000"}),
        await client.get(path, headers={"Range": f"bytes={track.size}-"}),
        await client.get(path, headers={"If-Modified-Since": modified}),
        await client.get(path, headers={"Range": f"bytes={half}-", "If-Range": "Mon, 01 Jan 2001 00:00:00 GMT"}),
        await client.head(path),
    ]
    names = ("content-length", "content-range", "content-type", "content-disposition", "last-modified", "accept-ranges")
    return [
        (each.status_code, {n: each.headers[n] for n in names if n in each.headers}, each.content) for each in asked
    ]


@pytest.mark.parametrize("buffering", ["on", "off"])
async def test_a_client_that_leaves_in_the_middle_can_come_back_for_the_rest(
    nginx: str, server: DemoServer, tmp_path: Path, buffering: str
) -> None:
    track = max(server.library.tracks, key=lambda each: each.size)
    proxy = _Proxy(nginx, tmp_path / "nginx", server.url, buffering)
    try:
        async with signed_in(server) as direct:
            header = {"Authorization": direct.headers["Authorization"], "Accept-Encoding": "identity"}
            whole = (await direct.get(f"/Items/{track.id}/File")).content
            async with httpx.AsyncClient(base_url=await proxy.ready(), headers=header, timeout=20) as client:
                begun = b""
                async with client.stream("GET", f"/Items/{track.id}/Download") as answer:
                    async for chunk in answer.aiter_raw():
                        begun += chunk
                        if len(begun) > 100_000:
                            break
                rest = await client.get(f"/Items/{track.id}/Download", headers={"Range": f"bytes={len(begun)}-"})
    finally:
        proxy.stop()
    assert begun + rest.content == whole
