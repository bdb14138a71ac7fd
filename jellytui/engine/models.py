"""The nouns of jellytui: plain, frozen data that survives encoding and decoding (msgspec)."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

ItemType = Literal["track", "album", "artist", "playlist"]
DownloadStatus = Literal["pending", "downloading", "completed", "failed", "paused"]
Origin = Literal["user", "stream", "queue", "album"]
RepeatMode = Literal["off", "all", "one"]


class Account(Struct, frozen=True, kw_only=True):
    """One user on one server: what a database and a download root belong to."""

    server_url: str
    server_id: str
    server_name: str
    server_version: str
    user_id: str
    user_name: str
    device_id: str


class Track(Struct, frozen=True, kw_only=True, tag_field="type", tag="track"):
    """One piece of music as the catalogue knows it."""

    id: str
    name: str
    album: str = ""
    artists: tuple[str, ...] = ()
    album_id: str = ""
    artist_ids: tuple[str, ...] = ()
    album_artist: str = ""
    album_artist_id: str = ""
    disc: int | None = None
    number: int | None = None
    duration_ms: int = 0
    year: int | None = None
    genres: tuple[str, ...] = ()
    container: str = ""
    is_favorite: bool = False
    play_count: int = 0
    last_played_at: str | None = None
    has_lyrics: bool = False
    image_item_id: str = ""
    """Whose primary image is the cover: the album's id, else the track's; empty without a cover."""
    image_tag: str = ""
    gain_db: float | None = None
    album_gain_db: float | None = None
    date_created: str = ""
    sort_name: str = ""
    etag: str = ""


class Album(Struct, frozen=True, kw_only=True, tag_field="type", tag="album"):
    """One album (on Jellyfin: one folder that holds audio, jellyfin-api.md 5.5)."""

    id: str
    name: str
    album: str = ""
    artists: tuple[str, ...] = ()
    artist_ids: tuple[str, ...] = ()
    year: int | None = None
    genres: tuple[str, ...] = ()
    duration_ms: int = 0
    track_count: int = 0
    is_favorite: bool = False
    image_item_id: str = ""
    image_tag: str = ""
    date_created: str = ""
    sort_name: str = ""


class Artist(Struct, frozen=True, kw_only=True, tag_field="type", tag="artist"):
    """One artist; `album_count` counts the albums he is the album artist of or appears on."""

    id: str
    name: str
    album: str = ""
    artists: tuple[str, ...] = ()
    album_count: int = 0
    track_count: int = 0
    is_favorite: bool = False
    image_item_id: str = ""
    image_tag: str = ""
    sort_name: str = ""


class Playlist(Struct, frozen=True, kw_only=True, tag_field="type", tag="playlist"):
    """One playlist with the number of its entries known to the mirror."""

    id: str
    name: str
    album: str = ""
    artists: tuple[str, ...] = ()
    track_count: int = 0
    duration_ms: int = 0
    is_favorite: bool = False
    image_item_id: str = ""
    image_tag: str = ""


Item = Track | Album | Artist | Playlist


class Listing(Struct, frozen=True, kw_only=True):
    """What a list shows; `Views.row_ids` turns it into row ids.

    kind: what the rows are. scope: of which whole; `parent` is that whole's id. `query` filters by words (FTS5)
    within the scope. Orders: artists, albums and playlists by name; an artist's albums by year; tracks of an album
    by disc and number; a playlist in its own order; all tracks by artist, album, disc, number.
    """

    kind: ItemType
    scope: Literal["all", "artist", "album", "playlist", "favorites", "downloaded"] = "all"
    parent: str = ""
    query: str = ""


class SearchResults(Struct, frozen=True, kw_only=True):
    """The best matches of a search, by kind."""

    artists: tuple[Artist, ...] = ()
    albums: tuple[Album, ...] = ()
    tracks: tuple[Track, ...] = ()
    playlists: tuple[Playlist, ...] = ()


class DownloadInfo(Struct, frozen=True, kw_only=True):
    """One row of the downloads table: the seed's columns by their names and in their order, then ours."""

    id: int
    item_id: str
    user_id: str
    file_path: str | None = None
    file_size: int | None = None
    mime_type: str | None = None
    status: DownloadStatus = "pending"
    progress: float = 0.0
    bytes_downloaded: int = 0
    priority: int = 0
    error_message: str | None = None
    retry_count: int = 0
    queued_at: str = ""
    started_at: str | None = None
    completed_at: str | None = None
    type: Literal["track"] = "track"
    name: str = ""
    album: str = ""
    artists: tuple[str, ...] = ()
    album_id: str = ""
    disc: int | None = None
    number: int | None = None
    duration_ms: int = 0
    origin: Origin = "user"
    wanted_by: tuple[str, ...] = ()
    """Who wants the file: user, playlist:<id>, favorites, queue, album, stream (design.md, wants)."""
    bytes_per_second: float = 0.0
    next_attempt_at: str | None = None
    wait_reason: str | None = None
    """Why a pending row does not start: retry, server, metered, disk, paused_all; None when it just waits its turn."""
    cleared_at: str | None = None
    """When the user took the completed row off the tab (Clear Completed); the file stays."""
    gone_on_server: bool = False


