"""Carries files from one folder to another so that each is whole at its new place or not there: for move and export."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
from pathlib import Path

from jellytui.engine.downloads.upkeep.threads import Stop

_CHUNK_BYTES = 1024 * 1024
_MTIME_SLACK_S = 2.0
"""FAT keeps even seconds only."""
_NO_LINK = {errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS, errno.EACCES}
TEMPORARY_PREFIX = ".jellytui-"
_TEMPORARY = re.compile(re.escape(TEMPORARY_PREFIX) + "[0-9a-f]{16}")


def drop_temporaries(folder: Path) -> None:
    """Takes away what a copy that was killed has left in a folder."""
    for path in folder.glob(f"{TEMPORARY_PREFIX}*"):
        if _TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


def is_same(source: os.stat_result, target: os.stat_result) -> bool:
    """Whether a file was carried there before: one file, or the same length and time."""
    if (source.st_dev, source.st_ino) == (target.st_dev, target.st_ino):
        return True
    return source.st_size == target.st_size and abs(source.st_mtime - target.st_mtime) <= _MTIME_SLACK_S


def link(source: Path, target: Path) -> bool:
    """Gives the file a second name; False where the two folders or the file system allow none.

    Raises FileExistsError for a name that is taken, OSError for the disk.
    """
    try:
        os.link(source, target, follow_symlinks=True)
    except OSError as error:
        if error.errno in _NO_LINK:
            return False
        raise
    return True


def copy(stop: Stop, source: Path, target: Path) -> int:
    """Copies and flushes under another name, then renames over `target`; bytes written. Raises OSError, StoppedError.

    The time of the last change goes with it, so that `is_same` knows the copy.
    """
    temporary = target.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}")
    written = 0
    try:
        with source.open("rb") as reader, temporary.open("xb") as writer:
            while chunk := reader.read(_CHUNK_BYTES):
                stop.check()
                writer.write(chunk)
                written += len(chunk)
            writer.flush()
            os.fsync(writer.fileno())
            facts = os.fstat(reader.fileno())
        os.utime(temporary, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return written


def sync_folder(folder: Path) -> None:
    """Flushes the names in a folder, where the file system can (some over the network cannot)."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)
