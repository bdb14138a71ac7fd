"""The main job in a real terminal: choose an album, hear it, download it, and hear it again without the server."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from jellytui.demo.server import DemoServer, ThreadedServer
from tests.support.program import JELLYTUI, Home
from tests.support.terminal import Terminal

pytestmark = pytest.mark.terminal


@pytest.fixture
def server(small_library: Path) -> Iterator[ThreadedServer]:
    with DemoServer.in_thread(small_library) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, server: ThreadedServer) -> Home:
    home = Home.make(tmp_path / "home")
    home.sign_in(server.url)
    return home


def open_app(home: Home, *, columns: int = 80, rows: int = 24) -> Terminal:
    return Terminal(JELLYTUI, columns=columns, rows=rows, environment=home.environment)


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (140, 40)])
def test_an_album_is_chosen_heard_downloaded_and_heard_again_without_the_server(
    home: Home, server: ThreadedServer, columns: int, rows: int
) -> None:
    with open_app(home, columns=columns, rows=rows) as terminal:
        terminal.wait_for("ALBUMS")
        terminal.wait_for(lambda text: "TRACKS" in text and "─" in text)
        terminal.send("ll")  # artists -> albums -> tracks
        terminal.send("\r")
        terminal.wait_for("from the server")
        terminal.send("h")
        terminal.send("d")
        terminal.wait_for("✓")
        terminal.send("q")
        assert terminal.wait_for_exit() == 0
        assert b"\x1b[?1049l" in terminal.output, "the alternate screen was not left"
    rows_here = home.json("offline", "items")
    assert rows_here
    server.stop()
    with open_app(home, columns=columns, rows=rows) as terminal:
        terminal.wait_for("offline")
        terminal.wait_for("✓")
        terminal.send("ll\r")
        terminal.wait_for("from disk")
        terminal.send("q")
        assert terminal.wait_for_exit() == 0


def test_a_dropped_session_ends_the_app_cleanly(home: Home) -> None:
    with open_app(home) as terminal:
        terminal.wait_for("ALBUMS")
        terminal.signal(signal.SIGHUP)
        assert terminal.wait_for_exit() == 0


def test_a_command_line_download_shows_at_once_in_the_open_app(home: Home) -> None:
    with open_app(home) as terminal:
        terminal.wait_for("TRACKS")
        track = next(item for item in home.json("search", "a") if item["type"] == "track")
        home.json("download", track["id"], "--wait")
        terminal.send("2")
        terminal.wait_for("COMPLETED 1")
        terminal.send("q")
        assert terminal.wait_for_exit() == 0


def test_without_a_terminal_the_app_says_so(home: Home) -> None:
    done = home.run()
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
