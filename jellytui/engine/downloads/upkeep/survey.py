"""Looks at what lies below the download root, shelf by shelf, without touching anything.

All functions block and run in threads; they raise DiskError when the root is not there, so that an unplugged disk is
never taken for an empty one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from jellytui.engine.downloads.disk import words
from jellytui.engine.downloads.files import MARKER, PART_SUFFIX, DownloadFiles, is_extension, is_safe_id
from jellytui.engine.errors import DiskError

ASIDE_SUFFIX = ".damaged"
"""A broken file stays under `<id>.damaged` until a whole one is here."""


@dataclass(frozen=True)
class OnDisk:
    """One file: its path relative to the root, its length in bytes, and when it was last written (Unix time)."""

    path: str
    size: int
    modified_at: float


@dataclass
class Present:
    """What lies on the shelf for one item."""

    finals: list[OnDisk] = field(default_factory=list)
    part: OnDisk | None = None
    aside: OnDisk | None = None


class Survey:
    """The files of one account as they lie on the disk."""

    def __init__(self, files: DownloadFiles) -> None:
        self._files = files

    def require_root(self) -> None:
        """Raises DiskError unless the root is there with its mark."""
        marker = self._files.root / MARKER
        try:
            marker.stat()
        except OSError as error:
            raise DiskError(words(error, self._files.root)) from error

    def shelves(self) -> list[str]:
        """The names of the account's shelves (the first two signs of the ids), in order."""
        try:
            with os.scandir(self._account_folder) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DiskError(words(error, self._files.root)) from error

    def read(self, shelf: str) -> dict[str, Present]:
        """What lies on one shelf, by item id; what jellytui has not put there is left out."""
        found: dict[str, Present] = {}
        folder = self._account_folder / shelf
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._place(entry, str(self._files.account / shelf), found)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise DiskError(words(error, self._files.root)) from error
        return found

    def look(self, path: str) -> OnDisk | None:
        """The file at a stored path, wherever that is; None where there is none."""
        try:
            facts = (self._files.root / path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise DiskError(words(error, self._files.root)) from error
        return OnDisk(path, facts.st_size, facts.st_mtime)

    def search(self, sizes: Mapping[str, int | None]) -> dict[str, OnDisk]:
        """Where the user has moved files inside the root: by the id in the name and the length (any when None).

        What stands where the ids put it is not looked at: there it is this account's, or another's.
        """
        found: dict[str, OnDisk] = {}
        for folder, _, names in os.walk(self._files.root):
            for name in names:
                item_id, _, ending = name.partition(".")
                if item_id not in sizes or not is_extension(ending.lower()):
                    continue
                path = (PurePosixPath(folder) / name).relative_to(self._files.root)
                if _is_canonical(path, item_id) or (self._files.root / path).is_symlink():
                    continue
                there = self.look(str(path))
                size = sizes[item_id]
                if there is not None and there.size and size in (None, there.size):
                    found.setdefault(item_id, there)
        self.require_root()
        return found

    @property
    def _account_folder(self) -> Path:
        return self._files.root / self._files.account

    def _place(self, entry: os.DirEntry[str], folder: str, found: dict[str, Present]) -> None:
        item_id, _, ending = entry.name.partition(".")
        suffix = f".{ending}"
        is_own = suffix in (PART_SUFFIX, ASIDE_SUFFIX)
        if not is_safe_id(item_id) or not (is_own or is_extension(ending)):
            return
        if not entry.is_file(follow_symlinks=False):
            return
        facts = entry.stat(follow_symlinks=False)
        there = OnDisk(f"{folder}/{entry.name}", facts.st_size, facts.st_mtime)
        present = found.setdefault(item_id, Present())
        if suffix == PART_SUFFIX:
            present.part = there
        elif suffix == ASIDE_SUFFIX:
            present.aside = there
        else:
            present.finals.append(there)


def batches_of(counts: Mapping[str, int], at_most: int) -> Iterator[tuple[list[str], str, str | None]]:
    """Neighbouring shelves in batches of about so many entries: (shelves, first id, first id of the next or None)."""
    names = sorted(counts)
    start = number = 0
    for index, name in enumerate(names):
        number += counts[name]
        is_last = index + 1 == len(names)
        if number >= at_most or is_last:
            yield names[start : index + 1], names[start], None if is_last else names[index + 1]
            start, number = index + 1, 0


def _is_canonical(path: PurePosixPath, item_id: str) -> bool:
    return len(path.parts) == 4 and path.parts[2] == item_id[:2]
