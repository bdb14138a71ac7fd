"""The journey with deaths on the way: plays made without a server outlive kill -9, and reach it once, in order."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from jellytui.config import PlayerSettings, Settings
from jellytui.demo.server import DemoServer, ThreadedServer
from jellytui.engine.clock import SystemClock
from jellytui.engine.engine import Engine
from jellytui.engine.events import DownloadEvent, TrackPlayed
from jellytui.engine.jellyfin.auth import SignInService, stored_account, stored_token
from jellytui.engine.models import Account
from jellytui.paths import paths_below
from tests.engine.downloads.test_cache_journey import tracks_of
from tests.support.libmpv import needs_libmpv
from tests.support.music import Song, album_tags, write_song

pytestmark = needs_libmpv

SECONDS = 0.9
"""A track; half of it heard is a play."""
SETTINGS = Settings(player=PlayerSettings(audio_output="null"))
_PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.faults.test_one_fetch_killed import live
asyncio.run(live(Path(sys.argv[1]), sys.argv[2]))
"""


async def live(home: Path, act: str) -> None:
    """The victim: plays everything, goes on with what was kept, or only tells the server; says what it hears."""
    paths = paths_below(home)
    account = stored_account(paths)
    assert account
    token = stored_token(paths, account)
    assert token
    engine = await Engine.start(account=account, token=token, paths=paths, settings=SETTINGS)
    events = engine.events([TrackPlayed, DownloadEvent])
    if act == "begin":
        await engine.call("sync_library", full=True)
        await engine.call("await_sync")
        tracks = [*(await tracks_of(engine, "A"))[:3], *await tracks_of(engine, "B")]
        await engine.call("play_items", item_ids=[track.id for track in tracks])
    elif act == "go on":
        await engine.call("play")
    async for event in events:
        if isinstance(event, TrackPlayed):
            _say("played", event.track.name)
        elif isinstance(event, DownloadEvent) and event.type == "completed":
            _say("here", event.download.name)


def _say(what: str, name: str) -> None:
    print(json.dumps([what, name]), flush=True)


class Victim:
    """A process with what it has said."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._said: set[tuple[str, str]] = set()

    def until(self, what: str, *names: str) -> None:
        """Listens until it has said all of these."""
        assert self._process.stdout is not None
        while not {(what, name) for name in names} <= self._said:
            line = self._process.stdout.readline()
            assert line, f"it ended before {what} {names}"
            self._said.add(tuple(json.loads(line)))


@contextmanager
def living(home: Path, act: str) -> Iterator[Victim]:
    """A victim that is killed in the end."""
    words = [sys.executable, "-c", _PROGRAM, str(home), act]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Victim(process)
        finally:
            process.kill()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ThreadedServer]:
    """Two albums of six and eight tracks."""
    for album, number in (("A", 6), ("B", 8)):
        for place in range(1, number + 1):
            tags = album_tags("Somebody", f"Album {album}", f"{album}{place}", place)
            write_song(tmp_path / "music", Song(f"{album}/{place:02d}.flac", tags, SECONDS, 200 + 15 * place))
    with DemoServer.in_thread(tmp_path / "music") as server:
        yield server


@pytest.fixture
def account(server: ThreadedServer, tmp_path: Path) -> Account:
    """Signed in, for every victim."""

    async def sign_in() -> Account:
        service = SignInService(paths=paths_below(tmp_path / "home"), settings=SETTINGS, clock=SystemClock())
        return await service.with_password(await service.probe(server.url), "demo", "demo")

    return asyncio.run(sign_in())


def plays_of(home: Path, account: Account) -> list[dict[str, Any]]:
    """The plays that are written down, in their order."""
    file = paths_below(home).database_file(account.server_id, account.user_id)
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM plays ORDER BY played_at, rowid")]


def test_plays_made_offline_outlive_two_deaths_and_arrive_once_in_order_with_their_dates(
    server: ThreadedServer, account: Account, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with living(home, "begin") as victim:
        victim.until("here", "A4", "A5", "A6", "B1", "B2", "B3", "B4", "B5")
        victim.until("played", "A3")
        server.stop()
        victim.until("played", "B2")
    with living(home, "go on") as victim:
        victim.until("played", "B4")
    offline = [play for play in plays_of(home, account) if not play["reported"]]
    server.start()
    with living(home, "tell"):
        wait_until_all_is_told(home, account)

    ids = {track.id: track.name for track in server.server.library.tracks}
    plays = plays_of(home, account)
    assert {"B2", "B3", "B4"} <= {ids[play["track_id"]] for play in offline}
    marks = [request for request in server.server.requests if "/UserPlayedItems/" in request.path]
    assert [request.path.rpartition("/")[2] for request in marks] == [play["track_id"] for play in offline]
    told = [parse_qs(request.query)["datePlayed"][0] for request in marks]
    assert [moment[:23] for moment in told] == [play["played_at"][:23] for play in offline]
    counts = {track_id: sum(play["track_id"] == track_id for play in plays) for track_id in ids}
    user = next(iter(server.server.world.accounts.users.values()))
    on_server = {track_id: server.server.world.user_data.get(user.id, track_id).play_count for track_id in ids}
    assert on_server == counts


def wait_until_all_is_told(home: Path, account: Account) -> None:
    """Waits until no play is left to tell."""

    async def wait() -> None:
        async with asyncio.timeout(30):
            while any(not play["reported"] for play in plays_of(home, account)):
                await asyncio.sleep(0.05)

    asyncio.run(wait())
