"""Which items a list holds: the filters of `GET /Items` (jellyfin-api.md 5.1, 5.4, 5.5)."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain

from jellytui.demo.catalog.dto import PlaylistItem, kind_of, playlist_item
from jellytui.demo.library import DemoAlbum, DemoArtist, DemoFolder, DemoGenre, DemoItem, DemoTrack
from jellytui.demo.sources.names import cleaned
from jellytui.demo.state.users import User
from jellytui.demo.wire.query import Query
from jellytui.demo.wire.replies import StringError, TextError
from jellytui.demo.world import World

Test = Callable[[DemoItem], bool]

ITEM_TYPES = frozenset(
    {
        "AggregateFolder", "Audio", "AudioBook", "BasePluginFolder", "Book", "BoxSet", "Channel", "ChannelFolderItem",
        "CollectionFolder", "Episode", "Folder", "Genre", "LiveTvChannel", "LiveTvProgram", "ManualPlaylistsFolder",
        "Movie", "MusicAlbum", "MusicArtist", "MusicGenre", "MusicVideo", "Person", "Photo", "PhotoAlbum", "Playlist",
        "PlaylistsFolder", "Program", "Recording", "Season", "Series", "Studio", "Trailer", "TvChannel", "TvProgram",
        "UserRootFolder", "UserView", "Video", "Year",
    }
)  # fmt: skip
MEDIA_TYPES = frozenset({"Unknown", "Video", "Audio", "Photo", "Book"})
ITEM_FILTERS = frozenset(
    {"IsFolder", "IsNotFolder", "IsUnplayed", "IsPlayed", "IsFavorite", "IsResumable", "Likes", "Dislikes",
     "IsFavoriteOrLikes"}
)  # fmt: skip
_GROUPS = {"Audio": "tracks", "MusicAlbum": "albums", "MusicArtist": "artists"}
_OPPOSITES = (("IsPlayed", "IsUnplayed"), ("IsFolder", "IsNotFolder"), ("Likes", "Dislikes"))


class ItemFilter:
    """The filters of one request, for one user."""

    def __init__(self, world: World, query: Query, user: User | None) -> None:
        self._world = world
        self._library = world.library
        self._query = query
        self._user = user
        self._types = frozenset(query.enums("includeItemTypes", ITEM_TYPES))

    def select(self) -> list[DemoItem]:
        """The items that pass, in storage order, or in the order of `ids`."""
        tests = list(self._tests())
        return [item for item in self._candidates() if all(test(item) for test in tests)]

    def whole_group(self) -> str | None:
        """The group of the library (`tracks`, `albums`, `artists`) that is asked for whole; None for anything less."""
        group = _GROUPS.get(next(iter(self._types), "")) if len(self._types) == 1 else None
        parent_id, library = self._query.guid("parentId"), self._library
        if group is None or parent_id not in {None, library.view.id} or self._query.guids("ids"):
            return None
        everything = self._recursive or (parent_id is not None and self._world.emulation.is_12)
        if not (everything and self._sees_library) or next(self._narrowing(), None) is not None:
            return None
        return group

    def _candidates(self) -> Iterable[DemoItem]:
        ids = self._query.guids("ids")
        if ids:
            return [item for each in dict.fromkeys(ids) if (item := self._find(each))]
        parent_id = self._query.guid("parentId")
        if parent_id is None:
            return self._at_root()
        parent = self._find(parent_id)
        if parent is None:
            raise TextError(400)
        return self._inside(parent)

    def _find(self, item_id: str) -> DemoItem | None:
        playlist = self._world.playlists.get(item_id)
        if playlist is not None and playlist.visible_to(self._user.id if self._user else None):
            return playlist_item(self._world, playlist)
        return self._library.get(item_id)

    @property
    def _recursive(self) -> bool:
        if self._query.boolean("recursive"):
            return True
        return self._world.emulation.is_12 and bool(self._query.text("searchTerm"))

    def _at_root(self) -> Iterable[DemoItem]:
        library = self._library
        if not self._recursive:
            return [library.view, library.playlists_view] if self._sees_library else []
        return self._everything()

    @property
    def _sees_library(self) -> bool:
        return self._user is None or self._user.policy.all_folders

    def _everything(self) -> Iterator[DemoItem]:
        library = self._library
        if self._sees_library:
            yield from self._of_types(library.folders, self._artists_in_lists())
        yield from self._playlists()

    def _of_types(self, folders: Iterable[DemoItem], artists: Iterable[DemoItem]) -> Iterator[DemoItem]:
        """The groups in which there can be items of the types asked for: others need not be looked through."""
        groups: tuple[tuple[str, Iterable[DemoItem]], ...] = (
            ("MusicArtist", artists), ("MusicAlbum", self._library.albums), ("Audio", self._tracks()))  # fmt: skip
        yield from folders
        for kind, group in groups:
            if not self._types or kind in self._types:
                yield from group

    def _tracks(self) -> Iterable[DemoItem]:
        """All tracks; where only those count for which the user has saved something, only those."""
        query, user = self._query, self._user
        filters = {name.lower() for name in query.listed("filters")}
        saved = query.boolean("isFavorite") or query.boolean("isPlayed") or filters & {"isfavorite", "isplayed"}
        if user is None or not saved:
            return self._library.tracks
        found = (self._library.track(each) for each in self._world.user_data.saved_ids(user.id))
        return [track for track in found if track is not None]

    def _artists_in_lists(self) -> list[DemoArtist]:
        """12 lists all artists as items, 10.11 those with a folder (5.6)."""
        return [artist for artist in self._library.artists if artist.is_folder or self._world.emulation.is_12]

    def _playlists(self) -> Iterator[PlaylistItem]:
        user_id = self._user.id if self._user else None
        for playlist in self._world.playlists.all():
            if playlist.visible_to(user_id):
                yield playlist_item(self._world, playlist)

    def _inside(self, parent: DemoItem) -> Iterable[DemoItem]:
        library = self._library
        if isinstance(parent, PlaylistItem):
            return list({track.id: track for track in parent.tracks}.values())
        if isinstance(parent, DemoAlbum):
            return parent.tracks if self._types or self._recursive else library.children(parent.id)
        if parent is library.view:
            return self._in_view()
        if parent is library.playlists_view:
            return list(self._playlists())
        if parent is library.root:
            return self._at_root()
        return library.below(parent.id) if self._recursive else library.children(parent.id)

    def _in_view(self) -> Iterable[DemoItem]:
        if not self._sees_library:
            assert self._user is not None
            raise StringError(401, f"{self._user.name} is not permitted to access Library {self._library.name}.")
        top = self._library.folders[0]
        implied = self._world.emulation.is_12 and bool(self._types)
        if not (self._recursive or implied):
            return self._library.children(top.id)
        named = bool(self._types) and self._world.emulation.is_12
        artists = (artist for artist in self._library.artists if artist.is_folder or named)
        folders = (
            self._library.folders if not self._types else (each for each in self._library.folders if each is not top)
        )
        playlists = (each for each in self._playlists() if each.tracks) if named else ()
        return chain(self._of_types(folders, artists), playlists)

    def _tests(self) -> Iterator[Test]:
        query = self._query
        excluded = frozenset() if self._types else frozenset(query.enums("excludeItemTypes", ITEM_TYPES))
        if self._types:
            yield lambda item: kind_of(item) in self._types
        if excluded:
            yield lambda item: kind_of(item) not in excluded
        yield from self._narrowing()

    def _narrowing(self) -> Iterator[Test]:
        query = self._query
        media_types = query.enums("mediaTypes", MEDIA_TYPES)
        if media_types:
            wanted = "Audio" in media_types
            yield lambda item: isinstance(item, DemoTrack | PlaylistItem) == wanted
        excluded_ids = frozenset(query.guids("excludeItemIds"))
        if excluded_ids:
            yield lambda item: item.id not in excluded_ids
        if query.boolean("hasTmdbId") or query.listed("locationTypes") == ["Virtual"]:
            yield lambda _: False
        yield from self._name_tests()
        yield from self._tag_tests()
        yield from self._credit_tests()
        yield from self._date_tests()
        yield from self._user_tests()

    def _name_tests(self) -> Iterator[Test]:
        query = self._query
        term = cleaned(query.text("searchTerm") or "")
        if term and self._recursive:
            yield lambda item: term in cleaned(item.name)
        starts, least, below = (query.text(n) for n in ("nameStartsWith", "nameStartsWithOrGreater", "nameLessThan"))
        if starts:
            yield lambda item: item.sort_name.lower().startswith(starts.lower())
        if least:
            yield lambda item: item.sort_name.lower() >= least.lower()
        if below:
            yield lambda item: item.sort_name.lower() < below.lower()

    def _tag_tests(self) -> Iterator[Test]:
        query, library = self._query, self._library
        names = {name.lower() for name in query.names("genres")}
        if names:
            yield lambda item: any(genre.lower() in names for genre in item.genres)
        genre_ids = set(query.guids("genreIds"))
        if genre_ids:
            yield lambda item: any(library.genre_ids.get(genre) in genre_ids for genre in item.genres)
        years = set(query.integers("years"))
        if years:
            yield lambda item: isinstance(item, DemoTrack | DemoAlbum) and item.year in years
        disc, index = query.integer("parentIndexNumber"), query.integer("indexNumber")
        if disc is not None:
            yield lambda item: isinstance(item, DemoTrack) and item.disc == disc
        if index is not None:
            yield lambda item: isinstance(item, DemoTrack) and item.index == index
        for name in ("tags", "studios", "officialRatings"):
            if query.names(name):
                yield lambda _: False
        yield from self._album_name_tests({name.lower() for name in query.names("albums")})
        yield from self._album_tests(set(query.guids("albumIds")))

    def _album_name_tests(self, names: set[str]) -> Iterator[Test]:
        """12 takes the first album of each name only, 10.11 every track with the name: browse.json, `albums`."""
        if not names:
            return
        if not self._world.emulation.is_12:
            yield lambda item: isinstance(item, DemoTrack) and (item.album or "").lower() in names
            return
        first: dict[str, str] = {}
        for album in self._library.albums:
            first.setdefault(album.name.lower(), album.id)
        ids = {first[name] for name in names if name in first}
        yield lambda item: isinstance(item, DemoTrack) and item.album_id in ids

    def _album_tests(self, ids: set[str]) -> Iterator[Test]:
        """12 asks for the folder and misses discs; 10.11 for the name and finds namesakes too (5.5)."""
        if not ids:
            return
        if self._world.emulation.is_12:
            yield lambda item: isinstance(item, DemoTrack) and item.parent_id in ids
            return
        names = {album.name for album in self._library.albums if album.id in ids}
        yield lambda item: isinstance(item, DemoTrack) and item.album in names

    def _credit_tests(self) -> Iterator[Test]:
        query, library = self._query, self._library

        def by(item: DemoItem) -> set[str]:
            return library.artist_ids_of(item.artists) if isinstance(item, DemoTrack | DemoAlbum) else set()

        def of_album(item: DemoItem) -> set[str]:
            return library.artist_ids_of(item.album_artists) if isinstance(item, DemoTrack | DemoAlbum) else set()

        names = query.names("artists")
        if names:
            named = {
                library.artist_ids[name] for name in library.artist_ids if name.lower() in {n.lower() for n in names}
            }
            yield lambda item: bool(named & (by(item) | of_album(item)))
        artists, album_artists = set(query.guids("artistIds")), set(query.guids("albumArtistIds"))
        contributing, excluded = set(query.guids("contributingArtistIds")), set(query.guids("excludeArtistIds"))
        if artists:
            yield lambda item: bool(artists & (by(item) | of_album(item)))
        if album_artists:
            yield lambda item: bool(album_artists & of_album(item))
        if contributing:
            yield lambda item: bool(contributing & by(item)) and not contributing & of_album(item)
        if excluded:
            yield lambda item: not excluded & (by(item) | of_album(item))

    def _date_tests(self) -> Iterator[Test]:
        query = self._query
        for name in ("minDateLastSaved", "minDateLastSavedForUser"):
            saved = query.date(name)
            if saved is not None:
                yield _saved_since(saved)
        earliest, latest = query.date("minPremiereDate"), query.date("maxPremiereDate")
        if earliest is not None:
            yield (
                lambda item: (
                    isinstance(item, DemoTrack | DemoAlbum) and bool(item.premiere and item.premiere >= earliest)
                )
            )
        if latest is not None:
            yield (
                lambda item: isinstance(item, DemoTrack | DemoAlbum) and bool(item.premiere and item.premiere <= latest)
            )

    def _user_tests(self) -> Iterator[Test]:
        filters = self._query.enums("filters", ITEM_FILTERS)
        for pair in _OPPOSITES:
            if not set(pair) <= set(filters):
                continue
            if self._world.emulation.is_12:
                raise TextError(400)
            earlier = min(pair, key=filters.index)
            filters = [each for each in filters if each != earlier]
        if self._query.boolean("isFavorite") is not None:
            yield self._favorite_test(bool(self._query.boolean("isFavorite")))
        if self._query.boolean("isPlayed") is not None:
            filters = [*filters, "IsPlayed" if self._query.boolean("isPlayed") else "IsUnplayed"]
        for name in filters:
            yield self._filter_test(name)

    def _filter_test(self, name: str) -> Test:
        if name in {"IsFolder", "IsNotFolder"}:
            folder = name == "IsFolder"
            return lambda item: isinstance(item, DemoTrack | DemoGenre) != folder
        if name in {"IsPlayed", "IsUnplayed"}:
            played = name == "IsPlayed"
            return lambda item: self._played(item) == played
        if name == "IsFavorite":
            return self._favorite_test(True)
        user_id, data = self._user.id if self._user else "", self._world.user_data
        if name == "IsResumable":
            return lambda item: data.get(user_id, item.id).position_ticks > 0
        if name == "IsFavoriteOrLikes":
            return lambda item: data.get(user_id, item.id).favorite or data.get(user_id, item.id).likes is True
        return lambda item: data.get(user_id, item.id).likes is (name == "Likes")

    def _favorite_test(self, wanted: bool) -> Test:
        user_id, data, is_12 = self._user.id if self._user else "", self._world.user_data, self._world.emulation.is_12

        def test(item: DemoItem) -> bool:
            if not wanted and not is_12 and not data.has(user_id, item.id):
                return False  # 10.11 finds only what has a row (5.1)
            return data.get(user_id, item.id).favorite == wanted

        return test

    def _played(self, item: DemoItem) -> bool:
        """Albums count as played on 12 when all their tracks are, on 10.11 never (5.1)."""
        user_id, data = self._user.id if self._user else "", self._world.user_data
        if isinstance(item, DemoAlbum | DemoFolder | DemoArtist) and self._world.emulation.is_12:
            tracks = self._library.tracks_of(item)
            return bool(tracks) and all(data.get(user_id, track.id).played for track in tracks)
        return data.get(user_id, item.id).played


def _saved_since(moment: datetime) -> Test:
    return lambda item: item.saved >= moment
