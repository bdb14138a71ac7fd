"""DownloadManager: the download engine of one account, joined from its parts; what commands, cache and player call."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Literal

from jellytui.config import Settings
from jellytui.engine.bus import EventBus
from jellytui.engine.clock import Clock
from jellytui.engine.downloads.acts import Acts
from jellytui.engine.downloads.announce import Announcer
from jellytui.engine.downloads.disk import FREE_FLOOR_BYTES, Disk
from jellytui.engine.downloads.files import DownloadFiles
from jellytui.engine.downloads.holds import Holds
from jellytui.engine.downloads.leases import Leases
from jellytui.engine.downloads.offline import Offline
from jellytui.engine.downloads.ports import Catalogue, CoverShelf, Link, LyricsShelf, Media, Network, Server
from jellytui.engine.downloads.removal import Removal
from jellytui.engine.downloads.rows.listing import Listing, is_left_over
from jellytui.engine.downloads.rows.notes import Notes
from jellytui.engine.downloads.rows.queue import QueueRows
from jellytui.engine.downloads.rows.requests import Requests
from jellytui.engine.downloads.rows.wants import Wants
from jellytui.engine.downloads.stream.headstart import HeadStarts
from jellytui.engine.downloads.stream.listeners import Listeners
from jellytui.engine.downloads.stream.reader import StreamReader
from jellytui.engine.downloads.transfer.attempt import Transfer
from jellytui.engine.downloads.transfer.rate import Gate
from jellytui.engine.downloads.transfer.runner import Runner
from jellytui.engine.downloads.upkeep.caretaker import Caretaker
from jellytui.engine.downloads.upkeep.root import remember_root
from jellytui.engine.downloads.upkeep.strays import Mirror
from jellytui.engine.downloads.wishes.company import Company
from jellytui.engine.downloads.wishes.facts import FactsAsker
from jellytui.engine.downloads.wishes.replaced import Replaced
from jellytui.engine.downloads.wishes.wishes import Wishes
from jellytui.engine.downloads.worker import DownloadWorker
from jellytui.engine.errors import DiskError
from jellytui.engine.models import Account, DownloadInfo, DownloadsSummary, DownloadStatus, Track
from jellytui.engine.storage.database import Database

log = logging.getLogger(__name__)

_ROOT = "root"


class DownloadManager:
    """Start it, then call; every method runs on the engine's loop.

    `wishes` is how tracks are asked for, `acts` what is done to rows that are there, `offline` what plays without the
    server, `caretaker` what keeps rows and disk together. Whoever changes which rows there are holds `changes`, so
    that a request and a removal never cross.
    """

    def __init__(
        self,
        *,
        account: Account,
        database: Database,
        root: Path,
        media: Media,
        client: Server,
        connection: Link,
        catalogue: Catalogue,
        mirror: Mirror,
        covers: CoverShelf,
        lyrics: LyricsShelf,
        bus: EventBus,
        settings: Settings,
        clock: Clock,
        network: Network,
        may_make_root: bool = True,
        free_floor_bytes: int = FREE_FLOOR_BYTES,
    ) -> None:
        media = HeadStarts(media)
        self._database = database
        self._may_make_root = may_make_root
        self._network = network
        self.settings = settings
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsubscribe: Callable[[], None] = lambda: None
        self.changes = asyncio.Lock()
        self.files = DownloadFiles(root=root, server_id=account.server_id, user_id=account.user_id)
        self.disk = Disk(root, free_floor_bytes=free_floor_bytes)
        self.leases = Leases()
        self.gate = Gate(max_rate=settings.downloads.max_rate, clock=clock)
        self.listing = Listing(database)
        self.offline = Offline(listing=self.listing, files=self.files)
        self.rows = QueueRows(database, clock)
        self.wants = Wants(database, clock)
        self.notes = Notes(database)
        worker = DownloadWorker(media=media, clock=clock)
        running: dict[int, Transfer] = {}
        self._running = running
        self.announcer = Announcer(listing=self.listing, bus=bus, clock=clock, live=self._live, outline=self._outline)
        self.runner = Runner(
            rows=self.rows,
            files=self.files,
            disk=self.disk,
            worker=worker,
            server=client,
            link=connection,
            gate=self.gate,
            announcer=self.announcer,
            running=running,
            is_metered=lambda: self._holds.is_metered,
            concurrency=settings.downloads.concurrency,
            clock=clock,
        )
        self._holds = Holds(
            notes=self.notes,
            rows=self.rows,
            runner=self.runner,
            announcer=self.announcer,
            network=network,
            link=connection,
            settings=settings,
        )
        self._removal = Removal(
            database=database,
            rows=self.rows,
            wants=self.wants,
            listing=self.listing,
            files=self.files,
            leases=self.leases,
            runner=self.runner,
            announcer=self.announcer,
            clock=clock,
            changes=self.changes,
            spawn=self._spawn,
        )
        self.acts = Acts(
            database=database,
            rows=self.rows,
            listing=self.listing,
            holds=self._holds,
            removal=self._removal,
            runner=self.runner,
            announcer=self.announcer,
            clock=clock,
            changes=self.changes,
        )
        requests = Requests(database, clock, account.user_id)
        self._listeners = Listeners(
            database=database,
            rows=self.rows,
            holds=self._holds,
            requests=requests,
            wants=self.wants,
            listing=self.listing,
            files=self.files,
            leases=self.leases,
            runner=self.runner,
            gate=self.gate,
            announcer=self.announcer,
            catalogue=catalogue,
            media=media,
            server=client,
            link=connection,
            clock=clock,
            changes=self.changes,
            remove=self._removal.delete,
            worker=worker,
            keeps_streams=settings.cache.storage_limit > 0,
            bit_rate=settings.player.stream_bitrate,
        )
        self.caretaker = Caretaker(
            user_id=account.user_id,
            database=database,
            files=self.files,
            disk=self.disk,
            leases=self.leases,
            mirror=mirror,
            witness=self.announcer,
            wake=self.runner.wake,
            at_rest=self._at_rest,
            changes=self.changes,
            bus=bus,
            clock=clock,
        )
        self._company = Company(
            database=database, notes=self.notes, covers=covers, lyrics=lyrics, link=connection, bus=bus
        )
        self._replaced = Replaced(
            database=database,
            rows=self.rows,
            server=client,
            leases=self.leases,
            holds=self._holds,
            runner=self.runner,
            announcer=self.announcer,
            changes=self.changes,
        )
        self._facts = FactsAsker(database=database, server=client, link=connection, clock=clock)
        self.wishes = Wishes(
            catalogue=catalogue,
            mirror=mirror,
            server=client,
            requests=requests,
            wants=self.wants,
            notes=self.notes,
            listing=self.listing,
            files=self.files,
            holds=self._holds,
            removal=self._removal,
            runner=self.runner,
            facts=self._facts,
            announcer=self.announcer,
            changes=self.changes,
        )

    async def start(self) -> None:
        """Looks at the disk, takes up what an earlier run left, and begins to work."""
        try:
            await self._prepare_disk()
            await self.caretaker.recover()
            await self._removal.end_broken_off()
        except DiskError as error:
            log.warning("downloads wait for the disk: %s", error)
            self.runner.disk_problem = error
        await self.rows.recover()
        await self._listeners.start()
        await self._holds.load()
        await self._holds.follow_network()
        self.announcer.start()
        await self._facts.start()
        await self.runner.start()
        self.caretaker.start()
        self._company.start()
        self._unsubscribe = self._network.subscribe(lambda: self._spawn(self._holds.follow_network()))

    async def take_settings(self, settings: Settings) -> None:
        """Goes by other settings of cache and downloads from now on; the folder stays, and so does the bit rate."""
        self.settings = settings
        self.gate.limit(settings.downloads.max_rate)
        self.runner.concurrency = settings.downloads.concurrency
        self._listeners.keeps_streams = settings.cache.storage_limit > 0
        await self._holds.take_settings(settings)
        self.announcer.totals_changed()

    async def stop(self) -> None:
        """Ends everything with all bytes kept."""
        self._unsubscribe()
        await self._company.stop()
        await self.caretaker.stop()
        await self._listeners.stop()
        await self._facts.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.runner.stop()
        await self.announcer.stop()
        await self.listing.close()

    # What is there.

    async def downloads(self, status: DownloadStatus | None = None) -> list[DownloadInfo]:
        """All rows (of a status) that somebody wants or that are here: unfinished ones in the queue's order, completed
        ones in that of asking."""
        return [self._live(info) for info in await self.listing.all(status) if not is_left_over(info)]

    async def summary(self) -> DownloadsSummary:
        """Totals over all rows as of now."""
        return await self.announcer.summary()

    async def sync_wants(self) -> None:
        """The library was synced: downloaded playlists and favourites follow the server's, and replaced files."""
        await self.wishes.sync()
        await self._replaced.review()
        await self.caretaker.name_strays()

    # For the player.

    async def local_path(self, item_id: str) -> Path | None:
        """The file of a completed download that is there and stays there for who has leased it; else None."""
        return await self.offline.local_path(item_id)

    async def first_local(self, item_ids: Sequence[str]) -> str | None:
        """The first of these items that plays without the server."""
        return await self.offline.first_local(item_ids)

    def lease(self, item_id: str) -> AbstractContextManager[None]:
        """Held while the file is read: evict, delete, move and repair leave it alone."""
        return self.leases.hold(item_id)

    async def open_stream(self, item_id: str) -> StreamReader:
        """The item's file while it comes. Raises DiskError where nothing can be written, NotFoundError."""
        return await self._listeners.open_stream(item_id)

    # For the cache.

    async def want(
        self, tracks: Sequence[Track], wanted_by: Literal["queue", "album"], *, priority: int | None = None
    ) -> list[int]:
        """Queues tracks for the cache; the ids of their rows."""
        return await self.wishes.want(tracks, wanted_by, priority=priority)

    async def withdraw(self, item_ids: Sequence[str], wanted_by: str) -> None:
        """Drops one want of these items; what nobody wants any more goes when less than half of it is here."""
        await self.wishes.withdraw(item_ids, wanted_by)

    async def keep(self, item_ids: Sequence[str]) -> list[int]:
        """Makes cached tracks the user's; their rows. Raises NotAllowedError, ServerUnreachableError, NotFoundError."""
        return [info.id for info in await self.wishes.keep(item_ids)]

    async def evict(self, download_ids: Sequence[int]) -> list[int]:
        """Removes what no user wants and nobody reads; those rows. Raises DiskError."""
        async with self.changes:
            return await self._removal.evict(download_ids)

    async def touch(self, item_id: str) -> None:
        """The item's file was used: it goes last when the cache is full."""
        await self.notes.touch(item_id)

    def when_full(self, make_room: Callable[[], Awaitable[bool]]) -> Callable[[], None]:
        """Asks for room where the disk is full, before the queue waits for it; returns what ends that."""
        self.runner.make_room = make_room

        def end() -> None:
            self.runner.make_room = None

        return end

    def is_leased(self, item_id: str) -> bool:
        """Whether somebody reads the item's file."""
        return self.leases.is_held(item_id)

    # How.

    @asynccontextmanager
    async def _at_rest(self) -> AsyncIterator[None]:
        """For a move: no attempt runs, none starts, and no row comes or goes. The queue goes on within ten seconds."""
        async with self.changes:
            self.disk.hold = "Your downloads are being moved; they go on by themselves."
            try:
                self.runner.hold_for_disk(DiskError(self.disk.hold))
                await self.runner.stop_attempts(list(self._running))
                yield
            finally:
                self.disk.hold = ""

    async def _prepare_disk(self) -> None:
        """Makes the folder where that is allowed: ours always, another only until it was there once."""
        is_new = self.settings.downloads.folder is None or await self.notes.get(_ROOT) != str(self.disk.root)
        await asyncio.to_thread(self.disk.prepare, may_make=is_new and self._may_make_root)
        await remember_root(self._database, self.disk.root)

    def _live(self, info: DownloadInfo) -> DownloadInfo:
        """The row with what only its running attempt knows."""
        transfer = self._running.get(info.id)
        if transfer is None or info.status != "downloading":
            return info
        transfer.info = info
        return transfer.live()

    async def _outline(self, waiting: int) -> DownloadsSummary:
        """The part of the totals that is in no table."""
        transfers = list(self._running.values())
        free_bytes = await asyncio.to_thread(self.disk.free_bytes)
        hold_kind, hold_reason = self._holds.why(waiting=waiting)
        return DownloadsSummary(
            bytes_per_second=sum(transfer.speed.bytes_per_second for transfer in transfers),
            bytes_downloaded=sum(transfer.bytes_here - transfer.saved_bytes for transfer in transfers),
            paused_all=self._holds.is_paused,
            hold_kind=hold_kind,
            hold_reason=hold_reason,
            cache_limit_bytes=self.settings.cache.storage_limit,
            free_bytes=free_bytes or 0,
        )

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work, name="downloads change")
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a change of the downloads failed", exc_info=error)
