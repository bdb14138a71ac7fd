"""The command line's manners: bars on a terminal only, clean ends, results and messages apart."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jellytui.demo.faults.relay import Line
from jellytui.demo.library import Library
from jellytui.demo.server import DemoServer, ThreadedServer
from tests.support.program import JELLYTUI, Home
from tests.support.terminal import Terminal


@pytest.fixture
def server(noise: Library) -> Iterator[ThreadedServer]:
    """A server on a line of 2 MB/s: a song takes about a second."""
    line = Line(rate=2_000_000)
    with DemoServer.in_thread(noise.tracks[0].file.parents[2], library=noise, line=line) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, server: ThreadedServer) -> Home:
    home = Home.make(tmp_path / "home")
    home.sign_in(server.url)
    return home


@pytest.mark.terminal
def test_what_takes_its_time_shows_a_bar_on_a_terminal(home: Home, noise: Library) -> None:
    with Terminal([*JELLYTUI, "sync"], environment=home.environment) as terminal:
        assert terminal.wait_for_exit() == 0
        assert "The library is up to date: 4 tracks." in terminal.text
        assert "━".encode() in terminal.output
    words = [*JELLYTUI, "download", noise.tracks[0].id, "--wait"]
    with Terminal(words, environment=home.environment) as terminal:
        terminal.wait_for(lambda text: "MB/s" in text and "━" in text)
        assert terminal.wait_for_exit() == 0
        assert "completed" in terminal.text
        assert "━" not in terminal.text, "the bar stayed"


def test_without_a_terminal_there_is_no_bar(home: Home, noise: Library) -> None:
    for words in (["sync"], ["download", noise.tracks[0].id, "--wait"]):
        done = home.run(*words)
        assert (done.returncode, done.stderr) == (0, "")


def test_the_server_s_absence_exits_with_4(home: Home, server: ThreadedServer) -> None:
    server.stop()
    done = home.run("sync")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1)


def test_ctrl_c_ends_a_command_without_a_traceback(home: Home, server: ThreadedServer, noise: Library) -> None:
    assert home.run("sync").returncode == 0
    process = subprocess.Popen(
        [*JELLYTUI, "download", *(track.id for track in noise.tracks), "--wait"],
        env=home.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 20
    while not any(request.path.endswith("/Download") for request in server.server.requests):
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate(timeout=20)
    assert (process.returncode, printed, said) == (130, "", "")


def test_a_reader_that_has_enough_is_no_error(home: Home) -> None:
    process = subprocess.Popen(
        [*JELLYTUI, "status", "--json"], env=home.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    assert (process.wait(timeout=20), said) == (0, b"")


def test_a_log_that_cannot_be_written_is_said_and_the_doctor_still_looks(home: Home) -> None:
    for file in (home.folder / "logs").iterdir():
        file.unlink()
    (home.folder / "logs").rmdir()
    (home.folder / "logs").write_text("", encoding="utf-8")
    done = home.run("doctor")
    assert done.returncode == 1
    assert "No log is kept" in done.stderr
    assert "move" in done.stdout
    with Terminal(JELLYTUI, columns=240, environment=home.environment) as terminal:
        assert terminal.wait_for_exit() == 1
        assert "jellytui doctor" in terminal.text
