"""The demo server as other rooms' tests use it: starts, goes, comes back, tells what was asked."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


@contextmanager
def _served(home: Path, *options: str) -> Iterator[dict[str, Any]]:
    """`jellytui demo --serve-only --json` in a process of its own, ended by SIGTERM; where it can be reached."""
    words = [sys.executable, "-m", "jellytui", "demo", "--serve-only", "--json", *options]
    environment = os.environ | {"JELLYTUI_HOME": str(home)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        told: dict[str, Any] = json.loads(process.stdout.readline())
        try:
            yield told
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_the_command_serves_a_folder_until_it_is_told_to_stop(small_library: Path, tmp_path: Path) -> None:
    with _served(tmp_path, str(small_library), "--emulate", "10.11") as told:
        info = httpx.get(f"{told['url']}/System/Info/Public").json()
    assert info["Version"] == "10.11.11"
    assert (told["user"], told["password"]) == ("demo", "demo")
    assert len(list((tmp_path / "cache" / "demo" / "demo-state").glob("*.sqlite"))) == 1


def test_the_command_makes_tracks_up_and_breaks_answers_as_told(tmp_path: Path) -> None:
    faults = tmp_path / "faults.toml"
    faults.write_text('[[fault]]\nkind = "status"\nroute = "/health"\nstatus = 503\ntimes = 1\n')
    with _served(tmp_path, "--synthetic", "200", "--faults", str(faults), "--delay", "1") as told:
        codes = [httpx.get(f"{told['url']}/health").status_code for _ in range(2)]
    assert codes == [503, 200]


def test_a_server_that_belongs_to_an_app_ends_with_it(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "jellytui", "demo", "--serve-only", "--json", "--with-parent", "--synthetic", "5"]
    environment, pipe = os.environ | {"JELLYTUI_HOME": str(tmp_path)}, subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["url"]
        process.stdin.close()  # as when the app was killed
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["/nonexistent/folder"], "/nonexistent/folder is not a folder"),
        (["--synthetic", "0"], "--synthetic takes 1 to 5,000,000 tracks"),
        (["--synthetic", "5", "."], "leave FOLDER out"),
        (["--synthetic", "5", "--faults", "/nonexistent.toml"], "/nonexistent.toml: No such file or directory"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(tmp_path: Path, options: list[str], words: str) -> None:
    command = [sys.executable, "-m", "jellytui", "demo", "--serve-only", *options]
    environment = os.environ | {"JELLYTUI_HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 1
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
