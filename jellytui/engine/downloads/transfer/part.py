"""The growing `.part`: one writer that never blocks the loop, any number of readers in threads.

Bytes are gathered to 1 MiB and written in a thread with one write outstanding (downloads-playback.md 7). While a
reader waits (`is_awaited`) the writer hands over what it has at once. A body that begins anew gets a new file: whoever
reads the old one keeps it, and is told.
"""

from __future__ import annotations

import asyncio
import errno
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

WRITE_BYTES = 1024 * 1024
SYNC_BYTES = 8 * 1024 * 1024
SYNC_SECONDS = 5.0


class Part:
    """Open with `Part.open`; `write`, `flush` and `begin_anew` are the writer's, on the loop."""

    def __init__(self, path: Path, executor: Executor) -> None:
        self.path = path
        self._executor = executor
        self._descriptor = -1
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._pending: asyncio.Future[None] | None = None
        self._is_closing = False
        self._synced_at = time.monotonic()
        self._lock = threading.Lock()
        """Guards the descriptor: readers duplicate it in their threads."""
        self.on_change: Callable[[], None] = _nothing
        """Called in the writer's thread when bytes are there for readers, or the version has changed."""
        self.is_awaited = False
        """Whether a reader lacks bytes; set in its thread, which then calls `hand_over` on the loop."""
        self.size = 0
        """Bytes taken, those included that are still being written."""
        self.written = 0
        """Bytes in the file, there for readers."""
        self.durable = 0
        """Bytes flushed to the medium."""
        self.version = 0
        """Raised when the body begins anew."""

    @classmethod
    async def open(
        cls,
        path: Path,
        executor: Executor,
        *,
        trusted_bytes: int | None = None,
        before: Callable[[], None] | None = None,
    ) -> Part:
        """Opens or makes the file; its folder is there, or `before`, called in the same thread, makes it. What lies
        beyond `trusted_bytes` is cut off (a power cut).

        Raises OSError.
        """
        part = cls(path, executor)
        await asyncio.get_running_loop().run_in_executor(executor, part._open, trusted_bytes, before or _nothing)
        return part

    async def write(self, chunk: bytes) -> None:
        """Takes bytes for the end of the file; waits only for the write before the last. Raises OSError."""
        self._gathered.append(chunk)
        self._gathered_bytes += len(chunk)
        self.size += len(chunk)
        if self._gathered_bytes < WRITE_BYTES and not (self.is_awaited and self._is_idle):
            return
        await self._settle()
        if self._gathered:
            self._start_write()

    def hand_over(self) -> None:
        """Begins to write what is gathered, however little: a reader waits for it and no more may come for long."""
        if not self._gathered or self._is_closing:
            return
        if self._is_idle and (self._pending is None or self._pending.exception() is None):
            self._start_write()
        elif self._pending is not None and not self._pending.done():
            self._pending.add_done_callback(lambda _: self.hand_over())

    async def flush(self) -> None:
        """Writes out everything taken. Raises OSError."""
        await self._settle()
        if self._gathered:
            self._start_write()
            await self._settle()

    async def begin_anew(self) -> None:
        """Drops what is here: the old file goes, a new one begins. Raises OSError."""
        await self._settle()
        self._gathered.clear()
        self._gathered_bytes = self.size = 0
        self._pending = asyncio.get_running_loop().run_in_executor(self._executor, self._replace)
        await self._settle()

    async def read(self, start: int, length: int) -> bytes:
        """Bytes that are in the file already. Raises OSError."""
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, os.pread, self._descriptor, length, start
        )

    async def close(self) -> None:
        """Waits for the write under way and lets the file go."""
        self._is_closing = True
        try:
            await self._settle()
        finally:
            with self._lock:
                descriptor, self._descriptor = self._descriptor, -1
            if descriptor >= 0:
                os.close(descriptor)

    # Readers, in threads.

    def duplicate(self) -> tuple[int, int]:
        """A descriptor of the reader's own and the version it shows. Raises OSError once closed."""
        with self._lock:
            if self._descriptor < 0:
                raise OSError(errno.EBADF, "the part is closed")
            return os.dup(self._descriptor), self.version

    # The writer's thread.

    @property
    def _is_idle(self) -> bool:
        return self._pending is None or self._pending.done()

    def _start_write(self) -> None:
        chunks, self._gathered = self._gathered, []
        self._gathered_bytes = 0
        self._pending = asyncio.get_running_loop().run_in_executor(self._executor, self._append, chunks)

    async def _settle(self) -> None:
        """Waits for the write under way, also when cancelled: its descriptor must not be closed under it."""
        while (pending := self._pending) is not None:
            try:
                await asyncio.shield(pending)
            except asyncio.CancelledError:
                await asyncio.wait([pending])
                raise
            finally:
                if self._pending is pending:  # `hand_over` may have begun the next one
                    self._pending = None

    def _append(self, chunks: list[bytes]) -> None:
        position = self.written
        view = memoryview(b"".join(chunks) if len(chunks) > 1 else chunks[0])
        while view:
            count = os.pwrite(self._descriptor, view, position)
            view = view[count:]
            position += count
        if position - self.durable >= SYNC_BYTES or time.monotonic() - self._synced_at >= SYNC_SECONDS:
            _flush_to_medium(self._descriptor)
            self._synced_at = time.monotonic()
            self.durable = position
        self.written = position
        self.on_change()

    def _open(self, trusted_bytes: int | None, before: Callable[[], None]) -> None:
        before()
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        size = os.fstat(self._descriptor).st_size
        if trusted_bytes is not None and size > trusted_bytes:
            os.ftruncate(self._descriptor, trusted_bytes)
            size = trusted_bytes
        self.size = self.written = size
        self.durable = 0 if trusted_bytes is None else size

    def _replace(self) -> None:
        self.path.unlink(missing_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fresh = os.open(self.path, flags, 0o600)
        with self._lock:
            stale, self._descriptor = self._descriptor, fresh
            self.written = self.durable = 0
            self.version += 1
        os.close(stale)
        self.on_change()


def _flush_to_medium(descriptor: int) -> None:
    """fdatasync where there is one (macOS has none)."""
    getattr(os, "fdatasync", os.fsync)(descriptor)


def _nothing() -> None:
    """Nobody reads along; nothing comes before."""
