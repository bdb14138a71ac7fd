"""A real terminal for tests: a program on a pty, its output drawn by a terminal emulator (pyte)."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

import pyte


class Terminal:
    """Runs a program on a pty of the given size; `wait_for` reads until the screen shows what is awaited."""

    def __init__(
        self,
        words: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        environment: Mapping[str, str] | None = None,
        has_colors: bool = True,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.bytes_read = 0
        self.output = bytearray()
        self._stream = pyte.ByteStream(self.screen)
        self._status: int | None = None
        self._pid, self._master = pty.fork()
        if self._pid == 0:
            # What this terminal is goes before what the tests were started in.
            env = {**os.environ, **(environment or {}), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            env.pop("NO_COLOR", None)
            if not has_colors:
                env["NO_COLOR"] = "1"
            os.execvpe(words[0], list(words), env)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._master)

    @property
    def text(self) -> str:
        """What the screen shows, line by line."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def send(self, keys: str) -> None:
        """Types."""
        os.write(self._master, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Gives the window another size."""
        self.screen.resize(rows, columns)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def signal(self, number: int) -> None:
        """Sends a signal to the program."""
        os.kill(self._pid, number)

    def wait_for(self, awaited: str | Callable[[str], bool], *, seconds: float = 30) -> str:
        """Reads until the screen's text contains the words (or the condition holds); returns the text.

        Raises AssertionError with the screen when it never does.
        """
        holds = (lambda text: awaited in text) if isinstance(awaited, str) else awaited
        end = time.monotonic() + seconds
        while not holds(self.text):
            left = end - time.monotonic()
            if left <= 0 or not self._read(left):
                if holds(self.text):
                    break
                raise AssertionError(f"never came to {awaited!r}; {self._story()}")
        return self.text

    def read_until(self, holds: Callable[[], bool], *, seconds: float = 30) -> None:
        """Reads until the condition holds, without a look at the text: for measuring. Raises AssertionError."""
        end = time.monotonic() + seconds
        while not holds():
            left = end - time.monotonic()
            if left <= 0 or not (self._read(left) or holds()):
                raise AssertionError(f"it never came to that; the screen shows:\n{self.text}")

    def rest(self, quiet_seconds: float = 0.4, *, seconds: float = 10) -> None:
        """Reads until the program has written nothing for so long, or for as long as there is patience."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._read(quiet_seconds):
            pass

    def wait_for_exit(self, *, seconds: float = 30) -> int:
        """Reads until the program has ended; returns its exit code."""
        end = time.monotonic() + seconds
        while self._read(max(0.0, end - time.monotonic())):
            if time.monotonic() > end:
                raise AssertionError(f"did not end; the screen shows:\n{self.text}")
        while self._status is None:
            done, status = os.waitpid(self._pid, os.WNOHANG)
            if done:
                self._status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > end:
                raise AssertionError(f"did not end; the screen shows:\n{self.text}")
        return self._status

    def _story(self) -> str:
        """What there is to say of a program that did not do what was awaited."""
        done, status = os.waitpid(self._pid, os.WNOHANG) if self._status is None else (0, 0)
        if done:
            self._status = os.waitstatus_to_exitcode(status)
        state = "it runs" if self._status is None else f"it ended with {self._status}"
        return f"{state}, wrote last {bytes(self.output[-200:])!r}, and the screen shows:\n{self.text}"

    def _read(self, seconds: float) -> bool:
        """Takes what the program writes within so many seconds; False once it has closed the terminal or kept quiet."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError as error:
            if error.errno == errno.EIO:  # Linux says so when the other side has closed
                return False
            raise
        if not data:
            return False
        self.bytes_read += len(data)
        self.output += data
        self._stream.feed(data)
        return True
