"""The cache's policy by its promises, for any course of events: limits hold, nothing protected goes, no thrash."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from jellytui.engine.downloads.cache.policy import (
    TUNING,
    AlbumPlayed,
    CacheConfig,
    CacheEvent,
    Decisions,
    StorageChanged,
    WindowMoved,
    decide,
    limit_of,
)
from jellytui.engine.downloads.cache.state import CacheState, Window, Wish
from jellytui.engine.downloads.rows.cached import CachedRow
from jellytui.engine.models import Track
from tests.support.cache_world import CacheWorld

ALBUMS = {
    f"a{album}": [Track(id=f"a{album}t{number}", name="", album_id=f"a{album}") for number in range(5)]
    for album in range(5)
}
TRACKS = [track for tracks in ALBUMS.values() for track in tracks]
SIZES = {track.id: 10 + 7 * place % 31 for place, track in enumerate(TRACKS)}
LIMITS = st.sampled_from([0, 60, 150, 300, 400, 500, 1500])
FLOOR = 50
tracks = st.sampled_from(TRACKS)
item_ids = st.sampled_from(sorted(SIZES))


def wish(track: Track) -> Wish:
    return Wish(track, SIZES[track.id])


def row(track: Track, **more: object) -> CachedRow:
    facts = {"bytes_here": SIZES[track.id], "bytes_expected": SIZES[track.id], "wanted_by": frozenset(["queue"])}
    return replace(CachedRow(download_id=TRACKS.index(track), item_id=track.id), **{**facts, **more})  # type: ignore[arg-type]


@dataclass
class CheckedWorld(CacheWorld):
    """A world in which every decision keeps what the cache promises, whatever brought it about."""

    gone: set[str] = field(default_factory=set)
    """What was removed since the window is this one and has this room."""
    gone_under: object = None

    def decide(self, event: CacheEvent) -> Decisions:
        state = self.state(event)
        decisions = super().decide(event)
        self._check_removals(state, decisions)
        self._check_fetches(state, decisions)
        self._check_thrash(decisions)
        if isinstance(event, WindowMoved):
            self._check_wishes(decisions)
        return decisions

    def must_stay(self, state: CacheState) -> set[str]:
        """What may not go: what is read, and the window as far as it takes no more than half of the limit."""
        window, half, taken = state.window, limit_of(state, self.config, self.tuning) * 0.5, 0
        staying = {window.previous, window.current, *state.leased}
        for item_id in dict.fromkeys(one.track.id for one in window.upcoming if one.track.id != window.current):
            taken += state.rows[item_id].bytes_here if item_id in state.rows else 0
            if taken > half:
                break
            staying.add(item_id)
        return staying

    def _check_removals(self, state: CacheState, decisions: Decisions) -> None:
        staying = self.must_stay(state)
        for removal in decisions.evict:
            assert not self.is_away
            assert not removal.row.is_users
            assert removal.row.item_id not in {state.window.previous, state.window.current, *state.leased}
            assert removal.row.is_coming or removal.row.item_id not in staying

    def _check_fetches(self, state: CacheState, decisions: Decisions) -> None:
        ahead = [one.track.id for one in state.window.upcoming[: self.config.queue_precache_count]]
        assert not ((self.hold or self.is_away) and decisions.fetch)
        for fetch in decisions.fetch:
            if fetch.wanted_by == "queue":
                assert fetch.track.id in ahead
            else:
                assert fetch.track.id not in state.evicted, "removed within the day and not played since"
        assert not ({one.row.item_id for one in decisions.evict} & {one.track.id for one in decisions.fetch})
        for one in decisions.leave:
            left = state.rows.get(one.track.id)
            assert left is None or not left.is_left or not one.reason.startswith("its download"), "left for ever"

    def _check_thrash(self, decisions: Decisions) -> None:
        under = (self.window, self.config, self.disk_bytes)
        if under != self.gone_under:
            self.gone, self.gone_under = set(), under
        banned = self._banned(one.track.id for one in decisions.fetch)
        assert self.gone.isdisjoint(banned), "removed and fetched for one window"
        self.gone |= {one.row.item_id for one in decisions.evict}

    def _check_wishes(self, decisions: Decisions) -> None:
        ahead = [one.track.id for one in self.window.upcoming[: self.config.queue_precache_count]]
        for one in self.unfinished():
            if "queue" in one.wanted_by and one.item_id not in {*ahead, self.window.current}:
                assert one.bytes_here * 2 >= one.bytes_expected, "a stale wish goes on"


class AnyCourse(RuleBasedStateMachine):
    """Plays, skips, changed queues, arriving and failing files, a user's wishes, changed limits, in any order."""

    @initialize(limit=LIMITS, count=st.integers(0, 6), threshold=st.integers(1, 3))
    def begin(self, limit: int, count: int, threshold: int) -> None:
        config = CacheConfig(storage_limit=limit, queue_precache_count=count, album_affinity_threshold=threshold)
        self.world = CheckedWorld(
            sizes=SIZES, albums=ALBUMS, config=config, tuning=replace(TUNING, free_floor_bytes=FLOOR, largest_album=0.5)
        )

    @rule(current=tracks, upcoming=st.lists(tracks, max_size=8), previous=item_ids)
    def a_track_starts(self, current: Track, upcoming: list[Track], previous: str) -> None:
        self.world.start(current, upcoming, previous)

    @rule(track=tracks, upcoming=st.lists(tracks, max_size=4))
    def a_track_is_heard_whole(self, track: Track, upcoming: list[Track]) -> None:
        self.world.start(track, upcoming, self.world.window.current)
        if track.id in self.world.rows and not self.world.is_here(track.id):
            self.world.receive(track.id, SIZES[track.id] - self.world.rows[track.id].bytes_here)
        self.world.play(track)

    @rule(album=st.sampled_from(sorted(ALBUMS)))
    def an_album_is_heard_and_its_rest_comes(self, album: str) -> None:
        for track in ALBUMS[album][:2]:
            self.a_track_is_heard_whole(track, [])
        self.world.transfer(200)

    @rule(track=tracks, heard=st.integers(1, 9), following=tracks, upcoming=st.lists(tracks, max_size=4))
    def a_track_is_skipped_early(self, track: Track, heard: int, following: Track, upcoming: list[Track]) -> None:
        self.world.start(track, [following])
        if track.id in self.world.rows and self.world.rows[track.id].is_coming:
            self.world.receive(track.id, min(heard, SIZES[track.id] - self.world.rows[track.id].bytes_here))
            self.world.pause(track.id)
        self.world.start(following, upcoming, track.id)

    @rule(upcoming=st.lists(tracks, max_size=8))
    def the_queue_changes(self, upcoming: list[Track]) -> None:
        track = next((track for track in TRACKS if track.id == self.world.window.current), None)
        self.world.move(track, upcoming, self.world.window.previous)
        self.world.decide(WindowMoved())

    @rule(track=tracks)
    def a_track_was_played(self, track: Track) -> None:
        self.world.play(track)

    @rule(room=st.integers(1, 200))
    def bytes_come(self, room: int) -> None:
        self.world.transfer(room)

    @rule(data=st.data())
    def a_download_fails(self, data: st.DataObject) -> None:
        if coming := [one.item_id for one in self.world.unfinished()]:
            self.world.fail(data.draw(st.sampled_from(coming)))

    @rule(data=st.data())
    def the_user_keeps_one(self, data: st.DataObject) -> None:
        if self.world.rows:
            self.world.keep(data.draw(st.sampled_from(sorted(self.world.rows))))

    @rule(leased=st.sets(item_ids, max_size=3))
    def somebody_reads(self, leased: set[str]) -> None:
        self.world.leased = leased

    @rule(limit=LIMITS)
    def the_limit_is_another(self, limit: int) -> None:
        self.world.config = CacheConfig(
            storage_limit=limit,
            queue_precache_count=self.world.config.queue_precache_count,
            album_affinity_threshold=self.world.config.album_affinity_threshold,
        )

    @rule(disk_bytes=st.integers(0, 1000))
    def the_disk_fills_or_empties(self, disk_bytes: int) -> None:
        self.world.disk_bytes = disk_bytes

    @rule()
    def the_queue_is_looked_at_again(self) -> None:
        self.world.decide(WindowMoved())

    @rule()
    def the_disk_is_unplugged_or_back(self) -> None:
        self.world.is_away = not self.world.is_away

    @rule(hold=st.sampled_from(["", "link", "server"]))
    def the_link_changes(self, hold: Literal["", "link", "server"]) -> None:
        self.world.hold = hold
        self.world.decide(WindowMoved())

    @rule(hours=st.sampled_from([1, 12, 25]))
    def time_passes(self, hours: int) -> None:
        self.world.pass_time(hours * 3600)

    @invariant()
    def what_is_taken_is_within_the_limit_or_must_stay(self) -> None:
        if not hasattr(self, "world") or self.world.is_away:
            return
        self.world.decide(StorageChanged())
        state = self.world.state()
        if state.used_bytes + state.reserved_bytes <= limit_of(state, self.world.config, self.world.tuning):
            return
        must_stay = self.world.must_stay(state)
        others = [
            one
            for one in self.world.rows.values()
            if not one.is_users and one.item_id not in must_stay and (one.bytes_here or one.is_coming)
        ]
        assert all("stream" in one.wanted_by and one.is_coming for one in others), others


