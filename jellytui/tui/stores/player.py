"""What plays and the shape of the queue."""

from __future__ import annotations

from jellytui.engine.backend import Backend
from jellytui.engine.events import Event, PlayerState, QueueState
from jellytui.engine.models import QueuePage, Track
from jellytui.tui.stores.base import Store


class PlayerStore(Store):
    """Keys: "player" at every change, "track" when another one plays, "queue" when its entries or its place change."""

    kinds = (PlayerState, QueueState)

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.backend = backend
        self.state = PlayerState()
        self.queue = QueueState()

    @property
    def track(self) -> Track | None:
        """What plays or is paused; None when stopped with nothing loaded."""
        return self.state.track

    @property
    def position_share(self) -> float:
        """How far the track is, 0 to 1; 0 while its length is unknown."""
        return min(1.0, self.state.position_ms / self.state.duration_ms) if self.state.duration_ms > 0 else 0.0

    def apply(self, event: Event) -> None:
        match event:
            case PlayerState():
                if event.entry_id != self.state.entry_id or _id(event.track) != _id(self.state.track):
                    self.mark("track")
                if event != self.state:
                    self.mark("player")
                self.state = event
            case QueueState():
                if event != self.queue:
                    self.mark("queue")
                self.queue = event

    async def page(self, start: int, limit: int) -> QueuePage:
        """A stretch of the queue. Raises JellytuiError."""
        page: QueuePage = await self.backend.call("get_queue", start=start, limit=limit)
        return page

    async def upcoming(self, limit: int) -> tuple[Track, ...]:
        """The tracks after the playing one, so many at most. Raises JellytuiError."""
        current = self.queue.current_index
        page = await self.page(0 if current is None else current + 1, limit)
        return tuple(entry.track for entry in page.entries)


def _id(track: Track | None) -> str:
    return track.id if track else ""
