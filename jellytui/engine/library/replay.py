"""What to do about a play that may or may not have reached the server (jellyfin-api.md 11.3); pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from jellytui.engine.jellyfin.records import UserData

Step = Literal["send", "arrived"]

_SAME_START_S = 60.0
"""How far apart our start and the server's date of it may be: the report waits its turn, and clocks differ."""


class WaitingPlay(Struct, frozen=True, kw_only=True):
    """A play that the server does not know yet, as far as we know.

    `count_before` and `played_before` are what the server knew of the track just before the play was sent; None as long
    as it was not. `is_open`: what was sent is the live report of its start, and no answer came; `count_before` is None
    where the server could not say.
    """

    play_id: str
    track_id: str
    started_at: str
    played_at: str
    is_open: bool = False
    count_before: int | None = None
    played_before: str | None = None


def next_step(play: WaitingPlay, now: UserData) -> Step:
    """Whether the play has still to be sent, judged by what the server knows of its track now.

    The server counts a play up by one and sets the date to ours, and we set the date back when the server had a later
    one. One more with another, new date is somebody else's play. Two or more new ones are taken to hold ours: better
    not twice. At a live report the server counts up too, and sets the date to its own time.
    """
    if play.is_open and _has_start(play, now):
        return "arrived"
    if play.count_before is None:
        return "send"
    if now.last_played_at == play.played_at:
        return "arrived"
    new_plays = now.play_count - play.count_before
    if new_plays <= 0:
        return "send"
    if new_plays == 1 and (play.is_open or now.last_played_at != play.played_before):
        return "send"
    return "arrived"


def _has_start(play: WaitingPlay, now: UserData) -> bool:
    """Whether the server's last play began when this one did, and was not there before it."""
    if now.last_played_at is None or now.play_count <= (play.count_before or 0):
        return False
    apart = datetime.fromisoformat(now.last_played_at) - datetime.fromisoformat(play.started_at)
    return abs(apart.total_seconds()) <= _SAME_START_S
