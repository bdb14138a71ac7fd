"""The verbs of the library: syncing, searching, favourites, and what belongs to an item."""

from __future__ import annotations

from typing import Literal

from jellytui.engine.commands.registry import cancellable
from jellytui.engine.errors import NotFoundError
from jellytui.engine.events import SyncState
from jellytui.engine.models import Item, ItemType, Listing, Lyrics, SearchResults, Track
from jellytui.engine.services import Services

_KINDS: tuple[ItemType, ...] = ("track", "album", "artist", "playlist")


async def sync_library(services: Services, full: bool = False) -> SyncState:
    """Begin to bring the library up to date; returns at once."""
    return services.sync.request(full)


@cancellable
async def await_sync(services: Services) -> SyncState:
    """Wait until no sync runs; tells how the last one ended."""
    return await services.sync.wait()


async def cancel_sync(services: Services) -> None:
    """Break off the running sync; the next one goes on where it was."""
    services.sync.cancel()


async def set_favorite(services: Services, item_id: str, is_favorite: bool) -> bool:
    """Make an item a favourite, or none; returns whether it is one now."""
    await get_item(services, item_id)
    await services.outbox.set_favorite(item_id, is_favorite)
    return is_favorite


@cancellable
async def search_library(services: Services, query: str, limit: int = 50) -> SearchResults:
    """Search artists, albums, tracks and playlists by the beginnings of words; `limit` of each."""
    return await services.views.search(query, limit)


@cancellable
async def get_item(services: Services, item_id: str) -> Item:
    """A track, album, artist or playlist by its id."""
    for kind in _KINDS:
        item = await services.views.item(kind, item_id)
        if item is not None:
            return item
    raise NotFoundError(f"There is no {item_id} in the library. `jellytui sync` brings it up to date.")


@cancellable
async def get_tracks(
    services: Services, scope: Literal["album", "artist", "playlist", "favorites", "all"], item_id: str = ""
) -> list[Track]:
    """The tracks of an album, artist or playlist, all favourites, or all there are."""
    return await services.views.tracks_of(Listing(kind="track", scope=scope, parent=item_id))


@cancellable
async def get_cover(services: Services, item_id: str, tag: str) -> str | None:
    """The path of a cover's file; None when there is none, or none can be fetched now."""
    path = await services.covers.path(item_id, tag)
    return None if path is None else str(path)


@cancellable
async def get_lyrics(services: Services, item_id: str) -> Lyrics:
    """The words of a track."""
    return await services.lyrics.get(item_id)


COMMANDS = (
    sync_library,
    await_sync,
    cancel_sync,
    set_favorite,
    search_library,
    get_item,
    get_tracks,
    get_cover,
    get_lyrics,
)
