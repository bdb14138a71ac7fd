"""Engine: builds the parts for one signed-in account, joins them, starts and stops them in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from jellytui.config import Settings
from jellytui.engine.backend import Views
from jellytui.engine.bus import EventBus, Listener
from jellytui.engine.catalogue import MirrorCatalogue
from jellytui.engine.clock import Clock, SystemClock
from jellytui.engine.commands import registry
from jellytui.engine.commands.running import Running
from jellytui.engine.downloads.cache import SmartCache
from jellytui.engine.downloads.files import account_path
from jellytui.engine.downloads.manager import DownloadManager
from jellytui.engine.downloads.network import NetworkWatch
from jellytui.engine.downloads.upkeep.root import ChosenRoot, choose_root
from jellytui.engine.events import Event, QueueState, SyncState, TrackPlayed, TrackStarted, UpkeepState
from jellytui.engine.jellyfin.auth import stored_token
from jellytui.engine.jellyfin.client import JellyfinClient
from jellytui.engine.jellyfin.connection import Connection
from jellytui.engine.jellyfin.media import MediaClient
from jellytui.engine.library.covers import Covers
from jellytui.engine.library.lyrics import LyricsStore
from jellytui.engine.library.outbox import Outbox
from jellytui.engine.library.syncing.sync import LibrarySync
from jellytui.engine.library.views import LibraryViews
from jellytui.engine.models import Account
from jellytui.engine.player.player import Player
from jellytui.engine.player.reporting import Reporter
from jellytui.engine.services import Services
from jellytui.engine.storage.database import Database
from jellytui.engine.storage.rescue import open_or_rescue
from jellytui.paths import Paths, ensure_folder

log = logging.getLogger(__name__)


class Engine:
    """The Backend in this process. Start one with `Engine.start`; the caller holds the account's lock."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._registry = registry()
        self._running = Running()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends = AsyncExitStack()

    @classmethod
    async def start(
        cls, *, account: Account, token: str, paths: Paths, settings: Settings, clock: Clock | None = None
    ) -> Engine:
        """Opens the account's database, builds the parts and starts them. A damaged database is set aside.

        Raises DatabaseError.
        """
        clock = clock or SystemClock()
        ensure_folder(paths.account_data(account.server_id, account.user_id))
        async with AsyncExitStack() as ends:
            opened = await open_or_rescue(paths.database_file(account.server_id, account.user_id), now=clock.now())
            ends.push_async_callback(opened.database.close)
            root = await choose_root(
                opened.database,
                configured=settings.downloads.folder,
                default=paths.downloads,
                account=account_path(account.server_id, account.user_id),
            )
            services = build(account, token, paths, settings, clock, opened.database, root)
            engine = cls(services)
            await engine._start_parts(ends)
            engine._ends = ends.pop_all()
        for note in filter(None, (opened.note, root.note)):
            log.warning("%s", note)
            services.bus.publish(UpkeepState(work="rescue", status="done", text=note))
        return engine

    @property
    def account(self) -> Account:
        return self._services.account

    @property
    def views(self) -> Views:
        return self._services.views

    @property
    def database_file(self) -> Path:
        """Where a proxy finds the library's pages."""
        return self._services.database.path

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Runs a command of the registry; raises JellytuiError. Cancelling reaches only those that are made for it."""
        command = self._registry[name]
        work = command.run(self._services, arguments)
        return await (work if command.is_cancellable else self._running.whole(work))

    def events(self, kinds: Iterable[type[Event]] | None = None) -> Listener:
        """Listens to events of these kinds, the retained states first."""
        return self._services.bus.listen(kinds)

    async def close(self) -> None:
        """Stops the parts, the latest started first; waits until everything that must not be lost is on disk."""
        await self._ends.aclose()

    async def _start_parts(self, ends: AsyncExitStack) -> None:
        """Starts the parts in order; `ends` undoes it, also when one of them cannot start."""
        services = self._services
        services.bus.bind(asyncio.get_running_loop())
        ends.push_async_callback(services.views.close)
        ends.push_async_callback(services.client.close)
        for part in (
            services.connection,
            services.network,
            services.downloads,
            services.sync,
            services.outbox,
            services.player,
            services.cache,
        ):
            ends.push_async_callback(part.stop)
            await part.start()
        services.cache.on_queue_restored(services.player.window())
        ends.push_async_callback(self._cancel_tasks)
        ends.callback(services.bus.subscribe([TrackStarted, TrackPlayed, QueueState], self._feed_cache))
        ends.callback(services.bus.subscribe([SyncState], self._follow_sync))
        ends.push_async_callback(self._running.close)

    async def _cancel_tasks(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _feed_cache(self, event: Event) -> None:
        """Every track played feeds the SmartCache (seed, Smart Caching Engine)."""
        cache, player = self._services.cache, self._services.player
        if isinstance(event, TrackStarted):
            self._run(cache.on_track_started(player.window()))
        elif isinstance(event, TrackPlayed):
            self._run(cache.on_track_played(event.track))
        elif isinstance(event, QueueState):
            cache.on_queue_changed(player.window)

    def _follow_sync(self, event: Event) -> None:
        """What is downloaded follows the server's playlists and favourites after each whole sync (issue 5)."""
        if isinstance(event, SyncState) and event.status == "done":
            self._run(self._services.downloads.sync_wants())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("work in the background failed", exc_info=error)


def build(
    account: Account,
    token: str,
    paths: Paths,
    settings: Settings,
    clock: Clock,
    database: Database,
    root: ChosenRoot,
) -> Services:
    """The parts of an account's engine, joined but not started."""
    bus = EventBus()
    client = JellyfinClient(
        account=account,
        token=token,
        server=settings.server,
        clock=clock,
        read_token=lambda: stored_token(paths, account),
    )
    connection = Connection(client=client, bus=bus, clock=clock)
    views = LibraryViews(database.path)
    catalogue = MirrorCatalogue(views, client)
    outbox = Outbox(database=database, client=client, connection=connection, bus=bus, clock=clock)
    network = NetworkWatch(server_url=account.server_url, clock=clock)
    covers = Covers(client=client, folder=paths.covers)
    lyrics = LyricsStore(client=client, database=database)
    downloads = DownloadManager(
        account=account,
        database=database,
        root=root.folder,
        may_make_root=root.may_make,
        media=MediaClient(client=client),
        client=client,
        connection=connection,
        catalogue=catalogue,
        mirror=views,
        covers=covers,
        lyrics=lyrics,
        bus=bus,
        settings=settings,
        clock=clock,
        network=network,
    )
    return Services(
        account=account,
        paths=paths,
        settings=settings,
        bus=bus,
        clock=clock,
        database=database,
        client=client,
        connection=connection,
        catalogue=catalogue,
        views=views,
        sync=LibrarySync(client=client, connection=connection, database=database, bus=bus, clock=clock),
        outbox=outbox,
        covers=covers,
        lyrics=lyrics,
        network=network,
        downloads=downloads,
        cache=SmartCache(
            downloads=downloads,
            catalogue=catalogue,
            database=database,
            bus=bus,
            settings=settings,
            clock=clock,
            disk=downloads.disk,
            network=network,
        ),
        player=Player(
            files=downloads,
            stream_url=client.stream_url,
            reports=Reporter(client=client, connection=connection),
            plays=outbox,
            database=database,
            bus=bus,
            settings=settings,
            clock=clock,
        ),
    )
