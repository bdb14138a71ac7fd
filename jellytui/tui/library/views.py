"""The ways to look at the library: which listings the three panes show, and which pane follows which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jellytui.engine.models import Album, Artist, Item, Listing, Playlist

PaneName = Literal["left", "albums", "tracks"]
PANE_NAMES: tuple[PaneName, ...] = ("left", "albums", "tracks")

_KINDS = {"artist": "artists", "album": "albums", "track": "tracks", "playlist": "playlists"}


@dataclass(frozen=True)
class View:
    """What each pane shows when the view opens; a pane without a listing shows what the one before it points at."""

    name: str
    title: str
    panes: tuple[PaneName, ...]
    listings: dict[PaneName, Listing]
    empty: str
    """What to say, and which key to press, when the view has nothing."""
    adjective: str = ""
    """Before the nouns in the panes' titles: favourite, downloaded."""

    @property
    def is_linked(self) -> bool:
        """Whether each pane follows the cursor of the one before it; else they are lists side by side."""
        return len(self.listings) < len(self.panes)

    def pane_title(self, listing: Listing | None, pane: PaneName) -> str:
        """The noun in a pane's title line: ARTISTS, FAVOURITE ALBUMS."""
        noun = _KINDS[listing.kind] if listing is not None else pane
        is_own = listing is not None and listing.scope in ("favorites", "downloaded")
        return (f"{self.adjective} {noun}" if is_own and self.adjective else noun).upper()


def listing_below(pane: PaneName, item: Item | None) -> Listing | None:
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


VIEWS = (
    View("artists", "Artists", PANE_NAMES, {"left": Listing(kind="artist")}, "No artists yet. Press u to sync."),
    View("albums", "Albums", ("left", "tracks"), {"left": Listing(kind="album")}, "No albums yet. Press u to sync."),
    View("tracks", "All tracks", ("tracks",), {"tracks": Listing(kind="track")}, "No tracks yet. Press u to sync."),
    View(
        "playlists",
        "Playlists",
        ("left", "tracks"),
        {"left": Listing(kind="playlist")},
        "No playlists. Make one on the server, then press u.",
    ),
    View(
        "favorites",
        "Favourites",
        PANE_NAMES,
        _three("favorites"),
        "None yet. Press f on what you love.",
        "favourite",
    ),
    View(
        "downloaded",
        "Downloaded",
        PANE_NAMES,
        _three("downloaded"),
        "Nothing yet. Press d on a track, an album, an artist.",
        "downloaded",
    ),
)


def view_named(name: str) -> View:
    """The view of this name. Raises StopIteration for a name that is none."""
    return next(view for view in VIEWS if view.name == name)


def neighbour(view: View, by: int) -> View:
    """The view so many places on, round and round."""
    return VIEWS[(VIEWS.index(view) + by) % len(VIEWS)]