class DownloadsSummary(Struct, frozen=True, kw_only=True):
    """Totals over all downloads; bytes, bytes per second."""

    active_count: int = 0
    queued_count: int = 0
    paused_count: int = 0
    failed_count: int = 0
    completed_count: int = 0
    bytes_per_second: float = 0.0
    bytes_downloaded: int = 0
    """Of the unfinished rows: what is here."""
    bytes_total: int = 0
    """Of the unfinished rows: what they will be, as far as known."""
    paused_all: bool = False
    hold_reason: str | None = None
    """Why the whole queue waits, in words for the user; None while it runs."""
    user_bytes: int = 0
    cache_bytes: int = 0
    cache_limit_bytes: int = 0
    free_bytes: int = 0


class LocalSource(Struct, frozen=True, kw_only=True, tag="Local"):
    """`MediaSource.Local` of the seed: a completed download."""

    file_path: str
    jellyfin_item_id: str | None = None


class RemoteSource(Struct, frozen=True, kw_only=True, tag="Remote"):
    """`MediaSource.Remote` of the seed: the server's anonymous static stream."""

    stream_url: str
    jellyfin_item_id: str


MediaSource = LocalSource | RemoteSource


class MediaItem(Struct, frozen=True, kw_only=True):
    """A track made ready to load into the player (the seed's create_media_item)."""

    track: Track
    source: MediaSource


class QueueEntry(Struct, frozen=True, kw_only=True):
    """One place in the queue; `entry_id` stays the same while entries move."""

    entry_id: int
    track: Track


class QueuePage(Struct, frozen=True, kw_only=True):
    """A stretch of the queue in play order, `start` counted from 0."""

    version: int
    start: int
    length: int
    current_index: int | None
    entries: tuple[QueueEntry, ...]


class LyricLine(Struct, frozen=True, kw_only=True):
    """One line; `start_ms` is None in lyrics without times."""

    text: str
    start_ms: int | None = None


class Lyrics(Struct, frozen=True, kw_only=True):
    """The words of a track; empty `lines` when it has none."""

    item_id: str
    lines: tuple[LyricLine, ...] = ()

    @property
    def is_synced(self) -> bool:
        """Whether the lines carry times."""
        return bool(self.lines) and all(line.start_ms is not None for line in self.lines)


class DiscoveredServer(Struct, frozen=True, kw_only=True):
    """A server that answered on UDP 7359."""

    url: str
    name: str
    id: str


class ServerInfo(Struct, frozen=True, kw_only=True):
    """What an address turned out to be: the canonical base URL and the server behind it."""

    url: str
    id: str
    name: str
    version: str


class Problem(Struct, frozen=True, kw_only=True):
    """An error as data: `code` of errors.py, one line of words for the user."""

    code: str
    text: str
