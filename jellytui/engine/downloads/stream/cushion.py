"""Cushion: how much music a player has taken and not yet played, guessed from what it reads.

It plays no faster than the clock goes, so what it took since it opened or sought, less the time since, is at least what
it has; a cover picture at the head makes that too much, a pause too little.
"""

from __future__ import annotations


class Cushion:
    """Of one reader; its clock is any that counts seconds."""

    def __init__(self) -> None:
        self._next = -1
        self._bytes = 0
        self._began_at = 0.0

    def took(self, offset: int, count: int, now: float) -> None:
        """The player has read that many bytes from byte `offset` on."""
        if offset != self._next:
            self._bytes, self._began_at = 0, now
        self._next = offset + count
        self._bytes += count

    def age_s(self, now: float) -> float:
        """Since when it has read on without a gap, in seconds."""
        return now - self._began_at

    def length_s(self, bytes_per_second: float, now: float) -> float:
        """Seconds of music."""
        return max(0.0, self._bytes / bytes_per_second - self.age_s(now))
