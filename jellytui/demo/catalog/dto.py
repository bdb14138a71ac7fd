"""BaseItemDto: an item as the server shows it, by the fields asked for (jellyfin-api.md 5.3, 6)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from jellytui.demo.catalog.streams import media_source, media_streams
from jellytui.demo.library import (
    NEVER,
    DemoAlbum,
    DemoArtist,
    DemoFolder,
    DemoGenre,
    DemoItem,
    DemoTrack,
    item_id,
    tag_of,
)
from jellytui.demo.state.playlists import Playlist
from jellytui.demo.state.users import User
from jellytui.demo.wire.query import Query
from jellytui.demo.wire.replies import date, whole
from jellytui.demo.world import World

LIST_FIELDS = frozenset(
    {
        "CanDelete", "CanDownload", "ChildCount", "CumulativeRunTimeTicks", "DateCreated", "DateLastMediaAdded",
        "DateLastRefreshed", "DateLastSaved", "Etag", "ExternalUrls", "Genres", "MediaSourceCount", "MediaSources",
        "MediaStreams", "OriginalTitle", "Overview", "ParentId", "Path", "People", "PlayAccess",
        "PrimaryImageAspectRatio", "ProviderIds", "RecursiveItemCount", "SortName", "Studios", "Tags",
    }
)  # fmt: skip
"""The fields that can be asked for in a list and mean something for music; others are known and give nothing."""

_SINGLE = frozenset(
    {"EnableMediaSourceDisplay", "Taglines", "RemoteTrailers", "LocalTrailerCount", "SpecialFeatureCount",
     "DisplayPreferencesId", "Chapters", "LockedFields", "LockData"}
)  # fmt: skip
FULL_FIELDS = (LIST_FIELDS | _SINGLE) - {"MediaSourceCount"}
"""What `GET /Items/{id}` tells."""

NOW_PLAYING_FIELDS = frozenset(
    {"DateCreated", "ExternalUrls", "Path", "EnableMediaSourceDisplay", "Taglines", "Genres", "ProviderIds", "ParentId",
     "Studios", "LocalTrailerCount", "SpecialFeatureCount", "PrimaryImageAspectRatio", "MediaStreams", "Chapters"}
)  # fmt: skip
"""What NowPlayingItem of a session tells: playback.json, `who plays`."""

_WITHOUT_MEDIA = (DemoTrack, DemoGenre)
_TYPES: tuple[tuple[type[DemoItem], str], ...] = (
    (DemoTrack, "Audio"),
    (DemoAlbum, "MusicAlbum"),
    (DemoArtist, "MusicArtist"),
    (DemoGenre, "MusicGenre"),
)


@dataclass(slots=True, kw_only=True)
class PlaylistItem(DemoItem):
    """A playlist as an item."""

    playlist: Playlist
    tracks: list[DemoTrack] = field(default_factory=list)


def playlist_item(world: World, playlist: Playlist) -> PlaylistItem:
    """The item of a playlist, with those of its entries that still exist."""
    tracks = [track for entry in playlist.entries if (track := world.library.track(entry))]
    return PlaylistItem(
        id=playlist.id,
        name=playlist.name,
        sort_name=playlist.name.lower(),
        path=f"/config/data/playlists/{playlist.name}",
        parent_id=world.library.playlists_view.id,
        created=playlist.created.replace(microsecond=0),
        saved=playlist.created,
        tracks=tracks,
        playlist=playlist,
    )


def kind_of(item: DemoItem) -> str:
    """The type on the wire."""
    if isinstance(item, DemoFolder):
        return item.kind
    if isinstance(item, PlaylistItem):
        return "Playlist"
    return next(name for kind, name in _TYPES if isinstance(item, kind))


@dataclass(frozen=True, slots=True)
class DtoOptions:
    """What of an item is shown. Without `user` there is no UserData."""

    fields: frozenset[str] = frozenset()
    user: User | None = None
    viewer: User | None = None
    """Whose rights `CanDownload` and `CanDelete` tell; without one, the user's."""
    images: bool = True
    image_types: frozenset[str] | None = None
    image_limit: int | None = None
    counted: frozenset[str] = frozenset()
    """Types that are counted in each artist and genre of a list (5.6)."""
    counts_album_artists: bool = False
    """Whether an artist's tracks are those of his albums only."""

    @classmethod
    def of(cls, query: Query, user: User | None) -> "DtoOptions":
        """As the parameters of a list say."""
        types = query.enums(
            "enableImageTypes", frozenset({"Primary", "Backdrop", "Thumb", "Logo", "Banner", "Art", "Disc"})
        )
        return cls(
            fields=frozenset(query.enums("fields", LIST_FIELDS)),
            user=None if query.boolean("enableUserData") is False else user,
            viewer=user,
            images=query.boolean("enableImages") is not False,
            image_types=frozenset(types) if types else None,
            image_limit=query.integer("imageTypeLimit"),
        )


