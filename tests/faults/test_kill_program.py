"""kill -9 at random instants of the whole program: `jellytui download` dies, and another one goes on.

A round for each 25 of test_kill.py, whose engines begin far sooner.
"""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from jellytui.demo.app import SeenRequest
from jellytui.demo.faults.relay import Line
from jellytui.demo.library import DemoTrack, Library
from jellytui.demo.server import DemoServer, ThreadedServer
from jellytui.engine.downloads.files import MARKER
from tests.support.program import JELLYTUI, Home

ROUNDS = int(os.environ.get("JELLYTUI_CRASH_ROUNDS", "50")) // 25
OVERLAP = 64 * 1024
RATE = 4_000_000
"""Bytes per second and connection: an album of four songs takes about 1.5 s, two at a time."""
LONGEST_LIFE_S = 1.4


class House:
    """One home, one server, and what has been promised about the files between them."""

    def __init__(self, home: Home, server: ThreadedServer, songs: list[DemoTrack]) -> None:
        self.home = home
        self.server = server
        self.songs = songs
        self.album_id = songs[0].album_id or ""
        self.files = home.folder / "data" / "downloads"
        self.resumed = 0

    @property
    def database(self) -> Path:
        (path,) = (self.home.folder / "data").rglob("jellytui.db")
        return path

    def run_and_kill(self, seconds: float) -> None:
        """Downloads the album in a process that dies so long after its first request for music."""
        before = self.parts()
        asked = len(self.server.server.requests)
        process = subprocess.Popen(
            [*JELLYTUI, "download", self.album_id, "--album", "--wait"],
            env=self.home.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            while process.poll() is None and not self.music_since(asked):
                time.sleep(0.005)
            time.sleep(seconds)
        finally:
            process.kill()
            _, errors = process.communicate()
        assert b"Traceback" not in errors, errors.decode()
        self.check_resumes(before, asked)
        self.check_files()

    def finish(self) -> None:
        """Lets a process live to the end: everything asked for is here, byte by byte, and nothing beside it."""
        before, asked = self.parts(), len(self.server.server.requests)
        done = self.home.run("download", self.album_id, "--album", "--wait")
        assert done.returncode == 0, done.stderr
        self.check_resumes(before, asked)
        self.check_files()
        assert {name: state for name, (state, _) in self.rows().items()} == {
            song.id: "completed" for song in self.songs
        }
        assert not list(self.files.rglob("*.part"))
        for song in self.songs:
            (file,) = self.files.rglob(f"{song.id}.*")
            assert file.read_bytes() == song.file.read_bytes()

    def begin_anew(self) -> None:
        """Deletes everything: no file is left."""
        rows = self.home.json("downloads")
        done = self.home.run("downloads", "delete", *(str(row["id"]) for row in rows))
        assert done.returncode == 0, done.stderr
        assert [path.name for path in self.files.rglob("*")] == [MARKER]

    def check_files(self) -> None:
        """No row says completed without its exact bytes, and no visible file is less than whole."""
        contents = {song.id: song.file.read_bytes() for song in self.songs}
        for item_id, (state, path) in self.rows().items():
            if state == "completed":
                assert path is not None
                assert (self.files / path).read_bytes() == contents[item_id]
        for file in self.files.rglob("*.*"):
            if file.suffix != ".part" and file.stem in contents:
                assert file.read_bytes() == contents[file.stem]

    def check_resumes(self, before: dict[str, int], asked: int) -> None:
        """The first request for each half song asks from at most 64 KiB before what was here."""
        seen = set()
        for request in self.music_since(asked):
            item_id = next(song.id for song in self.songs if song.id in request.path)
            if item_id in seen or before.get(item_id, 0) <= OVERLAP:
                continue
            seen.add(item_id)
            assert request.headers.get("range") == f"bytes={before[item_id] - OVERLAP}-"
            self.resumed += 1

    def music_since(self, asked: int) -> list[SeenRequest]:
        """The requests for music after so many of any kind."""
        return [request for request in self.server.server.requests[asked:] if request.path.endswith("/Download")]

    def parts(self) -> dict[str, int]:
        """How much of each unfinished song is here."""
        return {part.stem: part.stat().st_size for part in self.files.rglob("*.part")} if self.files.is_dir() else {}

    def rows(self) -> dict[str, tuple[str, str | None]]:
        """Each song's state and path, of a database that is whole."""
        with closing(sqlite3.connect(self.database)) as connection:
            found = connection.execute("SELECT item_id, status, file_path FROM downloads").fetchall()
            assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
        return {item_id: (status, path) for item_id, status, path in found}


@pytest.fixture
def house(tmp_path: Path, noise: Library) -> Iterator[House]:
    folder = noise.tracks[0].file.parents[2]
    with DemoServer.in_thread(folder, library=noise, line=Line(rate=RATE)) as server:
        home = Home.make(tmp_path / "home")
        home.sign_in(server.url)
        assert home.run("sync").returncode == 0
        yield House(home, server, list(noise.tracks))


@pytest.mark.timeout(60 + 8 * ROUNDS)
def test_after_kill_9_the_same_command_brings_everything_here_whole(house: House) -> None:
    seed = int(os.environ.get("JELLYTUI_CRASH_SEED", str(random.randrange(1 << 32))))
    print(f"JELLYTUI_CRASH_SEED={seed}")
    dice = random.Random(seed)
    for round_number in range(1, ROUNDS + 1):
        house.run_and_kill(dice.uniform(0, LONGEST_LIFE_S) if dice.random() < 0.8 else 0.0)
        if round_number % 4 == 0 or round_number == ROUNDS:
            house.finish()
            house.begin_anew()
    print(f"{ROUNDS} kills, {house.resumed} songs resumed")
