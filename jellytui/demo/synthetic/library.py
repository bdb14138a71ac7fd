"""The synthetic library: artists, albums and tracks computed from their numbers when they are asked for."""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TypeVar, overload

from jellytui.demo.library import (
    MUSIC_ROOT,
    TICKS_PER_SECOND,
    DemoAlbum,
    DemoArtist,
    DemoFolder,
    DemoGenre,
    DemoImage,
    DemoItem,
    DemoTrack,
    Library,
    Order,
    item_id,
    tag_of,
    views_of,
)
from jellytui.demo.sources.names import folder_sort_name, track_sort_name
from jellytui.demo.synthetic import audio
from jellytui.demo.synthetic.names import album_name, artist_name, mixed, track_name

_GENRES = ("Rock", "Jazz", "Folk", "Electronic", "Ambient", "Classical", "Hip-Hop", "Rock/Pop", "Drum & Bass", "演歌")
_BEGIN = datetime(2015, 1, 1, tzinfo=UTC)
_TRACK, _ALBUM, _ARTIST = 1, 2, 3
_SCRAMBLE = 0x9E3779B1  # odd, so that it can be undone
_UNSCRAMBLE = pow(_SCRAMBLE, -1, 1 << 32)
_KEPT_ORDERS = 8
_KEPT_ALBUMS = 64  # each track of a page asks for its album
_T = TypeVar("_T")


class Computed(Sequence[_T]):
    """A sequence whose elements are made when they are asked for."""

    def __init__(self, count: int, make: Callable[[int], _T]) -> None:
        self._count = count
        self._make = make

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> _T: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[_T]: ...
    def __getitem__(self, place: int | slice) -> _T | Sequence[_T]:
        if isinstance(place, slice):
            return [self._make(number) for number in range(*place.indices(self._count))]
        number = place + self._count if place < 0 else place
        if not 0 <= number < self._count:
            raise IndexError(place)
        return self._make(number)