AnyCourse.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestAnyCourse = AnyCourse.TestCase


@given(st.lists(tracks, min_size=1, max_size=8), LIMITS, st.integers(0, 8), st.sets(item_ids, max_size=10))
@settings(max_examples=200, deadline=None)
def test_decisions_depend_on_state_alone_and_are_settled_once_carried_out(
    queue: list[Track], limit: int, count: int, here: set[str]
) -> None:
    world = CacheWorld(sizes=SIZES, albums=ALBUMS, config=CacheConfig(storage_limit=limit, queue_precache_count=count))
    for track in TRACKS:
        if track.id in here:
            world.want(track, "stream", 300)
            world.receive(track.id, SIZES[track.id])
    world.move(queue[0], queue[1:])
    state = world.state()
    first = decide(state, WindowMoved(), world.config)
    assert decide(state, WindowMoved(), world.config) == first
    assert world.decide(WindowMoved()) == first
    again = world.decide(WindowMoved())
    assert (again.withdraw, again.evict, again.fetch) == ((), (), ())


def test_repeat_one_or_an_end_of_the_queue_fetches_nothing() -> None:
    state = CacheState(window=Window(current="a0t0", is_playing=True))
    assert decide(state, WindowMoved(), CacheConfig()) == Decisions()


def test_the_same_track_many_times_in_the_queue_is_fetched_once_and_the_playing_one_never() -> None:
    upcoming = tuple(map(wish, [TRACKS[1], TRACKS[0], TRACKS[1], TRACKS[2], TRACKS[3], TRACKS[4]]))
    state = CacheState(window=Window(current=TRACKS[0].id, upcoming=upcoming, is_playing=True))
    fetched = decide(state, WindowMoved(), CacheConfig()).fetch
    assert [(one.track.id, one.priority) for one in fetched] == [
        (TRACKS[1].id, 200),
        (TRACKS[2].id, -100),
        (TRACKS[3].id, -100),
    ]


