"""The player over a sound by the test's clock: the queue's way, gapless, started and played, faults."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from jellytui.engine.errors import (
    DiskError,
    JellytuiError,
    NotFoundError,
    ServerUnreachableError,
    SoundError,
    UsageError,
)
from jellytui.engine.events import PlayerState, ProblemOccurred, TrackPlayed, TrackStarted
from tests.engine.player.conftest import World, track, tracks
from tests.support.waiting import settle


async def test_a_queue_plays_from_the_chosen_track_to_its_end_without_a_gap(world: World) -> None:
    await world.player.play_tracks(tracks("abc"), 1)
    await settle()
    assert world.now() == ("playing", "b")
    assert world.sound.uris == ["jellytui://b", "jellytui://c"]
    await world.advance(100)
    assert world.now() == ("playing", "c")
    await world.advance(100)
    assert world.now() == ("stopped", None)
    assert world.names(TrackStarted) == ["b", "c"]


async def test_local_files_are_chosen_when_the_track_is_loaded_and_leased_while_it_plays(world: World) -> None:
    await world.player.play_tracks(tracks("ab"))
    await settle()
    world.files.here["b"] = Path("/music/b.flac")
    await world.player.next_track()
    await settle()
    assert world.sound.playing
    assert world.sound.playing.uri == "/music/b.flac"
    assert (world.state.source, world.files.leased) == ("disk", ["b"])
    await world.player.halt()
    assert world.files.leased == []


async def test_where_nothing_can_be_written_the_url_itself_is_played(world: World) -> None:
    world.sound.failures["jellytui://a"] = DiskError("the disk is full.")
    await world.player.play_tracks(tracks("a"))
    await settle()
    assert world.sound.uris == ["jellytui://a", "http://server/a"]
    assert world.now() == ("playing", "a")


async def test_pause_keeps_the_position_and_play_goes_on(world: World) -> None:
    await world.player.play_tracks(tracks("a"))
    await world.advance(10)
    await world.player.toggle_pause()
    await world.advance(60)
    assert (world.state.status, world.state.position_ms) == ("paused", 10_000)
    await world.player.toggle_pause()
    await world.advance(5)
    assert (world.state.status, world.state.position_ms) == ("playing", 15_000)


async def test_a_play_counts_after_thirty_seconds_heard_and_only_once(world: World) -> None:
    await world.player.play_tracks(tracks("a"))
    await world.advance(29)
    assert world.plays.written == []
    await world.advance(1)
    assert world.names(TrackPlayed) == ["a"]
    await world.player.seek(0)
    await world.advance(60)
    assert world.names(TrackPlayed) == ["a"]
    assert [play["is_reported"] for play in world.plays.written] == [True]


async def test_a_short_track_counts_after_half(world: World) -> None:
    world.sound.length_ms = 20_000
    await world.player.play_tracks([track("a", duration_ms=20_000)])
    await world.advance(9.9)
    assert world.names(TrackPlayed) == []
    await world.advance(0.2)
    assert world.names(TrackPlayed) == ["a"]


async def test_what_is_still_coming_is_as_long_as_the_library_says(world: World) -> None:
    """Of a stream of unknown length mpv takes what has come for all there is."""
    world.sound.guess_ms = 2_000
    await world.player.play_tracks(tracks("ab"))
    await world.advance(2)
    assert (world.state.duration_ms, world.names(TrackPlayed)) == (100_000, [])
    await world.player.seek_by(30_000)
    await settle()
    assert (world.now(), world.state.position_ms) == (("playing", "a"), 32_000)


async def test_a_file_that_is_longer_than_the_library_says_can_be_heard_to_its_end(world: World) -> None:
    world.sound.guess_ms = 300_000
    await world.player.play_tracks(tracks("ab"))
    await settle()
    assert world.state.duration_ms == 300_000


async def test_a_file_that_is_here_is_as_long_as_it_says_itself(world: World) -> None:
    world.files.here["a"] = Path("/music/a.flac")
    world.sound.guess_ms = 40_000
    await world.player.play_tracks(tracks("a"))
    await settle()
    assert world.state.duration_ms == 40_000


async def test_seeks_pauses_and_stalls_are_not_heard(world: World) -> None:
    await world.player.play_tracks(tracks("a"))
    await world.advance(10)
    await world.player.seek(60_000)
    await world.player.pause()
    await world.advance(100)
    await world.player.play()
    world.sound.stall(True)
    await world.advance(100)
    assert world.state.status == "stalled"
    assert world.state.waiting_for == "waits for the music"
    world.sound.stall(False)
    await world.advance(19)
    assert world.names(TrackPlayed) == []
    await world.advance(1)
    assert world.names(TrackPlayed) == ["a"]


async def test_a_play_is_written_before_it_is_published_and_offline_it_is_not_reported(world: World) -> None:
    world.reports.is_online = False
    written: list[int] = []
    world.bus.subscribe([TrackPlayed], lambda _: written.append(len(world.plays.written)))
    await world.player.play_tracks(tracks("a"))
    await world.advance(31)
    assert written == [1]
    assert [play["is_reported"] for play in world.plays.written] == [False]


async def test_a_play_that_cannot_be_written_is_told_and_written_later(world: World) -> None:
    world.plays.problem = sqlite3.OperationalError("database or disk is full")
    await world.player.play_tracks(tracks("a"))
    await world.advance(31)
    await world.advance(25)
    assert world.names(TrackPlayed) == []
    told = [event.problem.text for event in world.events if isinstance(event, ProblemOccurred)]
    assert len(told) == 1
    assert told[0].startswith("The play of Song a cannot be written yet (database or disk is full). Free some space")
    world.plays.problem = None
    await world.advance(10)
    assert world.names(TrackPlayed) == ["a"]
    assert len(world.plays.written) == 1


async def test_a_play_that_can_never_be_written_does_not_hold_up_the_end(world: World) -> None:
    world.plays.problem = sqlite3.OperationalError("database or disk is full")
    await world.player.play_tracks(tracks("a"))
    await world.advance(31)
    async with asyncio.timeout(5):
        await world.player.stop()
    assert world.plays.written == []


async def test_the_server_hears_start_progress_and_stop_in_order(world: World) -> None:
    await world.player.play_tracks(tracks("ab"))
    await world.advance(25)
    await world.player.pause()
    await world.player.next_track()
    await settle()
    told = [(kind, report.item_id, report.position_ms) for kind, report in world.reports.told]
    assert told == [
        ("started", "a", 0),
        ("progress", "a", 10_000),
        ("progress", "a", 20_000),
        ("progress", "a", 25_000),
        ("stopped", "a", 25_000),
        ("started", "b", 0),
    ]


async def test_the_end_of_a_track_is_reported_at_its_real_end(world: World) -> None:
    await world.player.play_tracks(tracks("ab"))
    await world.advance(100)
    stopped = [report.position_ms for kind, report in world.reports.told if kind == "stopped"]
    assert stopped == [100_000]


async def test_seeks_and_repeats_asked_for_at_once_add_up(world: World) -> None:
    await world.player.play_tracks(tracks("ab"))
    await world.advance(2)
    player = world.player
    await asyncio.gather(player.toggle_shuffle(), player.seek_by(5_000), player.seek_by(5_000))
    await asyncio.gather(player.cycle_repeat(), player.cycle_repeat())
    assert player.state.position_ms == 12_000
    assert player.state.repeat == "one"


async def test_previous_restarts_a_track_that_is_more_than_three_seconds_in(world: World) -> None:
    await world.player.play_tracks(tracks("ab"), 1)
    await world.advance(4)
    await world.player.previous_track()
    assert world.state.position_ms == 0
    assert world.now()[1] == "b"
    await world.advance(1)
    await world.player.previous_track()
    await settle()
    assert world.now() == ("playing", "a")


async def test_repeat_one_plays_again_and_next_still_goes_on(world: World) -> None:
    await world.player.play_tracks(tracks("ab"))
    await world.player.set_repeat("one")
    await world.advance(100)
    assert world.names(TrackStarted) == ["a", "a"]
    await world.player.next_track()
    await settle()
    assert world.now() == ("playing", "b")


async def test_a_changed_queue_changes_what_is_prepared(world: World) -> None:
    await world.player.play_tracks(tracks("ab"))
    await settle()
    await world.player.enqueue(tracks("x"), play_next=True)
    assert world.sound.appended
    assert world.sound.appended.uri == "jellytui://x"
    await world.advance(100)
    assert world.now() == ("playing", "x")
    page = world.player.queue_page(0, 10)
    assert ([entry.track.id for entry in page.entries], page.current_index) == (["a", "x", "b"], 1)


async def test_removing_what_plays_plays_the_next(world: World) -> None:
    await world.player.play_tracks(tracks("abc"))
    await settle()
    await world.player.remove_entries([world.state.entry_id or 0])
    await settle()
    assert world.now() == ("playing", "b")
    await world.player.clear()
    assert world.now() == ("stopped", None)


async def test_a_track_that_cannot_be_played_is_said_and_skipped(world: World) -> None:
    world.sound.failures["jellytui://a"] = NotFoundError("the server does not have it any more.")
    await world.player.play_tracks(tracks("ab"))
    await settle()
    assert world.now() == ("playing", "b")
    assert world.problems == ["“Song a” cannot be played: the server does not have it any more."]


async def test_three_failures_in_a_row_stop_instead_of_burning_through_the_queue(
    world: World, stream_uris: dict[str, str]
) -> None:
    world.sound.failures = {uri: JellytuiError("it is damaged.") for uri in stream_uris.values()}
    await world.player.play_tracks(tracks("abcdefgh"))
    await settle(200)
    assert world.now() == ("stopped", "c")
    assert len(world.problems) == 3
    assert world.problems[-1].endswith("Stopped, since 3 tracks in a row could not be played.")


async def test_a_false_end_is_a_lost_network_that_waits_and_goes_on_in_place(world: World) -> None:
    """mpv's own HTTP takes a lost network for an end (downloads-playback.md 3.3)."""
    world.sound.failures["jellytui://a"] = DiskError("the disk is full.")
    await world.player.play_tracks(tracks("ab"))
    await world.advance(40)
    world.sound.break_off()
    await settle()
    assert (world.state.status, world.state.position_ms, world.now()[1]) == ("stalled", 40_000, "a")
    assert world.state.waiting_for == "waits for the server"
    await world.advance(10)
    assert world.sound.playing
    assert (world.sound.playing.uri, world.sound.playing.start_ms) == ("http://server/a", 40_000)
    assert world.now() == ("playing", "a")


