"""The disk below the download root: is it there, writable, with room; and what its errors mean in words."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from pathlib import Path

from jellytui.engine.downloads.files import MARKER, require_root
from jellytui.engine.errors import DiskError
from jellytui.paths import ensure_folder

FREE_FLOOR_BYTES = 512 * 1024 * 1024
"""Kept free on the disk whatever happens (downloads-playback.md 1.4)."""
DISK_CHECK_EVERY_S = 10.0
"""How often somebody who waits for the disk looks again."""

_OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENODEV, errno.ENXIO, errno.ESTALE}


class Disk:
    """The disk of one download root. All functions block; they run in threads."""

    def __init__(self, root: Path, *, free_floor_bytes: int = FREE_FLOOR_BYTES) -> None:
        self.root = root
        self.free_floor_bytes = free_floor_bytes
        self.hold = ""
        """Why nothing may be written for now, in words; empty while the disk is free."""

    def prepare(self, *, may_make: bool) -> None:
        """Makes and marks the root where that is allowed; else it must be there with its mark, for an empty mount
        point is not it. Raises DiskError."""
        marker = self.root / MARKER
        try:
            if not may_make and not marker.exists():
                raise DiskError(_gone(self.root))
            ensure_folder(self.root)
            marker.touch(mode=0o600)
        except OSError as error:
            raise DiskError(words(error, self.root)) from error

    def check(self, *, needed_bytes: int = 0) -> None:
        """Raises DiskError when the root is gone, held, cannot be written, or has no room for that many bytes."""
        if self.hold:
            raise DiskError(self.hold)
        try:
            if not (self.root / MARKER).exists():
                raise DiskError(_gone(self.root))
            probe = self.root / f".probe-{secrets.token_hex(4)}"
            probe.touch(mode=0o600)
            probe.unlink()
            self.check_room(needed_bytes)
        except OSError as error:
            raise DiskError(words(error, self.root)) from error

    def require(self) -> None:
        """Raises OSError (ENOENT) when the root is gone; whoever makes folders below it asks first."""
        require_root(self.root)

    def check_room(self, needed_bytes: int) -> None:
        """Raises OSError: ENOSPC when the free floor would be broken, ENOENT when the root is gone."""
        self.require()
        if (self.free_bytes() or 0) - self.free_floor_bytes < needed_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.root))

    def free_bytes(self) -> int | None:
        """Bytes that may still be written, the floor included; None where the root is gone, for nobody knows then."""
        try:
            self.require()
            return shutil.disk_usage(self.root).free
        except OSError:
            return None

    def concerns_all(self, error: OSError) -> bool:
        """Whether the error is the disk's and not one file's: then the whole queue waits."""
        if error.errno in _OF_THE_DISK:
            return True
        try:
            return not (self.root / MARKER).exists()
        except OSError:
            return True  # the root is there, and nobody may look into it


def words(error: OSError, root: Path) -> str:
    """An error of the disk in words: what happened, what to do."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"The disk of {root} is full. Free some space; downloads then go on by themselves."
        case errno.EROFS:
            return f"The disk of {root} cannot be written. Mount it for writing; downloads then go on by themselves."
        case errno.EACCES | errno.EPERM:
            return f"{_folder_of(error, root)} may not be read or written by this user. Change its permissions."
        case errno.EEXIST:
            name = error.filename2 or error.filename
            return f"{name} is there already. Move it away and try again, or cancel this and choose another name."
        case errno.ENOENT | errno.ENODEV | errno.ENXIO | errno.ESTALE | errno.EIO:
            return _gone(root)
        case _:
            return f"{error.filename or root} cannot be written ({error.strerror or error})."


def _folder_of(error: OSError, root: Path) -> str:
    """What a user must change: the root where its mark cannot be touched, else the very file or folder."""
    name = str(error.filename or root)
    is_mark = Path(name).parent == root and Path(name).name.startswith(".")
    return str(root) if is_mark else name


def _gone(root: Path) -> str:
    return f"The download folder {root} is not there. Connect its disk, or set [downloads] folder in config.toml."
