"""A small library with names of every kind behind a backend in memory, and the app on it."""

from collections.abc import Sequence

from jellytui.config import Settings
from jellytui.engine.models import Album, Artist, DownloadInfo, DownloadStatus, Playlist, Track
from jellytui.tui.app import JellytuiApp
from jellytui.tui.screens.library import LibraryScreen
from jellytui.tui.widgets.virtual_list import VirtualList
from tests.support.fake_backend import FakeBackend

SIZES = ((80, 24), (140, 40), (40, 12), (60, 20))
HOSTILE = (
    "[bold]x[/] [/Live]",
    "夜の音楽隊と長い長い名前の続き",
    "e\u0301a\u0308 combining",
    "أغاني العرب",
    "\U0001f469\u200d\U0001f469 family",
)

_ALBUMS: dict[str, dict[str, Sequence[str]]] = {
    "Alma Verde": {
        "Canción de cuna": ("Luna", "Sueño"),
        "Raíces": ("Alba", "Río abajo", "Raíces", "La sal"),
        "Vivo en Sevilla": ("Entrada", "Fuego", "Plaza", "Adiós"),
    },
    "Björk Þórsdóttir": {"Hvítt": ("Snjór", "Ís")},
    "The Null Pointers": {"Greatest Hits": ("Segfault", *HOSTILE)},
}
TWO_DISCS = "Vivo en Sevilla"


def library_backend() -> FakeBackend:
    """3 artists, 5 albums (one of two discs), 18 tracks, 2 playlists; ids like "Raíces/Alba"."""
    artists, albums, tracks = [], [], []
    for artist, its_albums in _ALBUMS.items():
        artists.append(Artist(id=artist, name=artist, album_count=len(its_albums)))
        for number, (album, names) in enumerate(its_albums.items()):
            albums.append(
                Album(id=album, name=album, artists=(artist,), artist_ids=(artist,), year=2019 + number,
                      track_count=len(names), duration_ms=len(names) * 200_000)
            )  # fmt: skip
            for place, name in enumerate(names, start=1):
                disc = (1 if place < 3 else 2) if album == TWO_DISCS else None
                tracks.append(
                    Track(id=f"{album}/{name}", name=name, album=album, album_id=album, artists=(artist,),
                          artist_ids=(artist,), album_artist=artist, disc=disc, number=place, duration_ms=200_000)
                )  # fmt: skip
    playlists = {"Morning": [track.id for track in tracks[5:0:-1]], "Evening": []}
    return FakeBackend(
        artists=artists,
        albums=albums,
        tracks=tracks,
        playlists=[Playlist(id=name, name=name, track_count=len(ids)) for name, ids in playlists.items()],
        playlist_tracks=playlists,
    )


def many_tracks(count: int) -> FakeBackend:
    """So many tracks, each with a name of its own, by nobody."""
    return FakeBackend(tracks=[Track(id=f"t{n}", name=f"Track {n:06d}", duration_ms=200_000) for n in range(count)])


def download(track_id: str, status: DownloadStatus, *, wanted_by: str = "user", progress: float = 0.0) -> DownloadInfo:
    """A row of the downloads table for a track of `library_backend`."""
    return DownloadInfo(
        id=abs(hash(track_id)), item_id=track_id, user_id="user", album_id=track_id.split("/")[0], name=track_id,
        status=status, progress=progress, wanted_by=(wanted_by,),
    )  # fmt: skip


def make_app(backend: FakeBackend) -> JellytuiApp:
    """The app on a backend."""

    async def open_backend() -> FakeBackend:
        return backend

    return JellytuiApp(backend=backend, sign_in=None, open_backend=open_backend, settings=Settings())  # type: ignore[arg-type]


def library_of(app: JellytuiApp) -> LibraryScreen:
    """The library screen, which must be the one that is seen."""
    assert isinstance(app.screen, LibraryScreen)
    return app.screen


def lines_of(its_list: VirtualList) -> list[str]:
    """The lines of a list as they stand on the screen, blank ones left out."""
    lines = (its_list.render_line(y).text.rstrip() for y in range(its_list.size.height))
    return [line for line in lines if line]


def name_under(its_list: object) -> str:
    """The name of the item under a list's cursor; empty without one."""
    item = getattr(its_list, "item", None)
    return item.name if item is not None else ""
