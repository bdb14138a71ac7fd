"""Moves an account's downloads to another folder, safe against a crash and a full disk at any instant.

1. Every file is linked into the new folder, or copied and flushed, while the old one stays the truth and the queue
   works on.
2. The queue holds; what came meanwhile follows, what went goes; the new root is noted and everybody switched to it.
3. The old files go, those that somebody reads once he lets them go.

A crash before the switch leaves the old folder whole, and the same command goes on where it was; one after it leaves
the new folder whole, and `tidy` at the next start takes away what is left of the old.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from jellytui.engine.downloads.disk import Disk, words
from jellytui.engine.downloads.files import MARKER, DownloadFiles
from jellytui.engine.downloads.leases import Leases
from jellytui.engine.downloads.rows.notes import Notes
from jellytui.engine.downloads.upkeep.carry import copy, drop_temporaries, is_same, link, sync_folder
from jellytui.engine.downloads.upkeep.ledger import Ledger
from jellytui.engine.downloads.upkeep.root import remember_root
from jellytui.engine.downloads.upkeep.survey import Survey
from jellytui.engine.downloads.upkeep.threads import Stop, finished, stoppable
from jellytui.engine.errors import DiskError, UsageError
from jellytui.engine.models import MoveReport
from jellytui.engine.storage.database import Database
from jellytui.paths import ensure_folder

_LEFT_BEHIND = "moved_from"
"""The note of an old root whose files are yet to be taken away."""
_SYSTEM_NAMES = {"lost+found", "System Volume Information", ".Trash-1000", ".fseventsd", ".Spotlight-V100", ".Trashes"}
"""What a fresh disk holds without being anybody's."""

_TELL_EVERY_S = 0.1

Rest = Callable[[], AbstractAsyncContextManager[None]]
"""While it is held no transfer runs, none starts, and no row comes or goes."""
Tell = Callable[[int, int], None]
"""(of how many files, how many are done)"""


@dataclass
class _Carried:
    files: int = 0
    bytes_copied: int = 0


