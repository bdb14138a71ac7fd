"""Runner: claims rows while slots are free and runs an attempt for each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from jellytui.engine.clock import Clock, first_of
from jellytui.engine.downloads.announce import Announcer
from jellytui.engine.downloads.disk import DISK_CHECK_EVERY_S, Disk, words
from jellytui.engine.downloads.files import DownloadFiles
from jellytui.engine.downloads.ports import Link, Server
from jellytui.engine.downloads.rows.queue import Claim, QueueRows
from jellytui.engine.downloads.transfer.alarms import Alarms
from jellytui.engine.downloads.transfer.attempt import RowListener, Transfer
from jellytui.engine.downloads.transfer.boot import boot_id
from jellytui.engine.downloads.transfer.endings import Endings
from jellytui.engine.downloads.transfer.hooks import hooks_of
from jellytui.engine.downloads.transfer.part import Part
from jellytui.engine.downloads.transfer.rate import Gate
from jellytui.engine.downloads.transfer.refusal import LONGEST_WAIT_S
from jellytui.engine.downloads.worker import DownloadTask, DownloadWorker, Outcome, Stopped
from jellytui.engine.errors import DiskError, JellytuiError

log = logging.getLogger(__name__)

SAVE_EVERY_S = 2.0
"""How often progress is written, for all rows in one transaction (design.md)."""


class Runner:
    """The queue at work; the manager tells it when something has changed (`wake`)."""

    def __init__(
        self,
        *,
        rows: QueueRows,
        files: DownloadFiles,
        disk: Disk,
        worker: DownloadWorker,
        server: Server,
        link: Link,
        gate: Gate,
        announcer: Announcer,
        running: dict[int, Transfer],
        is_metered: Callable[[], bool],
        concurrency: int,
        clock: Clock,
    ) -> None:
        self._rows = rows
        self._files = files
        self._disk = disk
        self._worker = worker
        self._server = server
        self._link = link
        self._gate = gate
        self._announcer = announcer
        self._is_metered = is_metered
        self.concurrency = concurrency
        """How many transfers may run at once; a smaller number lets those that run end."""
        self._clock = clock
        self.running = running
        """The newest attempt of each row that has one."""
        self.executor = ThreadPoolExecutor(max_workers=4, thread_name_prefix="downloads-disk")
        self._endings = Endings(
            rows=rows,
            files=files,
            worker=worker,
            link=link,
            announcer=announcer,
            executor=self.executor,
            clock=clock,
            wake_in=self._wake_in,
        )
        self.disk_problem: DiskError | None = None
        self._needed_bytes = 0
        self.make_room: Callable[[], Awaitable[bool]] | None = None
        """Frees what it can of a full disk; whether it did."""
        self.listeners: dict[int, RowListener] = {}
        """The rows that somebody listens to; each has a slot of its own."""
        self._alarms = Alarms(clock)
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    async def start(self) -> None:
        """Begins to work."""
        for download_id, moment in await self._rows.waiting():
            due = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
            seconds = (due - self._clock.now()).total_seconds()
            # Longer than any wait of ours: the clock was set back.
            self._wake_in(download_id, seconds if 0 < seconds <= LONGEST_WAIT_S else 0.0)
        self._spawn(self._serve(), "downloads queue")
        self._spawn(self._save_regularly(), "downloads progress")
        if self.disk_problem:
            self._spawn(self._await_disk(), "downloads disk")

    async def stop(self) -> None:
        """Ends all attempts with their bytes kept; what ran is pending again."""
        self._is_stopping = True
        transfers = list(self.running.values())
        for transfer in transfers:
            transfer.control.stop()
        await asyncio.gather(*(transfer.ended.wait() for transfer in transfers))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.executor.shutdown(wait=True)

    def wake(self) -> None:
        """Looks for rows to start: something was added, moved, or has come back."""
        self._wake.set()

    async def listen(self, download_id: int, listener: RowListener) -> None:
        """Somebody listens to the row: it runs in a slot of its own, whatever holds the queue, also when it was paused
        or has failed. Raises DiskError when nothing can be written.
        """
        if self.disk_problem is not None:
            raise self.disk_problem
        self.listeners[download_id] = listener
        if transfer := self.running.get(download_id):
            transfer.is_stream = True
            if transfer.part is not None:
                listener.opened(transfer)
            self._gate.review()
            self.wake()
        else:  # whoever is cancelled in it would leave a claimed row without its attempt
            await asyncio.shield(self._spawn(self._claim_for_listeners(), "claim"))

    def unlisten(self, download_id: int, *, is_paused: bool = False) -> None:
        """Nobody listens to the row any more; it waits for an ordinary slot, or is paused."""
        self.listeners.pop(download_id, None)
        transfer = self.running.get(download_id)
        if transfer is not None and transfer.is_stream:
            transfer.is_paused = is_paused
            transfer.control.stop()

    async def stop_attempts(self, download_ids: Iterable[int]) -> list[Transfer]:
        """Ends the attempts of these rows and waits until their files are let go; the attempts that ran."""
        found = [transfer for download_id in download_ids if (transfer := self.running.get(download_id))]
        for transfer in found:
            transfer.control.stop()
        await asyncio.gather(*(transfer.ended.wait() for transfer in found))
        return found

    def stop_where(self, condition: Callable[[Transfer], bool], wait_reason: str) -> None:
        """Ends attempts that may not go on for now; they are pending again and say why."""
        for transfer in self.running.values():
            if condition(transfer):
                transfer.wait_reason = wait_reason
                transfer.control.stop()

    def hold_for_disk(self, problem: DiskError, needed_bytes: int = 0) -> None:
        """Stops the whole queue until the disk is well again."""
        is_new = self.disk_problem is None
        self.disk_problem, self._needed_bytes = problem, needed_bytes
        if is_new and not self._is_stopping:
            self.stop_where(lambda _: True, "disk")
            self._spawn(self._await_disk(), "downloads disk")
        self._announcer.totals_changed()

    async def save_progress(self) -> None:
        """Writes how far all attempts are."""
        known = [(transfer, progress) for transfer in self.running.values() if (progress := transfer.progress())]
        if not known:
            return
        await self._rows.save_progress([progress for _, progress in known], boot_id())
        for transfer, progress in known:
            transfer.saved_bytes = progress.bytes_downloaded
        self._announcer.totals_changed()

    # The loop.

    async def _serve(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._ring_alarms()
                await self._claim_for_listeners()
                while self._has_slot() and (claim := await self._rows.claim(is_metered=self._is_metered())):
                    self._launch(claim)
            except sqlite3.Error as error:
                self._hold_for_database(error)
            await self._until_something_changes()

    def _has_slot(self) -> bool:
        used = sum(1 for transfer in self.running.values() if not transfer.is_stream)
        return used < self.concurrency and self._may_run()

    def _may_run(self) -> bool:
        return self._link.is_online and self._may_listen()

    def _may_listen(self) -> bool:
        """Music goes on where a sign-in was lost, so a listener does not ask whether we are online."""
        return self.disk_problem is None and not self._is_stopping

    async def _claim_for_listeners(self) -> None:
        for download_id, listener in list(self.listeners.items()):
            if download_id in self.running or not listener.is_due or not self._may_listen():
                continue
            claim = await self._rows.claim_for_listener(download_id, at_once=True)
            if claim is None:
                listener.missed()
                continue
            transfer = self._launch(claim)
            if download_id not in self.listeners:  # he has gone meanwhile
                transfer.is_paused = claim.was != "pending"
                transfer.control.stop()

    def _launch(self, claim: Claim) -> Transfer:
        """Starts the attempt of a claim. Known as running before anything else can happen: a pause must find it."""
        previous = self.running.get(claim.id)
        transfer = Transfer(claim, self._clock, is_stream=claim.id in self.listeners)
        self.running[claim.id] = transfer
        if not self._may_listen():
            # The disk, a move or the end came while the row was being claimed.
            transfer.wait_reason = "disk" if self.disk_problem else None
            transfer.control.stop()
        elif claim.is_unmetered_only and not transfer.is_stream and self._is_metered():
            transfer.wait_reason = "metered"  # since then
            transfer.control.stop()
        self._spawn(self._run(transfer, previous), f"transfer {claim.id}")
        return transfer

    async def _until_something_changes(self) -> None:
        waits: list[Coroutine[object, object, object]] = [self._wake.wait()]
        if not self._link.is_online:
            waits.append(self._link.wait_online())
        if self._alarms.is_set:
            waits.append(self._alarms.wait())
        await first_of(*waits)

    def _wake_in(self, download_id: int, seconds: float) -> None:
        """The row is due after so many seconds."""
        self._alarms.set(download_id, seconds)
        self.wake()

    async def _ring_alarms(self) -> None:
        rung = self._alarms.ring()
        try:
            if rung:
                await self._rows.end_waits(rung)
        except sqlite3.Error:
            for download_id in rung:
                self._wake_in(download_id, DISK_CHECK_EVERY_S)
            raise

    async def _save_regularly(self) -> None:
        while True:
            await self._clock.sleep(SAVE_EVERY_S)
            for transfer in self.running.values():
                if transfer.part is not None:
                    transfer.part.hand_over()  # on a slow line a megabyte takes long to gather
            try:
                await self.save_progress()
            except sqlite3.Error as error:
                self._hold_for_database(error)

    async def _await_disk(self) -> None:
        """Looks again every ten seconds, the first time at once if room was made; the queue goes on by itself."""
        loop = asyncio.get_running_loop()
        is_soon = await self._is_room_made()
        while self.disk_problem is not None:
            if not is_soon:
                await self._clock.sleep(DISK_CHECK_EVERY_S)
            is_soon = False
            try:
                await loop.run_in_executor(self.executor, lambda: self._disk.check(needed_bytes=self._needed_bytes))
                await self._rows.release_all_but(list(self.running))
                await self._rows.end_wait_reason("disk")
            except DiskError as error:
                self.disk_problem = error
            except sqlite3.Error as error:
                self._hold_for_database(error)
            else:  # a move may have begun while the disk was being looked at
                self.disk_problem = DiskError(self._disk.hold) if self._disk.hold else None
        self._announcer.totals_changed()
        self.wake()

    async def _is_room_made(self) -> bool:
        try:
            return self.make_room is not None and self._needed_bytes > 0 and await self.make_room()
        except sqlite3.Error as error:
            self._hold_for_database(error)
            return False

    def _hold_for_database(self, error: sqlite3.Error) -> None:
        """What is done cannot be written down: the disk of the database is full, or gone."""
        log.warning("the downloads cannot be written down: %s", error)
        text = f"The database cannot be written ({error}). Free some space; downloads then go on by themselves."
        self.hold_for_disk(DiskError(text), self._needed_bytes)

    # One attempt.

    async def _run(self, transfer: Transfer, previous: Transfer | None) -> None:
        claim = transfer.claim
        if previous is not None:
            previous.control.stop()
            await previous.ended.wait()
        try:
            await self._attempt(transfer)
        except sqlite3.Error as error:
            self._hold_for_database(error)
            transfer.outcome = self.disk_problem
        finally:
            if transfer.part is not None:
                with contextlib.suppress(OSError):
                    await transfer.part.close()
            if self.running.get(claim.id) is transfer:
                del self.running[claim.id]
            transfer.ended.set()
            if listener := self.listeners.get(claim.id):
                listener.ended(transfer)
            self.wake()

    async def _attempt(self, transfer: Transfer) -> None:
        """Fetches and writes down what has come of it. Raises sqlite3.Error where that cannot be written."""
        claim = transfer.claim
        try:
            self._announcer.row("started", claim.info)
            transfer.outcome = await self._fetch(transfer)
            await self._endings.write(transfer, transfer.outcome)
        except OSError as error:
            await self._end_by_disk(transfer, error)
        except JellytuiError as error:
            transfer.outcome = error
            await self._endings.fail(transfer, error.text)
        except sqlite3.Error:
            raise
        except Exception:
            log.exception("download %s failed", claim.item_id)
            transfer.outcome = JellytuiError("Something went wrong inside jellytui; its log says what.")
            await self._endings.fail(transfer, transfer.outcome.text)

    async def _fetch(self, transfer: Transfer) -> Outcome:
        claim = transfer.claim
        if transfer.control.is_stopped:
            return Stopped()
        path = self._files.part_of(claim.item_id)
        trusted = claim.durable_bytes if claim.boot_id not in (None, boot_id()) else None
        transfer.part = await Part.open(
            path, self.executor, trusted_bytes=trusted, before=lambda: self._files.make_folder(path.parent)
        )
        if transfer.part.size:
            transfer.held = claim.held
        if listener := self.listeners.get(claim.id):
            listener.opened(transfer)
        # A listener's way is the anonymous stream: it needs no permission, and no sign-in.
        is_authorized = claim.is_users and not transfer.is_stream
        url = self._server.download_url if is_authorized else self._server.stream_url
        task = DownloadTask(
            id=claim.id,
            item_id=claim.item_id,
            user_id=claim.user_id,
            priority=claim.priority,
            url=url(claim.item_id),
            target_path=self._files.absolute(self._endings.final_path(claim, claim.mime_type)),
            mime_type=claim.mime_type,
            expected_size=claim.expected_size,
            generation=claim.generation,
            authorized=is_authorized,
            held=claim.held,
        )
        hooks = hooks_of(
            transfer,
            rows=self._rows,
            endings=self._endings,
            announcer=self._announcer,
            gate=self._gate,
            disk=self._disk,
            server=self._server,
            executor=self.executor,
            listener=lambda: self.listeners.get(claim.id),
        )
        return await self._worker.fetch(task, transfer.part, transfer.control, hooks)

    async def _end_by_disk(self, transfer: Transfer, error: OSError) -> None:
        log.warning("download %s: %s", transfer.claim.item_id, error)
        text = words(error, self._files.root)
        transfer.outcome = DiskError(text)
        if not self._disk.concerns_all(error):
            await self._endings.fail(transfer, text)
            return
        await self._endings.release(transfer, wait_reason="disk")
        self.hold_for_disk(DiskError(text), max(0, (transfer.total or 0) - transfer.bytes_here))

    def _spawn(self, work: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
