"""Notices that something in the served folder changed, so that it is read again (issue 4 point 2)."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import NoReturn

_SHARE = 0.05
"""Of the time that may go into looking: a large folder on a slow disk is looked at less often."""


async def watch(folder: Path, seconds: float, changed: Callable[[], Awaitable[None]]) -> NoReturn:
    """Looks every `seconds`, or less often where looking takes long; calls `changed` once the folder stands still."""
    loop = asyncio.get_running_loop()
    known = await asyncio.to_thread(fingerprint, folder)
    seen = known
    while True:
        began = loop.time()
        now = await asyncio.to_thread(fingerprint, folder)
        took = loop.time() - began
        if now != known and now == seen:  # a file that is being copied changes from look to look
            known = now
            await changed()
        seen = now
        await asyncio.sleep(max(seconds, took / _SHARE))


def fingerprint(folder: Path) -> bytes:
    """A hash over names, sizes and times of all files; what cannot be read counts by its name."""
    digest = hashlib.blake2b(digest_size=16)
    for line in _lines(folder):
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.digest()


def _lines(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        try:
            if entry.is_dir():
                yield f"{entry.path}/\n"
                yield from _lines(Path(entry.path))
                continue
            stat = entry.stat()
        except OSError:
            yield f"{entry.path} ?\n"
            continue
        yield f"{entry.path} {stat.st_size} {stat.st_mtime_ns}\n"
