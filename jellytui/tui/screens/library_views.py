"""The ways to look at the library: which listings the three panes show, and which pane follows which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jellytui.engine.models import Album, Artist, Item, Listing, Playlist

PaneName = Literal["left", "albums", "tracks"]


@dataclass(frozen=True)
class View:
    """What each pane shows when the view opens; None where the pane shows what the one before it points at."""

    name: str
    title: str
    panes: tuple[PaneName, ...]
    listings: dict[PaneName, Listing]
    empty: str
    """What to say, and which key to press, when the view has nothing."""

    def listing_below(self, pane: PaneName, item: Item | None) -> Listing | None:
        """What a pane shows when the one before it points at an item."""
        match item:
            case Artist():
                return Listing(kind="album" if pane == "albums" else "track", scope="artist", parent=item.id)
            case Album():
                return Listing(kind="track", scope="album", parent=item.id)
            case Playlist():
                return Listing(kind="track", scope="playlist", parent=item.id)
        return None


def _three(scope: Literal["favorites", "downloaded"]) -> dict[PaneName, Listing]:
    return {
        "left": Listing(kind="artist", scope=scope),
        "albums": Listing(kind="album", scope=scope),
        "tracks": Listing(kind="track", scope=scope),
    }


_ALL: tuple[PaneName, ...] = ("left", "albums", "tracks")

VIEWS = (
    View("artists", "Artists", _ALL, {"left": Listing(kind="artist")}, "No artists yet. Press u to sync."),
    View("albums", "Albums", ("left", "tracks"), {"left": Listing(kind="album")}, "No albums yet. Press u to sync."),
    View("tracks", "All tracks", ("tracks",), {"tracks": Listing(kind="track")}, "No tracks yet. Press u to sync."),
    View(
        "playlists",
        "Playlists",
        ("left", "tracks"),
        {"left": Listing(kind="playlist")},
        "No playlists. Make one on the server, then press u.",
    ),
    View("favorites", "Favourites", _ALL, _three("favorites"), "None yet. Press f on what you love."),
    View(
        "downloaded", "Downloaded", _ALL, _three("downloaded"), "Nothing yet. Press d on a track, an album, an artist."
    ),
)
