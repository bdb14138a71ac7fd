"""Whether the server is there, for the top bar and for words that depend on it."""

from __future__ import annotations

from jellytui.engine.events import ConnectionState, Event
from jellytui.tui.stores.base import Store


class ConnectionStore(Store):
    """The newest ConnectionState; its only key is "connection"."""

    kinds = (ConnectionState,)

    def __init__(self, server_name: str) -> None:
        super().__init__()
        self.state = ConnectionState(server_name=server_name)

    @property
    def server_name(self) -> str:
        """How the server calls itself."""
        return self.state.server_name

    @property
    def is_online(self) -> bool:
        """Whether commands that need the server can work now."""
        return self.state.status == "online"

    def apply(self, event: Event) -> None:
        if not isinstance(event, ConnectionState) or event == self.state:
            return
        name = event.server_name or self.state.server_name
        self.state = ConnectionState(
            status=event.status, server_name=name, reason=event.reason, retry_at=event.retry_at
        )
        self.mark("connection")
