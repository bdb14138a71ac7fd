"""The nouns of jellytui: plain, frozen data that survives encoding and decoding (msgspec)."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from jellytui.config import CacheSettings

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


CACHE_WANTS = ("stream", "queue", "album")
"""The wants that are the cache's; every other is the user's."""


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
    """Why a pending row does not start: retry, server, metered, disk; None when it just waits its turn."""
    cleared_at: str | None = None
    """When the user took the completed row off the tab (Clear Completed); the file stays."""
    gone_on_server: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether somebody wants the file to stay; False for what the cache may evict, whoever had it fetched."""
        return any(want not in CACHE_WANTS for want in self.wanted_by)


HoldKind = Literal["", "disk", "paused", "server", "metered"]
"""What holds the whole queue back."""


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
    hold_kind: HoldKind = ""
    """The same in a word; empty while it runs."""
    user_bytes: int = 0
    cache_bytes: int = 0
    cache_limit_bytes: int = 0
    free_bytes: int = 0


FindingKind = Literal[
    "lost", "wrong_size", "moved", "finished", "interrupted", "progress", "unrecorded", "extra", "leftover", "damaged"
]
"""Where downloads and disk disagree: completed but the file is not there, has another length, lies elsewhere; complete
though the row is not; stopped in mid-transfer; another number of bytes is here; a file without a row, a second file of
a row, a `.part` that nobody needs; a file whose content is broken."""


class Finding(Struct, frozen=True, kw_only=True):
    """One disagreement between the downloads and the disk; `repair` says in words what mends it."""

    kind: FindingKind
    item_id: str
    path: str
    """Relative to the download root."""
    repair: str
    name: str = ""
    is_repaired: bool = False
    note: str = ""
    """More in words: what is broken, why it was left alone."""


class UpkeepReport(Struct, frozen=True, kw_only=True):
    """What a sweep or a verification has found; of very many `findings` only the first, `counts` counts them all."""

    findings: tuple[Finding, ...] = ()
    counts: dict[str, int] = {}
    repaired_count: int = 0
    rows: int = 0
    files: int = 0
    bytes_read: int = 0
    checked: str = ""
    """In words, what was looked at."""


class MoveReport(Struct, frozen=True, kw_only=True):
    """How the downloads were moved; `note` tells what the user should know or do."""

    old_folder: str
    folder: str
    files: int = 0
    bytes_copied: int = 0
    note: str = ""


class ExportReport(Struct, frozen=True, kw_only=True):
    """What an export has written; `problems` are lines of words, one for each track left out."""

    folder: str
    written: int = 0
    linked: int = 0
    unchanged: int = 0
    covers: int = 0
    bytes_written: int = 0
    problems: tuple[str, ...] = ()
    note: str = ""


class OriginUse(Struct, frozen=True, kw_only=True):
    """How much of the disk one origin takes; whatever a user wants counts as his."""

    origin: Origin
    files: int = 0
    bytes: int = 0


class CacheUse(Struct, frozen=True, kw_only=True):
    """What the cache holds and what it was good for."""

    uses: tuple[OriginUse, ...] = ()
    """One for each origin: user, stream, queue, album."""
    cache_bytes: int = 0
    """Of all that only the cache wants, unfinished downloads included."""
    reserved_bytes: int = 0
    """What its unfinished downloads will still write."""
    limit_bytes: int = 0
    """The limit now: the setting, or less where the disk is nearly full."""
    free_bytes: int = 0
    plays: int = 0
    """Plays from the disk that the cache made possible."""
    bytes_saved: int = 0
    """Not fetched twice: of plays of files that were there from an earlier play."""
    is_metered: bool = False
    """The link costs money and `wifi_only` is on: nothing new is fetched."""
    settings: CacheSettings = CacheSettings()
    """By which it goes now."""


class CacheStep(Struct, frozen=True, kw_only=True):
    """One thing that the cache would do now, or leave, and why."""

    act: Literal["fetch", "withdraw", "evict", "leave"]
    item_id: str
    """A track; an album where several of its tracks are left for the same reason."""
    name: str
    bytes: int
    reason: str


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


class QueueWindow(Struct, frozen=True, kw_only=True):
    """The entries around the one that plays, as the cache needs them."""

    previous: Track | None = None
    current: Track | None = None
    upcoming: tuple[Track, ...] = ()
    """What plays next by itself, in play order; empty with repeat one."""


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
