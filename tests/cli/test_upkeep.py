"""verify, move, export and a damaged database, as a user meets them: real processes, real files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jellytui.demo.server import DemoServer, ThreadedServer
from tests.support.program import Home


@pytest.fixture
def server(small_library: Path) -> Iterator[ThreadedServer]:
    with DemoServer.in_thread(small_library) as server:
        yield server


def test_downloads_are_verified_moved_exported_and_outlive_their_database(
    tmp_path: Path, server: ThreadedServer
) -> None:
    home = Home.make(tmp_path / "home")
    home.sign_in(server.url)
    assert home.run("sync").returncode == 0
    album = next(item for item in home.json("search", "a") if item["type"] == "album")
    rows = home.json("download", "--album", album["id"], "--wait")
    server.stop()
    moved = tmp_path / "usb"
    stored = next((home.folder / "data" / "downloads").rglob(f"{rows[0]['item_id']}.*"))

    # verify
    second = stored.with_suffix(".wma")
    second.write_bytes(b"a second file")
    found = home.run("downloads", "verify", "--json")
    assert found.returncode == 1
    assert '"extra": 1' in found.stdout
    done = home.run("downloads", "verify", "--repair", "--deep")
    assert done.returncode == 0, done.stderr
    assert "mended" in done.stdout
    assert not second.exists()

    # move
    done = home.run("downloads", "move", str(moved))
    assert done.returncode == 0, done.stderr
    assert {row["status"] for row in home.json("downloads")} == {"completed"}
    assert not stored.exists()

    # export
    report = home.json("export", str(tmp_path / "stick"))
    assert (report["written"], report["problems"]) == (len(rows), [])
    assert len([path for path in (tmp_path / "stick").rglob("*.*") if path.suffix == stored.suffix]) == len(rows)

    # a damaged database
    (database,) = home.folder.rglob("jellytui.db")
    database.write_bytes(b"\xff" * 50_000)
    done = home.run("downloads", "verify")
    assert done.returncode == 0, done.stderr
    assert "damaged" in done.stderr
    again = home.json("downloads", "--status", "completed")
    assert sorted(row["item_id"] for row in again) == sorted(row["item_id"] for row in rows)
    assert list(database.parent.glob("jellytui.db.damaged-*"))
