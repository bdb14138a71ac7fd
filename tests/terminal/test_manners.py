"""The app's manners in a real terminal: quiet when idle, at home in any size, colourless where that is wanted."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jellytui.demo.server import DemoServer
from tests.support.program import JELLYTUI, Home
from tests.support.terminal import Terminal

pytestmark = pytest.mark.terminal

QUIET_SECONDS = 1.2
"""Longer than anything that would tick once a second, or blink."""
COLOR = re.compile(rb"\x1b\[(?:\d+;)*[34]8;2;")


@pytest.fixture
def home(tmp_path: Path, small_library: Path) -> Iterator[Home]:
    with DemoServer.in_thread(small_library) as server:
        home = Home.make(tmp_path / "home")
        home.sign_in(server.url)
        yield home


def last_line(text: str, rows: int) -> str:
    """The text of the last row; empty while nothing stands there."""
    lines = text.split("\n")
    return lines[rows - 1] if len(lines) >= rows else ""


def test_idle_sends_no_byte_on_any_screen(home: Home) -> None:
    with Terminal(JELLYTUI, environment=home.environment) as terminal:
        terminal.wait_for("TRACKS")
        for keys, words in (
            ("2", "ACTIVE"),
            ("3", "Nothing plays.\n"),
            ("4", "QUEUE"),
            ("1", "ARTISTS"),
            ("/", "SEARCH"),
            ("\x1b", "ARTISTS"),
            (":", "esc closes"),
            ("\x1b", "? help"),
            ("?", "EVERYWHERE"),
        ):
            terminal.send(keys)
            terminal.wait_for(words)
            terminal.rest(0.5)
            before = terminal.bytes_read
            terminal.rest(QUIET_SECONDS, seconds=QUIET_SECONDS)
            assert terminal.bytes_read == before, f"after {keys!r}:\n{terminal.text}"


def test_any_size_is_taken_also_one_that_is_too_small(home: Home) -> None:
    left_by_a_shell = {"COLUMNS": "80", "LINES": "24"}
    with Terminal(JELLYTUI, environment=home.environment | left_by_a_shell) as terminal:
        terminal.wait_for("TRACKS")
        terminal.resize(40, 12)
        terminal.wait_for(lambda text: "help" in last_line(text, 12))
        terminal.resize(20, 6)
        terminal.wait_for("Too small")
        terminal.resize(140, 40)
        terminal.wait_for(lambda text: "PLAYING" in text and "help" in last_line(text, 40))
        terminal.send("q")
        assert terminal.wait_for_exit() == 0


def test_without_colours_the_cursor_is_still_seen(home: Home) -> None:
    with Terminal(JELLYTUI, environment=home.environment, has_colors=False) as terminal:
        terminal.wait_for("TRACKS")
        terminal.rest()
        assert not COLOR.search(terminal.output)
        assert any(cell.reverse for cell in terminal.screen.buffer[2].values())


def test_each_key_is_handled_at_once_while_the_server_is_silent(home: Home) -> None:
    with Terminal(JELLYTUI, environment=home.environment) as terminal:
        terminal.wait_for("TRACKS")
        terminal.rest()
        slowest = 0.0
        for key, words in (("2", "ACTIVE"), ("3", "Nothing plays"), ("4", "QUEUE"), ("1", "ARTISTS")):
            began = time.monotonic()
            terminal.send(key)
            terminal.wait_for(words)
            slowest = max(slowest, time.monotonic() - began)
        assert slowest < 1.0


def test_keys_that_clash_are_said_before_the_screen_changes(home: Home) -> None:
    config = home.folder / "config" / "config.toml"
    config.write_text('[keys]\nmute = "q"\n', encoding="utf-8")
    with Terminal(JELLYTUI, columns=200, environment=home.environment) as terminal:
        assert terminal.wait_for_exit() == 2
        assert str(config) in terminal.text
        assert "q is already" in terminal.text
        assert b"\x1b[?1049h" not in terminal.output


def test_the_app_is_seen_though_its_errors_go_to_a_file(home: Home) -> None:
    words = ["sh", "-c", f"exec {' '.join(JELLYTUI)} 2> {home.folder}/errors.txt"]
    with Terminal(words, environment=home.environment) as terminal:
        terminal.wait_for("TRACKS")
        terminal.send("q")
        assert terminal.wait_for_exit() == 0
