"""The library and the search on a real engine, a real database and the demo server over real HTTP.

On both kinds of Backend: the engine in this process, and a proxy of it over its socket.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from jellytui.config import PlayerSettings, Settings
from jellytui.demo.server import DemoServer
from jellytui.engine.backend import Backend
from jellytui.engine.clock import SystemClock
from jellytui.engine.engine import Engine
from jellytui.engine.jellyfin.auth import SignInService, stored_token
from jellytui.engine.models import Listing
from jellytui.paths import paths_below
from jellytui.remote.client import RemoteBackend
from jellytui.remote.server import RemoteServer
from jellytui.tui.app import JellytuiApp
from jellytui.tui.library.results_list import ResultsList
from jellytui.tui.screens.search import SearchScreen
from tests.support.waiting import until
from tests.tui.music import library_of, lines_of, name_under


@pytest_asyncio.fixture
async def engine(demo_server: DemoServer, tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine signed in to the demo server, its library not synced yet."""
    paths, settings = paths_below(tmp_path), Settings(player=PlayerSettings(audio_output="null"))
    sign_in = SignInService(paths=paths, settings=settings, clock=SystemClock())
    account = await sign_in.with_password(await sign_in.probe(demo_server.url), "demo", "demo")
    token = stored_token(paths, account)
    assert token
    engine = await Engine.start(account=account, token=token, paths=paths, settings=settings)
    yield engine
    await engine.close()


@pytest_asyncio.fixture(params=["in this process", "over the socket"])
async def backend(request: pytest.FixtureRequest, engine: Engine, tmp_path: Path) -> AsyncIterator[Backend]:
    """The engine as a face has it."""
    if request.param == "in this process":
        yield engine
        return
    server = RemoteServer(engine, tmp_path / "run" / "engine.sock", engine.database_file)
    await server.start()
    proxy = await RemoteBackend.connect(tmp_path / "run" / "engine.sock")
    yield proxy
    await proxy.close()
    await server.stop()


async def test_a_synced_library_is_browsed_downloaded_played_and_searched_with_the_server_gone(
    backend: Backend, demo_server: DemoServer
) -> None:
    async def open_backend() -> Backend:
        return backend

    app = JellytuiApp(backend=backend, sign_in=None, open_backend=open_backend, settings=Settings())  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        panes = library_of(app).panes
        tracks = panes.list_of("tracks")
        await backend.call("await_sync")
        artists = await backend.views.row_ids(Listing(kind="artist"))
        await until(lambda: panes.list_of("left").item_count == len(artists))
        await until(lambda: name_under(tracks))

        await pilot.press("l", "d")
        await until(lambda: all(" ✓ " in line for line in lines_of(tracks) if "Disc" not in line))

        await demo_server.stop()
        sources = played_from(app)
        await pilot.press("l", "enter")
        await until(lambda: "disk" in sources)

        name = name_under(tracks)
        await pilot.press("slash", *name)
        await until(lambda: isinstance(app.screen, SearchScreen))
        results = app.screen.query_one(ResultsList)
        await until(lambda: name in " ".join(lines_of(results)))


def played_from(app: JellytuiApp) -> set[str]:
    """Fills up with the sources that are played from."""
    assert app.session is not None
    player, sources = app.session.player, set[str]()
    player.subscribe(lambda _keys: sources.add(player.state.source))
    return sources