def test_the_next_entry_overtakes_where_its_download_waits_as_somebody_elses() -> None:
    album = row(TRACKS[1], status="pending", bytes_here=0, wanted_by=frozenset(["album"]), priority=-200)
    users = row(TRACKS[2], status="pending", bytes_here=0, wanted_by=frozenset(["user"]), priority=0)
    window = Window(current=TRACKS[0].id, upcoming=(wish(TRACKS[1]), wish(TRACKS[2])), is_playing=True)
    state = CacheState(window=window, rows={one.item_id: one for one in (album, users)})
    fetched = decide(state, WindowMoved(), CacheConfig()).fetch
    assert [(one.track.id, one.priority, one.bytes_expected) for one in fetched] == [(TRACKS[1].id, 200, 0)]


def test_what_was_left_early_is_asked_for_again_with_what_is_missing_and_a_users_pause_is_not() -> None:
    left = row(TRACKS[1], status="paused", bytes_here=4, wanted_by=frozenset())
    paused = row(TRACKS[2], status="paused", bytes_here=4)
    failed = row(TRACKS[3], status="failed", bytes_here=4, wanted_by=frozenset())
    rows = {one.item_id: one for one in (left, paused, failed)}
    wishes = tuple(map(wish, TRACKS[1:4]))
    state = CacheState(window=Window(current=TRACKS[0].id, upcoming=wishes, is_playing=True), rows=rows)
    for event in (WindowMoved(), AlbumPlayed(wishes, 3)):
        decisions = decide(state, event, CacheConfig())
        assert [(one.track.id, one.bytes_expected) for one in decisions.fetch] == [
            (left.item_id, left.bytes_expected - 4)
        ]
        assert [one.reason for one in decisions.leave] == ["its download is paused", "its download is failed"]
    removed = replace(state, evicted=frozenset([left.item_id]))
    assert decide(removed, AlbumPlayed(wishes, 3), CacheConfig()).fetch == ()


