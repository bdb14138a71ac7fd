"""Every event, one readable file: the contract between the engine and all its faces.

*States* carry the whole of one keyed thing, so that a slow or late listener may keep only the newest of each key;
the bus retains the newest of those marked `retained` and hands them to each new listener first.
*Occurrences* are never conflated and never retained.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import Struct

from jellytui.engine.models import DownloadInfo, DownloadsSummary, Problem, RepeatMode, Track

DownloadEventType = Literal["queued", "started", "progress", "completed", "failed", "paused", "waiting", "removed"]


class StateEvent(Struct, frozen=True, kw_only=True):
    """Base of the states; `key` names the thing whose whole the event carries."""

    retained: ClassVar[bool] = True

    @property
    def key(self) -> str:
        return type(self).__name__


class OccurrenceEvent(Struct, frozen=True, kw_only=True):
    """Base of the occurrences."""


class DownloadEvent(StateEvent, frozen=True, kw_only=True, tag_field="event", tag="download-event"):
    """The seed's download-event: `download` is the whole row; "removed" says that the row is gone."""

    retained: ClassVar[bool] = False

    type: DownloadEventType
    download: DownloadInfo

    @property
    def key(self) -> str:
        return f"download:{self.download.id}"


class DownloadsState(StateEvent, frozen=True, kw_only=True, tag_field="event", tag="downloads"):
    """Totals over all downloads, at most 4 times a second."""

    summary: DownloadsSummary


class UpkeepState(StateEvent, frozen=True, kw_only=True, tag_field="event", tag="upkeep"):
    """How a long work on the downloads' files is doing: `done` of `total` files, 0 while unknown; `text` in words."""

    work: Literal["sweep", "verify", "move", "export", "rescue"]
    status: Literal["running", "done", "failed", "cancelled"] = "running"
    done: int = 0
    total: int = 0
    text: str = ""

    @property
    def key(self) -> str:
        return f"upkeep:{self.work}"


class PlayerState(StateEvent, frozen=True, kw_only=True, tag_field="event", tag="player"):
    """What plays, whole: at every change and once a second while playing."""

    track: Track | None = None
    entry_id: int | None = None
    status: Literal["stopped", "loading", "playing", "paused", "stalled"] = "stopped"
    position_ms: int = 0
    duration_ms: int = 0
    volume: int = 80
    """0 to 100, linear on the knob."""
    is_muted: bool = False
    repeat: RepeatMode = "off"
    is_shuffled: bool = False
    source: Literal["disk", "server", ""] = ""
    codec: str = ""
    sample_rate_hz: int = 0
    bit_depth: int = 0
    gain_db: float | None = None
    waiting_for: str = ""
    """In words, why it stalls or waits; empty while it plays."""
    has_sound: bool = True
    """False without libmpv or audio device; `sound_problem` says what to do."""
    sound_problem: str = ""


class QueueState(StateEvent, frozen=True, kw_only=True, tag_field="event", tag="queue"):
    """The queue's shape; `get_queue` reads its entries. `version` changes with every change of them."""

    version: int = 0
    length: int = 0
    current_index: int | None = None
    remaining_ms: int = 0


class ConnectionState(StateEvent, frozen=True, kw_only=True, tag_field="event", tag="connection"):
    """Whether the server is there."""

    status: Literal["connecting", "online", "offline", "starting", "signed_out"] = "connecting"
    server_name: str = ""
    reason: str = ""
    """In words, when it is not online."""
    retry_at: str | None = None

    @property
    def is_away(self) -> bool:
        """Whether it is known that the server is not there."""
        return self.status in ("offline", "starting")


class SyncState(StateEvent, frozen=True, kw_only=True, tag_field="event", tag="sync"):
    """How the mirror of the library is doing; `done` of `total` tracks in the phase."""

    status: Literal["never", "running", "done", "failed", "cancelled"] = "never"
    phase: str = ""
    done: int = 0
    total: int = 0
    finished_at: str | None = None
    problem: Problem | None = None


class LibraryState(StateEvent, frozen=True, kw_only=True, tag_field="event", tag="library"):
    """The mirror's version: when it changes, row ids of views are stale."""

    version: int = 0
    tracks: int = 0
    albums: int = 0
    artists: int = 0
    playlists: int = 0


class FavoriteState(StateEvent, frozen=True, kw_only=True, tag_field="event", tag="favorite"):
    """Whether one item is a favourite now."""

    retained: ClassVar[bool] = False

    item_id: str
    is_favorite: bool

    @property
    def key(self) -> str:
        return f"favorite:{self.item_id}"


class TrackStarted(OccurrenceEvent, frozen=True, kw_only=True, tag_field="event", tag="track-started"):
    """The first sample of a track was heard (queue pre-cache, report to the server)."""

    play_id: str
    track: Track
    started_at: str


class TrackPlayed(OccurrenceEvent, frozen=True, kw_only=True, tag_field="event", tag="track-played"):
    """30 s or half of a track were heard, whichever comes first; once per play. In SQLite before it is published."""

    play_id: str
    track: Track
    started_at: str
    played_at: str


class ProblemOccurred(OccurrenceEvent, frozen=True, kw_only=True, tag_field="event", tag="problem"):
    """Something went wrong that no caller is waiting for: words for the user."""

    problem: Problem


State = (
    DownloadEvent
    | DownloadsState
    | UpkeepState
    | PlayerState
    | QueueState
    | ConnectionState
    | SyncState
    | LibraryState
    | FavoriteState
)
Occurrence = TrackStarted | TrackPlayed | ProblemOccurred
Event = State | Occurrence
