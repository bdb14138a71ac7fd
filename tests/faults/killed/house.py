"""One folder, one server, engine after engine that is killed there, and what was promised meanwhile."""

from __future__ import annotations

import hashlib
import multiprocessing
import random
import signal
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from jellytui.demo.app import SeenRequest
from jellytui.demo.library import DemoTrack
from jellytui.demo.server import ThreadedServer
from jellytui.engine.downloads.rows.queue import CONDEMNED
from jellytui.engine.models import Account, Track
from tests.faults.killed.life import COUNT_BYTES, Life, live

OVERLAP = 64 * 1024
LOSABLE_BYTES = 2 * 1024 * 1024
"""Of what the worker has read, that much may not be in the `.part` yet (issue 5)."""
LONGEST_LIFE_S = 0.4
LAST_EVENT = 60
SOON_S = 0.008

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.faults.killed.life", "httpx", "jellytui.engine.jellyfin.wire.transport"])


class House:
    """What lies in the folder, and what must hold of it; asserts after each life."""

    def __init__(
        self, folder: Path, server: ThreadedServer, songs: Sequence[DemoTrack], account: Account, token: str
    ) -> None:
        self.folder = folder
        self.server = server
        self.songs = {song.id: song for song in songs}
        self.digests = {song.id: _digest(song.file) for song in songs}
        self.resumed = self.completed = 0
        self.deaths: dict[str, int] = {}
        self._account = account
        self._token = token
        self._tracks = tuple(_track(song) for song in songs)
        self._promised: dict[str, bool | None] = {}
        """By song: asked for, taken back, or (None) in the middle of either when it died."""
        folder.mkdir()
        (folder / "counts").write_bytes(b"\0" * COUNT_BYTES * len(songs))
        for name in ("diary", "errors"):
            (folder / name).touch()

    @property
    def files(self) -> Path:
        return self.folder / "downloads"

    def run_and_kill(self, dice: random.Random) -> None:
        """A life that is killed at a random instant: of time, before some act on the disk, or soon after one."""
        way = dice.choice(("time", "time", "before", "after"))
        life = Life(
            folder=self.folder,
            account=self._account,
            token=self._token,
            tracks=self._tracks,
            seed=dice.randrange(1 << 32),
            fatal_event=0 if way == "time" else dice.randint(1, LAST_EVENT),
            dies="after" if way == "after" else "before",
        )
        self.deaths[way] = self.deaths.get(way, 0) + 1
        self._live(life, lambda process, ours: _kill(process, ours, dice))

    def finish(self) -> None:
        """A life that nobody ends: all that was asked for is here, byte by byte, and nothing beside it."""
        life = Life(
            folder=self.folder,
            account=self._account,
            token=self._token,
            tracks=self._tracks,
            seed=0,
            is_last=True,
        )
        self._live(life, _await_end)
        rows = self.rows()
        for item_id, is_wanted in self._promised.items():
            if is_wanted:
                assert rows[item_id]["status"] == "completed"
                self.completed += 1
            elif is_wanted is False and item_id in rows:
                assert not rows[item_id]["is_users"]
        visible = {path.stem for path in self.visible()}
        assert visible == {item_id for item_id, row in rows.items() if row["status"] == "completed"}
        assert not self.parts()

    def _live(self, life: Life, end: Any) -> None:
        (self.folder / "counts").write_bytes(b"\0" * COUNT_BYTES * len(self._tracks))
        before, asked = self.parts(), len(self.server.server.requests)
        # What was being removed when the last life ended is removed by this one.
        doomed = {item_id for item_id, row in self.rows().items() if row["wait_reason"] == CONDEMNED}
        told = (self.folder / "diary").stat().st_size
        ours, theirs = CONTEXT.Pipe()
        process = CONTEXT.Process(target=live, args=(life, theirs))
        process.start()
        theirs.close()
        try:
            end(process, ours)
        finally:
            process.kill()
            process.join()
            ours.close()
        errors = (self.folder / "errors").read_text()
        assert process.exitcode == (0 if life.is_last else -signal.SIGKILL), errors
        assert "Traceback" not in errors, errors
        touched = self._hear(told) | doomed
        self._check_parts(touched)
        self._check_resumes(before, asked, touched)
        self._check_rows_and_files()

    def _hear(self, told: int) -> set[str]:
        """Takes up the promises of a life; the songs of which it may have taken something away."""
        touched: set[str] = set()
        lines = (self.folder / "diary").read_bytes()[told:].decode().splitlines()
        for line in lines:
            moment, act, item_id = line.split()
            if act == "evict":
                touched |= set(self.songs)
                continue
            if act == "delete":
                touched.add(item_id)
            wish = act == "ask"
            if moment == "begin" and self._promised.get(item_id) is not wish:
                self._promised[item_id] = None
            elif moment == "done" and not act.startswith("no-"):
                self._promised[item_id] = wish
        return touched

    def _check_parts(self, touched: set[str]) -> None:
        """Of what the worker has read only the last 2 MiB may be lost."""
        counts = (self.folder / "counts").read_bytes()
        parts = self.parts()
        visible = {path.stem for path in self.visible()}
        for number, item_id in enumerate(self.songs):
            read = int.from_bytes(counts[number * COUNT_BYTES : (number + 1) * COUNT_BYTES], "little")
            if item_id not in touched and item_id not in visible:
                assert parts.get(item_id, 0) >= read - LOSABLE_BYTES

    def _check_resumes(self, before: dict[str, int], asked: int, touched: set[str]) -> None:
        """The first request for each half song asks from 64 KiB before the end of what was here."""
        seen = set()
        for request in self._music_since(asked):
            item_id = next(item_id for item_id in self.songs if item_id in request.path)
            if item_id in seen or before.get(item_id, 0) <= OVERLAP:
                continue
            seen.add(item_id)
            start = f"bytes={before[item_id] - OVERLAP}-"
            assert request.headers.get("range") == start or item_id in touched
            self.resumed += request.headers.get("range") == start

    def _check_rows_and_files(self) -> None:
        """Nothing asked for is lost, no row says completed without its exact bytes, no visible file is less than
        whole or without a row."""
        rows = self.rows()
        for item_id, is_wanted in self._promised.items():
            if is_wanted:
                assert rows[item_id]["is_users"]
        digests = {path.relative_to(self.files).as_posix(): _digest(path) for path in self.visible()}
        for path, digest in digests.items():
            item_id = Path(path).stem
            assert digest == self.digests[item_id]
            assert item_id in rows
        for item_id, row in rows.items():
            if row["status"] == "completed" and row["wait_reason"] != CONDEMNED:
                assert digests[row["file_path"]] == self.digests[item_id]

    def _music_since(self, asked: int) -> list[SeenRequest]:
        requests = self.server.server.requests[asked:]
        return [each for each in requests if each.path.endswith(("/Download", "/stream"))]

    def parts(self) -> dict[str, int]:
        """How much of each unfinished song is here."""
        return {part.stem: part.stat().st_size for part in self.files.rglob("*.part")}

    def visible(self) -> list[Path]:
        """The files that look like music."""
        return [path for path in self.files.rglob("*.*") if path.stem in self.songs and path.suffix != ".part"]

    def rows(self) -> dict[str, dict[str, Any]]:
        """Every row by its item, of a database that is whole; none before the first life."""
        if not (self.folder / "jellytui.db").exists():
            return {}
        with closing(sqlite3.connect(self.folder / "jellytui.db")) as connection:
            assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
            connection.row_factory = sqlite3.Row
            found = connection.execute(
                """SELECT item_id, status, file_path, wait_reason,
                   EXISTS (SELECT 1 FROM wants w WHERE w.download_id = d.id AND w.wanted_by = 'user') AS is_users
                   FROM downloads d"""
            ).fetchall()
        return {row["item_id"]: dict(row) for row in found}


def _kill(process: Any, ours: Connection, dice: random.Random) -> None:
    """Waits for a random instant; the process may be dead before."""
    try:
        assert ours.poll(20)
        ours.recv_bytes()
        if ours.poll(dice.uniform(0.0, LONGEST_LIFE_S)):
            ours.recv_bytes()
            process.join(dice.uniform(0.0, SOON_S))
    except EOFError:
        pass  # dead already


def _await_end(process: Any, ours: Connection) -> None:
    process.join(30)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _track(song: DemoTrack) -> Track:
    return Track(
        id=song.id,
        name=song.name,
        album=song.album or "",
        album_id=song.album_id or "",
        artists=("Somebody",),
        disc=song.disc,
        number=song.index,
        container=song.container,
    )
