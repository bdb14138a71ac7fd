"""Sweep: reconciles the rows of the downloads with the disk, both ways, a batch of shelves at a time.

At a start `recover` puts right what a crash left running (a handful of rows, before the queue starts); `run` then
looks at everything while the queue already works. Reading is done in threads; what it finds is mended by generation,
so that the queue and the sweep never overwrite each other.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from jellytui.engine.clock import Clock
from jellytui.engine.downloads.files import PART_SUFFIX
from jellytui.engine.downloads.leases import Leases
from jellytui.engine.downloads.upkeep.judge import REPAIRS, Row, Verdict, judge, judge_strays
from jellytui.engine.downloads.upkeep.ledger import Ledger
from jellytui.engine.downloads.upkeep.mend import Mender
from jellytui.engine.downloads.upkeep.survey import OnDisk, Present, Survey, batches_of
from jellytui.engine.models import Finding, FindingKind, UpkeepReport

BATCH = 2000
"""Rows and files at a time: some 20 ms of work in a thread."""
MENDED_AT_ONCE = 500
LEFTOVER_AGE_S = 24 * 3600
LISTED = 1000
"""Findings in a report; the others are only counted."""
_FILES_OF_A_SHELF = 400
"""A guess, for shelves that have no rows."""
_AT_START: frozenset[FindingKind] = frozenset(
    ("lost", "wrong_size", "moved", "finished", "interrupted", "progress", "unrecorded", "leftover")
)
"""What is mended without being asked; a second file is only deleted on request."""

Progress = Callable[[int, int], None]
"""(of how many, how many are done)"""


class Inspector(Protocol):
    """Reads a file's content (deep.py)."""

    @property
    def bytes_read(self) -> int: ...

    @property
    def words(self) -> str:
        """What of a file is checked, for the report."""

    async def problem_of(self, path: str) -> str:
        """What is broken about the file, in words; empty when nothing is."""


class Sweep:
    """Finds where rows and disk disagree, and has it mended."""

    def __init__(self, *, survey: Survey, ledger: Ledger, mender: Mender, leases: Leases, clock: Clock) -> None:
        self._survey = survey
        self._ledger = ledger
        self._mender = mender
        self._leases = leases
        self._clock = clock

    async def recover(self) -> None:
        """Before the queue starts: what was running is completed where the whole file is there, else pending.

        Raises DiskError when the root is not there; then nothing is changed.
        """
        rows = await self._ledger.downloading()
        await asyncio.to_thread(self._survey.require_root)
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            shelves = sorted({row.item_id[:2] for row in batch})
            verdicts, _ = await asyncio.to_thread(self._look, shelves, batch, may_run=False, only_rows=True)
            await self._mender.mend(verdicts)

    async def run(
        self,
        *,
        is_repairing: bool,
        is_asked: bool,
        inspector: Inspector | None = None,
        progress: Progress | None = None,
    ) -> UpkeepReport:
        """Looks at every row and file. `is_asked`: a user wants it, and then second files are dealt with too.

        Raises DiskError when the root is not there or goes away; nothing is changed by what was not seen.
        """
        await asyncio.to_thread(self._survey.require_root)
        counts = await self._ledger.counts()
        total = sum(counts.values())
        for shelf in await asyncio.to_thread(self._survey.shelves):
            counts.setdefault(shelf, _FILES_OF_A_SHELF)
        tally = _Tally(self._leases, is_repairing=is_repairing)
        missing: list[Verdict] = []
        for shelves, first, end in batches_of(counts, BATCH):
            rows = await self._ledger.rows(first, end)
            verdicts, files = await asyncio.to_thread(self._look, shelves, rows, may_run=True, only_rows=False)
            tally.rows += len(rows)
            tally.files += files
            missing += [verdict for verdict in verdicts if verdict.kind in ("lost", "wrong_size")]
            present = [verdict for verdict in verdicts if verdict.kind not in ("lost", "wrong_size")]
            await self._settle([v for v in present if is_asked or v.kind in _AT_START], tally)
            if inspector is not None:
                tell = partial(progress, total) if progress else None
                await self._inspect(rows, verdicts, inspector, tally, tell)
            if progress is not None:
                progress(total, tally.rows)
        await self._settle(await self._searched(missing), tally)
        return tally.report(inspector)

    async def _settle(self, verdicts: Sequence[Verdict], tally: _Tally) -> None:
        """Mends a few at a time: neither the database nor requests and removals wait long for it."""
        for start in range(0, len(verdicts), MENDED_AT_ONCE):
            batch = verdicts[start : start + MENDED_AT_ONCE]
            tally.add(batch, await self._mender.mend(batch) if tally.is_repairing else set())

    async def _searched(self, missing: Sequence[Verdict]) -> list[Verdict]:
        """Rows whose file is not where it was: those that the user has moved inside the root are found."""
        rows = {verdict.item_id: verdict.row for verdict in missing if verdict.row is not None}
        if not rows:
            return []
        sizes = {item_id: row.file_size for item_id, row in rows.items()}
        found = await asyncio.to_thread(self._survey.search, sizes)
        return [
            Verdict(kind="moved", item_id=verdict.item_id, row=verdict.row, file=found[verdict.item_id])
            if verdict.item_id in found
            else verdict
            for verdict in missing
        ]

    async def _inspect(
        self,
        rows: Sequence[Row],
        verdicts: Sequence[Verdict],
        inspector: Inspector,
        tally: _Tally,
        progress: Callable[[int], None] | None,
    ) -> None:
        """Reads the completed files in which nothing else is wrong."""
        wrong = {verdict.item_id for verdict in verdicts if verdict.kind not in ("extra", "leftover")}
        for number, row in enumerate(rows, start=1):
            if row.status != "completed" or row.file_path is None or row.item_id in wrong:
                continue
            if progress is not None:
                progress(tally.rows - len(rows) + number)
            if self._leases.is_held(row.item_id):
                tally.skip()
                continue
            problem = await inspector.problem_of(row.file_path)
            if problem:
                file = await asyncio.to_thread(self._survey.look, row.file_path)
                verdict = Verdict(kind="damaged", item_id=row.item_id, row=row, file=file)
                tally.notes[verdict.path] = problem
                await self._settle([verdict], tally)

    def _look(
        self, shelves: Sequence[str], rows: Sequence[Row], *, may_run: bool, only_rows: bool
    ) -> tuple[list[Verdict], int]:
        """Reads shelves and compares; blocks. (verdicts, number of files)."""
        present: dict[str, Present] = {}
        for shelf in shelves:
            present |= self._survey.read(shelf)
        files = sum(len(item.finals) for item in present.values())
        verdicts: list[Verdict] = []
        for row in rows:
            item = present.pop(row.item_id, None) or Present()
            verdicts += judge(row, item, self._at_its_path(row, item), may_run=may_run)
        if not only_rows:
            for item_id, item in present.items():
                verdicts += judge_strays(item_id, item)
        oldest = self._clock.now().timestamp() - LEFTOVER_AGE_S
        # Looked for again at the end: a disk pulled in the middle must not look like one without files.
        self._survey.require_root()
        return [verdict for verdict in verdicts if not _is_young(verdict, oldest)], files

    def _at_its_path(self, row: Row, item: Present) -> OnDisk | None:
        if row.file_path is None:
            return None
        for file in item.finals:
            if file.path == row.file_path:
                return file
        return self._survey.look(row.file_path)


