"""A play of which nobody knows whether it arrived is judged by the count and the date before and now."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jellytui.engine.jellyfin.records import UserData
from jellytui.engine.library.replay import WaitingPlay, next_step

STARTED = "2026-02-28T23:59:30.000000Z"
AT_THE_SERVER = "2026-02-28T23:59:41.1234567Z"
BEFORE_IT = "2026-02-28T23:59:10.000000Z"
OURS = "2026-03-01T00:00:00.000000Z"
EARLIER = "2026-01-01T00:00:00.000000Z"
LATER = "2026-05-01T00:00:00.000000Z"
LATEST = "2026-06-01T00:00:00.000000Z"


def play(count_before: int | None, played_before: str | None) -> WaitingPlay:
    return WaitingPlay(
        play_id="play",
        track_id="track",
        started_at=STARTED,
        played_at=OURS,
        count_before=count_before,
        played_before=played_before,
    )


def lost_start(count_before: int | None, played_before: str | None) -> WaitingPlay:
    return msgspec.structs.replace(play(count_before, played_before), is_open=True)


def now(count: int, date: str | None) -> UserData:
    return UserData(item_id="track", play_count=count, last_played_at=date)


@pytest.mark.parametrize(
    ("waiting", "server", "step"),
    [
        (play(None, None), now(5, LATER), "send"),
        (play(0, None), now(0, None), "send"),
        (play(3, EARLIER), now(3, EARLIER), "send"),
        (play(3, EARLIER), now(4, OURS), "arrived"),
        (play(3, LATER), now(4, OURS), "arrived"),
        (play(3, LATER), now(4, LATER), "arrived"),
        (play(3, EARLIER), now(4, LATER), "send"),
        (play(3, LATER), now(4, LATEST), "send"),
        (play(3, EARLIER), now(5, LATER), "arrived"),
        (play(3, EARLIER), now(0, None), "send"),
        (lost_start(3, EARLIER), now(3, EARLIER), "send"),
        (lost_start(3, EARLIER), now(4, AT_THE_SERVER), "arrived"),
        (lost_start(3, EARLIER), now(4, LATER), "send"),
        (lost_start(3, EARLIER), now(5, LATER), "arrived"),
        # The same track was begun and skipped just before: that play was counted, this one was not.
        (lost_start(3, BEFORE_IT), now(3, BEFORE_IT), "send"),
        (lost_start(None, None), now(1, AT_THE_SERVER), "arrived"),
        (lost_start(None, None), now(4, LATER), "send"),
        (lost_start(None, None), now(0, None), "send"),
    ],
)
def test_the_count_and_the_date_tell_whether_a_play_arrived(waiting: WaitingPlay, server: UserData, step: str) -> None:
    assert next_step(waiting, server) == step


@given(
    count=st.integers(0, 9),
    before=st.sampled_from([None, EARLIER, LATER]),
    has_arrived=st.booleans(),
    is_restored=st.booleans(),
)
def test_with_no_other_player_the_judgement_is_always_right(
    count: int, before: str | None, has_arrived: bool, is_restored: bool
) -> None:
    server = now(count, before)
    if has_arrived:
        server = now(count + 1, before if is_restored and before == LATER else OURS)

    assert next_step(play(count, before), server) == ("arrived" if has_arrived else "send")