class Dto:
    """Writes items as objects, each member in the order of the server's declaration."""

    def __init__(self, world: World, options: DtoOptions) -> None:
        self._world = world
        self._library = world.library
        self._options = options

    def many(self, items: Iterable[DemoItem]) -> list[dict[str, Any]]:
        """A list of items."""
        return [self.one(item) for item in items]

    def one(self, item: DemoItem, playlist_item_id: str | None = None) -> dict[str, Any]:
        """One item."""
        wants = self._options.fields.__contains__
        track = item if isinstance(item, DemoTrack) else None
        out: dict[str, Any] = {"Name": item.name, "ServerId": self._world.server_id, "Id": item.id}
        _put(out, "Etag", tag_of(item.id, item.saved) if wants("Etag") else None)
        _put(out, "PlaylistItemId", playlist_item_id)
        _put(out, "DateCreated", date(item.created) if wants("DateCreated") else None)
        if wants("DateLastMediaAdded") and item is not self._library.root and not isinstance(item, _WITHOUT_MEDIA):
            out["DateLastMediaAdded"] = date(NEVER)
        _put(out, "CanDelete", self._can_delete(item) if wants("CanDelete") else None)
        _put(out, "CanDownload", self._can_download(item) if wants("CanDownload") else None)
        if track is not None:
            out |= {"HasLyrics": self._has_lyrics(track), "Container": track.container}
        _put(out, "SortName", item.sort_name if wants("SortName") else None)
        _put(out, "PremiereDate", date(item.premiere) if isinstance(item, DemoTrack | DemoAlbum) else None)
        _put(out, "ExternalUrls", [] if wants("ExternalUrls") else None)
        if track is not None and wants("MediaSources"):
            out["MediaSources"] = [media_source(track, self._world.emulation)]
        _put(out, "Path", item.path if wants("Path") else None)
        _put(out, "EnableMediaSourceDisplay", True if wants("EnableMediaSourceDisplay") else None)
        out["ChannelId"] = None
        _put(out, "Taglines", [] if wants("Taglines") else None)
        _put(out, "Genres", item.genres if wants("Genres") else None)
        self._lengths(out, item)
        _put(out, "PlayAccess", "Full" if wants("PlayAccess") else None)
        _put(out, "ProductionYear", item.year if isinstance(item, DemoTrack | DemoAlbum) else None)
        if track is not None:
            _put(out, "IndexNumber", track.index)
            _put(out, "ParentIndexNumber", track.disc)
        _put(out, "RemoteTrailers", [] if wants("RemoteTrailers") else None)
        _put(out, "ProviderIds", {} if wants("ProviderIds") else None)
        if not isinstance(item, DemoGenre) and not (isinstance(item, DemoArtist) and not item.is_folder):
            out["IsFolder"] = track is None
        if wants("ParentId") and (item.parent_id or isinstance(item, DemoFolder)):
            out["ParentId"] = item.parent_id
        out["Type"] = kind_of(item)
        _put(out, "People", self._people(item) if wants("People") else None)
        _put(out, "Studios", [] if wants("Studios") else None)
        _put(out, "GenreItems", self._genre_items(item) if wants("Genres") else None)
        _put(out, "LocalTrailerCount", 0 if wants("LocalTrailerCount") else None)
        user = self._options.user
        if user is not None and (not isinstance(item, DemoGenre) or wants("LockData")):
            out["UserData"] = self._world.user_data.dto(user.id, item)
        self._counts(out, item)
        _put(out, "SpecialFeatureCount", 0 if wants("SpecialFeatureCount") else None)
        _put(out, "DisplayPreferencesId", item_id("", kind_of(item)) if wants("DisplayPreferencesId") else None)
        _put(out, "Tags", [] if wants("Tags") else None)
        if item.image is not None and wants("PrimaryImageAspectRatio"):
            out["PrimaryImageAspectRatio"] = whole(item.image.aspect_ratio)
        self._credits(out, item)
        if isinstance(item, DemoFolder):
            _put(out, "CollectionType", item.collection_type)
        if track is not None and wants("MediaStreams"):
            out["MediaStreams"] = media_streams(track, self._world.emulation)
        self._images(out, item)
        _put(out, "Chapters", [] if wants("Chapters") and self._world.emulation.is_12 else None)
        out["LocationType"] = "FileSystem"
        out["MediaType"] = "Audio" if isinstance(item, DemoTrack | PlaylistItem) else "Unknown"
        self._by_type(out, item)
        _put(out, "LockedFields", [] if wants("LockedFields") else None)
        _put(out, "LockData", False if wants("LockData") else None)
        self._gains(out, item)
        return out

    def _has_lyrics(self, track: DemoTrack) -> bool:
        return track.has_lyrics or track.id in self._world.uploaded_lyrics

    def _can_delete(self, item: DemoItem) -> bool:
        user = self._options.viewer or self._options.user
        if isinstance(item, PlaylistItem):
            mine = bool(user and (user.policy.administrator or item.playlist.owner_id == user.id))
            return (
                mine or self._world.emulation.is_12
            )  # 12 says so to whoever sees it: users.json, `playlists bob sees`
        return isinstance(item, DemoTrack | DemoAlbum | DemoArtist) and bool(user and user.policy.content_deletion)

    def _can_download(self, item: DemoItem) -> bool:
        user = self._options.viewer or self._options.user
        return isinstance(item, DemoTrack) and (user is None or user.policy.download)

    def _lengths(self, out: dict[str, Any], item: DemoItem) -> None:
        length: int | None = None
        if isinstance(item, DemoTrack | DemoAlbum | DemoArtist):
            length = item.run_time_ticks
        elif isinstance(item, PlaylistItem):
            length = sum(track.run_time_ticks or 0 for track in item.tracks)
        summed = not isinstance(item, DemoTrack | DemoGenre | DemoFolder)
        if "CumulativeRunTimeTicks" in self._options.fields and summed:
            out["CumulativeRunTimeTicks"] = length or 0
        _put(out, "RunTimeTicks", length)

    def _counts(self, out: dict[str, Any], item: DemoItem) -> None:
        if isinstance(item, DemoTrack | DemoGenre):
            return
        count = self.child_count(item)
        if "RecursiveItemCount" in self._options.fields and not isinstance(item, DemoFolder):
            below = self._library.below(item.id) if isinstance(item, DemoArtist) else ()
            out["RecursiveItemCount"] = sum(isinstance(each, DemoTrack) for each in below) or count
        if "ChildCount" in self._options.fields or (isinstance(item, PlaylistItem) and self._options.user is None):
            out["ChildCount"] = count

    def _by_type(self, out: dict[str, Any], item: DemoItem) -> None:
        """How many items of each type an artist or genre has: those asked for in a list, all in full (5.6)."""
        full = "LockData" in self._options.fields
        if not isinstance(item, DemoArtist | DemoGenre) or not (self._options.counted or full):
            return
        counted = {"Audio", "MusicAlbum", "MusicArtist"} if full else self._options.counted
        library, is_genre = self._library, isinstance(item, DemoGenre)
        tracks = library.tracks_of(item) if "Audio" in counted else []
        if self._options.counts_album_artists:
            tracks = [track for track in tracks if item.id in library.artist_ids_of(track.album_artists)]
        albums = [album for album in library.albums if self._belongs(album, item)] if "MusicAlbum" in counted else []
        artists = {each for track in tracks for each in track.album_artists} if is_genre and full else set()
        names = ("TrailerCount", "MovieCount", "SeriesCount", "ProgramCount", "EpisodeCount", "SongCount", "AlbumCount",
                 "ArtistCount")  # fmt: skip
        known = {"SongCount": len(tracks), "AlbumCount": len(albums), "ArtistCount": len(artists)}
        out |= {name: known.get(name, 0) for name in names} | ({"MusicVideoCount": 0} if full else {})
        out["ChildCount"] = sum(known.values()) if full else 0

    def _belongs(self, album: DemoAlbum, item: DemoArtist | DemoGenre) -> bool:
        if isinstance(item, DemoGenre):
            return item.id in {self._library.genre_ids.get(name) for name in album.genres}
        return item.id in self._library.artist_ids_of([*album.artists, *album.album_artists])

    def child_count(self, item: DemoItem) -> int:
        """How many items lie in a folder."""
        if isinstance(item, DemoAlbum | PlaylistItem):
            return len(item.tracks)
        if isinstance(item, DemoArtist) and not item.is_folder:
            return 0
        if item is self._library.view:
            return 1  # the folder of the music itself
        return len(self._library.children(item.id))

    def _people(self, item: DemoItem) -> list[dict[str, str]]:
        if not self._world.emulation.is_12 or not isinstance(item, DemoTrack | DemoAlbum):
            return []
        credited = [(name, "AlbumArtist") for name in item.album_artists] + [(name, "Artist") for name in item.artists]
        kind = "MediaBrowser.Controller.Entities.Person"
        return [{"Name": name, "Id": item_id(kind, name), "Role": "", "Type": role} for name, role in credited]

    def _genre_items(self, item: DemoItem) -> list[dict[str, str]]:
        return [{"Name": name, "Id": self._library.genre_ids.get(name, "")} for name in item.genres]

    def _artist_items(self, names: Iterable[str]) -> list[dict[str, str]]:
        return [{"Name": name, "Id": self._library.artist_ids.get(name, "")} for name in names]

    def _credits(self, out: dict[str, Any], item: DemoItem) -> None:
        if not isinstance(item, DemoTrack | DemoAlbum):
            return
        out |= {"Artists": item.artists, "ArtistItems": self._artist_items(item.artists)}
        if isinstance(item, DemoTrack):
            _put(out, "Album", item.album)
            _put(out, "AlbumId", item.album_id)
            album = self._library.album_of(item)
            _put(out, "AlbumPrimaryImageTag", album.image.tag if album and album.image else None)
        _put(out, "AlbumArtist", item.album_artists[0] if item.album_artists else None)
        out["AlbumArtists"] = self._artist_items(item.album_artists)

    def _gains(self, out: dict[str, Any], item: DemoItem) -> None:
        if not isinstance(item, DemoTrack | DemoAlbum):
            return
        _put(out, "NormalizationGain", whole(item.gain_db) if item.gain_db is not None else None)
        album = self._library.album_of(item) if isinstance(item, DemoTrack) and self._world.emulation.is_12 else None
        if album is not None and album.gain_db is not None:
            out["AlbumNormalizationGain"] = whole(album.gain_db)

    def _images(self, out: dict[str, Any], item: DemoItem) -> None:
        types, limit = self._options.image_types, self._options.image_limit
        shown = self._options.images and limit != 0
        hashes: dict[str, str] = {}
        if shown:
            own = item.image if types is None or "Primary" in types else None
            out["ImageTags"] = {"Primary": own.tag} if own else {}
            if types is None or "Backdrop" in types:
                out["BackdropImageTags"] = []
            if own is not None:
                hashes[own.tag] = own.blur_hash
        album = self._library.album_of(item) if isinstance(item, DemoTrack) else None
        if album is not None and album.image is not None:
            hashes[album.image.tag] = album.image.blur_hash
        out["ImageBlurHashes"] = {"Primary": hashes} if hashes else {}


def page(items: list[dict[str, Any]], total: int, start: int) -> dict[str, Any]:
    """QueryResult."""
    return {"Items": items, "TotalRecordCount": total, "StartIndex": start}


def _put(out: dict[str, Any], name: str, value: Any) -> None:
    if value is not None:
        out[name] = value
