"""Endings: writes down how an attempt ended: complete, failed, or pending again for now or for later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import timedelta
from functools import partial

from jellytui.engine.clock import Clock, timestamp
from jellytui.engine.downloads.announce import Announcer
from jellytui.engine.downloads.files import DownloadFiles, extension_of
from jellytui.engine.downloads.ports import Link
from jellytui.engine.downloads.rows.queue import Claim, QueueRows, fraction
from jellytui.engine.downloads.transfer.attempt import Transfer
from jellytui.engine.downloads.transfer.boot import boot_id
from jellytui.engine.downloads.transfer.refusal import Refusal
from jellytui.engine.downloads.worker import DownloadWorker, Finished, Outcome
from jellytui.engine.errors import NotSignedInError, ServerUnreachableError

log = logging.getLogger(__name__)

LONGEST_TRIP_S = 60.0


class Endings:
    """One call of `write` for each attempt; `wake_in` is called with the seconds that a row waits."""

    def __init__(
        self,
        *,
        rows: QueueRows,
        files: DownloadFiles,
        worker: DownloadWorker,
        link: Link,
        announcer: Announcer,
        executor: Executor,
        clock: Clock,
        wake_in: Callable[[int, float], None],
    ) -> None:
        self._rows = rows
        self._files = files
        self._worker = worker
        self._link = link
        self._announcer = announcer
        self._executor = executor
        self._clock = clock
        self._wake_in = wake_in
        self._trips: dict[int, int] = {}
        """How often in a row the server was not there for a row; tells a server that is away from one odd file."""

    async def write(self, transfer: Transfer, outcome: Outcome) -> None:
        """Writes an attempt's outcome down. Raises OSError where the file cannot become visible."""
        if isinstance(outcome, Finished):
            await self._complete(transfer, outcome)
        elif isinstance(outcome, Refusal):
            await self._refused(transfer, outcome)
        elif transfer.is_paused:
            await self._pause(transfer)
        else:
            await self.release(transfer, wait_reason=transfer.wait_reason)

    def answered(self, claim: Claim) -> None:
        """The server gave the row a body."""
        self._link.report_success()
        self._trips.pop(claim.id, None)

    def final_path(self, claim: Claim, mime_type: str | None) -> str:
        """Where the row's file will lie, relative to the root."""
        return claim.file_path or self._files.path_of(claim.item_id, extension_of(claim.container, mime_type))

    async def release(
        self, transfer: Transfer, *, wait_reason: str | None, delay_s: float = 0.0, **fields: object
    ) -> None:
        """Pending again, for now or for later, with its bytes kept."""
        next_attempt_at = timestamp(self._clock.now() + timedelta(seconds=delay_s)) if delay_s else None
        info = await self._rows.settle(
            transfer.claim,
            "release",
            wait_reason=wait_reason,
            next_attempt_at=next_attempt_at,
            **_progress_fields(transfer),
            **fields,
        )
        if info is None:
            return
        if delay_s:
            self._wake_in(transfer.claim.id, delay_s)
        self._announcer.row("waiting", info)

    async def _pause(self, transfer: Transfer) -> None:
        if info := await self._rows.settle(transfer.claim, "pause", **_progress_fields(transfer)):
            self._announcer.row("paused", info)

    async def fail(self, transfer: Transfer, text: str, **fields: object) -> None:
        """Failed for good, with its bytes kept."""
        fields |= _progress_fields(transfer) | {"error_message": text, "wait_reason": None}
        if info := await self._rows.settle(transfer.claim, "fail", **fields):
            self._announcer.row("failed", info)

    async def _complete(self, transfer: Transfer, finished: Finished) -> None:
        """fsync, rename, fsync the folder, and only then the row (downloads-playback.md 1.6)."""
        claim, part = transfer.claim, transfer.part
        assert part is not None
        loop = asyncio.get_running_loop()
        relative = self.final_path(claim, finished.mime_type)
        # Whatever else lies at a path that the user chose is his own.
        commit = partial(self._files.commit, may_replace=claim.is_successor or claim.file_path is None)
        await loop.run_in_executor(self._executor, commit, part.path, relative)
        info = await self._rows.settle(
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
            gone_on_server=0,
        )
        if info is not None:
            self._announcer.row("completed", info)
            return
        # Paused or cancelled in the very last moment: as if the rename had not been. A successor has taken the place of
        # the file that was here, and something must play.
        if claim.is_successor:
            return
        await loop.run_in_executor(self._executor, self._files.take_back, relative, part.path)

    async def _refused(self, transfer: Transfer, refusal: Refusal) -> None:
        claim = transfer.claim
        match refusal.kind:
            case "permanent" | "gone":
                await self.fail(transfer, refusal.text, gone_on_server=int(refusal.kind == "gone"))
            case "server" | "sign_in":
                error = ServerUnreachableError if refusal.kind == "server" else NotSignedInError
                self._link.report_failure(error(refusal.text))
                delay = max(self._trip(claim.id), refusal.retry_after_s or 0.0)
                await self.release(transfer, wait_reason="server", error_message=refusal.text, delay_s=delay)
            case "retry":
                decision = self._worker.decide(
                    retry_count=claim.retry_count,
                    furthest_bytes=claim.furthest_bytes,
                    held_bytes=transfer.bytes_here,
                    retry_after_s=refusal.retry_after_s,
                )
                counters = {"retry_count": decision.retry_count, "furthest_bytes": decision.furthest_bytes}
                if decision.delay_s is None:
                    await self.fail(transfer, refusal.text, **counters)
                else:
                    await self.release(
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
        return min(5.0 * (1 << min(max(0, trips - 2), 10)), LONGEST_TRIP_S)


def _progress_fields(transfer: Transfer) -> dict[str, object]:
    part = transfer.part
    if part is None:
        return {}
    written, durable = part.saved()
    return {
        "bytes_downloaded": written,
        "progress": fraction(written, transfer.total),
        "durable_bytes": durable,
        "boot_id": boot_id(),
    }
