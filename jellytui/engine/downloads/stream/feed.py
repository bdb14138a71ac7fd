"""Feed: one item's file while it comes, shared by the loop that fetches it and the threads that read it."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

from jellytui.engine.downloads.stream.window import Window
from jellytui.engine.downloads.transfer.part import Part
from jellytui.engine.downloads.transfer.resume import Body, Held
from jellytui.engine.errors import JellytuiError


class Feed:
    """What readers may know; all of it is guarded by `condition`, which wakes whoever waits for bytes.

    `epoch` is raised when another file lies under the readers, `content` when it has other bytes than before.
    """

    def __init__(self, path: Path) -> None:
        self.condition = threading.Condition()
        self.path = path
        """Where the bytes are: the `.part`, and the file once it is complete."""
        self.epoch = 0
        self.content = 0
        self.total: int | None = None
        """The length; None while or where the server does not tell it."""
        self.is_length_told = False
        """Whether `total` is all that will be known before the end."""
        self.is_complete = False
        self.error: JellytuiError | None = None
        """Why nothing more will come."""
        self.away: JellytuiError | None = None
        """Why nothing comes for now: the end for those who have not begun, a wait for those who have."""
        self.tail: Window | None = None
        self.on_growth: Callable[[], None] = _nothing
        """Called when bytes have come."""
        self._part: Part | None = None
        self._version = 0
        self._written = 0
        self._held: Held | None = None
        """Whose bytes are in the `.part`; None before that is known."""

    @property
    def here(self) -> int:
        """Bytes from the beginning that are here, in the file or in memory."""
        part = self._part  # read once: it is asked without the lock too
        return self._written if part is None else part.size

    @property
    def written(self) -> int:
        """Bytes from the beginning that are in the file."""
        part = self._part
        return self._written if part is None else part.written

    def copy(self, offset: int, buffer: memoryview) -> int:
        """Copies from byte `offset` on what is in memory; 0 when that is not."""
        return 0 if self._part is None else self._part.copy(offset, buffer)

    @property
    def held(self) -> Held | None:
        """Total and validators of the body that comes; None before the first."""
        return self._held

    def open_descriptor(self) -> int | None:
        """A descriptor of the reader's own; None while there is no file, or it is being renamed. Raises OSError."""
        try:
            if self._part is not None:
                return self._part.duplicate()
            return os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            if not self.is_complete and error.errno in (errno.EBADF, errno.ENOENT):
                return None
            raise

    # On the loop.

    def attach(self, part: Part, held: Held | None) -> None:
        """An attempt has opened the `.part`; `held` tells of the body that is in it, or is coming already."""
        with self.condition:
            self._part, self._version = part, part.version
            part.on_change = self._on_change
            self.epoch += 1
            if held is not None:
                self._take(held)
            self.condition.notify_all()

    def began(self, body: Body) -> None:
        """A body from byte 0 comes now."""
        with self.condition:
            self.away = None
            self._take(body.held)
            self.condition.notify_all()

    def detach(self) -> None:
        """The attempt is over; what was written can still be read."""
        with self.condition:
            if self._part is not None:
                self._written = self._part.written
                self._part.on_change = _nothing
                self._part = None
            self.condition.notify_all()

    def complete(self, path: Path, size: int) -> None:
        """All of it is here, in a file of its own."""
        with self.condition:
            self.path, self.total, self._written = path, size, size
            self.is_length_told = self.is_complete = True
            self.error = self.away = self.tail = None
            self.condition.notify_all()

    def fail(self, error: JellytuiError) -> None:
        """Nothing more will come."""
        with self.condition:
            self.error = error
            self.condition.notify_all()

    def stay_away(self, error: JellytuiError) -> None:
        """Nothing comes for now."""
        with self.condition:
            self.away = error
            self.condition.notify_all()

    def _take(self, held: Held) -> None:
        if self._held is not None and self._held != held:
            self.content += 1
            self.tail = None
        self._held = held
        self.total = held.total
        self.is_length_told = True

    # On the loop, or in the writer's thread.

    def _on_change(self) -> None:
        with self.condition:
            if self._part is not None and self._part.version != self._version:
                self._version = self._part.version
                self.epoch += 1
            self.condition.notify_all()
        self.on_growth()


def _nothing() -> None:
    """The attempt is over."""
