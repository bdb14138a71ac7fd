"""The downloads as the seed's downloads.ts mirrors them: rows by id, counts, actions, and one view by item or album."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from jellytui.engine.backend import Backend
from jellytui.engine.events import DownloadEvent, DownloadsState, Event, UpkeepState
from jellytui.engine.models import DownloadInfo, DownloadsSummary, DownloadStatus, ItemType
from jellytui.tui.stores.base import Store

ROWS = "rows"
"""Marked when a row came, went or changed its status: lists of downloads must be put in order anew."""

SUMMARY = "summary"
UPKEEP = "upkeep"
"""Marked when a long work on the files goes on or has ended."""


class DownloadsStore(Store):
    """Keys: "summary", "rows", "upkeep", and for each changed row `download:<id>`, its item id and its album id."""

    kinds = (DownloadEvent, DownloadsState, UpkeepState)

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.backend = backend
        self.summary = DownloadsSummary()
        self.downloads: dict[int, DownloadInfo] = {}
        self.upkeep: UpkeepState | None = None
        """The long work on the files that runs now: a check, a move."""
        self.news: list[str] = []
        """What such a work had to say at its end, until somebody has shown it."""
        self.doomed: frozenset[int] = frozenset()
        """Rows whose removal can still be undone: for all lists and counts they are not there."""
        self._by_item: dict[str, int] = {}
        self._by_album: dict[str, Counter[DownloadStatus]] = {}
        self._cached_by_album: Counter[str] = Counter()
        self._counts: Counter[DownloadStatus] = Counter()

    # What is derived

    @property
    def active_count(self) -> int:
        """How many rows come down now."""
        return self._counts["downloading"]

    @property
    def queued_count(self) -> int:
        """How many rows wait for their turn."""
        return self._counts["pending"]

    @property
    def active_downloads(self) -> list[DownloadInfo]:
        """The rows that come down now (the seed's derived store)."""
        return self.with_status("downloading")

    def with_status(self, *statuses: DownloadStatus) -> list[DownloadInfo]:
        """The rows of these statuses, in no order."""
        return [row for row in self.downloads.values() if row.status in statuses and row.id not in self.doomed]

    def item_download(self, item_id: str) -> DownloadInfo | None:
        """A track's row; None without one."""
        download_id = self._by_item.get(item_id)
        return None if download_id is None or download_id in self.doomed else self.downloads[download_id]

    def item_state(self, item_id: str) -> tuple[DownloadStatus, float] | None:
        """A track's download: status and share; None without one."""
        row = self.item_download(item_id)
        return None if row is None else (row.status, row.progress)

    def album_counts(self, album_id: str) -> tuple[int, int, int]:
        """(completed, active, total) of an album's downloads; active is what comes down or waits for it."""
        counts = self._by_album.get(album_id)
        if counts is None:
            return (0, 0, 0)
        return counts["completed"], counts["downloading"] + counts["pending"], counts.total()

    def is_album_cached(self, album_id: str) -> bool:
        """Whether the cache may take away some of what is here of an album."""
        return self._cached_by_album[album_id] > 0

    def doomed_items(self, kind: ItemType) -> set[str]:
        """The tracks, or the albums, of which nothing is downloaded any more once the doomed rows are gone."""
        rows = [row for row in map(self.downloads.get, self.doomed) if row is not None]
        if kind == "track":
            return {row.item_id for row in rows}
        if kind == "album":
            return {row.album_id for row in rows if not self.album_counts(row.album_id)[0]}
        return set()

    # Events

    async def load(self) -> None:
        await self.refresh(self.backend.account.user_id)
        self.summary = await self.backend.call("get_downloads_summary")
        self.mark(SUMMARY)

    def apply(self, event: Event) -> None:
        match event:
            case DownloadsState():
                self.summary = event.summary
                self.mark(SUMMARY)
            case UpkeepState():
                self._take_upkeep(event)
            case DownloadEvent(type="removed"):
                self._drop(event.download.id)
            case DownloadEvent():
                # Every other type carries the whole row, with what the seed's store sets by hand in it.
                self._put(event.download)

    def _take_upkeep(self, event: UpkeepState) -> None:
        was_running = self.upkeep is not None and self.upkeep.work == event.work
        if event.status == "running":
            self.upkeep = event
        elif was_running or event.work == "rescue" or event.status == "failed":
            # An end that nobody saw begin is old news, but for what was lost or saved.
            self.upkeep = None
            if event.text:
                self.news.append(event.text)
        self.mark(UPKEEP)

    def _put(self, row: DownloadInfo) -> None:
        old = self.downloads.get(row.id)
        if old == row:
            return
        if old is None or _place(old) != _place(row):
            self.mark(ROWS)
        if old is not None:
            self._count(old, -1)
        self.downloads[row.id] = row
        self._by_item[row.item_id] = row.id
        self._count(row, 1)
        self.mark(f"download:{row.id}", row.item_id, row.album_id)

    def _drop(self, download_id: int) -> None:
        row = self.downloads.pop(download_id, None)
        if row is None:
            return
        self._count(row, -1)
        self.doomed -= {download_id}
        if self._by_item.get(row.item_id) == download_id:
            del self._by_item[row.item_id]
        self.mark(ROWS, f"download:{row.id}", row.item_id, row.album_id)

    def _count(self, row: DownloadInfo, by: int) -> None:
        if row.id in self.doomed:
            return
        self._counts[row.status] += by
        if row.album_id:
            self._by_album.setdefault(row.album_id, Counter())[row.status] += by
            if row.status == "completed" and not row.is_kept:
                self._cached_by_album[row.album_id] += by

    # Actions; each raises JellytuiError

    async def download_item(self, item_id: str, user_id: str, file_path: str | None = None) -> DownloadInfo:
        """Asks for one track."""
        row: DownloadInfo = await self.backend.call(
            "download_item", item_id=item_id, user_id=user_id, file_path=file_path
        )
        self._take([row])
        return row

    async def download_album(self, album_id: str, user_id: str) -> list[DownloadInfo]:
        """Asks for each track of an album."""
        rows: list[DownloadInfo] = await self.backend.call("download_album", album_id=album_id, user_id=user_id)
        self._take(rows)
        return rows

    async def pause(self, download_id: int) -> None:
        """Stops one download; what came stays."""
        self._take([await self.backend.call("pause_download", download_id=download_id)])

    async def resume(self, download_id: int) -> None:
        """Goes on with a paused or failed download."""
        self._take([await self.backend.call("resume_download", download_id=download_id)])

    async def cancel(self, download_id: int) -> None:
        """Gives one download up, with what came of it."""
        await self.backend.call("cancel_download", download_id=download_id)

    async def delete(self, download_id: int) -> None:
        """Removes one download and its file."""
        await self.backend.call("delete_download", download_id=download_id)

    async def pause_many(self, download_ids: Iterable[int]) -> None:
        """Stops several; what came stays."""
        self._take(await self.backend.call("pause_downloads", download_ids=list(download_ids)))

    async def resume_many(self, download_ids: Iterable[int]) -> None:
        """Goes on with several paused or failed downloads."""
        self._take(await self.backend.call("resume_downloads", download_ids=list(download_ids)))

    def doom(self, download_ids: Iterable[int]) -> None:
        """Takes rows off the lists ahead of `delete_doomed` or `cancel_doomed`; `spare` takes it back."""
        self._set_doomed(self.doomed | frozenset(download_ids))

    def spare(self, download_ids: Iterable[int]) -> None:
        """Puts doomed rows back on the lists."""
        self._set_doomed(self.doomed - frozenset(download_ids))

    async def delete_doomed(self, download_ids: Iterable[int]) -> None:
        """Deletes doomed rows with their files; what cannot be deleted is back on the lists."""
        await self._remove_doomed("delete_downloads", download_ids, lambda _row: True)

    async def cancel_doomed(self, download_ids: Iterable[int]) -> None:
        """Gives doomed rows up; what came to its end before that, or is wanted by others too, is back on the lists."""
        await self._remove_doomed("cancel_downloads", download_ids, _goes_when_cancelled)

    async def _remove_doomed(
        self, command: str, download_ids: Iterable[int], goes: Callable[[DownloadInfo], bool]
    ) -> None:
        """The rows that surely go are dropped at once: the events that say so come later."""
        doomed = self.doomed & frozenset(download_ids)
        if not doomed:
            return
        try:
            await self.backend.call(command, download_ids=sorted(doomed))
            for download_id in doomed:
                row = self.downloads.get(download_id)
                if row is not None and goes(row):
                    self._drop(download_id)
        finally:
            self.spare(doomed)

    def _set_doomed(self, doomed: frozenset[int]) -> None:
        changed = [row for row in map(self.downloads.get, self.doomed ^ doomed) if row is not None]
        for row in changed:
            self._count(row, -1)
        self.doomed = doomed
        for row in changed:
            self._count(row, 1)
            self.mark(row.item_id, row.album_id)
        self.mark(ROWS)
        self.flush()

    async def unfollow_playlist(self, playlist_id: str) -> None:
        """Lets a downloaded playlist follow the server's no more."""
        await self.backend.call("unfollow_playlist", playlist_id=playlist_id, user_id=self.backend.account.user_id)

    async def refresh(self, user_id: str, status_filter: DownloadStatus | None = None) -> None:
        """Reads all rows, or those of one status, anew."""
        rows: list[DownloadInfo] = await self.backend.call(
            "get_downloads", user_id=user_id, status_filter=status_filter
        )
        found = {row.id for row in rows}
        for row in list(self.downloads.values()):
            if row.id not in found and status_filter in (None, row.status):
                self._drop(row.id)
        self._take(rows)

    async def pause_all(self) -> None:
        """Pauses the whole queue."""
        await self.backend.call("pause_all_downloads")

    async def resume_all(self) -> None:
        """Lets the whole queue go on."""
        await self.backend.call("resume_all_downloads")

    async def clear_completed(self) -> int:
        """Takes the completed rows off the tab; their files stay. Returns how many."""
        cleared: int = await self.backend.call("clear_completed_downloads")
        return cleared

    async def retry_failed(self) -> int:
        """Queues all failed rows again. Returns how many."""
        retried: int = await self.backend.call("retry_failed_downloads")
        return retried

    async def prioritize_many(self, download_ids: Iterable[int]) -> None:
        """Puts downloads before the others."""
        self._take(await self.backend.call("prioritize_downloads", download_ids=list(download_ids)))

    async def download_anyway(self, download_ids: Iterable[int]) -> None:
        """Lets downloads go over a metered link."""
        self._take(await self.backend.call("downloads_anyway", download_ids=list(download_ids)))

    async def keep(self, item_ids: Iterable[str]) -> None:
        """Makes cached tracks the user's own, so that they never go by themselves; their rows come as events."""
        await self.backend.call("keep_cached", item_ids=list(item_ids))

    def _take(self, rows: list[DownloadInfo]) -> None:
        for row in rows:
            self._put(row)
        self.flush()


def _goes_when_cancelled(row: DownloadInfo) -> bool:
    return row.status != "completed" and not {"queue", "album"} & set(row.wanted_by)


def _place(row: DownloadInfo) -> tuple[str, int, str, bool]:
    """What decides where a row stands in the lists."""
    return row.status, row.priority, row.queued_at, row.cleared_at is None