async def test_an_end_twice_at_the_same_place_is_one(world: World) -> None:
    """The length of an MP3 without a header is an estimate."""
    world.sound.failures["jellytui://a"] = DiskError("the disk is full.")
    await world.player.play_tracks(tracks("ab"))
    await world.advance(40)
    world.sound.break_off()
    await world.advance(10)
    world.sound.break_off()
    await settle()
    assert world.now() == ("playing", "b")


async def test_a_stream_that_lost_the_server_goes_on_as_the_same_play(world: World) -> None:
    await world.player.play_tracks(tracks("ab"))
    await world.advance(20)
    world.sound.break_off(ServerUnreachableError("nobody answers."))
    await world.advance(10)
    assert (world.now(), world.state.position_ms) == (("playing", "a"), 20_000)
    assert world.names(TrackStarted) == ["a"]
    assert [kind for kind, _ in world.reports.told] == ["started", "progress", "progress", "progress"]
    await world.advance(10)
    assert world.names(TrackPlayed) == ["a"]


async def test_a_paused_track_that_lost_the_server_stays_paused(world: World) -> None:
    await world.player.play_tracks(tracks("a"))
    await world.advance(20)
    await world.player.pause()
    world.sound.break_off(ServerUnreachableError("nobody answers."))
    await world.advance(60)
    assert (world.state.status, world.state.position_ms) == ("paused", 20_000)
    await world.player.play()
    await settle()
    assert (world.now(), world.state.position_ms) == (("playing", "a"), 20_000)
    assert world.names(TrackStarted) == ["a"]