class SyntheticLibrary(Library):
    """About 12,000 albums and 4,000 artists for 100,000 tracks. What is kept are a few numbers for each of them."""

    def __init__(self, count: int, seed: int = 1) -> None:
        self._seed = seed
        self._artist_of_album, self._first_track, self._first_album = _shape(count, seed)
        lengths = array("q", [0])
        for number in range(count):
            lengths.append(lengths[-1] + self._seconds(number))
        self._seconds_before = lengths
        self._album = lru_cache(maxsize=_KEPT_ALBUMS)(self._new_album)
        self._orders: dict[tuple[str, str], array[int]] = {}
        now = _BEGIN + timedelta(minutes=count)
        folder_id = item_id("MediaBrowser.Controller.Entities.Folder", MUSIC_ROOT)
        top = DemoFolder(id=folder_id, name="music", sort_name="music", path=MUSIC_ROOT, parent_id=None, created=now,
                         saved=now)  # fmt: skip
        root, view, playlists_view = views_of(top, now)
        artists = len(self._first_album) - 1
        names = [artist_name(seed, number) for number in range(artists)]
        genre_ids = {name: item_id("MediaBrowser.Controller.Entities.Audio.MusicGenre", name) for name in _GENRES}
        genres = [
            DemoGenre(id=each, name=name, sort_name=folder_sort_name(name), path=f"/config/metadata/Genre/{name}",
                      parent_id=None, created=now, saved=now)
            for name, each in genre_ids.items()
        ]  # fmt: skip
        super().__init__(
            view=view,
            root=root,
            playlists_view=playlists_view,
            tracks=Computed(count, self._track),
            albums=Computed(len(self._first_track) - 1, self._album),
            artists=Computed(artists, self._artist),
            genres=genres,
            folders=[top],
            artist_ids={name: self._id(_ARTIST, number) for number, name in enumerate(names)},
            genre_ids=genre_ids,
        )
        self._fixed: dict[str, DemoItem] = {each.id: each for each in (root, view, playlists_view, top, *genres)}

    def __post_init__(self) -> None:
        """Indexes nothing: an id tells which item it is."""

    def get(self, wanted: str) -> DemoItem | None:
        """The item of that id, or None."""
        if wanted in self._fixed:
            return self._fixed[wanted]
        kind, number = self._number(wanted)
        group: Sequence[DemoItem] = {_TRACK: self.tracks, _ALBUM: self.albums, _ARTIST: self.artists}.get(kind, ())
        return group[number] if number < len(group) else None

    def track(self, wanted: str) -> DemoTrack | None:
        """The track of that id; None for anything else."""
        found = self.get(wanted)
        return found if isinstance(found, DemoTrack) else None

    def children(self, parent_id: str) -> Sequence[DemoItem]:
        """What lies directly in a folder."""
        if parent_id == self.folders[0].id:
            return self.artists
        kind, number = self._number(parent_id)
        if kind == _ALBUM and number < len(self.albums):
            return self._tracks_between(self._first_track[number], self._first_track[number + 1])
        if kind == _ARTIST and number < len(self.artists):
            first, end = self._first_album[number], self._first_album[number + 1]
            return Computed(end - first, lambda place: self._album(first + place))
        return [each for each in self._fixed.values() if each.parent_id == parent_id]

    def album_of(self, track: DemoTrack) -> DemoAlbum | None:
        """The folder album of a track."""
        found = self.get(track.album_id or "")
        return found if isinstance(found, DemoAlbum) else None

    def tracks_of(self, item: DemoItem) -> list[DemoTrack]:
        """The tracks that an item stands for."""
        if isinstance(item, DemoArtist):
            return [track for album in self.children(item.id) for track in self.tracks_of(album)]
        if isinstance(item, DemoAlbum):
            return list(item.tracks)
        if item.id in {self.view.id, self.root.id, self.folders[0].id}:
            return list(self.tracks)
        return super().tracks_of(item)

    def newest_tracks(self) -> Iterator[DemoTrack]:
        """The tracks, last made first."""
        return (self._track(number) for number in range(len(self.tracks) - 1, -1, -1))

    def credited_ids(self, *, album_artists: bool) -> set[str]:  # noqa: ARG002 - all of them are both
        """The artists of tracks, or of albums."""
        return set(self.artist_ids.values())

    def in_order(self, group: str, order: str, compute: Order) -> Sequence[DemoItem]:
        """A group in an order, which is computed once and kept as bare numbers: four bytes an item."""
        compute = self._by_album if (group, order) == ("tracks", "Album,SortName") else compute
        items: Sequence[DemoItem] = getattr(self, group)
        numbers = self._orders.get((group, order))
        if numbers is None:
            if len(self._orders) >= _KEPT_ORDERS:
                self._orders.pop(next(iter(self._orders)))
            numbers = self._orders[group, order] = array("I", compute(items))
        kept = numbers
        return Computed(len(kept), lambda place: items[kept[place]])

    def _by_album(self, items: Sequence[DemoItem]) -> list[int]:
        """What a client asks for that reads everything: without holding the keys of all tracks at once."""
        named: dict[str, list[int]] = {}
        for album in range(len(self.albums)):
            named.setdefault(album_name(self._seed, album), []).append(album)
        numbers: list[int] = []
        for _, albums in sorted(named.items()):
            group = [n for album in albums for n in range(self._first_track[album], self._first_track[album + 1])]
            numbers += sorted(group, key=lambda n: items[n].sort_name) if len(albums) > 1 else group
        return numbers

    def read_audio(self, track: DemoTrack, start: int, count: int) -> bytes:
        """So many bytes of a track's file."""
        _, number = self._number(track.id)
        return audio.read(self._frequency(number), self._seconds(number), start, count)

    def _id(self, kind: int, number: int) -> str:
        scrambled = number * _SCRAMBLE & 0xFFFFFFFF
        return f"{kind:02x}{scrambled:08x}{mixed(self._seed, kind + 16, number):016x}{kind:06x}"

    def _number(self, wanted: str) -> tuple[int, int]:
        """Kind and number behind an id; (0, 0) for one that is not of this library."""
        try:
            kind, scrambled = int(wanted[:2], 16), int(wanted[2:10], 16)
        except ValueError:
            return 0, 0
        number = scrambled * _UNSCRAMBLE & 0xFFFFFFFF
        return (kind, number) if self._id(kind, number) == wanted else (0, 0)

    def _seconds(self, number: int) -> int:
        return 60 + mixed(self._seed, 4, number) % 300

    def _frequency(self, number: int) -> int:
        return 110 + mixed(self._seed, 5, number) % 770

    def _created(self, number: int) -> datetime:
        return _BEGIN + timedelta(minutes=number)

    def _genres(self, album: int) -> list[str]:
        dice = mixed(self._seed, 6, album)
        second = [_GENRES[(dice >> 8) % len(_GENRES)]] if dice % 3 == 0 else []
        return list(dict.fromkeys([_GENRES[dice % len(_GENRES)], *second]))

    def _year(self, album: int) -> int:
        return 1955 + mixed(self._seed, 7, album) % 70

    def _tracks_between(self, first: int, end: int) -> Sequence[DemoTrack]:
        return Computed(end - first, lambda place: self._track(first + place))

    def _artist_names(self, album: int) -> list[str]:
        return [artist_name(self._seed, self._artist_of_album[album])]

    def _track(self, number: int) -> DemoTrack:
        album = bisect_right(self._first_track, number) - 1
        index = number - self._first_track[album] + 1
        name, created, seconds = track_name(self._seed, number), self._created(number), self._seconds(number)
        names, year = self._artist_names(album), self._year(album)
        guest = mixed(self._seed, 8, number)
        guests = [artist_name(self._seed, guest % len(self.artists))] if guest % 11 == 0 else []
        path = f"{MUSIC_ROOT}/{self._artist_of_album[album] + 1}/{album + 1}/{index:02d}.wav"
        return DemoTrack(
            id=self._id(_TRACK, number),
            name=name,
            sort_name=track_sort_name(name, 1, index),
            path=path,
            parent_id=self._id(_ALBUM, album),
            created=created,
            saved=created,
            genres=self._genres(album),
            file=Path(path),
            size=audio.size_of(seconds),
            modified=created,
            container="wav",
            codec="pcm_s16le",
            run_time_ticks=seconds * TICKS_PER_SECOND,
            bit_rate=audio.RATE * 16,
            sample_rate=audio.RATE,
            bit_depth=16,
            channels=1,
            artists=list(dict.fromkeys([*names, *guests])),
            album_artists=names,
            album=album_name(self._seed, album),
            album_id=self._id(_ALBUM, album),
            index=index,
            disc=1,
            year=year,
            premiere=datetime(year, 1, 1, tzinfo=UTC),
            gain_db=-float(mixed(self._seed, 9, number) % 1200) / 100,
        )

    def _new_album(self, number: int) -> DemoAlbum:
        first, end = self._first_track[number], self._first_track[number + 1]
        created, year, names = self._created(first), self._year(number), self._artist_names(number)
        return _SyntheticAlbum(
            id=self._id(_ALBUM, number),
            name=(name := album_name(self._seed, number)),
            sort_name=_sort_name(name),
            path=f"{MUSIC_ROOT}/{self._artist_of_album[number] + 1}/{number + 1}",
            parent_id=self._id(_ARTIST, self._artist_of_album[number]),
            created=created,
            saved=created,
            image=self._cover(number, created),
            genres=self._genres(number),
            tracks=self._tracks_between(first, end),
            artists=names,
            album_artists=names,
            year=year,
            premiere=datetime(year, 1, 1, tzinfo=UTC),
            ticks=(self._seconds_before[end] - self._seconds_before[first]) * TICKS_PER_SECOND,
        )

    def _artist(self, number: int) -> DemoArtist:
        first, end = (self._first_track[self._first_album[place]] for place in (number, number + 1))
        created, name = self._created(first), artist_name(self._seed, number)
        return DemoArtist(
            id=self._id(_ARTIST, number),
            name=name,
            sort_name=_sort_name(name),
            path=f"{MUSIC_ROOT}/{number + 1}",
            parent_id=self.folders[0].id,
            created=created,
            saved=created,
            is_folder=True,
            run_time_ticks=(self._seconds_before[end] - self._seconds_before[first]) * TICKS_PER_SECOND,
        )

    def _cover(self, album: int, created: datetime) -> DemoImage | None:
        dice = mixed(self._seed, 10, album)
        if dice % 10 == 0:
            return None
        file = Path(f"{MUSIC_ROOT}/{album + 1}/cover.jpg")
        return DemoImage(file, False, tag_of(self._seed, album), "0004%T", created, colour=dice >> 8 & 0xFFFFFF)


@dataclass(slots=True, kw_only=True)
class _SyntheticAlbum(DemoAlbum):
    """An album that knows its length without looking at its tracks."""

    ticks: int = 0

    @property
    def run_time_ticks(self) -> int:
        """The length of all its tracks."""
        return self.ticks


_sort_name = lru_cache(maxsize=4096)(folder_sort_name)


def _shape(count: int, seed: int) -> "tuple[array[int], array[int], array[int]]":
    """The artist of each album, and where the tracks of each album and the albums of each artist begin (and end)."""
    artist_of_album, first_track, first_album = array("I"), array("I", [0]), array("I", [0])
    while first_track[-1] < count:
        artist = len(first_album) - 1
        for _ in range(1 + mixed(seed, 11, artist) % 5):
            tracks = 1 + mixed(seed, 12, len(artist_of_album)) % 16
            artist_of_album.append(artist)
            first_track.append(min(count, first_track[-1] + tracks))
            if first_track[-1] == count:
                break
        first_album.append(len(artist_of_album))
    return artist_of_album, first_track, first_album
