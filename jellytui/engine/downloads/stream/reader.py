"""StreamReader: the player's GrowingFile over a feed; its functions block, on mpv's threads."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

from jellytui.engine.downloads.stream.feed import Feed
from jellytui.engine.downloads.stream.window import Window
from jellytui.engine.errors import FileChangedError, JellytuiError

_ASK_AGAIN_S = 0.5
"""How often a reader that waits says so again: a line that has become slow is noticed by that."""


class StreamReader:
    """One reader of one feed. `on_move`, `on_starve` and `on_close` are called in its thread."""

    def __init__(
        self,
        feed: Feed,
        *,
        on_move: Callable[[], None],
        on_starve: Callable[[StreamReader], None],
        on_close: Callable[[StreamReader], None],
    ) -> None:
        self.position = 0
        """The byte that is read next, as far as is known."""
        self.starving_at: int | None = None
        """The byte that it waits for."""
        self.window: Window | None = None
        self.has_jumped = False
        """Whether its last read did not go on from the one before."""
        self.ahead_s: Callable[[], float] = _nothing_ahead
        """How many seconds of music the player has; it sets this. On the loop."""
        self._asked_at = 0.0
        self._answer_s = 0.0
        self._feed = feed
        self._on_move = on_move
        self._on_starve = on_starve
        self._on_close = on_close
        self._descriptor = -1
        self._stale: list[int] = []
        """Descriptors that are to be closed."""
        self._here = 0
        """How many bytes may be read from it now."""
        self._epoch = -1
        self._content = feed.content
        self._has_begun = False
        self._is_cancelled = False
        self._is_closed = False
        self._is_reading = False

    def size(self) -> int | None:
        """The file's length, once the server has told it; None when it does not. Raises JellytuiError."""
        feed = self._feed
        with feed.condition:
            while not feed.is_length_told:
                self._check()
                feed.condition.wait()
            return feed.total

    def readinto(self, offset: int, buffer: memoryview) -> int:
        """Reads from byte `offset` on, waiting for one byte at least; 0 at the end. Raises JellytuiError, OSError."""
        feed = self._feed
        with feed.condition:
            self._is_reading = True
            self.has_jumped = offset != self.position
            self.position = offset
        try:
            count = self._copied(offset, buffer)
            if count is None:
                count = os.preadv(self._descriptor, [buffer[: self._here]], offset)
        finally:
            with feed.condition:
                self._is_reading = False
                if self._is_closed:
                    self._let_go()
            self._close_stale()
        with feed.condition:
            self.position = offset + count
            self._has_begun = True
        self._on_move()
        return count

    def cancel(self) -> None:
        """Ends each wait, from any thread."""
        with self._feed.condition:
            self._is_cancelled = True
            self._feed.condition.notify_all()

    def close(self) -> None:
        """Lets the file go; may be called twice."""
        with self._feed.condition:
            was_closed, self._is_closed = self._is_closed, True
            self._is_cancelled = True
            self._feed.condition.notify_all()
            if not self._is_reading:
                self._let_go()
        self._close_stale()
        if not was_closed:
            self._on_close(self)

    def ask(self, now: float) -> None:
        """Asks the player how much music it has; `now` in seconds, by any clock. On the loop."""
        self._answer_s, self._asked_at = self.ahead_s(), now

    def cushion_s(self, now: float) -> float:
        """How many seconds of music the player has at least, by what it last said; from any thread."""
        return max(0.0, self._answer_s - (now - self._asked_at))

    def ahead_bytes(self) -> int:
        """How many bytes are here from its position on without a gap; from any thread, so roughly."""
        end, window = self._feed.here, self.window
        if window is not None and window.start <= self.position <= window.end:
            end = max(end, window.end)
        return max(0, end - self.position)

    @property
    def lives_off_window(self) -> bool:
        """Whether what it reads next comes through its window, and not from the download; from any thread."""
        window = self.window
        return window is not None and self._feed.here < self.position and window.feeds(self.position)

    def _copied(self, offset: int, buffer: memoryview) -> int | None:
        """Waits until there is something; copies what is in memory, or returns None where it is in the file."""
        feed = self._feed
        with feed.condition:
            try:
                while True:
                    self._check()
                    if self._content != feed.content:
                        if self._has_begun:
                            raise FileChangedError("Its file has changed on the server.")
                        self._content = feed.content
                    if feed.total is not None and offset >= feed.total:
                        return 0
                    # Memory first: what is not there any more is in the file.
                    if count := feed.copy(offset, buffer):
                        self._forget_window()
                        return count
                    written = feed.written  # once: another file may begin at any moment
                    if offset < written and self._has_file():
                        self._here = min(len(buffer), written - offset)
                        self._forget_window()
                        return None
                    for window in (feed.tail, self.window):
                        if window is not None and (count := window.take(offset, buffer)):
                            return count
                    self._starve(offset)
            finally:
                self.starving_at = None

    def _check(self) -> None:
        feed = self._feed
        if self._is_cancelled:
            raise JellytuiError("the reading was cancelled.")
        if feed.is_complete:
            return
        if self._is_done_for():
            raise feed.error or feed.away or JellytuiError("nothing comes.")

    def _is_done_for(self) -> bool:
        feed = self._feed
        if feed.error is None and (feed.away is None or self._has_begun):
            return False
        return not (self.position < feed.here and feed.is_length_told)

    def _has_file(self) -> bool:
        """Opens the file that lies there now, if it is another than before."""
        feed = self._feed
        if self._epoch == feed.epoch and self._descriptor >= 0:
            return True
        descriptor = feed.open_descriptor()
        if descriptor is None:
            return False
        self._let_go()
        self._descriptor, self._epoch = descriptor, feed.epoch
        return True

    def _starve(self, offset: int) -> None:
        """Says that bytes are missing, and waits a while for them."""
        self.starving_at = offset
        self._on_starve(self)
        self._feed.condition.wait(_ASK_AGAIN_S)

    def _forget_window(self) -> None:
        """The file has caught up."""
        if self.window is not None and self.window.end <= self._feed.here:
            self.window = None

    def _let_go(self) -> None:
        if self._descriptor >= 0:
            self._stale.append(self._descriptor)
            self._descriptor = -1

    def _close_stale(self) -> None:
        """Without the lock, which the loop takes too: to close a file may take long (NFS)."""
        while self._stale:
            with contextlib.suppress(OSError):
                os.close(self._stale.pop())


def _nothing_ahead() -> float:
    """Of a player that has not said."""
    return 0.0