def test_what_was_left_early_and_does_not_fit_goes_like_any_other() -> None:
    left = row(TRACKS[1], status="paused", bytes_here=40, bytes_expected=80, wanted_by=frozenset())
    state = CacheState(rows={left.item_id: left}, evictable=[left], used_bytes=70)
    config = CacheConfig(storage_limit=60)
    decisions = decide(state, AlbumPlayed((Wish(TRACKS[1], 80),), 3), config, replace(TUNING, largest_album=2.0))
    assert [one.row.item_id for one in decisions.evict] == [left.item_id]
    assert decisions.fetch == ()


def test_a_window_larger_than_half_of_the_cache_is_not_fetched_whole() -> None:
    upcoming = tuple(Wish(track, 100) for track in TRACKS[1:6])
    state = CacheState(window=Window(current=TRACKS[0].id, upcoming=upcoming, is_playing=True))
    decisions = decide(state, WindowMoved(), CacheConfig(storage_limit=500))
    assert [one.track.id for one in decisions.fetch] == [TRACKS[1].id, TRACKS[2].id]
    assert decisions.leave[0].reason == "the next tracks may take no more than half of the cache"


def test_an_album_larger_than_a_fifth_of_the_cache_is_not_fetched() -> None:
    album = AlbumPlayed(tuple(Wish(track, 100) for track in ALBUMS["a0"]), 3)
    assert len(decide(CacheState(), album, CacheConfig(storage_limit=2500)).fetch) == 5
    refused = decide(CacheState(), album, CacheConfig(storage_limit=2499))
    assert refused.fetch == ()
    assert {one.reason for one in refused.leave} == {"the album is larger than a fifth of the cache"}


def test_room_is_made_from_the_broken_off_over_the_never_played_to_the_longest_unplayed() -> None:
    world = CacheWorld(sizes=dict.fromkeys(SIZES, 10), albums=ALBUMS, config=CacheConfig(storage_limit=100))
    for track in TRACKS[:10]:
        world.want(track, "album", -200)
        if track is TRACKS[3]:
            world.receive(track.id, 5)
            world.fail(track.id)
        else:
            world.receive(track.id, 10)
    for track in (TRACKS[0], *TRACKS[4:10], TRACKS[2]):
        world.play(track)
    world.want(TRACKS[20], "stream", 300)
    decisions = world.decide(StorageChanged())
    assert [one.row.item_id for one in decisions.evict] == [TRACKS[3].id, TRACKS[1].id]
    assert [one.reason for one in decisions.evict] == [
        "the cache is full, and its download is failed",
        "the cache is full, and it was never played",
    ]


