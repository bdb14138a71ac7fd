"""Runner: claims rows while slots are free, runs an attempt for each, and writes down how each ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from jellytui.engine.clock import Clock, timestamp
from jellytui.engine.downloads.announce import Announcer
from jellytui.engine.downloads.disk import Disk, words
from jellytui.engine.downloads.files import DownloadFiles, extension_of
from jellytui.engine.downloads.ports import Link, Server
from jellytui.engine.downloads.rows.queue import Claim, Progress, QueueRows, fraction
from jellytui.engine.downloads.transfer.boot import boot_id
from jellytui.engine.downloads.transfer.part import Part
from jellytui.engine.downloads.transfer.rate import Gate
from jellytui.engine.downloads.transfer.refusal import Refusal
from jellytui.engine.downloads.transfer.resume import Body
from jellytui.engine.downloads.transfer.speed import SpeedMeter
from jellytui.engine.downloads.worker import (
    Control,
    DownloadTask,
    DownloadWorker,
    Finished,
    Hooks,
    Outcome,
)
from jellytui.engine.errors import DiskError, JellytuiError, NotSignedInError, ServerUnreachableError
from jellytui.engine.models import DownloadInfo

log = logging.getLogger(__name__)

SAVE_EVERY_S = 2.0
"""How often progress is written, for all rows in one transaction (design.md)."""
DISK_CHECK_EVERY_S = 10.0
LONGEST_TRIP_S = 60.0


class Transfer:
    """One running attempt."""

    def __init__(self, claim: Claim, info: DownloadInfo, clock: Clock) -> None:
        self.claim = claim
        self.info = info
        self.control = Control()
        self.speed = SpeedMeter(clock)
        self.part: Part | None = None
        self.total = claim.held.total or claim.expected_size
        self.saved_bytes = info.bytes_downloaded
        self.wait_reason: str | None = None
        self.ended = asyncio.Event()

    @property
    def bytes_here(self) -> int:
        """Bytes of the file that are here."""
        return self.saved_bytes if self.part is None else self.part.size

    def live(self) -> DownloadInfo:
        """The row with what only the running attempt knows."""
        return replace(
            self.info,
            bytes_downloaded=self.bytes_here,
            file_size=self.total,
            progress=fraction(self.bytes_here, self.total),
            bytes_per_second=self.speed.bytes_per_second,
        )


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
        self._is_metered = is_metered
        self._concurrency = concurrency
        self._clock = clock
        self.announcer: Announcer
        self.executor = ThreadPoolExecutor(max_workers=4, thread_name_prefix="downloads-disk")
        self.running: dict[int, Transfer] = {}
        self.disk_problem: DiskError | None = None
        self._needed_bytes = 0
        self._trips: dict[int, int] = {}
        """How often in a row the server was not there for a row; tells a server that is away from one odd file."""
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    def start(self) -> None:
        """Begins to work."""
        self._spawn(self._serve(), "downloads queue")
        self._spawn(self._save_progress(), "downloads progress")
        if self.disk_problem:
            self._spawn(self._await_disk(), "downloads disk")

    async def stop(self) -> None:
        """Ends all attempts with their bytes kept; what ran is pending again."""
        self._is_stopping = True
        for transfer in self.running.values():
            transfer.control.stop()
        await asyncio.gather(*(transfer.ended.wait() for transfer in list(self.running.values())))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.executor.shutdown(wait=True)

    def wake(self) -> None:
        """Looks for rows to start: something was added, moved, or has come back."""
        self._wake.set()

    async def stop_attempt(self, download_id: int) -> None:
        """Ends the row's attempt, if one runs, and waits until its file is let go."""
        if transfer := self.running.get(download_id):
            transfer.control.stop()
            await transfer.ended.wait()

    def stop_where(self, condition: Callable[[Claim], bool], wait_reason: str) -> None:
        """Ends attempts that may not go on for now; they are pending again and say why."""
        for transfer in self.running.values():
            if condition(transfer.claim):
                transfer.wait_reason = wait_reason
                transfer.control.stop()

    def hold_for_disk(self, problem: DiskError, needed_bytes: int = 0) -> None:
        """Stops the whole queue until the disk is well again."""
        is_new = self.disk_problem is None
        self.disk_problem, self._needed_bytes = problem, needed_bytes
        if is_new and not self._is_stopping:
            self.stop_where(lambda _: True, "disk")
            self._spawn(self._await_disk(), "downloads disk")
        self.announcer.totals_changed()

    async def launch(self, claim: Claim) -> Transfer:
        """Starts the attempt of a claim."""
        previous = self.running.get(claim.id)
        if previous is not None:
            previous.control.stop()
            await previous.ended.wait()
        infos = await self.announcer.rows("started", [claim.id])
        transfer = Transfer(claim, infos[0] if infos else _bare(claim), self._clock)
        self.running[claim.id] = transfer
        self._spawn(self._run(transfer), f"transfer {claim.id}")
        return transfer

    # The loop.

    async def _serve(self) -> None:
        while True:
            self._wake.clear()
            while self._may_start() and (claim := await self._rows.claim(is_metered=self._is_metered())):
                await self.launch(claim)
            await self._until_something_changes(await self._rows.next_due_at())

    def _may_start(self) -> bool:
        used = sum(1 for transfer in self.running.values() if transfer.claim.origin != "stream")
        return used < self._concurrency and self._link.is_online and self.disk_problem is None

    async def _until_something_changes(self, due_at: str | None) -> None:
        waits = [asyncio.ensure_future(self._wake.wait())]
        if not self._link.is_online:
            waits.append(asyncio.ensure_future(self._link.wait_online()))
        elif due_at is not None and (delay := self._seconds_until(due_at)) is not None:
            waits.append(asyncio.ensure_future(self._clock.sleep(delay)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _seconds_until(self, moment: str) -> float | None:
        """Until a row is due; None when it is due already and only lacks a slot."""
        due = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        seconds = (due - self._clock.now()).total_seconds()
        return seconds if seconds > 0 else None

    async def _save_progress(self) -> None:
        while True:
            await self._clock.sleep(SAVE_EVERY_S)
            await self.save_progress()

    async def save_progress(self) -> None:
        """Writes how far all attempts are."""
        known = [(transfer, transfer.part) for transfer in self.running.values()]
        progress = [
            Progress(
                id=transfer.claim.id,
                generation=transfer.claim.generation,
                bytes_downloaded=part.written,
                durable_bytes=part.durable,
                total=transfer.total,
            )
            for transfer, part in known
            if part is not None
        ]
        if not progress:
            return
        await self._rows.save_progress(progress, boot_id())
        for transfer, part in known:
            if part is not None:
                transfer.saved_bytes = part.written
        self.announcer.totals_changed()

    async def _await_disk(self) -> None:
        """Looks again every ten seconds; the queue goes on by itself."""
        loop = asyncio.get_running_loop()
        while self.disk_problem is not None:
            await self._clock.sleep(DISK_CHECK_EVERY_S)
            try:
                await loop.run_in_executor(self.executor, lambda: self._disk.check(needed_bytes=self._needed_bytes))
            except DiskError as error:
                self.disk_problem = error
            else:
                self.disk_problem = None
        self.announcer.totals_changed()
        self.wake()

    # One attempt.

    async def _run(self, transfer: Transfer) -> None:
        claim = transfer.claim
        try:
            await self._end(transfer, await self._fetch(transfer))
        except OSError as error:
            await self._end_by_disk(transfer, error)
        except JellytuiError as error:
            await self._fail(transfer, error.text)
        except Exception:
            log.exception("download %s failed", claim.item_id)
            await self._fail(transfer, "Something went wrong inside jellytui; its log says what.")
        finally:
            if transfer.part is not None:
                with contextlib.suppress(OSError):
                    await transfer.part.close()
            if self.running.get(claim.id) is transfer:
                del self.running[claim.id]
            transfer.ended.set()
            self.wake()

    async def _fetch(self, transfer: Transfer) -> Outcome:
        claim = transfer.claim
        trusted = claim.durable_bytes if claim.boot_id not in (None, boot_id()) else None
        transfer.part = await Part.open(self._files.part_of(claim.item_id), self.executor, trusted_bytes=trusted)
        url = self._server.download_url if claim.is_users else self._server.stream_url
        task = DownloadTask(
            id=claim.id,
            item_id=claim.item_id,
            user_id=claim.user_id,
            priority=claim.priority,
            url=url(claim.item_id),
            target_path=self._files.absolute(self._final_path(claim, claim.mime_type)),
            mime_type=claim.mime_type,
            expected_size=claim.expected_size,
            generation=claim.generation,
            authorized=claim.is_users,
            held=claim.held,
        )
        return await self._worker.fetch(task, transfer.part, transfer.control, self._hooks(transfer))

    def _hooks(self, transfer: Transfer) -> Hooks:
        claim, loop = transfer.claim, asyncio.get_running_loop()

        async def began(body: Body) -> None:
            transfer.total = body.total or claim.expected_size
            await self._rows.began(claim, body)
            self._link.report_success()
            self._trips.pop(claim.id, None)

        def progress(_: int) -> None:
            self.announcer.one("progress", transfer.live())

        async def admit(count: int) -> bool:
            transfer.speed.add(count)
            return False if claim.origin == "stream" else await self._gate.admit(count)

        async def ask_size() -> int | None:
            facts = await self._server.media_facts([claim.item_id])
            return facts[0].size_bytes if facts else None

        async def has_room(count: int) -> None:
            await loop.run_in_executor(self.executor, self._disk.check_room, count)

        return Hooks(began=began, progress=progress, admit=admit, ask_size=ask_size, has_room=has_room)

    def _final_path(self, claim: Claim, mime_type: str | None) -> str:
        return claim.file_path or self._files.path_of(claim.item_id, extension_of(claim.container, mime_type))

    # How it ended.

    async def _end(self, transfer: Transfer, outcome: Outcome) -> None:
        if isinstance(outcome, Finished):
            await self._complete(transfer, outcome)
        elif isinstance(outcome, Refusal):
            await self._refused(transfer, outcome)
        else:
            await self._release(transfer, wait_reason=transfer.wait_reason)

    async def _complete(self, transfer: Transfer, finished: Finished) -> None:
        """fsync, rename, fsync the folder, and only then the row (downloads-playback.md 1.6)."""
        claim, part = transfer.claim, transfer.part
        assert part is not None
        loop = asyncio.get_running_loop()
        relative = self._final_path(claim, finished.mime_type)
        await loop.run_in_executor(self.executor, self._files.commit, part.path, relative)
        is_ours = await self._rows.settle(
            claim,
            "complete",
            file_path=relative,
            file_size=finished.size,
            bytes_downloaded=finished.size,
            progress=1.0,
            mime_type=finished.mime_type,
            completed_at=timestamp(self._clock.now()),
            error_message=None,
            retry_count=0,
            wait_reason=None,
            next_attempt_at=None,
        )
        if is_ours:
            await self.announcer.rows("completed", [claim.id])
            return
        # Paused or cancelled in the very last moment: as if the rename had not been.
        await loop.run_in_executor(self.executor, self._files.take_back, relative, part.path)

    async def _refused(self, transfer: Transfer, refusal: Refusal) -> None:
        claim = transfer.claim
        match refusal.kind:
            case "permanent" | "gone":
                await self._fail(transfer, refusal.text, gone_on_server=int(refusal.kind == "gone"))
            case "server" | "sign_in":
                error = ServerUnreachableError if refusal.kind == "server" else NotSignedInError
                self._link.report_failure(error(refusal.text))
                delay = max(self._trip(claim.id), refusal.retry_after_s or 0.0)
                await self._release(transfer, wait_reason="server", error_message=refusal.text, delay_s=delay)
            case "retry":
                decision = self._worker.decide(
                    retry_count=claim.retry_count,
                    furthest_bytes=claim.furthest_bytes,
                    held_bytes=transfer.bytes_here,
                    retry_after_s=refusal.retry_after_s,
                )
                counters = {"retry_count": decision.retry_count, "furthest_bytes": decision.furthest_bytes}
                if decision.delay_s is None:
                    await self._fail(transfer, refusal.text, **counters)
                else:
                    await self._release(
                        transfer,
                        wait_reason="retry",
                        error_message=refusal.text,
                        delay_s=decision.delay_s,
                        **counters,
                    )

    def _trip(self, download_id: int) -> float:
        """Seconds that the row waits: none while the breaker holds all, more for a row that trips it often."""
        trips = self._trips[download_id] = self._trips.get(download_id, 0) + 1
        if trips == 1 and not self._link.is_online:
            return 0.0
        return min(5.0 * 2 ** max(0, trips - 2), LONGEST_TRIP_S)

    async def _end_by_disk(self, transfer: Transfer, error: OSError) -> None:
        log.warning("download %s: %s", transfer.claim.item_id, error)
        text = words(error, self._files.root)
        if not self._disk.concerns_all(error):
            await self._fail(transfer, text)
            return
        await self._release(transfer, wait_reason="disk")
        self.hold_for_disk(DiskError(text), max(0, (transfer.total or 0) - transfer.bytes_here))

    async def _release(
        self, transfer: Transfer, *, wait_reason: str | None, delay_s: float = 0.0, **fields: object
    ) -> None:
        """Pending again, for now or for later, with its bytes kept."""
        next_attempt_at = timestamp(self._clock.now() + timedelta(seconds=delay_s)) if delay_s else None
        is_ours = await self._rows.settle(
            transfer.claim,
            "release",
            wait_reason=wait_reason,
            next_attempt_at=next_attempt_at,
            **self._progress_fields(transfer),
            **fields,
        )
        if is_ours:
            await self.announcer.rows("waiting", [transfer.claim.id])

    async def _fail(self, transfer: Transfer, text: str, **fields: object) -> None:
        fields |= self._progress_fields(transfer) | {"error_message": text, "wait_reason": None}
        if await self._rows.settle(transfer.claim, "fail", **fields):
            await self.announcer.rows("failed", [transfer.claim.id])

    def _progress_fields(self, transfer: Transfer) -> dict[str, object]:
        part = transfer.part
        if part is None:
            return {}
        return {
            "bytes_downloaded": part.written,
            "progress": fraction(part.written, transfer.total),
            "durable_bytes": part.durable,
            "boot_id": boot_id(),
        }

    def _spawn(self, work: object, name: str) -> None:
        task = asyncio.create_task(work, name=name)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _bare(claim: Claim) -> DownloadInfo:
    return DownloadInfo(id=claim.id, item_id=claim.item_id, user_id=claim.user_id, status="downloading")
