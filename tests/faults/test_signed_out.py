"""The sign-in is lost while music plays: reports and side calls stop, the music does not, and no play is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from jellytui.config import CacheSettings, PlayerSettings, Settings
from jellytui.demo.server import DemoServer
from jellytui.engine.bus import Listener
from jellytui.engine.clock import SystemClock
from jellytui.engine.engine import Engine
from jellytui.engine.events import ConnectionState, PlayerState, ProblemOccurred, TrackPlayed
from jellytui.engine.jellyfin.auth import SignInService, stored_token
from jellytui.engine.models import Account
from jellytui.paths import Paths, paths_below
from tests.engine.downloads.test_cache_journey import plays_told
from tests.support.hearing import RATE, dumped, noise, samples_of, write
from tests.support.libmpv import needs_libmpv
from tests.support.waiting import until

pytestmark = needs_libmpv

SECONDS = {"null": 2.0, "pcm": 6.0}
"""The first song by where it is heard; without a device it lasts as long as its bytes take to come."""


def settings_for(audio_output: str) -> Settings:
    """The original samples, and nothing is fetched ahead."""
    player = PlayerSettings(audio_output=audio_output, replaygain="off")
    return Settings(player=player, cache=CacheSettings(queue_precache_enabled=False))


async def sign_in(server: DemoServer, paths: Paths) -> Account:
    """Signs in, as a process of its own does."""
    service = SignInService(paths=paths, settings=Settings(), clock=SystemClock())
    return await service.with_password(await service.probe(server.url), "demo", "demo")


async def heard(connection: Listener, status: str) -> None:
    """Listens until the connection is so."""
    async with asyncio.timeout(10):
        async for event in connection:
            if isinstance(event, ConnectionState) and event.status == status:
                return


@asynccontextmanager
async def engine_of(account: Account, paths: Paths, settings: Settings) -> AsyncIterator[Engine]:
    """An engine, synced."""
    token = stored_token(paths, account)
    assert token
    engine = await Engine.start(account=account, token=token, paths=paths, settings=settings)
    try:
        await engine.call("sync_library", full=True)
        await engine.call("await_sync")
        yield engine
    finally:
        await engine.close()


@pytest.mark.parametrize("audio_output", list(SECONDS))
async def test_a_token_revoked_in_mid_play_stops_the_reports_and_not_the_music(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audio_output: str
) -> None:
    monkeypatch.chdir(tmp_path)  # where audiodump.wav goes
    music, paths, settings = tmp_path / "music", paths_below(tmp_path / "home"), settings_for(audio_output)
    music.mkdir()
    songs = [write(music / "01.wav", noise(SECONDS[audio_output])), write(music / "02.wav", noise(1.0, seed=6))]
    async with DemoServer(music, relay=True) as server:
        account = await sign_in(server, paths)
        first, second = (song.id for song in sorted(server.library.tracks, key=lambda song: song.file))
        line = server.faults.add("drip", route="*/stream", rate=8 * RATE)

        def counts() -> list[int]:
            return [server.world.user_data.get(account.user_id, item_id).play_count for item_id in (first, second)]

        async with engine_of(account, paths, settings) as engine:
            connection, told = engine.events([ConnectionState]), engine.events([TrackPlayed, ProblemOccurred])
            await engine.call("set_volume", volume=100)
            await engine.call("play_items", item_ids=[first])
            await until(lambda: counts() == [1, 0])
            server.world.accounts.revoke(lambda device: True)
            await engine.call("sync_library")  # which is refused
            await heard(connection, "signed_out")
            asked = len(server.requests)
            state: PlayerState = await engine.call("get_player")
            assert (state.track and state.track.id, state.status, state.source) == (first, "playing", "server")
            line.rate = 0
            await engine.call("enqueue_items", item_ids=[second])
            await engine.call("await_end_of_queue")
            # Beside the music only the connection itself asks whether the token is taken again.
            since = {request.path.rpartition("/")[2] for request in server.requests[asked:]}
            assert {"stream"} <= since <= {"stream", "Public", "Me"}
            assert counts() == [1, 0]

            await sign_in(server, paths)
            await heard(connection, "online")
            await until(lambda: counts() == [1, 1])
            played = await told.batch()
        assert counts() == [1, 1]
        assert [track_id for track_id, _ in plays_told(server)] == [second]
        starts = [request for request in server.requests if request.path == "/Sessions/Playing"]
        assert len(starts) == 1
    if audio_output == "null":
        assert [event.track.id for event in played if isinstance(event, TrackPlayed)] == [first, second]
        assert len(played) == 2
    else:
        assert np.array_equal(dumped(), np.concatenate([samples_of(song) for song in songs]))
