"""Covers: pictures fetched once, kept as files, never asked for again while their tag stays the same."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import tempfile
from pathlib import Path

from jellytui.engine.errors import JellytuiError, NotFoundError
from jellytui.engine.library.ports import ImageServer
from jellytui.paths import ensure_folder

log = logging.getLogger(__name__)

SIZE_PX = 600
_AT_ONCE = 2
"""A cover's first request costs the server up to 0.2 s of a core (big-library.md, 18)."""
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"GIF8")


class Covers:
    """The folder of one installation's covers: `<folder>/<digest of the item id>/<digest of the tag>`."""

    def __init__(self, *, client: ImageServer, folder: Path) -> None:
        self._client = client
        self._folder = folder
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._fetching: dict[Path, asyncio.Task[bool]] = {}
        self._without_image: set[Path] = set()

    async def path(self, item_id: str, tag: str) -> Path | None:
        """The file of an item's cover; fetched when it is not there. Offline an older one, or None."""
        if not item_id or not tag:
            return None
        file = self._folder / _digest(item_id) / _digest(tag)
        if await self._brought(file, item_id, tag):
            return file
        return await asyncio.to_thread(_newest, file.parent)

    async def _brought(self, file: Path, item_id: str, tag: str) -> bool:
        """Looks for a cover and fetches it once, however many ask for it; one who stops waiting does not stop it."""
        task = self._fetching.get(file)
        if task is None:
            task = self._fetching[file] = asyncio.create_task(self._fetch(file, item_id, tag))
            task.add_done_callback(lambda _: self._fetching.pop(file, None))
        return await asyncio.shield(task)

    async def _fetch(self, file: Path, item_id: str, tag: str) -> bool:
        if await asyncio.to_thread(file.exists):
            return True
        if file in self._without_image:
            return False
        try:
            async with self._slots:
                image = await self._client.image(item_id, tag, SIZE_PX)
        except NotFoundError:
            self._without_image.add(file)
            return False
        except JellytuiError as error:
            log.info("a cover did not come: %s", error)
            return False
        if not image.startswith(_BEGINNINGS):
            self._without_image.add(file)
            return False
        try:
            await asyncio.to_thread(_write, file, image)
        except OSError as error:
            log.warning("a cover cannot be kept: %s", error)
            return False
        return True


def _digest(text: str) -> str:
    """A name for a file, whatever the server's ids and tags are made of."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _write(file: Path, image: bytes) -> None:
    """Puts the file there in one step and removes the item's older covers."""
    ensure_folder(file.parent)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as temporary:
            temporary.write(image)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    for other in file.parent.iterdir():
        if other != file:
            other.unlink(missing_ok=True)


def _newest(folder: Path) -> Path | None:
    if not folder.is_dir():
        return None
    files = [file for file in folder.iterdir() if not file.name.startswith(".")]
    return max(files, key=lambda file: file.stat().st_mtime, default=None)
