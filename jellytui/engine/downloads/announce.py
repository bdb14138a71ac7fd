"""Tells everybody how the downloads are doing: DownloadEvents with whole rows, totals at most four times a second."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence

from msgspec.structs import replace

from jellytui.engine.bus import EventBus
from jellytui.engine.clock import Clock
from jellytui.engine.downloads.rows.listing import Listing, Totals, is_left_over
from jellytui.engine.events import DownloadEvent, DownloadEventType, DownloadsState
from jellytui.engine.models import DownloadInfo, DownloadsSummary, DownloadStatus

log = logging.getLogger(__name__)

SUMMARY_EVERY_S = 0.25
_BATCH = 200
_TYPE_OF: dict[DownloadStatus, DownloadEventType] = {
    "pending": "queued",
    "downloading": "progress",
    "paused": "paused",
    "failed": "failed",
    "completed": "completed",
}


class Announcer:
    """Publishes on the bus; `live` overlays what running attempts know and the table does not yet."""

    def __init__(
        self,
        *,
        listing: Listing,
        bus: EventBus,
        clock: Clock,
        live: Callable[[DownloadInfo], DownloadInfo],
        outline: Callable[[int], Awaitable[DownloadsSummary]],
    ) -> None:
        self._listing = listing
        self._bus = bus
        self._clock = clock
        self._live = live
        self._outline = outline
        self._totals: Totals | None = None
        self._is_stale = True
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to publish totals."""
        self._wanted.set()
        self._task = asyncio.create_task(self._publish_summaries(), name="downloads summary")

    async def stop(self) -> None:
        """Publishes no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def changed(self, download_ids: Sequence[int]) -> list[DownloadInfo]:
        """Publishes these rows as they stand now, each by the event of its state, and returns them."""
        return await self.rows(None, download_ids)

    async def rows(self, kind: DownloadEventType | None, download_ids: Sequence[int]) -> list[DownloadInfo]:
        """Publishes these rows as they stand now by one kind of event, and returns them. What a listener left behind
        is gone for all who show downloads."""
        self.totals_changed()
        infos: list[DownloadInfo] = []
        for start in range(0, len(download_ids), _BATCH):
            batch = [self._live(info) for info in await self._listing.by_ids(download_ids[start : start + _BATCH])]
            for info in batch:
                self._tell(kind, info)
            infos += batch
        return infos

    def row(self, kind: DownloadEventType, info: DownloadInfo) -> None:
        """Publishes a row as a write has just returned it."""
        self.totals_changed()
        self._tell(kind, self._live(info))

    def one(self, kind: DownloadEventType, info: DownloadInfo) -> None:
        """Publishes a row that the caller holds."""
        self._bus.publish(DownloadEvent(type=kind, download=info))
        self._wanted.set()

    def removed(self, infos: Iterable[DownloadInfo]) -> None:
        """Publishes that rows are gone."""
        self.totals_changed()
        for info in infos:
            self._bus.publish(DownloadEvent(type="removed", download=info))

    def totals_changed(self) -> None:
        """Rows were moved: the counts are to be read again."""
        self._is_stale = True
        self._wanted.set()

    async def summary(self) -> DownloadsSummary:
        """The totals as of now: the table's, then what is running."""
        if self._is_stale or self._totals is None:
            self._is_stale = False
            self._totals = await self._listing.totals()
        totals = self._totals
        outline = await self._outline(totals.counts.get("pending", 0))
        return replace(
            outline,
            queued_count=totals.counts.get("pending", 0),
            paused_count=totals.counts.get("paused", 0),
            failed_count=totals.counts.get("failed", 0),
            completed_count=totals.counts.get("completed", 0),
            active_count=totals.counts.get("downloading", 0),
            bytes_downloaded=totals.unfinished_downloaded + outline.bytes_downloaded,
            bytes_total=totals.unfinished_total + outline.bytes_total,
            user_bytes=totals.user_bytes,
            cache_bytes=totals.cache_bytes,
        )

    def _tell(self, kind: DownloadEventType | None, info: DownloadInfo) -> None:
        event = "removed" if is_left_over(info) else kind or _type_of(info)
        self._bus.publish(DownloadEvent(type=event, download=info))

    async def _publish_summaries(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            began_at = self._clock.monotonic()
            try:
                self._bus.publish(DownloadsState(summary=await self.summary()))
            except sqlite3.Error:
                log.warning("the totals of the downloads cannot be read", exc_info=True)
                self._is_stale = True
            # Counting 100,000 rows takes its time: it may take a twentieth of ours, no more.
            cost = self._clock.monotonic() - began_at
            await self._clock.sleep(max(SUMMARY_EVERY_S, cost * 20))


def _type_of(info: DownloadInfo) -> DownloadEventType:
    """The event that brings a row into the state that it is in."""
    return "waiting" if info.status == "pending" and info.wait_reason else _TYPE_OF[info.status]