async def test_removing_what_is_paused_stays_paused(world: World) -> None:
    await world.player.play_tracks(tracks("ab"))
    await world.advance(20)
    await world.player.pause()
    await world.player.remove_entries([world.state.entry_id or 0])
    assert (world.now(), world.state.position_ms) == (("paused", "b"), 0)


async def test_volume_and_mute_reach_the_sound_and_stay_in_range(world: World) -> None:
    await world.player.set_volume(90)
    await world.player.play_tracks(tracks("a"))
    await world.player.change_volume(25)
    await world.player.toggle_mute()
    assert (world.sound.volume, world.sound.is_muted, world.state.volume) == (100, True, 100)
    with pytest.raises(UsageError):
        await world.player.set_volume(101)


async def test_the_server_s_gain_is_given_for_files_without_tags(world: World) -> None:
    await world.player.play_tracks([track("a", gain_db=-5.0, album_gain_db=-7.0), track("b", gain_db=-4.0)])
    await settle()
    assert [loaded.gain_db for loaded in world.sound.loads] == [-7.0, -4.0]
    assert world.state.gain_db == -7.0


async def test_without_libmpv_playing_says_how_to_install_it(world: World) -> None:
    world.sound.open_error = SoundError("There is no sound: install libmpv.")
    with pytest.raises(SoundError):
        await world.player.play_tracks(tracks("a"))
    assert (world.state.has_sound, world.state.sound_problem) == (False, "There is no sound: install libmpv.")
    assert world.now() == ("stopped", "a")


async def test_the_state_goes_out_once_a_second(world: World) -> None:
    await world.player.play_tracks(tracks("a"))
    await settle()
    world.events.clear()
    await world.advance(5)
    positions = [event.position_ms for event in world.events if isinstance(event, PlayerState)]
    assert positions == [1000, 2000, 3000, 4000, 5000]


async def test_upcoming_is_what_the_cache_may_fetch(world: World) -> None:
    await world.player.play_tracks(tracks("abcdefgh"), 1)
    assert [upcoming.id for upcoming in world.player.upcoming_tracks()] == ["c", "d", "e", "f", "g"]
    await world.player.set_repeat("one")
    assert world.player.upcoming_tracks() == []
