"""Listeners: what is played comes through here, as a download that somebody reads (issue 6, one fetch).

A remote track gets a row of origin `stream`, or joins the one that it has; mpv reads the growing `.part`. Once nobody
listens, what is half here goes on as the cache's; the rest stays as it is for a day (upkeep).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from weakref import WeakValueDictionary

from jellytui.engine.clock import Clock
from jellytui.engine.downloads.announce import Announcer
from jellytui.engine.downloads.disk import words
from jellytui.engine.downloads.files import DownloadFiles
from jellytui.engine.downloads.holds import Holds
from jellytui.engine.downloads.leases import Leases
from jellytui.engine.downloads.ports import Catalogue, Link, Server
from jellytui.engine.downloads.rows.listing import Listing
from jellytui.engine.downloads.rows.queue import QueueRows
from jellytui.engine.downloads.rows.requests import PRIORITY_OF, Ask, Requests
from jellytui.engine.downloads.rows.wants import Wants
from jellytui.engine.downloads.stream.feed import Feed
from jellytui.engine.downloads.stream.follower import Follower
from jellytui.engine.downloads.stream.headstart import HeadStarts
from jellytui.engine.downloads.stream.leftovers import Leftovers
from jellytui.engine.downloads.stream.passing import PassingStreams
from jellytui.engine.downloads.stream.reader import StreamReader
from jellytui.engine.downloads.stream.rows import StreamRows
from jellytui.engine.downloads.stream.side import SideRequests
from jellytui.engine.downloads.transfer.rate import Gate
from jellytui.engine.downloads.transfer.refusal import NOT_ALLOWED
from jellytui.engine.downloads.transfer.runner import Runner
from jellytui.engine.downloads.worker import DownloadWorker
from jellytui.engine.errors import DiskError, JellytuiError, NotFoundError
from jellytui.engine.models import DownloadInfo, Track
from jellytui.engine.storage.database import Database

log = logging.getLogger(__name__)

WANT = "stream"
LINGER_S = 1.0
"""How long a download goes on without a reader: the player may open the same track again at once."""
_LEAVE_AGAIN_S = 10.0
"""After the end of a listening could not be written."""
HALF = 0.5
"""From that share on a track is finished though nobody listens any more."""


class Listeners:
    """Everybody who listens; on the loop, but for what readers call."""

    def __init__(
        self,
        *,
        database: Database,
        rows: QueueRows,
        holds: Holds,
        requests: Requests,
        wants: Wants,
        listing: Listing,
        files: DownloadFiles,
        leases: Leases,
        runner: Runner,
        gate: Gate,
        announcer: Announcer,
        catalogue: Catalogue,
        media: HeadStarts,
        server: Server,
        link: Link,
        clock: Clock,
        changes: asyncio.Lock,
        remove: Callable[[Sequence[int]], Coroutine[object, object, None]],
        worker: DownloadWorker,
        keeps_streams: bool,
        bit_rate: int,
    ) -> None:
        self._stream_rows = StreamRows(database)
        self._rows = rows
        self._holds = holds
        self._requests = requests
        self._wants = wants
        self._listing = listing
        self._files = files
        self._leases = leases
        self._runner = runner
        self._gate = gate
        self._announcer = announcer
        self._catalogue = catalogue
        self._media = media
        self._server = server
        self._link = link
        self._clock = clock
        self._changes = changes
        """Held by whoever changes which rows there are."""
        self._remove = remove
        """Deletes rows with what came of them; the caller holds `changes`."""
        self.keeps_streams = keeps_streams
        """Whether the cache may hold anything at all."""
        self._passing = (
            PassingStreams(
                url=lambda item_id: server.limited_url(item_id, bit_rate),
                bytes_per_second=bit_rate / 8,
                worker=worker,
                executor=runner.executor,
                clock=clock,
                on_short=self._review_gate,
            )
            if bit_rate
            else None
        )
        """Where a stream may have only so many bits a second; None where it may have as many as its file."""
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._followers: dict[str, Follower] = {}
        self._leftovers = Leftovers(rows=self._stream_rows, files=files, clock=clock, changes=changes, remove=remove)

    async def start(self) -> None:
        """Before the queue starts: what an earlier run left half listened to is not the queue's to fetch."""
        abandoned = await self._stream_rows.abandon_all()
        await self._rows.move(abandoned, "pause", wait_reason=None, next_attempt_at=None)
        await self._leftovers.start()

    async def stop(self) -> None:
        """Ends every reading."""
        await self._leftovers.stop()
        for follower in list(self._followers.values()):
            follower.feed.fail(JellytuiError("jellytui is closing."))
            if follower.leaving is not None:
                follower.leaving.cancel()
            await follower.stop()
            if follower.is_paused:
                with contextlib.suppress(sqlite3.Error):
                    await self._hand_back(follower, goes_on=False)
            self._forget(follower)
        if self._passing is not None:
            await self._passing.stop()
        await self._media.stop()

    async def open_stream(self, item_id: str) -> StreamReader:
        """Opens an item's file while it comes, or as it is here already.

        Raises DiskError where nothing can be written, NotFoundError for an unknown item.
        """
        try:
            async with self._lock(item_id):
                follower = self._followers.get(item_id)
                if follower is not None and follower.is_over:
                    await self._leave(follower)
                    follower = None
                passing = self._passing
                if passing and not follower and (passing.has(item_id) or not await self._is_coming(item_id)):
                    return passing.open(item_id)
                return self._join(follower or await self._follow(item_id))
        except (sqlite3.Error, OSError) as error:
            raise DiskError(f"Nothing can be written ({error}).") from error

    # Coming.

    async def _is_coming(self, item_id: str) -> bool:
        """Whether its file is here, or is being fetched anyway: then that is heard, however few bits are asked for."""
        row = await self._listing.by_item(item_id)
        if row is None or row.status not in ("completed", "downloading"):
            return False
        return row.status == "completed" or self.keeps_streams or row.is_kept

    async def _is_under_way(self, item_id: str) -> bool:
        """Whether its file is here, or some of it, or it is being fetched: then no request begins at byte 0."""
        row = await self._listing.by_item(item_id)
        is_known = row is not None and row.status in ("completed", "downloading")
        return is_known or self._files.part_of(item_id).exists()

    async def _follow(self, item_id: str) -> Follower:
        url = self._server.stream_url(item_id)
        if self.keeps_streams and not await self._is_under_way(item_id):
            self._media.begin(url)
        row = await self._wanted_row(item_id)
        if row.status == "completed" or (row.status == "downloading" and row.is_kept):
            # It goes another way. Where the queue was faster with a row of the cache's own, it goes this one, and takes
            # what was begun.
            await self._media.drop(url)
        feed = Feed(self._files.part_of(item_id))
        follower = Follower(
            row,
            feed=feed,
            side=SideRequests(feed=feed, media=self._media, url=url, clock=self._clock),
            lease=ExitStack(),
            link=self._link,
            clock=self._clock,
            wake=self._runner.wake,
            look_up=self._look_up,
            on_short=self._review_gate,
            is_paused=self._is_paused(row),
        )
        follower.lease.enter_context(self._leases.hold(item_id))
        self._followers[item_id] = follower
        try:
            if row.status == "completed":
                await self._look_up(follower)
            else:
                self._review_gate()
                await self._runner.listen(row.id, follower)
        except BaseException:
            await self._leave(follower)
            raise
        return follower

    async def _wanted_row(self, item_id: str) -> DownloadInfo:
        """The item's row with the listener's want on it."""
        async with self._changes:
            row = await self._listing.by_item(item_id)
            if row is not None and row.status == "completed":
                return row
            if not self.keeps_streams and not (row is not None and row.is_kept):
                raise DiskError("Nothing is kept of what is streamed: [cache] storage_limit is 0.")
            track = Track(id=item_id, name=row.name) if row is not None else await self._track(item_id)
            ask = Ask(wanted_by=WANT, origin="stream", priority=PRIORITY_OF["stream"])
            ids = await self._requests.add([track], ask)
            return row or await self._listing.get(ids[0])

    def _is_paused(self, row: DownloadInfo) -> bool:
        """Whether the row would wait without its listener: the user has paused it, or everything and not resumed it."""
        if row.status in ("pending", "downloading") and row.wanted_by != (WANT,):
            return False
        # A paused row that nobody wants was left by a listener: of it nobody said pause.
        return self._holds.is_paused or (row.status == "paused" and bool(row.wanted_by))

    async def _track(self, item_id: str) -> Track:
        tracks = await self._catalogue.tracks([item_id])
        if not tracks:
            raise NotFoundError("the library does not have it any more.")
        return tracks[0]

    def _join(self, follower: Follower) -> StreamReader:
        loop = asyncio.get_running_loop()

        def on_loop(function: Callable[..., object], *arguments: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(function, *arguments)

        def on_starve(reader: StreamReader) -> None:
            if follower.must_hear_of(reader):
                on_loop(follower.starved, reader)

        reader = StreamReader(
            follower.feed,
            on_move=follower.nudge,
            on_starve=on_starve,
            on_close=lambda reader: on_loop(self._closed, follower, reader),
        )
        if follower.leaving is not None:
            follower.leaving.cancel()
            follower.leaving = None
        if follower.transfer is not None:
            follower.transfer.is_left = False
            self._gate.review()
        follower.readers.append(reader)
        follower.review()
        return reader

    async def _look_up(self, follower: Follower) -> None:
        """Asks the table what has become of the row."""
        row = await self._listing.by_item(follower.info.item_id)
        if row is None:
            follower.feed.fail(NotFoundError("it was taken off the downloads while it was coming."))
        elif row.status == "completed":
            await self._complete(follower, row)
        elif row.status != "downloading":
            follower.is_due = True
            self._runner.wake()
        follower.review()

    async def _complete(self, follower: Follower, row: DownloadInfo) -> None:
        path = self._files.absolute(row.file_path or "")
        size = await asyncio.to_thread(self._files.size_of, row.file_path or "")
        if size is not None:
            follower.feed.complete(path, size)
            self._runner.unlisten(row.id)
            if follower.info.error_message == NOT_ALLOWED:
                # It came as a stream, which anybody may hear. To keep it needs the permission that was refused.
                await self._wants.drop_users([row.id])
                await self._announcer.changed([row.id])
            return
        try:
            await asyncio.to_thread(self._files.require_root)
        except OSError as error:
            follower.feed.fail(DiskError(words(error, self._files.root)))  # it is not lost, but away with its disk
            return
        await self._rows.move([row.id], "lose", file_path=None, bytes_downloaded=0, progress=0.0, durable_bytes=0)
        follower.is_due = True
        await self._runner.listen(row.id, follower)

    # Going.

    def _closed(self, follower: Follower, reader: StreamReader) -> None:
        if reader in follower.readers:
            follower.readers.remove(reader)
        if reader.window is not None:
            follower.side.drop(reader.window)
        follower.review()
        if not follower.readers and self._followers.get(follower.info.item_id) is follower:
            if follower.transfer is not None:
                follower.transfer.is_left = True
            follower.leaving = asyncio.create_task(self._linger(follower), name="last listener")

    async def _linger(self, follower: Follower) -> None:
        await self._clock.sleep(LINGER_S)
        while True:
            async with self._lock(follower.info.item_id):
                if follower.readers or self._followers.get(follower.info.item_id) is not follower:
                    return
                try:
                    await self._leave(follower)
                except sqlite3.Error as error:
                    log.warning("the end of listening cannot be written: %s", error)
                    follower.feed.fail(DiskError(f"Nothing can be written ({error})."))  # whoever comes begins anew
                else:
                    return
            await self._clock.sleep(_LEAVE_AGAIN_S)

    async def _leave(self, follower: Follower) -> None:
        """Nobody listens any more: the want goes, the bytes stay."""
        item_id, download_id = follower.info.item_id, follower.info.id
        if (transfer := follower.transfer) is not None and follower.is_nearly_there:
            await transfer.ended.wait()
        await follower.stop()
        await self._wants.drop([item_id], WANT)
        # Held to the end: a request in between would be paused with the rest.
        async with self._changes:
            row = await self._listing.by_item(item_id)
            goes_on = row is not None and self._goes_on(follower, row)
            await self._hand_back(follower, goes_on=goes_on)
            self._forget(follower)
            if row is not None and not goes_on and not row.wanted_by and await self._is_empty(follower, row):
                await self._remove([download_id])
                return
        await self._announcer.changed([download_id])

    async def _hand_back(self, follower: Follower, *, goes_on: bool) -> None:
        """The row is the queue's again, or paused."""
        download_id = follower.info.id
        transfer = self._runner.running.get(download_id)
        self._runner.unlisten(download_id, is_paused=not goes_on)
        if transfer is not None:
            await transfer.ended.wait()
        if not goes_on:
            await self._rows.move([download_id], "pause", wait_reason=None, next_attempt_at=None)

    def _goes_on(self, follower: Follower, row: DownloadInfo) -> bool:
        """Whether the queue goes on with it: others want it, or the better part is here."""
        total = follower.feed.total
        is_half_here = total is not None and follower.feed.here >= total * HALF
        return not follower.is_paused and (bool(row.wanted_by) or is_half_here)

    async def _is_empty(self, follower: Follower, row: DownloadInfo) -> bool:
        """Whether nothing of it is here; where the disk is held the feed alone does not know what lay there before."""
        is_none_known = follower.feed.written == 0 and row.bytes_downloaded == 0
        return is_none_known and not await asyncio.to_thread(self._files.has_part, row.item_id)

    def _forget(self, follower: Follower) -> None:
        follower.lease.close()
        if self._followers.get(follower.info.item_id) is follower:
            del self._followers[follower.info.item_id]
        self._review_gate()

    def _review_gate(self) -> None:
        is_passing_short = self._passing is not None and self._passing.is_anyone_short
        self._gate.hold(is_passing_short or any(follower.is_short for follower in self._followers.values()))

    def _lock(self, item_id: str) -> asyncio.Lock:
        """Whoever comes to or leaves an item holds its lock."""
        lock: asyncio.Lock | None = self._locks.get(item_id)
        if lock is None:
            lock = self._locks[item_id] = asyncio.Lock()
        return lock
