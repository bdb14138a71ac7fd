"""Session: one signed-in backend with the stores that mirror it; what every screen is made with."""

from __future__ import annotations

from jellytui.engine.backend import Backend
from jellytui.tui.stores.base import Store
from jellytui.tui.stores.connection import ConnectionStore
from jellytui.tui.stores.downloads import DownloadsStore
from jellytui.tui.stores.library import LibraryStore
from jellytui.tui.stores.player import PlayerStore


class Session:
    """The stores of one backend. A sign-in makes a new one."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.library = LibraryStore()
        self.connection = ConnectionStore(backend.account.server_name)
        self.downloads = DownloadsStore(backend)
        self.player = PlayerStore(backend)

    @property
    def calm_stores(self) -> tuple[Store, ...]:
        """Those whose events come by the second; they are shown at once."""
        return (self.library, self.connection, self.player)

    @property
    def busy_stores(self) -> tuple[Store, ...]:
        """Those whose events come in storms; they are shown 4 times a second."""
        return (self.downloads,)
