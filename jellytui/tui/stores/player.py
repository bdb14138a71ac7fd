"""What plays and the shape of the queue."""

from __future__ import annotations

from jellytui.engine.backend import Backend
from jellytui.engine.events import Event, PlayerState, QueueState
from jellytui.tui.stores.base import Store


class PlayerStore(Store):
    """Keys: "player" and "queue"."""

    kinds = (PlayerState, QueueState)

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.backend = backend
        self.state = PlayerState()
        self.queue = QueueState()

    def apply(self, event: Event) -> None:
        match event:
            case PlayerState():
                self.state = event
                self.mark("player")
            case QueueState():
                self.queue = event
                self.mark("queue")