class Move:
    """Moves the files of one account; the other accounts of the root stay."""

    def __init__(
        self,
        *,
        database: Database,
        files: DownloadFiles,
        disk: Disk,
        ledger: Ledger,
        leases: Leases,
        at_rest: Rest,
    ) -> None:
        self._database = database
        self._notes = Notes(database)
        self._files = files
        self._disk = disk
        self._ledger = ledger
        self._leases = leases
        self._at_rest = at_rest
        self._waiting: set[str] = set()

    async def run(self, folder: Path, tell: Tell) -> MoveReport:
        """Moves everything. Raises UsageError for a folder that cannot be it, DiskError for the disks.

        Cancelled before the switch it leaves everything as it was; the same call later goes on where it was.
        """
        old = self._files.root
        try:
            await asyncio.to_thread(self._check, folder)
            await asyncio.to_thread(Survey(self._files).require_root)
            target = Disk(folder, free_floor_bytes=self._disk.free_floor_bytes)
            await asyncio.to_thread(target.prepare, may_make=True)
            first = await stoppable(self._carry, folder, list(await self._chosen()), tell, with_parts=False)
            async with self._at_rest():
                second = await stoppable(self._carry, folder, list(await self._chosen()), tell, with_parts=True)
                await finished(self._switch(folder))
        except OSError as error:
            raise DiskError(words(error, folder)) from error
        left = await self.tidy()
        return MoveReport(
            old_folder=str(old),
            folder=str(folder),
            files=second.files,
            bytes_copied=first.bytes_copied + second.bytes_copied,
            note="" if not left else f"{left} of the old files are being played; they go when that ends.",
        )

    async def tidy(self) -> int:
        """Takes away what a move has left at the old place; how many files stay for now because somebody reads them."""
        noted = await self._notes.get(_LEFT_BEHIND)
        old = Path(noted or self._files.root)
        if old == self._files.root or not await asyncio.to_thread((old / MARKER).exists):
            return 0
        chosen = await self._chosen()
        names = await asyncio.to_thread(lambda: list(self._names(old, chosen, with_parts=True)))
        held = {name: item_id for name in names if self._leases.is_held(item_id := _item_id(name, chosen))}
        await asyncio.to_thread(self._take_away, old, [name for name in names if name not in held])
        for name, item_id in held.items():
            self._take_away_later(old, name, item_id)
        return len(held)

    async def _chosen(self) -> dict[str, str]:
        return await self._ledger.chosen_paths(str(self._files.account))

    async def _switch(self, folder: Path) -> None:
        await self._notes.set(_LEFT_BEHIND, str(self._files.root))
        await remember_root(self._database, folder)
        self._files.root = self._disk.root = folder

    def _take_away_later(self, old: Path, name: str, item_id: str) -> None:
        if name in self._waiting:
            return
        self._waiting.add(name)
        loop = asyncio.get_running_loop()

        def released() -> None:
            self._waiting.discard(name)
            loop.run_in_executor(None, self._take_away, old, [name])

        self._leases.when_released(item_id, released)

    # In threads.

    def _check(self, folder: Path) -> None:
        """Whether the folder can be the new root. Raises UsageError."""
        if not folder.is_absolute():
            raise UsageError(f"{folder} must be a whole path, from / on.")
        old, new = self._files.root.resolve(), folder.resolve()
        if old == new:
            raise UsageError(f"Your downloads are in {folder} already.")
        if new.is_relative_to(old) or old.is_relative_to(new):
            raise UsageError(f"{folder} and {self._files.root} lie in one another. Choose a folder beside it.")
        if not folder.exists():
            return
        if not folder.is_dir():
            raise UsageError(f"{folder} is a file. Choose a folder.")
        foreign = {path.name for path in folder.iterdir()} - _SYSTEM_NAMES
        if foreign and MARKER not in foreign:
            raise UsageError(f"{folder} is not empty. Choose an empty folder, or one that is not there yet.")

    def _carry(self, stop: Stop, folder: Path, chosen: Iterable[str], tell: Tell, *, with_parts: bool) -> _Carried:
        """Brings the new folder to the state of the old one."""
        old = self._files.root
        names = list(self._names(old, chosen, with_parts=with_parts))
        if with_parts:
            self._drop_what_went(folder, set(names))
        carried = _Carried()
        self._require_room(old, folder, names)
        folders: set[Path] = set()
        told_at = 0.0
        for number, name in enumerate(names, start=1):
            stop.check()
            source, target = old / name, folder / name
            try:
                carried.bytes_copied += self._carry_one(stop, source, target)
            except FileNotFoundError:
                # Deleted meanwhile; at rest that is no excuse.
                if with_parts or not (old / MARKER).exists():
                    raise
                continue
            carried.files += 1
            folders.add(target.parent)
            if time.monotonic() - told_at >= _TELL_EVERY_S or number == len(names):
                told_at = time.monotonic()
                tell(len(names), number)
        for one in folders:
            drop_temporaries(one)
        for one in sorted({parent for each in folders for parent in (each, *each.parents)}):
            if one.is_relative_to(folder):
                sync_folder(one)
        return carried

    def _carry_one(self, stop: Stop, source: Path, target: Path) -> int:
        """Links or copies one file unless it is there; bytes copied."""
        facts = source.stat()
        if target.exists():
            if is_same(facts, target.stat()):
                return 0
            target.unlink()
        ensure_folder(target.parent)
        if link(source, target):
            return 0
        return copy(stop, source, target)

    def _names(self, root: Path, chosen: Iterable[str], *, with_parts: bool) -> Iterator[str]:
        """The files of this account below a root, relative to it: the shelves', then those with paths of their own."""
        survey = Survey(self._files.at(root))
        for shelf in survey.shelves():
            for present in survey.read(shelf).values():
                rest = [present.part, present.aside] if with_parts else []
                yield from (file.path for file in (*present.finals, *rest) if file is not None)
        yield from (path for path in chosen if (root / path).is_file())

    def _drop_what_went(self, folder: Path, names: set[str]) -> None:
        """What was carried in the first round and has been deleted since."""
        for name in list(self._names(folder, [], with_parts=True)):
            if name not in names:
                (folder / name).unlink(missing_ok=True)

    def _require_room(self, old: Path, folder: Path, names: list[str]) -> None:
        """Raises OSError (ENOSPC) when what has to be copied does not fit."""
        if old.stat().st_dev == folder.stat().st_dev:
            return  # linked; where that is not possible, copying tells soon enough
        needed = 0
        for name in names:
            source, target = old / name, folder / name
            if source.exists() and not target.exists():
                needed += source.stat().st_size
        Disk(folder, free_floor_bytes=self._disk.free_floor_bytes).check_room(needed)

    def _take_away(self, old: Path, names: Iterable[str]) -> None:
        """Deletes old files whose new ones are there, and the old root once it holds nothing more."""
        files = self._files.at(old)
        for name in names:
            if (self._files.root / name).exists():
                files.remove(old / name)
        account = old / self._files.account
        for folder in (*account.glob("*"), account, account.parent):
            with contextlib.suppress(OSError):
                folder.rmdir()  # left empty by a crash between file and folder
        try:
            if {path.name for path in old.iterdir()} <= {MARKER}:
                (old / MARKER).unlink(missing_ok=True)
                old.rmdir()
        except OSError:
            return  # a mount point, or gone already


def _item_id(name: str, chosen: Mapping[str, str]) -> str:
    """Whose file it is: by the row for a path that the user chose, else by the name."""
    return chosen.get(name) or name.rpartition("/")[2].partition(".")[0]
