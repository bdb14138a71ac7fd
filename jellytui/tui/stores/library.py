"""The library's version, its sync, and favourites that changed since their rows were read."""

from __future__ import annotations

from jellytui.engine.events import Event, FavoriteState, LibraryState, SyncState
from jellytui.engine.models import Item
from jellytui.tui.stores.base import Store


class LibraryStore(Store):
    """Keys: "library" (row ids are stale), "sync", and "favorite:<item id>"."""

    kinds = (LibraryState, SyncState, FavoriteState)

    def __init__(self) -> None:
        super().__init__()
        self.state = LibraryState()
        self.sync = SyncState()
        self._favorites: dict[str, bool] = {}

    @property
    def is_empty(self) -> bool:
        """Whether the mirror holds nothing yet: the first start."""
        return self.state.tracks == 0 and self.state.albums == 0

    @property
    def is_syncing(self) -> bool:
        """Whether a sync runs now."""
        return self.sync.status == "running"

    @property
    def sync_share(self) -> float:
        """How far the running sync is, 0 to 1; 0 while its total is unknown."""
        return self.sync.done / self.sync.total if self.sync.total else 0.0

    def is_favorite(self, item: Item) -> bool:
        """Whether an item is a favourite now: what was told since it was read goes before the row."""
        return self._favorites.get(item.id, item.is_favorite)

    def set_favorite(self, item_id: str, is_favorite: bool) -> None:
        """Shows a favourite at once, before the engine confirms it."""
        if self._favorites.get(item_id) is not is_favorite:
            self._favorites[item_id] = is_favorite
            self.mark(f"favorite:{item_id}")

    def apply(self, event: Event) -> None:
        match event:
            case LibraryState():
                if event.version != self.state.version:
                    self._favorites.clear()  # rows read from now on know them
                self.state = event
                self.mark("library")
            case SyncState():
                self.sync = event
                self.mark("sync")
            case FavoriteState():
                self.set_favorite(event.item_id, event.is_favorite)
