"""The command line end to end: real processes, a real server, real files."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from jellytui.config import load_settings
from jellytui.demo.server import DemoServer, ThreadedServer
from tests.support.program import Home


@pytest.fixture
def server(small_library: Path) -> Iterator[ThreadedServer]:
    with DemoServer.in_thread(small_library) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.make(tmp_path / "home")


@pytest.fixture
def synced(home: Home, server: ThreadedServer) -> Home:
    home.sign_in(server.url)
    done = home.run("sync")
    assert done.returncode == 0, done.stderr
    return home


def test_without_an_account_a_command_says_how_to_sign_in(home: Home) -> None:
    done = home.run("downloads")
    assert (done.returncode, done.stdout) == (3, "")
    assert "jellytui login URL" in done.stderr


def test_the_token_is_a_private_file_and_nowhere_else(home: Home, server: ThreadedServer) -> None:
    home.sign_in(server.url)
    (token_file,) = (home.folder / "state").rglob("token")
    token = token_file.read_text(encoding="utf-8").strip()
    assert token
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    others = [path for path in home.folder.rglob("*") if path.is_file() and path != token_file]
    assert not [path for path in others if token.encode() in path.read_bytes()]
    assert all(token not in request.path for request in server.server.requests)


def test_a_wrong_password_is_said_and_stores_nothing(home: Home, server: ThreadedServer) -> None:
    done = home.run("login", server.url, "--user", "demo", "--password-stdin", typed="wrong\n")
    assert done.returncode == 1
    assert "password" in done.stderr
    assert not list(home.folder.rglob("token"))


def test_a_server_that_is_not_there_exits_with_4(home: Home) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = home.run("login", f"http://127.0.0.1:{port}", "--user", "demo", "--password-stdin", typed="demo\n")
    assert done.returncode == 4
    assert f"127.0.0.1:{port}" in done.stderr


def test_sync_then_search_without_the_server(synced: Home, server: ThreadedServer) -> None:
    server.stop()
    found = synced.json("search", "a")
    assert found
    assert all({"id", "type", "name", "album", "artists"} <= item.keys() for item in found)
    lines = synced.run("search", "a").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [item["id"] for item in found]


def test_a_track_is_downloaded_and_is_there_without_the_server(synced: Home, server: ThreadedServer) -> None:
    track = next(item for item in synced.json("search", "a") if item["type"] == "track")
    assert synced.run("offline", "has", track["id"]).returncode == 5
    (row,) = synced.json("download", track["id"], "--wait")
    assert (row["status"], row["progress"], row["item_id"]) == ("completed", 1.0, track["id"])
    server.stop()
    assert synced.run("offline", "has", track["id"]).returncode == 0
    assert [item["id"] for item in synced.json("offline", "items")] == [track["id"]]
    assert [item["id"] for item in synced.json("offline", "search", track["name"])] == [track["id"]]
    original = {file.read_bytes() for file in server.server.folder.rglob("*") if file.is_file()}
    (stored,) = (path for path in (home_downloads(synced)).rglob("*") if path.stem == track["id"])
    assert stored.read_bytes() in original
    done = synced.run("play", track["id"])
    assert done.returncode == 0, done.stderr
    assert track["name"] in done.stderr


def test_an_album_is_downloaded_listed_and_deleted(synced: Home) -> None:
    album = next(item for item in synced.json("search", "a") if item["type"] == "album")
    rows = synced.json("download", album["id"], "--album", "--wait")
    assert rows
    assert {row["status"] for row in rows} == {"completed"}
    assert {row["album_id"] for row in rows} == {album["id"]}
    assert [row["id"] for row in synced.json("downloads", "--status", "completed")] == [row["id"] for row in rows]
    done = synced.run("downloads", "delete", *(str(row["id"]) for row in rows))
    assert done.returncode == 0, done.stderr
    assert synced.json("downloads") == []
    assert not [path for path in home_downloads(synced).rglob("*") if path.suffix in {".flac", ".part"}]


def test_a_paused_download_waits_and_a_cancelled_one_goes(synced: Home) -> None:
    first, second = [item for item in synced.json("search", "a") if item["type"] == "track"][:2]
    assert synced.run("downloads", "pause-all").returncode == 0
    rows = synced.json("download", first["id"], second["id"])
    assert {row["status"] for row in rows} <= {"pending", "paused"}
    words = "Everything is paused, also what you add. `jellytui downloads resume-all` lets it go on."
    assert words in synced.run("downloads").stderr
    assert synced.run("downloads", "cancel", str(rows[0]["id"])).returncode == 0
    assert [row["item_id"] for row in synced.json("downloads")] == [second["id"]]


def test_what_is_not_there_exits_with_5(synced: Home) -> None:
    for words in (["download", "f" * 32], ["downloads", "pause", "4711"]):
        done = synced.run(*words)
        assert done.returncode == 5, (words, done.stderr)
        assert done.stderr


def test_a_bad_config_names_file_and_key(home: Home) -> None:
    (home.folder / "config" / "config.toml").write_text("[downloads]\nspeed = 3\n", encoding="utf-8")
    done = home.run("downloads")
    assert done.returncode == 2
    assert "config.toml" in done.stderr
    assert "speed" in done.stderr


def test_the_doctor_looks_at_everything(synced: Home) -> None:
    done = synced.run("doctor", "--json")
    findings = {finding["check"]: finding for finding in json.loads(done.stdout)}
    assert {"Python", "libmpv", "SQLite", "terminal", "data", "server"} <= findings.keys()
    assert findings["server"]["status"] == "ok"
    assert all(finding["remedy"] for finding in findings.values() if finding["status"] != "ok")


def test_logout_forgets_the_token_and_keeps_the_music(synced: Home, server: ThreadedServer) -> None:
    track = next(item for item in synced.json("search", "a") if item["type"] == "track")
    synced.json("download", track["id"], "--wait")
    assert synced.run("logout").returncode == 0
    assert not list(synced.folder.rglob("token"))
    assert [path for path in home_downloads(synced).rglob("*") if path.stem == track["id"]]
    assert synced.run("sync").returncode == 3


def home_downloads(home: Home) -> Path:
    return home.folder / "data" / "downloads"


def test_an_item_is_shown_with_its_tracks_its_words_and_its_cover(synced: Home) -> None:
    found = synced.json("search", "a")
    album = next(item for item in found if item["type"] == "album")
    shown, *tracks = synced.json("show", album["id"])
    assert shown == album
    assert len(tracks) == album["track_count"]
    assert {track["album_id"] for track in tracks} == {album["id"]}
    cover = synced.run("cover", album["id"])
    assert cover.returncode in (0, 5), cover.stderr
    assert cover.returncode == 5 or Path(cover.stdout.strip()).is_file()
    words = synced.run("lyrics", tracks[0]["id"])
    assert words.returncode == (0 if words.stdout else 5)
    assert synced.run("show", "f" * 32).returncode == 5


def test_the_queue_is_listed_moved_and_emptied(synced: Home) -> None:
    tracks = [item["id"] for item in synced.json("search", "a") if item["type"] == "track"][:3]
    assert synced.run("add", *tracks).returncode == 0
    assert [item["id"] for item in synced.json("queue")] == tracks
    assert synced.run("queue", "move", "1", "3").returncode == 0
    assert synced.run("queue", "remove", "1").returncode == 0
    assert [item["id"] for item in synced.json("queue")] == [tracks[2], tracks[0]]
    beyond = synced.run("queue", "play", "3")
    assert (beyond.returncode, beyond.stderr) == (5, "There is no place 3 in the queue; it has 2 tracks.\n")
    assert synced.run("queue", "clear").returncode == 0
    assert synced.json("queue") == []


def test_downloads_are_put_first_let_go_and_lists_unfollowed(synced: Home) -> None:
    tracks = [item for item in synced.json("search", "a") if item["type"] == "track"][:2]
    assert synced.run("downloads", "pause-all").returncode == 0
    rows = synced.json("download", *(track["id"] for track in tracks))
    for verb in ("first", "anyway"):
        assert synced.run("downloads", verb, str(rows[1]["id"])).returncode == 0
    assert [row["id"] for row in synced.json("downloads")] == [rows[1]["id"], rows[0]["id"]]
    assert synced.run("favorite", tracks[0]["id"]).returncode == 0
    assert synced.run("download", "--favorites").returncode == 0
    assert synced.run("downloads", "unfollow", "--favorites").returncode == 0
    for words, code in (([], 2), (["--favorites"], 5), (["f" * 32], 5)):
        assert synced.run("downloads", "unfollow", *words).returncode == code


def test_settings_are_changed_for_good(home: Home, server: ThreadedServer) -> None:
    home.sign_in(server.url)
    done = home.run("cache", "set", "storage_limit=50_000", "wifi_only=false")
    assert done.returncode == 0
    assert "storage_limit = 50_000, wifi_only = false. Written below [cache] in " in done.stderr
    assert home.json("cache")["limit_bytes"] == 50_000
    assert home.run("downloads", "set", "concurrency=3").returncode == 0
    file = home.folder / "config" / "config.toml"
    settings = load_settings(file)
    assert (settings.cache.wifi_only, settings.downloads.concurrency) == (False, 3)
    assert settings.player.audio_output == "null"  # as it was

    before = file.read_text(encoding="utf-8")
    wrong = home.run("cache", "set", "storage_limit=7", "wifi_only=5")
    assert (wrong.returncode, wrong.stderr) == (2, "wifi_only takes on or off, not '5'.\n")
    assert file.read_text(encoding="utf-8") == before
