"""Reads the playlists with their entries."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from jellytui.engine.errors import NotAllowedError, NotFoundError, ServerError
from jellytui.engine.jellyfin.records import PlaylistEntry
from jellytui.engine.library.ports import CatalogueServer
from jellytui.engine.models import Playlist

log = logging.getLogger(__name__)

WithEntries = tuple[Playlist, Sequence[PlaylistEntry] | None]


async def read_playlists(client: CatalogueServer, show: Callable[[str, int, int], None]) -> list[WithEntries]:
    """Every playlist with its entries in order, each list in one piece: no Etag tells on 10.11 whether it changed.

    None instead of entries where the server would not give them; the mirror keeps those it has.
    """
    playlists = await client.playlists()
    found: list[WithEntries] = []
    for number, playlist in enumerate(playlists):
        show("playlists", number, len(playlists))
        try:
            found.append((playlist, await client.playlist_entries(playlist.id)))
        except NotFoundError:
            continue
        except (NotAllowedError, ServerError) as error:
            log.warning("playlist %s cannot be read: %s", playlist.id, error)
            found.append((playlist, None))
    return found