class _Tally:
    """Counts findings while they come."""

    def __init__(self, leases: Leases, *, is_repairing: bool) -> None:
        self._leases = leases
        self.is_repairing = is_repairing
        self.rows = self.files = 0
        self.notes: dict[str, str] = {}
        self._findings: list[Finding] = []
        self._counts: Counter[str] = Counter()
        self._repaired = 0
        self._skipped = 0

    def add(self, verdicts: Sequence[Verdict], mended: set[Verdict]) -> None:
        """Writes down what was found and what of it is mended."""
        self._repaired += len(mended)
        for verdict in verdicts:
            self._counts[verdict.kind] += 1
            if len(self._findings) < LISTED:
                self._findings.append(self._finding(verdict, is_repaired=verdict in mended))

    def skip(self) -> None:
        """A file that is being read was not looked into."""
        self._skipped += 1

    def report(self, inspector: Inspector | None) -> UpkeepReport:
        """All of it."""
        checked = f"Compared {self.rows:,} downloads with {self.files:,} files by path and length."
        if inspector is not None:
            checked += " " + inspector.words
        if self._skipped:
            checked += f" Left alone because they are being played: {self._skipped}."
        return UpkeepReport(
            findings=tuple(self._findings),
            counts=dict(self._counts),
            repaired_count=self._repaired,
            rows=self.rows,
            files=self.files,
            bytes_read=0 if inspector is None else inspector.bytes_read,
            checked=checked,
        )

    def _finding(self, verdict: Verdict, *, is_repaired: bool) -> Finding:
        finding = Finding(
            kind=verdict.kind,
            item_id=verdict.item_id,
            path=verdict.path,
            repair=REPAIRS[verdict.kind],
            name=verdict.row.name if verdict.row else "",
            is_repaired=is_repaired,
            note=self.notes.get(verdict.path, ""),
        )
        if self._leases.is_held(verdict.item_id):
            finding = replace(finding, note="It is being played, so it was left alone.")
        return finding


def _is_young(verdict: Verdict, oldest: float) -> bool:
    """A `.part` of the last day may still be of use."""
    file = verdict.file
    is_part = file is not None and file.path.endswith(PART_SUFFIX)
    return verdict.kind == "leftover" and is_part and file is not None and file.modified_at > oldest
