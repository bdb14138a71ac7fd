"""Acts: what a user does to rows that are there: pause, resume, cancel, delete, prioritize, clear, try again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from jellytui.engine.clock import Clock, timestamp
from jellytui.engine.downloads.announce import Announcer
from jellytui.engine.downloads.holds import Holds
from jellytui.engine.downloads.removal import Removal
from jellytui.engine.downloads.rows.listing import Listing
from jellytui.engine.downloads.rows.queue import QueueRows
from jellytui.engine.downloads.rows.requests import AFRESH, FIRST_PRIORITY
from jellytui.engine.downloads.transfer.attempt import note_pause
from jellytui.engine.downloads.transfer.boot import boot_id
from jellytui.engine.downloads.transfer.runner import Runner
from jellytui.engine.errors import NotFoundError, UsageError
from jellytui.engine.models import DownloadInfo, DownloadStatus
from jellytui.engine.storage.database import Database

_IDS = "id IN (SELECT value FROM json_each(?))"


class Acts:
    """Each act takes one row or many; rows whose state does not allow it stay as they are. An act on rows of which
    none is there raises NotFoundError."""

    def __init__(
        self,
        *,
        database: Database,
        rows: QueueRows,
        listing: Listing,
        holds: Holds,
        removal: Removal,
        runner: Runner,
        announcer: Announcer,
        clock: Clock,
        changes: asyncio.Lock,
    ) -> None:
        self._database = database
        self._rows = rows
        self._listing = listing
        self._holds = holds
        self._removal = removal
        self._runner = runner
        self._announcer = announcer
        self._clock = clock
        self._changes = changes

    async def pause(self, download_ids: Sequence[int]) -> list[DownloadInfo]:
        """Stops rows until they are resumed; what came stays."""
        async with self._changes:
            await self._known(download_ids)
            await self._pause(download_ids)
        return await self._announcer.changed(download_ids)

    async def resume(self, download_ids: Sequence[int]) -> list[DownloadInfo]:
        """Lets paused and failed rows go on; one that waits for its next attempt tries now."""
        async with self._changes:
            await self._known(download_ids)
            await self._resume(download_ids)
            await self._database.execute(
                f"UPDATE downloads SET next_attempt_at = NULL WHERE status = 'pending' AND {_IDS}",  # noqa: S608
                (_json(download_ids),),
            )
        self._runner.wake()
        return await self._announcer.changed(download_ids)

    async def cancel(self, download_ids: Sequence[int]) -> None:
        """Gives unfinished rows up with what came of them. Raises UsageError for one that is complete, DiskError."""
        async with self._changes:
            infos = await self._known(download_ids)
            if all(info.status == "completed" for info in infos):
                raise UsageError(f"{infos[0].name or 'This download'} is complete. Delete removes it.")
            await self._removal.cancel(download_ids)

    async def delete(self, download_ids: Sequence[int]) -> None:
        """Removes rows with their files; one that is being read goes once it is let go. Raises DiskError."""
        async with self._changes:
            await self._known(download_ids)
            await self._removal.delete(download_ids)

    async def pause_all(self) -> None:
        """Pauses every row, and each one yet to come; what somebody listens to goes on."""
        async with self._changes:
            await self._holds.pause(True)
            note_pause(self._runner.listeners, self._runner.listeners, is_paused=True)
            listened = {transfer.claim.id for transfer in self._runner.running.values() if transfer.is_stream}
            unfinished = await self._with_status("pending", "downloading")
            ids = [download_id for download_id in unfinished if download_id not in listened]
            await self._pause(ids)
        await self._announcer.changed(ids)

    async def resume_all(self) -> None:
        """Lets every paused row go on, and those yet to come start."""
        async with self._changes:
            await self._holds.pause(False)
            note_pause(self._runner.listeners, self._runner.listeners, is_paused=False)
            ids = await self._resume(await self._wanted("paused"))
        self._runner.wake()
        await self._announcer.changed(ids)

    async def retry_failed(self) -> int:
        """Queues all failed rows again; how many."""
        async with self._changes:
            ids = await self._resume(await self._wanted("failed"))
        self._runner.wake()
        await self._announcer.changed(ids)
        return len(ids)

    async def clear_completed(self) -> int:
        """Takes the completed rows off the list, their files stay; how many."""
        rows = await self._database.fetch_all(
            "UPDATE downloads SET cleared_at = ? WHERE status = 'completed' AND cleared_at IS NULL RETURNING id",
            (timestamp(self._clock.now()),),
        )
        await self._announcer.changed([row["id"] for row in rows])
        return len(rows)

    async def prioritize(self, download_ids: Sequence[int]) -> list[DownloadInfo]:
        """Puts rows before all others but what somebody listens to."""
        async with self._changes:
            await self._known(download_ids)
            await self._database.execute(
                f"UPDATE downloads SET priority = max(priority, ?) WHERE status <> 'completed' AND {_IDS}",  # noqa: S608
                (FIRST_PRIORITY, _json(download_ids)),
            )
        self._runner.wake()
        return await self._announcer.changed(download_ids)

    async def download_anyway(self, download_ids: Sequence[int]) -> list[DownloadInfo]:
        """Lets rows go over a link that costs money."""
        async with self._changes:
            await self._known(download_ids)
            await self._database.execute(
                f"""UPDATE downloads SET is_unmetered_only = 0,
                    wait_reason = CASE wait_reason WHEN 'metered' THEN NULL ELSE wait_reason END WHERE {_IDS}""",  # noqa: S608
                (_json(download_ids),),
            )
        self._runner.wake()
        return await self._announcer.changed(download_ids)

    async def _known(self, download_ids: Sequence[int]) -> list[DownloadInfo]:
        infos = await self._listing.by_ids(download_ids)
        if download_ids and not infos:
            raise NotFoundError(f"There is no download {download_ids[0]}. `jellytui downloads` lists them.")
        return infos

    async def _pause(self, download_ids: Sequence[int]) -> None:
        """The rows first, so that no attempt that ends can bring them back; then what their attempts have got."""
        note_pause(self._runner.listeners, download_ids, is_paused=True)
        paused = await self._rows.move(download_ids, "pause", wait_reason=None, next_attempt_at=None)
        stopped = await self._runner.stop_attempts(paused)
        progress = [progress for transfer in stopped if (progress := transfer.progress())]
        if progress:
            await self._rows.keep_progress(progress, boot_id())

    async def _resume(self, download_ids: Sequence[int]) -> list[int]:
        note_pause(self._runner.listeners, download_ids, is_paused=False)
        reason = "metered" if self._holds.is_metered else None
        return await self._rows.move(download_ids, "resume", wait_reason=reason, **AFRESH)

    async def _wanted(self, status: DownloadStatus) -> list[int]:
        """The rows of a status that somebody wants: what a listener left behind is nobody's to go on with."""
        rows = await self._database.fetch_all(
            """SELECT id FROM downloads d WHERE status = ?
               AND EXISTS (SELECT 1 FROM wants w WHERE w.download_id = d.id) ORDER BY id""",
            (status,),
        )
        return [row["id"] for row in rows]

    async def _with_status(self, *statuses: str) -> list[int]:
        rows = await self._database.fetch_all(
            "SELECT id FROM downloads WHERE status IN (SELECT value FROM json_each(?)) ORDER BY id", (_json(statuses),)
        )
        return [row["id"] for row in rows]


def _json(values: Sequence[object]) -> str:
    return json.dumps(list(values))
