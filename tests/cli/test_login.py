"""Signing in, signing out and the doctor on the command line: real processes against a real server."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from jellytui.demo.server import DemoServer, ThreadedServer
from tests.support.program import JELLYTUI, Home
from tests.support.terminal import Terminal


@pytest.fixture
def server(small_library: Path) -> Iterator[ThreadedServer]:
    with DemoServer.in_thread(small_library) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.make(tmp_path / "home")


def approve(server: ThreadedServer, code: str) -> None:
    """Enters a Quick Connect code as somebody who is signed in."""
    header = 'MediaBrowser Client="test", Device="phone", DeviceId="phone", Version="1.0"'
    with httpx.Client(base_url=server.url, headers={"Authorization": header}) as phone:
        user = {"Username": server.user, "Pw": server.password}
        token = phone.post("/Users/AuthenticateByName", json=user).json()["AccessToken"]
        phone.headers["Authorization"] = f'{header}, Token="{token}"'
        phone.post("/QuickConnect/Authorize", params={"code": code}).raise_for_status()


def login_by_code(home: Home, server: ThreadedServer) -> tuple[subprocess.Popen[str], str]:
    """The command under way, and the code that it shows."""
    running = subprocess.Popen(
        [*JELLYTUI, "login", server.url, "--quick-connect"],
        env=home.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    found = re.search(r"\b\d{6}\b", running.stderr.readline())
    assert found
    return running, found[0]


def checks(home: Home) -> dict[str, dict[str, Any]]:
    """What the doctor finds, by check."""
    done = home.run("doctor", "--json")
    return {finding["check"]: finding for finding in json.loads(done.stdout)}


def test_a_careless_address_signs_in_and_the_password_comes_by_stdin(home: Home, server: ThreadedServer) -> None:
    address = f"127.0.0.1:{server.server.port}/web/index.html"
    done = home.run("login", address, "--user", "demo", "--password-stdin", typed="demo\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Signed in to Demo as demo.\n")


@pytest.mark.terminal
def test_a_terminal_is_asked_for_name_and_password_and_shows_no_password(home: Home, server: ThreadedServer) -> None:
    with Terminal([*JELLYTUI, "login", server.url], environment=home.environment) as terminal:
        terminal.wait_for("User name:")
        terminal.send("demo\n")
        terminal.wait_for("Password:")
        next(iter(server.server.world.accounts.users.values())).password = "open-sesame"
        terminal.send("open-sesame\n")
        assert "Signed in to Demo as demo." in terminal.wait_for("Signed in")
        assert terminal.wait_for_exit() == 0
        assert b"sesame" not in terminal.output


def test_a_code_approved_elsewhere_signs_in(home: Home, server: ThreadedServer) -> None:
    running, code = login_by_code(home, server)
    approve(server, code)
    _, said = running.communicate(timeout=30)
    assert (running.returncode, said) == (0, "Signed in to Demo as demo.\n")
    assert list(home.folder.rglob("token"))


def test_an_expired_code_says_so(home: Home, server: ThreadedServer) -> None:
    running, _ = login_by_code(home, server)
    server.server.world.clock = lambda: datetime.now(UTC) + timedelta(minutes=11)
    _, said = running.communicate(timeout=30)
    assert (running.returncode, said) == (1, "The code has expired. Start Quick Connect again.\n")


def test_each_way_to_fail_has_its_words_and_its_exit_code(home: Home, server: ThreadedServer) -> None:
    server.server.add_user("eve", "secret", disabled=True)

    def login(*words: str, typed: str | None = "demo\n") -> tuple[int, str]:
        done = home.run("login", server.url, *words, typed=typed)
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1
        return done.returncode, done.stderr

    code, said = login("--user", "eve", "--password-stdin", typed="secret\n")
    assert (code, "administrator" in said) == (1, True)
    code, said = login("--password-stdin")
    assert (code, "--user" in said) == (2, True)
    code, said = login("--user", "demo", typed=None)
    assert (code, "--password-stdin" in said) == (2, True)
    server.server.world.phase = "loading"
    code, said = login("--user", "demo", "--password-stdin")
    assert (code, "starting" in said) == (4, True)
    server.server.world.phase = "ready"
    server.server.faults.add("html")
    code, said = login("--user", "demo", "--password-stdin")
    assert (code, "Jellyfin" in said) == (1, True)
    assert not list(home.folder.rglob("token"))


def test_signing_out_ends_the_token_and_says_what_stays(home: Home, server: ThreadedServer) -> None:
    home.sign_in(server.url)
    done = home.run("logout")
    assert (done.returncode, "stays on this machine" in done.stderr) == (0, True)
    assert not server.server.world.accounts.devices
    assert not list(home.folder.rglob("token"))
    again = home.run("logout")
    assert (again.returncode, again.stderr) == (3, "Nobody is signed in.\n")
    assert f"jellytui login {server.url}" in checks(home)["server"]["remedy"]


@pytest.mark.terminal
def test_after_signing_out_the_app_asks_only_for_the_password(home: Home, server: ThreadedServer) -> None:
    home.sign_in(server.url)
    assert home.run("logout").returncode == 0
    with Terminal(JELLYTUI, environment=home.environment) as terminal:
        terminal.wait_for(lambda text: server.url in text and "demo" in text)
        terminal.send("demo\r")
        terminal.wait_for("TRACKS")
        terminal.send("q")
        assert terminal.wait_for_exit() == 0


def test_the_doctor_names_what_is_wrong_and_what_it_takes(home: Home, server: ThreadedServer) -> None:
    found = checks(home)
    assert {"Python", "libmpv", "SQLite", "terminal", "data", "log", "downloads", "server"} <= set(found)
    assert found["SQLite"]["status"] == "ok"
    assert found["log"]["detail"].endswith("jellytui.log")
    assert "jellytui login" in found["server"]["remedy"]

    home.sign_in(server.url)
    found = checks(home)
    assert (found["server"]["status"], found["account"]["status"]) == ("ok", "ok")
    assert "12.0.0" in found["server"]["detail"]

    (token_file,) = home.folder.rglob("token")
    token_file.chmod(0o644)
    next(iter(server.server.world.accounts.users.values())).policy.download = False
    found = checks(home)
    assert (found["token"]["status"], "chmod 600" in found["token"]["remedy"]) == ("failed", True)
    assert (found["account"]["status"], "download" in found["account"]["remedy"]) == ("warning", True)

    server.server.world.accounts.devices.clear()
    found = checks(home)
    assert (found["account"]["status"], "jellytui login" in found["account"]["remedy"]) == ("failed", True)

    server.stop()
    done = home.run("doctor")
    assert done.returncode == 1
    assert "cannot be reached" in done.stdout
    assert done.stderr == ""


def test_the_doctor_finds_a_file_in_the_way(home: Home) -> None:
    (home.folder / "state").write_text("", encoding="utf-8")
    found = checks(home)
    assert (found["state"]["status"], "move" in found["state"]["remedy"]) == ("failed", True)
