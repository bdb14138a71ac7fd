"""Transfer: one running attempt, as the queue, the faces and a listener see it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec.structs import replace

from jellytui.engine.clock import Clock
from jellytui.engine.downloads.rows.queue import Claim, Progress, fraction
from jellytui.engine.downloads.transfer.part import Part
from jellytui.engine.downloads.transfer.resume import Body, Held
from jellytui.engine.downloads.transfer.speed import SpeedMeter
from jellytui.engine.downloads.worker import Control, Outcome
from jellytui.engine.errors import JellytuiError
from jellytui.engine.models import DownloadInfo


class Transfer:
    """What a claimed row is doing; `part` is there once its file is open, `ended` is set when it is let go."""

    def __init__(self, claim: Claim, clock: Clock, *, is_stream: bool) -> None:
        self.claim = claim
        self.is_stream = is_stream
        """Whether somebody listens: then it holds no slot of the queue's and no limit slows it down."""
        self.is_left = False
        """Whether the listener has just gone, and may come back at once; until then it is nobody's hurry."""
        self.info: DownloadInfo = claim.info
        """The row as last read; its numbers are older than the attempt's own."""
        self.control = Control()
        self.speed = SpeedMeter(clock)
        self.part: Part | None = None
        self.held: Held | None = None
        """Total and validators of the body whose bytes are in the part; None before one has begun."""
        self.total = claim.held.total or claim.expected_size
        self.saved_bytes = claim.bytes_downloaded
        """What the table knows of `bytes_here`."""
        self.wait_reason: str | None = None
        """Why it was stopped, for the row."""
        self.is_paused = False
        """Whether it ends as paused: the listener of a paused row has left."""
        self.outcome: Outcome | JellytuiError | None = None
        """How it ended; None while it runs."""
        self.ended = asyncio.Event()

    @property
    def bytes_here(self) -> int:
        """Bytes of the file that are here."""
        return self.saved_bytes if self.part is None else self.part.size

    def live(self) -> DownloadInfo:
        """The row with what only the running attempt knows."""
        return replace(
            self.info,
            bytes_downloaded=self.bytes_here,
            file_size=self.total,
            progress=fraction(self.bytes_here, self.total),
            bytes_per_second=self.speed.bytes_per_second,
        )

    def progress(self) -> Progress | None:
        """What is worth writing down; None while the file is not open."""
        if self.part is None:
            return None
        written, durable = self.part.saved()
        return Progress(
            id=self.claim.id,
            generation=self.claim.generation,
            bytes_downloaded=written,
            durable_bytes=durable,
            total=self.total,
        )


class RowListener(Protocol):
    """Somebody who reads a row's file while it comes (stream/); told of each attempt of the row, on the loop."""

    is_paused: bool
    """Whether the row stays paused once nobody reads: a user's pause does not stop the music."""

    @property
    def is_due(self) -> bool:
        """Whether an attempt shall begin now, if none runs."""

    @property
    def patience_s(self) -> float:
        """How many seconds what comes may be left to gather before it is read."""

    @property
    def stands_back(self) -> bool:
        """Whether the attempt makes way for what is fetched beside it, as all others do."""

    def opened(self, transfer: Transfer) -> None:
        """The attempt's `.part` is open."""

    def began(self, body: Body) -> None:
        """The server answers with a body from byte 0; told before its first byte is written."""

    def ended(self, transfer: Transfer) -> None:
        """The attempt is over and its row written."""

    def missed(self) -> None:
        """The row could not be claimed: it is complete, gone, or being claimed."""


def note_pause(listeners: Mapping[int, RowListener], download_ids: Iterable[int], *, is_paused: bool) -> None:
    """The user pauses rows, or lets them go on: what is listened to is as he says once it is left."""
    for download_id in download_ids:
        if listener := listeners.get(download_id):
            listener.is_paused = is_paused
