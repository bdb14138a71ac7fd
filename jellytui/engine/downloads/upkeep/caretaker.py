"""Caretaker: all upkeep of one account's downloads, as the manager and the commands call it.

For the manager:

    await caretaker.recover()      # in start(), before the queue claims anything
    caretaker.start()              # after it: the sweep runs beside the queue, and waits for a disk that is not there
    await caretaker.name_strays()  # after each whole sync: files taken up without a name get theirs
    await caretaker.stop()         # in stop(), before the queue's
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Literal, TypeVar

from jellytui.engine.bus import EventBus
from jellytui.engine.clock import Clock
from jellytui.engine.downloads.disk import DISK_CHECK_EVERY_S, Disk
from jellytui.engine.downloads.files import DownloadFiles
from jellytui.engine.downloads.leases import Leases
from jellytui.engine.downloads.upkeep.content.deep import Reading
from jellytui.engine.downloads.upkeep.ledger import Ledger
from jellytui.engine.downloads.upkeep.mend import Mender, Witness
from jellytui.engine.downloads.upkeep.move import Move, Rest
from jellytui.engine.downloads.upkeep.strays import Mirror, Strays
from jellytui.engine.downloads.upkeep.survey import Survey
from jellytui.engine.downloads.upkeep.sweep import Sweep
from jellytui.engine.errors import DiskError
from jellytui.engine.events import UpkeepState
from jellytui.engine.models import MoveReport, UpkeepReport
from jellytui.engine.storage.database import Database

T = TypeVar("T")

log = logging.getLogger(__name__)

_TOLD = {
    "unrecorded": "newly found and taken up",
    "lost": "missing and to be downloaded again",
    "wrong_size": "of a wrong length and to be downloaded again",
    "moved": "found at another place",
}
"""What of a sweep at the start is worth telling; the rest only puts numbers right."""


class Caretaker:
    """Sweeps and verifies; one at a time."""

    def __init__(
        self,
        *,
        user_id: str,
        database: Database,
        files: DownloadFiles,
        disk: Disk,
        leases: Leases,
        mirror: Mirror,
        witness: Witness,
        wake: Callable[[], None],
        at_rest: Rest,
        changes: asyncio.Lock,
        bus: EventBus,
        clock: Clock,
    ) -> None:
        self._files = files
        self._bus = bus
        self._clock = clock
        self._witness = witness
        self._ledger = Ledger(database, clock, user_id)
        self._strays = Strays(files=files, ledger=self._ledger, mirror=mirror)
        mender = Mender(
            files=files,
            ledger=self._ledger,
            strays=self._strays,
            leases=leases,
            witness=witness,
            wake=wake,
            changes=changes,
        )
        survey = Survey(files)
        self._sweep = Sweep(survey=survey, ledger=self._ledger, mender=mender, leases=leases, clock=clock)
        self._move = Move(
            database=database, files=files, disk=disk, ledger=self._ledger, leases=leases, at_rest=at_rest
        )
        self._at_work = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def recover(self) -> None:
        """Puts right what a crash left running, before the queue makes the rest of it pending (`QueueRows.recover`).

        Raises DiskError when the root is not there; then nothing is changed.
        """
        await self._sweep.recover()

    def start(self) -> None:
        """Begins to sweep, beside the queue."""
        self._task = asyncio.create_task(self._sweep_when_there(), name="downloads sweep")

    async def stop(self) -> None:
        """Breaks a sweep off; the next start sweeps again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def swept(self) -> None:
        """Waits until the sweep of the start is done."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def sweep(self) -> UpkeepReport:
        """Reconciles everything; tells on the bus only what concerns the user. Raises DiskError."""
        async with self._at_work:
            report = await self._sweep.run(is_repairing=True, is_asked=False)
        text = ", ".join(
            f"{report.counts[kind]:,} {'file' if report.counts[kind] == 1 else 'files'} {words}"
            for kind, words in _TOLD.items()
            if report.counts.get(kind)
        )
        if text:
            log.info("the downloads were looked through: %s", text)
            self._bus.publish(UpkeepState(work="sweep", status="done", text=f"Downloads: {text}."))
        await self.name_strays()
        return report

    async def verify(self, *, is_repairing: bool, is_deep: bool) -> UpkeepReport:
        """Looks at every row and file on request, with `is_deep` into each file; tells on the bus how far it is.

        Cancel to break it off: what was mended until then stays mended. Raises DiskError when the root is not there.
        """

        def progress(total: int, done: int) -> None:
            self._bus.publish(UpkeepState(work="verify", done=done, total=total))

        inspector = Reading(self._files) if is_deep else None
        work = self._sweep.run(is_repairing=is_repairing, is_asked=True, inspector=inspector, progress=progress)
        report = await self._told("verify", work)
        found = sum(report.counts.values())
        text = f"{found:,} findings, {report.repaired_count:,} mended." if found else "Everything is as it should be."
        self._bus.publish(UpkeepState(work="verify", status="done", done=report.rows, total=report.rows, text=text))
        return report

    async def move(self, folder: Path) -> MoveReport:
        """Moves the account's downloads to another folder; tells on the bus how far it is.

        Raises UsageError for a folder that cannot be it, DiskError for the disks; both leave the old one in use, and so
        does cancelling it.
        """

        def progress(total: int, done: int) -> None:
            self._bus.publish_threadsafe(UpkeepState(work="move", done=done, total=total))

        report = await self._told("move", self._move.run(folder, progress))
        text = f"Your downloads are in {report.folder} now."
        self._bus.publish(UpkeepState(work="move", status="done", done=report.files, total=report.files, text=text))
        return report

    async def name_strays(self) -> None:
        """Names what was taken up while the library did not know it."""
        named = await self._strays.name()
        if named:
            await self._witness.rows("completed", await self._ledger.ids_of(named))

    async def _told(self, name: Literal["verify", "move"], work: Coroutine[Any, Any, T]) -> T:
        """Runs a long work alone, and tells when it does not come to its end."""
        try:
            async with self._at_work:
                return await work
        except asyncio.CancelledError:
            self._bus.publish(UpkeepState(work=name, status="cancelled", text="Broken off; nothing is lost."))
            raise
        except Exception as error:
            self._bus.publish(UpkeepState(work=name, status="failed", text=str(error)))
            raise
        finally:
            work.close()  # where the wait for its turn was cancelled

    async def _sweep_when_there(self) -> None:
        while True:
            try:
                await self._move.tidy()
                await self.sweep()
            except DiskError as error:
                log.info("the downloads are not looked through yet: %s", error)
                await self._clock.sleep(DISK_CHECK_EVERY_S)
            except Exception:
                log.exception("the downloads could not be looked through")
                return
            else:
                return
