"""The growing `.part`: one writer that never blocks the loop, any number of readers in threads.

Bytes are gathered to 1 MiB and written in a thread with one write outstanding (downloads-playback.md 7). Until they
are in the file readers have them from memory: who waits for them waits for no disk. A body that begins anew gets a new
file: whoever reads the old one keeps it, and is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
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
        self._tail: list[bytes] = []
        """What is not in the file yet, from `written` to `size`."""
        self._handed_over = 0
        """Up to where writes have been begun."""
        self._pending: Future[None] | None = None
        self._is_closing = False
        self._synced_at = time.monotonic()
        self._lock = threading.Lock()
        """Guards the descriptor and the tail: readers use both in their threads."""
        self.on_change: Callable[[], None] = _nothing
        """Called when bytes have come, or, in the writer's thread, when the version has changed."""
        self.size = 0
        """Bytes taken, those included that are still being written; all are there for readers."""
        self.written = 0
        """Bytes in the file."""
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
        with self._lock:
            self._tail.append(chunk)
            self.size += len(chunk)
        self.on_change()
        if self._has_failed or self.size - self._handed_over >= WRITE_BYTES:
            await self._settle()
            if self.size > self._handed_over:  # `hand_over` may have been faster
                self._start_write()

    def hand_over(self) -> None:
        """Begins to write what is gathered, however little, unless a write is under way: on a slow line a megabyte
        takes long to gather, and would be lost with the process.
        """
        is_idle = self._pending is None or self._pending.done()
        if is_idle and not self._has_failed and self.size > self._handed_over and not self._is_closing:
            self._start_write()

    async def flush(self) -> None:
        """Writes out everything taken; what failed before is tried once more. Raises OSError."""
        with contextlib.suppress(OSError):
            await self._settle()
        if self.size > self.written:
            self._start_write()
            await self._settle()

    async def begin_anew(self) -> None:
        """Drops what is here: the old file goes, a new one begins. Raises OSError."""
        await self._settle()
        with self._lock:
            self._tail.clear()
            self._handed_over = self.size = 0
        self._pending = self._executor.submit(self._replace)
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

    def saved(self) -> tuple[int, int]:
        """How many bytes are in the file, and of these on the medium."""
        with self._lock:
            return self.written, self.durable

    # Readers, in threads.

    def duplicate(self) -> int:
        """A descriptor of the reader's own. Raises OSError once closed."""
        with self._lock:
            if self._descriptor < 0:
                raise OSError(errno.EBADF, "the part is closed")
            return os.dup(self._descriptor)

    def copy(self, offset: int, buffer: memoryview) -> int:
        """Copies what is not in the file yet, from byte `offset` on; 0 when that is not here, or is in the file."""
        with self._lock:
            end = self.size
            if not self.written <= offset < end:
                return 0
            for chunk in reversed(self._tail):  # who reads along wants the last
                end -= len(chunk)
                if end <= offset:
                    piece = memoryview(chunk)[offset - end : offset - end + len(buffer)]
                    buffer[: len(piece)] = piece
                    return len(piece)
        return 0

    # On the loop.

    @property
    def _has_failed(self) -> bool:
        """Whether the last write has failed, of which nobody has heard yet."""
        return self._pending is not None and self._pending.done() and self._pending.exception() is not None

    def _start_write(self) -> None:
        # No future of the loop's: nobody waits for most writes, and each would wake it.
        self._handed_over = self.size
        self._pending = self._executor.submit(self._append, len(self._tail))

    async def _settle(self) -> None:
        """Waits for the write under way, also when cancelled: its descriptor must not be closed under it."""
        while (pending := self._pending) is not None:
            cancelled: asyncio.CancelledError | None = None
            while not pending.done():
                try:
                    await asyncio.wait([asyncio.wrap_future(pending)])
                except asyncio.CancelledError as error:
                    cancelled = error
            if self._pending is pending:  # `hand_over` may have begun the next one
                self._pending = None
            if cancelled is not None:
                raise cancelled
            pending.result()

    # The writer's thread.

    def _append(self, count: int) -> None:
        """Writes the first chunks of the tail; they stay there until they are in the file."""
        with self._lock:
            chunks, position = self._tail[:count], self.written
        view = memoryview(b"".join(chunks) if len(chunks) > 1 else chunks[0])
        while view:
            done = os.pwrite(self._descriptor, view, position)
            view = view[done:]
            position += done
        durable = self.durable
        if position - durable >= SYNC_BYTES or time.monotonic() - self._synced_at >= SYNC_SECONDS:
            _flush_to_medium(self._descriptor)
            self._synced_at = time.monotonic()
            durable = position
        with self._lock:
            del self._tail[:count]
            self.written, self.durable = position, durable

    def _open(self, trusted_bytes: int | None, before: Callable[[], None]) -> None:
        before()
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        size = os.fstat(self._descriptor).st_size
        if trusted_bytes is not None and size > trusted_bytes:
            os.ftruncate(self._descriptor, trusted_bytes)
            size = trusted_bytes
        self.size = self.written = self._handed_over = size
        self.durable = 0 if trusted_bytes is None else size

    def _replace(self) -> None:
        self.path.unlink(missing_ok=True)
        with self._lock:
            self.written = self.durable = 0
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fresh = os.open(self.path, flags, 0o600)
        with self._lock:
            stale, self._descriptor = self._descriptor, fresh
            self.version += 1
        os.close(stale)
        self.on_change()


def _flush_to_medium(descriptor: int) -> None:
    """fdatasync where there is one (macOS has none)."""
    getattr(os, "fdatasync", os.fsync)(descriptor)


def _nothing() -> None:
    """Nobody reads along; nothing comes before."""
