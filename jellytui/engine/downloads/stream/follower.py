"""Follower: keeps one item's download going while somebody reads it, and fetches beside it what it lacks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from contextlib import ExitStack

from jellytui.engine.clock import Clock, first_of
from jellytui.engine.downloads.ports import Link
from jellytui.engine.downloads.stream.feed import Feed
from jellytui.engine.downloads.stream.patience import after
from jellytui.engine.downloads.stream.reader import StreamReader
from jellytui.engine.downloads.stream.side import TAIL_BYTES, SideRequests, reads_tail
from jellytui.engine.downloads.stream.window import Window
from jellytui.engine.downloads.transfer.attempt import Transfer
from jellytui.engine.downloads.transfer.refusal import Refusal
from jellytui.engine.downloads.transfer.resume import Body
from jellytui.engine.downloads.worker import Finished
from jellytui.engine.errors import DiskError, JellytuiError
from jellytui.engine.models import DownloadInfo

SHORT_S = 10.0
"""With less than that ahead of a reader, other transfers stop reading (design.md)."""
FAR_BYTES = 1024 * 1024
"""A reader that waits for a byte further than this beyond what is here gets a window,"""
FAR_S = 1.0
"""or one that would wait longer than this: a jump in FLAC or Ogg looks at several places in turn."""
_PATIENCE = 0.5
"""What share of the music that players have ahead may pass while bytes gather: reading little costs as much as much,"""
_LONGEST_PATIENCE_S = 1.0
"""at most."""
_IN_HAND_S = 20.0
"""So much a player always reads ahead; what it has beyond that counts as ahead of it."""
_GUESSED_BYTES_PER_S = 40_000
"""Of music whose length is not known yet."""
_PROBE_S = 15.0
"""How often a server that counts as away is asked all the same: the music needs no sign-in."""


class Follower:
    """A RowListener (transfer/attempt.py) with its readers; on the loop. `is_over` once nothing more will come."""

    def __init__(
        self,
        info: DownloadInfo,
        *,
        feed: Feed,
        side: SideRequests,
        lease: ExitStack,
        link: Link,
        clock: Clock,
        wake: Callable[[], None],
        look_up: Callable[[Follower], Coroutine[object, object, None]],
        on_short: Callable[[], None],
        is_paused: bool,
    ) -> None:
        self.info = info
        """The row as it was when the first reader came."""
        self.feed = feed
        self.side = side
        self.lease = lease
        self.readers: list[StreamReader] = []
        self.is_paused = is_paused
        self.is_due = True
        self.is_short = True
        """Whether some reader has too little ahead of it, so that others shall stop reading."""
        self.stands_back = False
        """Whether the attempt shall stop reading too, because what a reader lacks comes through a window."""
        self.transfer: Transfer | None = None
        self.leaving: asyncio.Task[None] | None = None
        self._link = link
        self._clock = clock
        self._wake = wake
        self._look_up = look_up
        self._on_short = on_short
        self._loop = asyncio.get_running_loop()
        self._is_nudged = False
        feed.on_growth = self.nudge
        self._bytes_before = 0
        self._failures = 0
        """Attempts in a row that brought no byte."""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_over(self) -> bool:
        """Whether another reader needs another follower."""
        return self.feed.error is not None

    @property
    def is_nearly_there(self) -> bool:
        """Whether the attempt only needs to be finished."""
        part = self.transfer.part if self.transfer else None
        return part is not None and self.feed.total is not None and part.size >= self.feed.total

    @property
    def patience_s(self) -> float:
        """How many seconds what comes may be left to gather before it is read."""
        self._ask_players()
        now = self._clock.monotonic()
        ahead_s = min((reader.cushion_s(now) for reader in self.readers), default=0.0)
        return min(_LONGEST_PATIENCE_S, ahead_s * _PATIENCE)

    async def stop(self) -> None:
        """Ends what runs beside the attempt."""
        await self.side.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # What the runner says.

    def opened(self, transfer: Transfer) -> None:
        assert transfer.part is not None
        self.transfer = transfer
        self.is_due = False
        self._bytes_before = transfer.part.size
        self.feed.attach(transfer.part, transfer.held)
        self._fetch_tail(transfer.claim.mime_type)
        self.review()

    def began(self, body: Body) -> None:
        self._failures = 0
        self.feed.began(body)
        self._fetch_tail(body.mime_type)
        self.review()

    def ended(self, transfer: Transfer) -> None:
        part = transfer.part
        has_progress = part is not None and (part.version > 0 or part.size > self._bytes_before)
        self._failures = 0 if has_progress else self._failures + 1
        self.transfer = None
        self.feed.detach()
        match transfer.outcome:
            case Finished():
                self._spawn(self._look_up(self))
            case Refusal() as refusal:
                self._refused(refusal)
            case JellytuiError() as error:
                self.feed.fail(error)
            case _ if transfer.wait_reason == "disk":
                self.feed.fail(DiskError("The disk of the downloads is full, or not there."))
            case _:
                # Somebody has paused or stopped it; a listener's act is not the queue's (design.md).
                self._try_again(0.0 if has_progress else 0.5)
        self.review()

    def missed(self) -> None:
        self.is_due = False
        self._spawn(self._look_up(self))

    def _refused(self, refusal: Refusal) -> None:
        step = after(refusal, failures=self._failures)
        if isinstance(step, JellytuiError):
            self.feed.fail(step)
            return
        if step.away is not None:
            self.feed.stay_away(step.away)
        self._try_again(step.delay_s, is_away=step.away is not None)

    def _try_again(self, delay_s: float, *, is_away: bool = False) -> None:
        async def wait() -> None:
            await self._clock.sleep(delay_s)
            if is_away:
                await first_of(self._link.wait_online(), self._clock.sleep(_PROBE_S))
            self.is_due = True
            self._wake()

        if delay_s or is_away:
            self._spawn(wait())
        else:
            self.is_due = True

    # What the readers need.

    def nudge(self) -> None:
        """Has `review` called soon where it would change something; from any thread. Waking the loop for each piece
        of a slow line costs more than fetching it."""
        if self._is_nudged or self.feed.is_complete or not self._is_review_due():
            return
        self._is_nudged = True
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self.review)

    def review(self) -> None:
        """Something has come or was read: wakes windows that have room, ends those that nobody reads any more, and
        tells whether a reader is short, and by what."""
        self._is_nudged = False
        self._ask_players()
        for window in self._windows_left():
            self.side.drop(window)
        for reader in self.readers:
            if reader.window is not None and not reader.window.is_full:
                reader.window.wake()
        if (needs := self._needs()) != (self.is_short, self.stands_back):
            self.is_short, self.stands_back = needs
            self._on_short()

    def must_hear_of(self, reader: StreamReader) -> bool:
        """Whether `starved` can do anything for a reader that waits: it has jumped, its byte is not the one that comes
        next, or it is told now that it is short. In the reader's thread."""
        offset, transfer = reader.starving_at, self.transfer
        part = transfer.part if transfer else None
        if offset is None or part is None:
            return True
        return reader.has_jumped or offset > part.size or self._is_review_due()

    def starved(self, reader: StreamReader) -> None:
        """A reader waits: what is gathering is read now, and a window opens where the download is far from it."""
        offset, transfer = reader.starving_at, self.transfer
        self.review()
        if offset is None or transfer is None or transfer.part is None:
            return
        transfer.control.hurry()
        gap = offset - transfer.part.size
        if gap < 0 or self.feed.held is None or self.feed.total is None or self.side.is_refused:
            return
        speed = transfer.speed.bytes_per_second
        if gap <= FAR_BYTES and (not speed or gap <= speed * FAR_S):
            return  # on a line that brings nothing a window would bring nothing either
        if not any(window and window.brings(offset) for window in (self.feed.tail, reader.window)):
            self._open_window(reader, offset)

    def _open_window(self, reader: StreamReader, offset: int) -> None:
        if reader.window is not None:
            self.side.drop(reader.window)
        window = reader.window = Window(offset)
        feed = self.feed

        def is_over() -> bool:
            return reader.window is not window or feed.here >= max(window.position, window.start + 1)

        self.side.fetch(window, is_over=is_over)

    def _fetch_tail(self, mime_type: str | None) -> None:
        feed = self.feed
        container = self.transfer.claim.container if self.transfer else ""
        if feed.total is None or feed.held is None or feed.tail is not None or not reads_tail(container, mime_type):
            return
        start = max(0, feed.total - TAIL_BYTES)
        if feed.here >= start:
            return
        feed.tail = Window(start)
        self.side.fetch(feed.tail, last=feed.total - 1, is_over=lambda: False)

    def _is_review_due(self) -> bool:
        """Whether `review` has anything to do; from any thread."""
        windows = [reader.window for reader in tuple(self.readers)]
        has_room = any(window is not None and not window.is_full for window in windows)
        return has_room or bool(self._windows_left()) or self._needs() != (self.is_short, self.stands_back)

    def _windows_left(self) -> list[Window]:
        """Those that are being filled though nobody reads them any more; from any thread."""
        is_read = not self.feed.is_complete
        windows = {self.feed.tail, *(reader.window for reader in tuple(self.readers))} if is_read else set()
        return self.side.beside(windows)

    def _needs(self) -> tuple[bool, bool]:
        """What `is_short` and `stands_back` are to be; from any thread."""
        if not self._is_waiting_for_bytes():
            return False, False
        short = [reader for reader in tuple(self.readers) if self._is_short(reader, _IN_HAND_S)]
        # Others make way for all that a player reads ahead; this download only for what is heard next.
        urgent = [reader for reader in short if self._is_short(reader, 0.0)]
        return bool(short), bool(urgent) and all(reader.lives_off_window for reader in urgent)

    def _is_waiting_for_bytes(self) -> bool:
        """Whether bytes are on their way: others need not stop for a server that is away."""
        feed = self.feed
        return not feed.is_complete and feed.error is None and (self.transfer is not None or self.is_due)

    def _ask_players(self) -> None:
        """How much music they have: before each wait for bytes, so that what they say holds while none come."""
        for reader in self.readers:
            reader.ask(self._clock.monotonic())

    def _is_short(self, reader: StreamReader, in_hand_s: float) -> bool:
        """Whether it has too little ahead, not counting so much of what its player has."""
        total = self.feed.total
        if total is not None and reader.position + reader.ahead_bytes() >= total:
            return False
        surplus_s = max(0.0, reader.cushion_s(self._clock.monotonic()) - in_hand_s)
        ahead_s = reader.ahead_bytes() / self._bytes_per_second() + surplus_s
        return ahead_s < SHORT_S

    def _bytes_per_second(self) -> float:
        """Of the music."""
        total, duration_ms = self.feed.total, self.info.duration_ms
        return total * 1000 / duration_ms if total and duration_ms else _GUESSED_BYTES_PER_S

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work, name=f"follow {self.info.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
