"""kill -9 at random instants: engine after engine downloads, pauses, deletes and evicts, dies, and another goes on.

`make crash-test` runs a thousand rounds; JELLYTUI_CRASH_ROUNDS and JELLYTUI_CRASH_SEED say otherwise.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile

from jellytui.demo.faults.relay import Line
from jellytui.demo.folder import scan
from jellytui.demo.library import Library
from jellytui.demo.server import DemoServer
from jellytui.engine.models import Account
from tests.faults.killed.house import House

ROUNDS = int(os.environ.get("JELLYTUI_CRASH_ROUNDS", "30"))
ROUNDS_BETWEEN_ENDS = 6
RATE = 16_000_000
"""Bytes per second and connection: a song takes about 0.5 s, two at a time."""
SECONDS_OF_A_SONG = 40


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Four songs of 7 MB, so that more than 2 MiB of one can be lost."""
    folder = tmp_path_factory.mktemp("songs")
    dice = np.random.default_rng(11)
    for number in range(1, 5):
        file = folder / "Noise" / "Longer" / f"{number:02d} Hiss {number}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, dice.integers(-9000, 9000, (SECONDS_OF_A_SONG * 44_100, 2), dtype=np.int16), 44_100)
    return scan(folder)


@pytest.fixture
def house(tmp_path: Path, songs: Library) -> Iterator[House]:
    folder = songs.tracks[0].file.parents[2]
    with DemoServer.in_thread(folder, library=songs, line=Line(rate=RATE)) as server:
        header = 'MediaBrowser Client="test", Device="box", DeviceId="dev-1", Version="1.0"'
        answer = httpx.post(
            f"{server.url}/Users/AuthenticateByName",
            json={"Username": "demo", "Pw": "demo"},
            headers={"Authorization": header},
        ).json()
        account = Account(
            server_url=server.url,
            server_id=answer["User"]["ServerId"],
            server_name="Demo",
            server_version="10.11.0",
            user_id=answer["User"]["Id"],
            user_name="demo",
            device_id="dev-1",
        )
        yield House(tmp_path / "house", server, songs.tracks, account, answer["AccessToken"])


@pytest.mark.timeout(60 + 3 * ROUNDS)
def test_after_kill_9_at_any_instant_everything_asked_for_arrives_whole_and_is_resumed(house: House) -> None:
    seed = int(os.environ.get("JELLYTUI_CRASH_SEED", str(random.randrange(1 << 32))))
    print(f"JELLYTUI_CRASH_SEED={seed}")
    dice = random.Random(seed)
    for number in range(1, ROUNDS + 1):
        house.run_and_kill(dice)
        if number % ROUNDS_BETWEEN_ENDS == 0 or number == ROUNDS:
            house.finish()
    print(f"{ROUNDS} kills {house.deaths}, {house.resumed} songs resumed, {house.completed} completed in the end")
    assert house.resumed
    assert house.completed
