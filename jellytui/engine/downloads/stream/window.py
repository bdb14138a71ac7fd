"""Window: bytes of a range in memory, for a reader far from where the `.part` grows (downloads-playback.md 8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

AHEAD_BYTES = 4 * 1024 * 1024
"""How far a window reads ahead of its reader."""
BEHIND_BYTES = 512 * 1024
"""How much stays for small steps back."""
NEAR_BYTES = 256 * 1024
"""A step forward that is waited for; a longer one is worth a request of its own."""


class Window:
    """A stretch of the file from `start` to `end`; guarded by the feed's condition, filled on the loop."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.position = start
        """Where its reader is."""
        self.is_open = True
        """Whether bytes may still come."""
        self._data = bytearray()
        self._room = asyncio.Event()
        self.wake: Callable[[], None] = self._room.set
        """Called on the loop once the reader has made room."""

    @property
    def end(self) -> int:
        return self.start + len(self._data)

    @property
    def is_empty(self) -> bool:
        return not self._data

    @property
    def is_full(self) -> bool:
        """Whether it is far enough ahead of its reader."""
        return self.end - self.position >= AHEAD_BYTES

    def covers(self, offset: int) -> bool:
        """Whether the byte is here."""
        return self.start <= offset < self.end

    def brings(self, offset: int) -> bool:
        """Whether the byte is on its way, and soon here."""
        return self.is_open and self.start <= offset <= self.end + NEAR_BYTES

    def feeds(self, offset: int) -> bool:
        """Whether more is coming for whoever reads there."""
        return self.is_open and not self.is_empty and not self.is_full and self.start <= offset <= self.end

    def take(self, offset: int, buffer: memoryview) -> int:
        """Copies what is here from byte `offset` on; 0 when that is not here."""
        if not self.covers(offset):
            return 0
        begin = offset - self.start
        count = min(len(buffer), len(self._data) - begin)
        buffer[:count] = self._data[begin : begin + count]
        self.position = offset + count
        surplus = self.position - self.start - BEHIND_BYTES
        if surplus > BEHIND_BYTES:
            del self._data[:surplus]
            self.start += surplus
        return count

    def add(self, chunk: bytes) -> None:
        """Takes bytes for its end."""
        self._data += chunk

    async def room(self) -> None:
        """Returns once its reader has come near enough."""
        while self.is_full:
            self._room.clear()
            await self._room.wait()
