"""What the demo server serves: plain items, and the library that holds them by id."""

import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

TICKS_PER_SECOND = 10_000_000
NEVER = datetime(1, 1, 1, tzinfo=UTC)
NO_ID = "0" * 32

MUSIC_ROOT = "/music"
"""The path that the server shows for the served folder: the real one is nobody's business."""


def item_id(kind: str, key: str) -> str:
    """The id of an item: MD5 of type and path in UTF-16, read as a GUID, as the server does (jellyfin-api.md 6.1)."""
    digest = hashlib.md5((kind + key).encode("utf-16-le", "surrogatepass"), usedforsecurity=False).digest()
    return uuid.UUID(bytes_le=digest).hex


def tag_of(*parts: object) -> str:
    """A 32-digit hash that changes when any part does: image tags and Etags."""
    return hashlib.md5("|".join(map(str, parts)).encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class DemoImage:
    """A picture: a file of its own, or the one embedded in a music file."""

    file: Path
    embedded: bool
    tag: str
    blur_hash: str
    modified: datetime
    aspect_ratio: float = 1.0
    colour: int | None = None
    """Of a picture that is drawn when asked for: 24 bits of red, green, blue. There is no file then."""


@dataclass(slots=True, kw_only=True)
class DemoItem:
    """What every item has. `saved` is the moment of its last metadata change (jellyfin-api.md 7.2)."""

    id: str
    name: str
    sort_name: str
    path: str
    parent_id: str | None
    created: datetime
    saved: datetime
    image: DemoImage | None = None
    genres: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class DemoTrack(DemoItem):
    """One music file. `run_time_ticks` is None for an unreadable one; `gain_db` is the ReplayGain track gain."""

    file: Path
    size: int
    modified: datetime
    container: str
    codec: str | None = None
    run_time_ticks: int | None = None
    bit_rate: int | None = None
    sample_rate: int | None = None
    bit_depth: int | None = None
    channels: int | None = None
    artists: list[str] = field(default_factory=list)
    album_artists: list[str] = field(default_factory=list)
    album: str | None = None
    album_id: str | None = None
    index: int | None = None
    disc: int | None = None
    year: int | None = None
    premiere: datetime | None = None
    gain_db: float | None = None
    lyrics_file: Path | None = None
    lyrics_text: str | None = None

    @property
    def has_lyrics(self) -> bool:
        """Whether a lyrics file lies beside it or a tag holds some."""
        return self.lyrics_file is not None or self.lyrics_text is not None


@dataclass(slots=True, kw_only=True)
class DemoAlbum(DemoItem):
    """A folder that holds audio, or whose folders are discs (jellyfin-api.md 5.5)."""

    tracks: Sequence[DemoTrack] = ()
    artists: list[str] = field(default_factory=list)
    album_artists: list[str] = field(default_factory=list)
    year: int | None = None
    premiere: datetime | None = None
    gain_db: float | None = None
    """What the server's loudness scan found; its tag counts for nothing (jellyfin-api.md 6.1), so a scan leaves it."""

    @property
    def run_time_ticks(self) -> int:
        """The length of all its tracks."""
        return sum(track.run_time_ticks or 0 for track in self.tracks)


@dataclass(slots=True, kw_only=True)
class DemoArtist(DemoItem):
    """A name found in tags, or a folder of albums (`is_folder`)."""

    is_folder: bool
    run_time_ticks: int = 0


@dataclass(slots=True, kw_only=True)
class DemoGenre(DemoItem):
    """A genre found in tags."""


@dataclass(slots=True, kw_only=True)
class DemoFolder(DemoItem):
    """A folder that is neither album nor artist: a disc, a view, the root. `kind` is its type on the wire."""

    kind: str = "Folder"
    collection_type: str | None = None


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file that was left out, or taken without its tags, and why."""

    file: Path
    reason: str


@dataclass(frozen=True, slots=True)
class M3uPlaylist:
    """A playlist file: its name and the ids of the tracks that it names and that exist."""

    id: str
    name: str
    track_ids: tuple[str, ...]
    modified: datetime


Order = Callable[[Sequence[DemoItem]], list[int]]
"""Makes the order of some items: their places, first to last."""


@dataclass(slots=True, kw_only=True)
class Library:
    """All items of the music library, by id and by kind, in storage order."""

    name: str = "Music"
    view: DemoFolder
    root: DemoFolder
    playlists_view: DemoFolder
    tracks: Sequence[DemoTrack]
    albums: Sequence[DemoAlbum]
    artists: Sequence[DemoArtist]
    genres: Sequence[DemoGenre]
    folders: Sequence[DemoFolder]
    playlists: Sequence[M3uPlaylist] = ()
    skipped: Sequence[SkippedFile] = ()
    artist_ids: Mapping[str, str] = field(default_factory=dict)
    """Id of the artist for each name as it stands in a tag."""
    genre_ids: Mapping[str, str] = field(default_factory=dict)
    _by_id: dict[str, DemoItem] = field(default_factory=dict)
    _children: dict[str, list[DemoItem]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for item in self.everything():
            self._by_id[item.id] = item
            if item.parent_id is not None:
                self._children.setdefault(item.parent_id, []).append(item)

    def everything(self) -> Iterator[DemoItem]:
        """Every item, views and folders too."""
        yield from (self.root, self.view, self.playlists_view)
        for group in (self.folders, self.artists, self.albums, self.tracks, self.genres):
            yield from group

    def get(self, item_id: str) -> DemoItem | None:
        """The item of that id, or None."""
        return self._by_id.get(item_id)

    def track(self, item_id: str) -> DemoTrack | None:
        """The track of that id; None for anything else."""
        item = self._by_id.get(item_id)
        return item if isinstance(item, DemoTrack) else None

    def children(self, parent_id: str) -> Sequence[DemoItem]:
        """What lies directly in a folder."""
        return self._children.get(parent_id, ())

    def below(self, parent_id: str) -> Iterator[DemoItem]:
        """What lies in a folder at any depth."""
        for child in self.children(parent_id):
            yield child
            yield from self.below(child.id)

    def album_of(self, track: DemoTrack) -> DemoAlbum | None:
        """The folder album of a track."""
        album = self._by_id.get(track.album_id) if track.album_id else None
        return album if isinstance(album, DemoAlbum) else None

    def tracks_of(self, item: DemoItem) -> list[DemoTrack]:
        """The tracks that an item stands for: itself, an album's, an artist's, a genre's, a folder's."""
        if isinstance(item, DemoTrack):
            return [item]
        if isinstance(item, DemoAlbum):
            return list(item.tracks)
        if isinstance(item, DemoArtist):
            return [t for t in self.tracks if item.id in self.artist_ids_of([*t.artists, *t.album_artists])]
        if isinstance(item, DemoGenre):
            return [t for t in self.tracks if any(self.genre_ids.get(name) == item.id for name in t.genres)]
        return [t for t in self.below(item.id) if isinstance(t, DemoTrack)]

    def newest_tracks(self) -> Iterable[DemoTrack]:
        """The tracks, last made first."""
        return sorted(self.tracks, key=lambda track: (track.created, track.sort_name), reverse=True)

    def credited_ids(self, *, album_artists: bool) -> set[str]:
        """The artists of tracks, or of albums."""
        credits_of = (track.album_artists if album_artists else track.artists for track in self.tracks)
        return {each for names in credits_of for each in self.artist_ids_of(names)}

    def in_order(self, group: str, order: str, compute: Order) -> Sequence[DemoItem] | None:  # noqa: ARG002
        """A whole group (`tracks`, `albums`, `artists`) in a named order.

        None where the library is small enough to be sorted at each request.
        """
        return None

    def read_audio(self, track: DemoTrack, start: int, count: int) -> bytes | None:  # noqa: ARG002
        """So many bytes of a track that is no file; None for one that is."""
        return None

    def artist_ids_of(self, names: Iterable[str]) -> set[str]:
        """The ids behind names of tags."""
        return {self.artist_ids[name] for name in names if name in self.artist_ids}


def views_of(top: DemoFolder, now: datetime) -> tuple[DemoFolder, DemoFolder, DemoFolder]:
    """The user's root, the music view and the playlists view, with the ids that such folders have on a server."""

    def folder(kind: str, name: str, path: str, parent_id: str | None, collection_type: str | None) -> DemoFolder:
        return DemoFolder(
            id=item_id(f"MediaBrowser.Controller.Entities.{kind}", path + top.id),
            name=name,
            sort_name=name.lower(),
            path=path,
            parent_id=parent_id,
            created=now,
            saved=now,
            kind=kind,
            collection_type=collection_type,
        )

    root = folder("UserRootFolder", "Media Folders", "/config/root/default", None, None)
    view = folder("CollectionFolder", "Music", "/config/root/default/Music", root.id, "music")
    playlists = folder("ManualPlaylistsFolder", "Playlists", "/config/data/playlists", root.id, "playlists")
    return root, view, playlists
