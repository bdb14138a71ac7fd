"""The downloads as the seed's downloads.ts mirrors them."""

from __future__ import annotations

from jellytui.engine.backend import Backend
from jellytui.engine.events import DownloadEvent, DownloadsState, Event
from jellytui.engine.models import DownloadsSummary, DownloadStatus
from jellytui.tui.stores.base import Store


class DownloadsStore(Store):
    """Keys: "summary", and the item ids of changed rows."""

    kinds = (DownloadEvent, DownloadsState)

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.backend = backend
        self.summary = DownloadsSummary()

    def item_state(self, item_id: str) -> tuple[DownloadStatus, float] | None:
        """A track's download: status and share; None without one."""
        return None

    def album_counts(self, album_id: str) -> tuple[int, int, int]:
        """(completed, active, total) of an album's downloads."""
        return (0, 0, 0)

    def apply(self, event: Event) -> None:
        if isinstance(event, DownloadsState):
            self.summary = event.summary
            self.mark("summary")
