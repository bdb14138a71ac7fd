"""The demo server, to be started by a test, a script or the command line."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import uvicorn

from jellytui.demo.app import RequestLog, SeenRequest, build_app
from jellytui.demo.changes import compare
from jellytui.demo.discovery import answer_discovery
from jellytui.demo.faults.answers import FaultyAnswers
from jellytui.demo.faults.relay import Line, Relay, Sent
from jellytui.demo.faults.rules import Faults
from jellytui.demo.folder import scan
from jellytui.demo.library import Library, item_id
from jellytui.demo.state.playlists import Playlists
from jellytui.demo.state.store import Store
from jellytui.demo.state.userdata import UserDataStore
from jellytui.demo.state.users import Accounts, User
from jellytui.demo.watch import watch
from jellytui.demo.wire.emulation import SERVER_12, Emulation
from jellytui.demo.world import World

DEFAULT_USER = "demo"
DEFAULT_PASSWORD = "demo"  # noqa: S105 - the password that everybody is told
_FAREWELL_SECONDS = 0.05
_T = TypeVar("_T")


class _Uvicorn(uvicorn.Server):
    """uvicorn inside a running loop: leaves the signals alone and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.leaving = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to whoever owns the process."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens, then says so."""
        await super().startup(sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        """Ticks ten times a second (the Date header), and ends at once when it should."""
        counter = 0
        while not self.leaving.is_set() and not await self.on_tick(counter):
            counter += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self.leaving.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cuts every connection, and does not pause as uvicorn does to let answers end."""
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        tasks = list(self.server_state.tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=0.1)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


def _listener(port: int) -> socket.socket:
    """A socket on 127.0.0.1. Raises OSError when the port is taken."""
    # The protocol is named because asyncio sets TCP_NODELAY only then: else small answers wait 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise
    return listener


class DemoServer:
    """A Jellyfin-compatible server over a folder of music, on 127.0.0.1.

    Use it as `async with DemoServer(folder) as server:`; `server.url`, `server.user` and `server.password` are what a
    client needs. `stop()` and `start()` take it away and bring it back on the same port, with tokens and user data
    kept. `server.requests` lists what clients asked; `server.faults.add(kind, route=…, nth=…, times=…)` breaks things,
    on the wire too with `relay=True`, and `line` makes a bad network. `server.world` holds the state and its switches
    (`phase`, `library`, `accounts`, `sessions`). With `watch_seconds` the folder is looked at as often and read again
    when it changed; with `discovery_port` (0 = any; then `server.discovery_port` says which) UDP finds the server.
    """

    def __init__(
        self,
        folder: Path,
        *,
        library: Library | None = None,
        port: int = 0,
        emulate: Emulation = SERVER_12,
        name: str = "Demo",
        state_file: Path | None = None,
        base_path: str = "",
        keep_alive_seconds: int = 60,
        relay: bool = False,
        line: Line | None = None,
        discovery_port: int | None = None,
        watch_seconds: float | None = None,
        user: str = DEFAULT_USER,
        password: str = DEFAULT_PASSWORD,
    ) -> None:
        self.folder = folder
        self.user = user
        self.password = password
        self.port = port
        store = Store(state_file)
        server_id = item_id("jellytui demo server", str(folder.resolve()))
        self.world = World(
            emulation=emulate,
            server_id=server_id,
            server_name=name,
            library=library or scan(folder, merge_names=emulate.merges_names),
            accounts=Accounts(server_id, store),
            user_data=UserDataStore(store),
            playlists=Playlists(store, keep_duplicates=emulate.is_12),
            base_path=base_path,
            keep_alive_seconds=keep_alive_seconds,
        )
        owner = self.world.accounts.add(self.user, self.password, hidden=False, administrator=True)
        self.world.playlists.take_files(self.world.library.playlists, owner.id)
        _take_demo_file(self.world, folder, owner, fresh=not len(self.world.user_data))
        self.log = RequestLog()
        self.faults = Faults()
        self.faults.wire_possible = relay or line is not None
        self._relay = Relay(self.faults, line or Line()) if self.faults.wire_possible else None
        self._app = build_app(self.world, self.log, lambda app: FaultyAnswers(app, self.faults))
        self.discovery_port = discovery_port
        self._watch_seconds = watch_seconds
        self._background: set[asyncio.Task[None]] = set()
        self._scanning = asyncio.Lock()
        self._discovery: asyncio.DatagramTransport | None = None
        self.world.rescan = self._rescan_soon
        self._uvicorn: _Uvicorn | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where clients find it, with the base path, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}{self.world.base_path}"

    @property
    def library(self) -> Library:
        """What it serves."""
        return self.world.library

    @property
    def requests(self) -> list[SeenRequest]:
        """The requests seen so far, oldest first."""
        return self.log.requests

    @property
    def sent(self) -> list[Sent]:
        """What the relay has passed on, in the order of the requests; empty without a relay."""
        return self._relay.sent if self._relay is not None else []

    def add_user(self, name: str, password: str, **policy: Any) -> User:
        """Makes another user; `policy` takes fields of state.users.Policy: `download=False`, `disabled=True`."""
        return self.world.accounts.add(name, password, **policy)

    async def start(self) -> None:
        """Listens, on the same port as before if there was one. Raises OSError when the port is taken."""
        if self._task is not None:
            return
        listener = _listener(self.port)
        self.port = listener.getsockname()[1]
        self.world.address = self.url
        if self._relay is not None:
            inner = _listener(0)
            await self._relay.start(listener, inner.getsockname()[1])
            listener = inner
        config = uvicorn.Config(
            self._app,
            log_level="critical",
            access_log=False,
            lifespan="off",
            server_header=False,
            date_header=False,  # ours: a fault may tell another time
            h11_max_incomplete_event_size=256 * 1024,
            ws_ping_interval=None,
            ws_per_message_deflate=False,
            ws_max_size=64 * 1024 * 1024,
            timeout_graceful_shutdown=0,
        )
        self._uvicorn = _Uvicorn(config)
        self._task = asyncio.create_task(self._uvicorn.serve([listener]), name="demo server")
        waiting = asyncio.create_task(self._uvicorn.listening.wait())
        await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._task.done():
            self._task.result()
        if self.discovery_port is not None:
            self._discovery = await answer_discovery(self.world, self.discovery_port)
            self.discovery_port = self._discovery.get_extra_info("sockname")[1]
        if self._watch_seconds is not None:
            self._keep(watch(self.folder, self._watch_seconds, self.rescan))

    async def shut_down(self) -> None:
        """Goes away as a server does that is told to end: says so on every socket first (jellyfin-api.md 4.4)."""
        for each in self.world.sessions.sockets():
            each.send("ServerShuttingDown", has_data=False)
        await asyncio.sleep(_FAREWELL_SECONDS)
        await self.stop()

    async def stop(self) -> None:
        """Goes away at once: no answer is finished, every connection is cut."""
        if self._uvicorn is None or self._task is None:
            return
        self.world.cancel_timers()
        if self._discovery is not None:
            self._discovery.close()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        for session in self.world.sessions.all():
            self.world.sessions.end(session)
        self._uvicorn.leaving.set()
        await self._task
        if self._relay is not None:
            await self._relay.stop()
        self._uvicorn = self._task = None

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _rescan_soon(self) -> None:
        self._keep(self.rescan())

    async def rescan(self) -> None:
        """Reads the folder again and tells the clients what changed (LibraryChanged); a computed library stays."""
        if self.folder.is_dir():
            async with self._scanning:
                await self._rescan()

    async def _rescan(self) -> None:
        world, old = self.world, self.world.library
        world.library = await asyncio.to_thread(
            scan, self.folder, merge_names=world.emulation.merges_names, previous=old
        )
        owner = next(iter(world.accounts.users.values()))
        world.playlists.take_files(world.library.playlists, owner.id)
        change = compare(old, world.library, is_12=world.emulation.is_12)
        if change:
            world.library_changed(change)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @classmethod
    @contextmanager
    def in_thread(cls, folder: Path, **options: Any) -> Iterator["ThreadedServer"]:
        """Runs a server in a thread of its own, for synchronous code; takes the options of DemoServer."""
        server = cls(folder, **options)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="demo server", daemon=True)
        thread.start()
        threaded = ThreadedServer(server, loop)
        try:
            threaded.start()
            yield threaded
        finally:
            threaded.stop()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


class ThreadedServer:
    """A DemoServer that runs in a thread, driven from another one."""

    def __init__(self, server: DemoServer, loop: asyncio.AbstractEventLoop) -> None:
        self.server = server
        self.user = server.user
        self.password = server.password
        self._loop = loop

    @property
    def url(self) -> str:
        """Where clients find it."""
        return self.server.url

    def start(self) -> None:
        """Listens again."""
        self.run(self.server.start())

    def stop(self) -> None:
        """Goes away at once."""
        self.run(self.server.stop())

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Runs a coroutine on the server's loop and returns its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Calls a function on the server's loop."""
        self._loop.call_soon_threadsafe(function, *arguments)


def _take_demo_file(world: World, folder: Path, owner: User, *, fresh: bool) -> None:
    """Favourites, playlists and play counts that the composer has written beside the music, once."""
    file = folder / "demo.json"
    if not fresh or not file.is_file() or any(not each.from_file for each in world.playlists.all()):
        return
    told = json.loads(file.read_text("utf-8"))
    by_path = {item.path.removeprefix("/music/"): item for item in world.library.everything()}
    artists = {artist.name: artist for artist in world.library.artists}
    for entry in told.get("favorites", []):
        item = by_path.get(entry) or artists.get(entry)
        if item is not None:
            world.user_data.change(owner.id, item.id, favorite=True)
    for entry, count in told.get("play_counts", {}).items():
        item = by_path.get(entry)
        if item is not None:
            world.user_data.change(owner.id, item.id, play_count=count, played=True, last_played=item.created)
    for playlist in told.get("playlists", []):
        ids = [by_path[path].id for path in playlist["tracks"] if path in by_path]
        world.playlists.create(playlist["name"], owner.id, ids, public=False, now=world.clock())
