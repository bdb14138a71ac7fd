"""One engine for each account: the faces of several processes, and who goes on when its process is killed."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jellytui.demo.app import SeenRequest
from jellytui.demo.library import DemoTrack, Library
from jellytui.demo.server import DemoServer, ThreadedServer
from tests.support.program import JELLYTUI, Home
from tests.support.terminal import Terminal

pytestmark = pytest.mark.terminal

MIDDLE_BYTES = 300_000
"""After so many of a song's bytes the first answer falls silent, so that whoever ends the process does it in the middle
of the download; the next answer comes whole."""


@pytest.fixture
def server(noise: Library) -> Iterator[ThreadedServer]:
    with DemoServer.in_thread(noise.tracks[0].file.parents[2], library=noise, relay=True) as server:
        server.server.faults.add("stall", route="*/Download", after_bytes=MIDDLE_BYTES, times=1)
        yield server


@pytest.fixture
def home(tmp_path: Path, server: ThreadedServer) -> Home:
    home = Home.make(tmp_path / "home")
    home.sign_in(server.url)
    assert home.run("sync").returncode == 0
    return home


@pytest.fixture
def song(noise: Library) -> DemoTrack:
    return noise.tracks[0]


def open_app(home: Home) -> Terminal:
    return Terminal(JELLYTUI, environment=home.environment)


def music_asked(server: ThreadedServer) -> list[SeenRequest]:
    return [request for request in server.server.requests if request.path.endswith("/Download")]


def part_size(home: Home) -> int:
    return sum(part.stat().st_size for part in (home.folder / "data" / "downloads").rglob("*.part"))


def wait_until(holds: Callable[[], bool], *, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def assert_whole(home: Home, song: DemoTrack) -> None:
    (file,) = (path for path in (home.folder / "data" / "downloads").rglob("*") if path.stem == song.id)
    assert file.read_bytes() == song.file.read_bytes()


def test_a_killed_holder_is_replaced_and_its_download_goes_on(
    home: Home, server: ThreadedServer, song: DemoTrack
) -> None:
    with open_app(home) as first:
        first.wait_for("TRACKS")  # so that it is the one that holds the engine
        with open_app(home) as second:
            second.wait_for("TRACKS")
            home.json("download", song.id)
            second.send("2")
            second.wait_for("ACTIVE 1")
            wait_until(lambda: part_size(home) > 100_000)
            assert len(music_asked(server)) == 1, "both ran the queue"

            first.signal(signal.SIGKILL)
            killed = time.monotonic()
            second.wait_for(lambda _: len(music_asked(server)) > 1, seconds=10)
            assert time.monotonic() - killed < 5
            second.wait_for("COMPLETED 1")
            again = music_asked(server)[1]
            assert int(again.headers["range"].removeprefix("bytes=").rstrip("-")) > 0
            assert len(music_asked(server)) == 2
            assert_whole(home, song)
            second.send("q")
            assert second.wait_for_exit() == 0


def test_an_app_attaches_to_a_command_that_downloads_and_goes_on_when_it_is_killed(
    home: Home, server: ThreadedServer, song: DemoTrack
) -> None:
    command = subprocess.Popen(
        [*JELLYTUI, "download", song.id, "--wait"],
        env=home.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: part_size(home) > 0)
    with open_app(home) as app:
        app.wait_for("TRACKS")
        app.send("2")
        app.wait_for("ACTIVE 1")
        assert len(music_asked(server)) == 1, "both ran the queue"
        command.kill()
        command.communicate()
        app.wait_for("COMPLETED 1")
        assert_whole(home, song)
        app.send("q")
        assert app.wait_for_exit() == 0


def test_a_waiting_command_sees_its_download_end_though_its_app_quits(
    home: Home, server: ThreadedServer, song: DemoTrack
) -> None:
    with open_app(home) as app:
        app.wait_for("TRACKS")
        command = subprocess.Popen(
            [*JELLYTUI, "download", song.id, "--wait"],
            env=home.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: part_size(home) > 0)
        app.send("q")
        assert app.wait_for_exit() == 0
    printed, said = command.communicate(timeout=30)
    assert (command.returncode, "completed" in printed) == (0, True), said
    assert_whole(home, song)
