"""Removal: how rows and their files go: cancelled, deleted, evicted, or no longer wanted by anybody.

A row is marked first, then its file goes, the row last, so that the next start ends what a crash has broken off, and
there never is a file that nobody knows. What somebody reads stays until he lets it go, at most to the next start. While
the root is gone no row of a whole file goes: the file would be there again with its disk, and nobody's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence

from jellytui.engine.clock import Clock, timestamp
from jellytui.engine.downloads.announce import Announcer
from jellytui.engine.downloads.disk import words
from jellytui.engine.downloads.files import DownloadFiles
from jellytui.engine.downloads.leases import Leases
from jellytui.engine.downloads.rows.doomed import Doomed
from jellytui.engine.downloads.rows.listing import Listing
from jellytui.engine.downloads.rows.queue import QueueRows
from jellytui.engine.downloads.rows.requests import AFRESH
from jellytui.engine.downloads.rows.wants import WantedRow, Wants
from jellytui.engine.downloads.transfer.runner import Runner
from jellytui.engine.errors import DiskError
from jellytui.engine.storage.database import Database

log = logging.getLogger(__name__)

_BATCH = 1000

HALF = 0.5
"""What nobody wants any more is still finished, for the cache, from that share on."""


class Removal:
    """Takes rows and files away; `spawn` runs what must wait for a reader."""

    def __init__(
        self,
        *,
        database: Database,
        rows: QueueRows,
        wants: Wants,
        listing: Listing,
        files: DownloadFiles,
        leases: Leases,
        runner: Runner,
        announcer: Announcer,
        clock: Clock,
        changes: asyncio.Lock,
        spawn: Callable[[Coroutine[object, object, None]], None],
    ) -> None:
        self._database = database
        self._rows = rows
        self._wants = wants
        self._doomed = Doomed(database)
        self._listing = listing
        self._files = files
        self._leases = leases
        self._runner = runner
        self._announcer = announcer
        self._clock = clock
        self._changes = changes
        """Held by whoever changes which rows there are; the caller's part, but for what waits for a reader."""
        self._spawn = spawn

    async def end_broken_off(self) -> None:
        """Before the queue starts: removes what was being removed when an earlier run ended. Raises DiskError."""
        async with self._changes:
            rows = await self._wants.rows(await self._rows.condemned())
            await self._unlink_unknown(rows)
            await self._remove_now(rows)
            doomed = await self._doomed.all()
            await self._remove_now([row for row in await self._wants.rows(doomed) if not row.is_users])
            await self._doomed.discard(doomed)

    async def cancel(self, download_ids: Sequence[int]) -> None:
        """Gives unfinished rows up with what came of them, whichever of the user's lists wants them too; one that
        cache or listener wants stays theirs, and a file that was to be replaced stays. Raises DiskError.
        """
        rows = [row for row in await self._wants.rows(download_ids) if row.status != "completed"]
        kept = await self._keep_old([row for row in rows if row.is_here])
        rows = [row for row in rows if row.id not in kept]
        shared = [row for row in rows if row.is_users and self._is_wanted_otherwise(row)]
        await self._hand_over(shared)
        await self._remove([row for row in rows if row not in shared])

    async def delete(self, download_ids: Sequence[int]) -> None:
        """Deletes rows of any state with their files, whoever wants them. Raises DiskError."""
        await self._remove(await self._wants.rows(download_ids))

    async def evict(self, download_ids: Sequence[int]) -> list[int]:
        """Removes for the cache what no user wants and nobody reads, and remembers that it went; those rows.

        Raises DiskError.
        """
        rows = [row for row in await self._wants.rows(download_ids) if not row.is_users]
        gone: list[int] = []
        for start in range(0, len(rows), _BATCH):
            batch = [row for row in rows[start : start + _BATCH] if not self._leases.is_held(row.item_id)]
            kept = await self._remove_now(batch)
            batch = [row for row in batch if row.id not in kept]
            await self._remember_evicted(batch)
            gone += [row.id for row in batch]
        return gone

    async def let_go(self, download_ids: Sequence[int]) -> None:
        """Some want of these rows was dropped. What nobody wants and is not half here goes; the rest is the cache's."""
        rows = await self._wants.rows(download_ids)
        orphans = [row for row in rows if not row.wanted_by and row.status != "completed"]
        live = {transfer.claim.id: transfer.live().progress for transfer in self._runner.running.values()}
        hopeless = [row for row in orphans if row.status == "failed" or live.get(row.id, row.progress) < HALF]
        await self._remove(hopeless)
        going = {row.id for row in hopeless}
        await self._rows.go_on(
            [row.id for row in orphans if row.status == "paused" and row.id not in going], wait_reason=None, **AFRESH
        )
        await self._announcer.changed([row.id for row in rows if row.id not in going])
        self._runner.wake()

    async def _remember_evicted(self, rows: Sequence[WantedRow]) -> None:
        evicted_at = timestamp(self._clock.now())
        async with self._database.transaction() as tx:
            await tx.execute_many(
                "INSERT OR REPLACE INTO evictions VALUES (?, ?)", [(row.item_id, evicted_at) for row in rows]
            )

    def _is_wanted_otherwise(self, row: WantedRow) -> bool:
        """Whether the cache or a listener wants it too."""
        return bool(row.wanted_by & {"queue", "album"}) or self._leases.is_held(row.item_id)

    async def _hand_over(self, rows: Sequence[WantedRow]) -> None:
        """The user wants these no more, others do; what came goes unless somebody reads it. Raises DiskError."""
        if not rows:
            return
        await self._wants.drop_users([row.id for row in rows])
        dropped = [row for row in rows if not self._leases.is_held(row.item_id)]
        ids = [row.id for row in dropped]
        await self._runner.stop_attempts(await self._rows.move(ids, "pause"))
        await self._unlink(dropped)
        await self._rows.go_on(
            ids,
            bytes_downloaded=0,
            progress=0.0,
            durable_bytes=0,
            furthest_bytes=0,
            retry_count=0,
            error_message=None,
            next_attempt_at=None,
            wait_reason=None,
        )
        await self._announcer.changed([row.id for row in rows])
        self._runner.wake()

    async def _keep_old(self, rows: Sequence[WantedRow]) -> set[int]:
        """The successors of these rows' files shall not come: what is there is complete again; the rows that are.

        Raises DiskError.
        """
        loop = asyncio.get_running_loop()
        ids = [row.id for row in rows]
        try:
            if rows:
                await loop.run_in_executor(self._runner.executor, self._files.require_root)
            for row in rows:
                await self._runner.stop_attempts(await self._rows.move([row.id], "pause"))
                size = await loop.run_in_executor(self._runner.executor, self._files.size_of, row.file_path or "")
                if size is not None:
                    await self._complete_again(row, size)
        except OSError as error:
            raise DiskError(words(error, self._files.root)) from error
        await self._announcer.changed(ids)
        return {row.id for row in await self._wants.rows(ids) if row.status == "completed"}

    async def _complete_again(self, row: WantedRow, size: int) -> None:
        """The file of so many bytes at the row's path is what the row has. Raises OSError."""
        whole = {"file_size": size, "bytes_downloaded": size, "progress": 1.0}
        await self._rows.move([row.id], "find", **whole, **AFRESH, wait_reason=None)
        if not self._leases.is_held(row.item_id):
            part = self._files.part_of(row.item_id)
            await asyncio.get_running_loop().run_in_executor(self._runner.executor, self._files.remove, part)

    async def _remove(self, rows: Sequence[WantedRow]) -> None:
        free = [row for row in rows if not self._leases.is_held(row.item_id)]
        for row in rows:
            if row not in free:
                await self._remove_later(row)
        for start in range(0, len(free), _BATCH):
            batch = free[start : start + _BATCH]
            kept = await self._remove_now(batch)
            for row in batch:
                if row.id in kept:
                    await self._remove_later(row)

    async def _remove_now(self, rows: Sequence[WantedRow]) -> set[int]:
        """Removes rows with their files; those that stay, because somebody has come to read them. Raises DiskError."""
        ids = [row.id for row in rows]
        infos = await self._listing.by_ids(ids)
        if any(row.is_here for row in rows):
            await self._on_disk(self._files.require_root)  # before anything is stopped
        await self._rows.condemn(ids)
        await self._runner.stop_attempts(ids)
        try:
            # Read again: an attempt may have completed in the very last moment. Who takes a lease from here on is told
            # that no file is there (offline.py), for the rows are condemned.
            marked = await self._wants.rows(ids)
            kept = {row.id for row in marked if self._leases.is_held(row.item_id)}
            await self._unlink([row for row in marked if row.id not in kept])
        except DiskError:
            await self._rows.pardon(ids)
            raise
        if kept:
            await self._spare([row for row in rows if row.id in kept])
        await self._rows.delete([download_id for download_id in ids if download_id not in kept])
        self._announcer.removed([info for info in infos if info.id not in kept])
        return kept

    async def _spare(self, rows: Sequence[WantedRow]) -> None:
        """These stay, and what was to come of them comes."""
        await self._rows.pardon([row.id for row in rows])
        coming = [row.id for row in rows if row.status in ("pending", "downloading")]
        if await self._rows.move(coming, "resume"):
            self._runner.wake()

    async def _remove_later(self, row: WantedRow) -> None:
        """Somebody reads it: it is the cache's until he lets it go."""
        await self._doomed.add(row.id)
        await self._wants.drop_users([row.id])
        await self._announcer.changed([row.id])

        def released() -> None:
            self._spawn(self._remove_if_unwanted(row.id))

        self._leases.when_released(row.item_id, released)

    async def _remove_if_unwanted(self, download_id: int) -> None:
        async with self._changes:
            rows = await self._wants.rows([download_id])
            await self._remove([row for row in rows if not row.is_users])
            if not any(self._leases.is_held(row.item_id) for row in rows):
                await self._doomed.discard([download_id])

    async def _unlink_unknown(self, rows: Sequence[WantedRow]) -> None:
        """Deletes complete files of which their rows do not know: the run ended between rename and row.

        Raises DiskError.
        """

        def work() -> None:
            for row in rows:
                for path in self._files.of(row.item_id):
                    self._files.remove(path)

        await self._on_disk(work)

    async def _unlink(self, rows: Sequence[WantedRow]) -> None:
        """Deletes files and parts. Raises DiskError, also when the root is gone and one of them is a whole file."""
        is_root_needed = any(row.is_here for row in rows)

        def work() -> None:
            if is_root_needed:
                self._files.require_root()
            for row in rows:
                self._files.remove(self._files.part_of(row.item_id))
                if row.file_path is not None and row.is_here:
                    self._files.remove(self._files.absolute(row.file_path))
            if is_root_needed:
                self._files.require_root()  # from a disk pulled meanwhile nothing has gone

        await self._on_disk(work)

    async def _on_disk(self, work: Callable[[], None]) -> None:
        """Does what blocks. Raises DiskError."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._runner.executor, work)
        except OSError as error:
            raise DiskError(words(error, self._files.root)) from error
