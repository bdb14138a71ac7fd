"""Carries verdicts out: rows by the ledger, files on the disk, and everybody is told."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from jellytui.engine.downloads.files import DownloadFiles
from jellytui.engine.downloads.leases import Leases
from jellytui.engine.downloads.upkeep.judge import Verdict
from jellytui.engine.downloads.upkeep.ledger import Ledger, chosen_path
from jellytui.engine.downloads.upkeep.strays import Strays
from jellytui.engine.downloads.upkeep.survey import ASIDE_SUFFIX, OnDisk
from jellytui.engine.events import DownloadEventType
from jellytui.engine.models import DownloadInfo, FindingKind

log = logging.getLogger(__name__)

_EVENT_OF: dict[FindingKind, DownloadEventType] = {
    "lost": "queued",
    "wrong_size": "queued",
    "damaged": "queued",
    "interrupted": "waiting",
    "progress": "progress",
    "finished": "completed",
    "moved": "completed",
    "unrecorded": "completed",
}


class Witness(Protocol):
    """Who is told that rows have changed (the Announcer)."""

    async def rows(self, kind: DownloadEventType, download_ids: Sequence[int]) -> object:
        """These rows have changed."""

    def removed(self, infos: Iterable[DownloadInfo]) -> None:
        """These rows are gone."""


class Mender:
    """Mends what a sweep has found."""

    def __init__(
        self,
        *,
        files: DownloadFiles,
        ledger: Ledger,
        strays: Strays,
        leases: Leases,
        witness: Witness,
        wake: Callable[[], None],
        changes: asyncio.Lock,
    ) -> None:
        self._files = files
        self._ledger = ledger
        self._strays = strays
        self._leases = leases
        self._witness = witness
        self._wake = wake
        self._changes = changes
        """Held by whoever changes which rows there are."""

    async def mend(self, verdicts: Sequence[Verdict]) -> set[Verdict]:
        """Mends what can be mended; those that are. What somebody reads is left alone."""
        async with self._changes:
            return await self._mend(verdicts)

    async def _mend(self, verdicts: Sequence[Verdict]) -> set[Verdict]:
        free = [verdict for verdict in verdicts if not self._leases.is_held(verdict.item_id)]
        free = await asyncio.to_thread(lambda: [verdict for verdict in free if self._is_still_so(verdict)])
        mended, gone = await self._ledger.mend(free)
        mended_set = set(mended)
        for verdict in gone:
            if verdict.kind != "lost" and verdict.file is not None:
                await self._remove(verdict.file)
        for verdict in mended:
            if verdict not in gone and verdict.file is not None and _is_in_the_way(verdict):
                await asyncio.to_thread(self._put_aside, verdict.item_id, verdict.file)
        mended_set |= await self._take_up([verdict for verdict in free if verdict.kind == "unrecorded"])
        for verdict in free:
            if verdict.kind not in ("leftover", "extra") or verdict.file is None:
                continue
            if await self._may_remove(verdict) and await self._remove(verdict.file):
                mended_set.add(verdict)
        await self._tell(mended_set, gone)
        return mended_set

    def _is_still_so(self, verdict: Verdict) -> bool:
        """Whether a file that was found whole still is there: a pause in the last moment makes it a `.part` again."""
        if verdict.kind != "finished" or verdict.file is None:
            return True
        try:
            return self._files.size_of(verdict.file.path) == verdict.file.size
        except OSError:
            return False

    async def _take_up(self, verdicts: Sequence[Verdict]) -> set[Verdict]:
        taken = set(await self._strays.take_up([verdict.file for verdict in verdicts if verdict.file is not None]))
        return {verdict for verdict in verdicts if verdict.item_id in taken}

    async def _may_remove(self, verdict: Verdict) -> bool:
        """Asked again right before: a row may have come meanwhile that needs it."""
        return await self._ledger.is_unneeded(verdict.item_id) and not self._leases.is_held(verdict.item_id)

    async def _remove(self, file: OnDisk) -> bool:
        try:
            await asyncio.to_thread(self._files.remove, self._files.absolute(file.path))
        except OSError as error:
            log.warning("%s cannot be deleted: %s", file.path, error)
            return False
        return True

    def _put_aside(self, item_id: str, file: OnDisk) -> None:
        aside = self._files.part_of(item_id).with_name(item_id + ASIDE_SUFFIX)
        try:
            self._files.make_folder(aside.parent)
            self._files.absolute(file.path).replace(aside)
        except OSError as error:
            log.warning("%s cannot be put aside: %s", file.path, error)

    async def _tell(self, mended: Iterable[Verdict], gone: Sequence[Verdict]) -> None:
        by_event: dict[DownloadEventType, list[Verdict]] = defaultdict(list)
        for verdict in mended:
            if verdict.kind in _EVENT_OF and verdict not in gone:
                by_event[_EVENT_OF[verdict.kind]].append(verdict)
        for event, verdicts in by_event.items():
            ids = [verdict.row.id for verdict in verdicts if verdict.row is not None]
            ids += await self._ledger.ids_of([verdict.item_id for verdict in verdicts if verdict.row is None])
            await self._witness.rows(event, ids)
        rows = [verdict.row for verdict in gone if verdict.row is not None]
        if rows:
            self._witness.removed(
                DownloadInfo(id=row.id, item_id=row.item_id, user_id=self._ledger.user_id, name=row.name)
                for row in rows
            )
        if "queued" in by_event or "waiting" in by_event:
            self._wake()


def _is_in_the_way(verdict: Verdict) -> bool:
    """Whether a broken file may not stay until the new one is here, which replaces none at a path that a user chose."""
    is_chosen = verdict.row is not None and chosen_path(verdict.row) is not None
    return verdict.kind == "damaged" or (verdict.kind == "wrong_size" and is_chosen)