def test_a_full_disk_lowers_the_limit_to_what_leaves_the_floor_free() -> None:
    state = CacheState(used_bytes=1000, free_bytes=300)
    tuning = replace(TUNING, free_floor_bytes=500)
    assert limit_of(state, CacheConfig(), tuning) == 800
    assert limit_of(state, CacheConfig(storage_limit=700), tuning) == 700
    assert limit_of(replace(state, users_bytes=100), CacheConfig(), tuning) == 700
    assert limit_of(replace(state, free_bytes=None), CacheConfig(), tuning) == CacheConfig().storage_limit


def test_what_does_not_fit_though_all_else_goes_is_left_and_what_is_read_stays() -> None:
    read, other = row(TRACKS[10], bytes_here=60), row(TRACKS[11], bytes_here=30)
    upcoming = tuple(Wish(track, 20) for track in TRACKS[1:3])
    state = CacheState(
        window=Window(current=TRACKS[0].id, upcoming=upcoming, is_playing=True),
        evictable=[read, other],
        used_bytes=90,
        leased=frozenset([read.item_id]),
    )
    decisions = decide(state, WindowMoved(), CacheConfig(storage_limit=90))
    assert [one.row.item_id for one in decisions.evict] == [other.item_id]
    assert [one.track.id for one in decisions.fetch] == [TRACKS[1].id]
    assert [(one.track.id, one.reason) for one in decisions.leave] == [(TRACKS[2].id, "the cache has no room for it")]


def test_what_is_still_to_come_is_given_up_where_a_lower_limit_leaves_no_room_an_albums_first() -> None:
    coming = {"status": "pending", "bytes_here": 0, "bytes_expected": 50}
    queued = row(TRACKS[1], **coming, wanted_by=frozenset(["queue"]))
    album = row(TRACKS[2], **coming, wanted_by=frozenset(["album"]))
    state = CacheState(rows={one.item_id: one for one in (queued, album)})
    evict = decide(state, StorageChanged(), CacheConfig(storage_limit=60)).evict
    assert [(one.row.item_id, one.reason) for one in evict] == [(album.item_id, "the cache has no room for it")]


def test_the_rest_of_an_album_comes_without_what_was_removed_today() -> None:
    removed = ALBUMS["a0"][3]
    album = AlbumPlayed(tuple(map(wish, ALBUMS["a0"])), 3)
    decisions = decide(CacheState(evicted=frozenset([removed.id])), album, CacheConfig())
    assert removed.id not in {one.track.id for one in decisions.fetch}
    assert [(one.track.id, one.reason) for one in decisions.leave] == [
        (removed.id, "it was removed less than a day ago")
    ]


def test_a_track_that_plays_and_comes_again_takes_nothing_from_the_protection_of_the_next_ones() -> None:
    rows = [row(TRACKS[place], bytes_here=size, bytes_expected=size) for place, size in enumerate((17, 39, 47))]
    state = CacheState(
        window=Window(current=TRACKS[0].id, upcoming=(Wish(TRACKS[0], 17), Wish(TRACKS[1], 39)), is_playing=True),
        rows={one.item_id: one for one in rows[:2]},
        evictable=rows,
        used_bytes=103,
    )
    evict = decide(state, WindowMoved(), CacheConfig(storage_limit=100)).evict
    assert [one.row.item_id for one in evict] == [TRACKS[2].id]


def test_nothing_goes_for_what_cannot_come() -> None:
    coming = row(TRACKS[1], status="pending", bytes_here=0, bytes_expected=50)
    here = row(TRACKS[2], bytes_here=80, bytes_expected=80)
    window = Window(current=TRACKS[0].id, upcoming=(Wish(TRACKS[3], 30),), is_playing=True)
    state = CacheState(window=window, rows={coming.item_id: coming}, evictable=[here], used_bytes=80, hold="server")
    decisions = decide(state, WindowMoved(), CacheConfig(storage_limit=100))
    assert (decisions.evict, decisions.fetch, decisions.is_put_off) == ((), (), True)
    assert decide(replace(state, hold=""), StorageChanged(), CacheConfig(storage_limit=100)).evict
