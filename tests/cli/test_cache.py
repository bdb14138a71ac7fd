"""jellytui cache, as it is typed: real processes, a real server, real files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jellytui.cli.cache import size
from jellytui.demo.server import DemoServer, ThreadedServer
from tests.support.program import Home


@pytest.fixture
def server(small_library: Path) -> Iterator[ThreadedServer]:
    with DemoServer.in_thread(small_library) as server:
        yield server


def test_what_was_streamed_is_seen_kept_and_the_rest_cleared(server: ThreadedServer, tmp_path: Path) -> None:
    home = Home.make(tmp_path / "home")
    home.sign_in(server.url)
    assert home.run("sync").returncode == 0
    first, second = [item["id"] for item in home.json("search", "dump") if item["type"] == "track"][:2]
    assert home.run("play", first, second).returncode == 0

    use = home.json("cache")
    assert [one["origin"] for one in use["uses"]] == ["user", "stream", "queue", "album"]
    assert sum(one["files"] for one in use["uses"]) == 2
    assert use["uses"][0]["files"] == 0
    assert 0 < use["cache_bytes"] < use["limit_bytes"] == 10_000_000_000

    kept = home.run("cache", "keep", first, "nonsense", "f" * 32)
    missing = f"Not here yet: nonsense, {'f' * 32}. Download it instead."
    assert (kept.returncode, kept.stderr.splitlines()) == (5, ["1 track kept.", missing])
    again = home.run("cache", "keep", first, first)
    assert (again.returncode, again.stderr) == (0, "1 track kept.\n")
    cleared = home.run("cache", "clear")
    assert (cleared.returncode, "removed" in cleared.stderr) == (0, True)
    assert home.run("offline", "has", second).returncode == 5
    assert home.run("cache", "set", "storage_limit=60MB", "wifi_only=off").returncode == 0
    assert home.json("cache")["settings"] == {
        "queue_precache_enabled": True,
        "queue_precache_count": 5,
        "album_affinity_enabled": True,
        "album_affinity_threshold": 3,
        "storage_limit": 60_000_000,
        "wifi_only": False,
    }
    lines = home.run("cache").stdout.splitlines()
    assert [line.split() for line in lines[-6:]] == [
        ["queue_precache_enabled", "on"],
        ["queue_precache_count", "5"],
        ["album_affinity_enabled", "on"],
        ["album_affinity_threshold", "3"],
        ["storage_limit", "60", "MB"],
        ["wifi_only", "off"],
    ]
    assert [line.split("  ")[0] for line in lines[:2]] == ["your downloads", "streamed"]
    assert [line.split()[-2:] for line in lines[:2]] == [["1", "track"], ["0", "tracks"]]
    assert lines[4].split() == ["the", "cache", "in", "all", "0", "kB", "of", "60", "MB"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 kB"),
        (512_000, "512 kB"),
        (1_400_000, "1.4 MB"),
        (9_960_000, "10 MB"),
        (10**10, "10 GB"),
        (999_600, "1.0 MB"),
    ],
)
def test_sizes_are_said_in_decimal_units(number: int, words: str) -> None:
    assert size(number) == words
