"""SmartCache over a real database: what is played is there, and the limit holds."""

from __future__ import annotations

from typing import Literal

import pytest
from msgspec.structs import replace

from jellytui.config import CacheSettings, Settings
from jellytui.engine.events import DownloadEvent, PlayerState
from jellytui.engine.models import DownloadInfo, OriginUse
from tests.support.cache_house import MB, Make, song, window


async def test_the_next_five_in_play_order_are_fetched_the_very_next_first(make: Make) -> None:
    house = await make()
    songs = [song(number) for number in range(9)]
    await house.cache.on_track_started(window(*songs))
    assert house.downloads.calls == [
        ("want", ("song1",), "queue", 200),
        ("want", ("song2", "song3", "song4", "song5"), "queue", -100),
    ]


async def test_the_next_track_is_the_next_to_come_also_after_somebody_has_skipped_to_it_and_back(make: Make) -> None:
    house = await make(queue_precache_count=1)
    await house.cache.on_track_started(window(song(0), song(1)))
    house.downloads.calls.clear()
    await house.database.execute("UPDATE downloads SET priority = -100 WHERE item_id = 'song1'")
    left = DownloadInfo(id=1, item_id="song1", user_id="user", status="pending", priority=-100, wanted_by=("queue",))
    house.bus.publish(DownloadEvent(type="queued", download=left))
    await house.later()
    assert house.downloads.calls == [("want", ("song1",), "queue", 200)]


async def test_what_is_queued_on_its_way_or_here_is_not_asked_for_again(make: Make) -> None:
    house = await make()
    songs = [song(number) for number in range(9)]
    await house.cache.on_track_started(window(*songs))
    await house.downloads.complete("song2", 6 * MB)
    house.downloads.calls.clear()
    await house.cache.on_track_started(window(*songs[1:], previous=songs[0]))
    assert house.downloads.calls == [("want", ("song6",), "queue", -100)]


async def test_a_changed_queue_is_followed_once_it_has_stood_still_for_four_seconds(make: Make) -> None:
    house = await make(queue_precache_count=2)
    songs = [song(number) for number in range(9)]
    await house.cache.on_track_started(window(*songs))
    house.downloads.calls.clear()
    house.cache.on_queue_changed(lambda: window(songs[0], songs[5], songs[1]))
    await house.later(3.5)
    house.cache.on_queue_changed(lambda: window(songs[0], songs[6], songs[1]))
    await house.later(3.5)
    assert house.downloads.calls == []
    await house.later(0.5)
    assert house.downloads.calls == [("withdraw", ("song2",), "queue"), ("want", ("song6",), "queue", 200)]


async def test_a_queue_that_was_only_restored_fetches_nothing_but_its_stale_wishes_stop(make: Make) -> None:
    house = await make()
    songs = [song(number) for number in range(9)]
    await house.downloads.add(song(50), "queue")
    house.cache.on_queue_changed(lambda: window(*songs))
    await house.later(4)
    assert house.downloads.calls == [("withdraw", ("song50",), "queue")]
    assert await house.downloads.items() == []


async def test_the_next_ones_of_a_restored_queue_are_known_before_the_first_room_is_made(make: Make) -> None:
    house = await make(storage_limit=50 * MB)
    songs = [song(number) for number in range(8)]
    for track in songs[:6]:
        await house.downloads.add(track, "stream")
        await house.downloads.complete(track.id, 10 * MB)
    await house.downloads.add(song(50), "queue")
    house.cache.on_queue_restored(window(*songs[:3]))
    await house.later()
    assert await house.downloads.items() == ["song0", "song1", "song2"]
    assert not [call for call in house.downloads.calls if call[0] == "want"]


async def test_after_three_tracks_of_an_album_its_rest_is_fetched(make: Make) -> None:
    house = await make()
    album = [song(number, "album") for number in range(8)]
    house.downloads.albums["album"] = album
    for track in (album[0], album[0], album[1]):
        await house.play(track)
    assert house.downloads.calls == []
    await house.play(album[2])
    assert house.downloads.calls == [("want", tuple(track.id for track in album[3:]), "album", -200)]


async def test_the_played_tracks_of_an_album_are_remembered_over_a_restart(make: Make) -> None:
    house = await make()
    album = [song(number, "album") for number in range(4)]
    house.downloads.albums["album"] = album
    await house.play(album[0])
    await house.play(album[1])
    await house.close()
    again = await make()
    again.downloads.albums["album"] = album
    await again.play(album[2])
    assert again.downloads.calls == [("want", ("albumsong3",), "album", -200)]


async def test_at_the_limit_the_longest_unplayed_goes_down_to_nine_tenths(make: Make) -> None:
    house = await make(storage_limit=100 * MB)
    for number in range(15):
        await house.play(song(number), size=7 * MB)
    assert await house.downloads.items() == [f"song{number}" for number in range(15)]
    await house.later()
    assert await house.downloads.items() == [f"song{number}" for number in range(3, 15)]
    evicted = await house.database.fetch_all("SELECT item_id FROM evictions ORDER BY item_id")
    assert [row[0] for row in evicted] == ["song0", "song1", "song2"]


async def test_neither_a_users_nor_a_leased_file_nor_the_window_goes(make: Make) -> None:
    house = await make(storage_limit=51 * MB)
    for number in range(6):
        await house.play(song(number), size=10 * MB)
    await house.downloads.keep(["song0"])
    house.downloads.leased.add("song1")
    await house.cache.on_track_started(window(song(3), song(4), previous=song(2)))
    await house.later()
    # The user's own does not count, the others are just below the limit.
    assert await house.downloads.items() == [f"song{number}" for number in range(6)]
    await house.play(song(6), size=10 * MB)
    await house.later()
    assert await house.downloads.items() == ["song0", "song1", "song2", "song3", "song4"]


async def test_what_was_evicted_is_not_fetched_again_for_a_day(make: Make) -> None:
    house = await make(storage_limit=1000 * MB)
    album = [song(number, "album") for number in range(5)]
    house.downloads.albums["album"] = album
    for track in album:
        await house.play(track)
    await house.cache.clear()
    assert await house.downloads.items() == []
    house.downloads.calls.clear()
    await house.play(album[0])
    assert house.downloads.calls == []
    await house.later(24 * 3600)
    await house.play(album[1])
    assert house.downloads.calls == [("want", ("albumsong2", "albumsong3", "albumsong4"), "album", -200)]


async def test_what_was_evicted_may_come_again_once_it_was_played(make: Make) -> None:
    house = await make()
    album = [song(number, "album") for number in range(5)]
    house.downloads.albums["album"] = album
    for track in album:
        await house.play(track)
    await house.cache.clear()
    house.downloads.calls.clear()
    await house.cache.on_track_played(album[1])
    assert house.downloads.calls == [("want", ("albumsong1",), "album", -200)]


async def test_what_came_of_an_unfinished_download_takes_room_too_and_goes_first(make: Make) -> None:
    house = await make(storage_limit=50 * MB)
    for number in range(4):
        await house.play(song(number), size=10 * MB)
    await house.downloads.add(song(4), "stream")
    await house.downloads.leave("song4", 9 * MB)
    assert (await house.cache.use()).cache_bytes == pytest.approx(49 * MB, abs=5 * 4096)
    await house.play(song(5), size=2 * MB)
    await house.later()
    assert await house.downloads.items() == ["song0", "song1", "song2", "song3", "song5"]


@pytest.mark.parametrize("happening", ["started", "completed", "failed"])
async def test_the_limit_is_looked_at_again_when_something_of_the_cache_began_came_or_failed(
    make: Make, happening: Literal["started", "completed", "failed"]
) -> None:
    house = await make(storage_limit=50 * MB)
    await house.later()
    await house.downloads.add(song(0), "queue")
    await house.downloads.leave("song0", 60 * MB)
    await house.later(60)
    assert await house.downloads.items() == ["song0"]
    house.bus.publish(
        DownloadEvent(
            type=happening, download=DownloadInfo(id=1, item_id="song0", user_id="user", wanted_by=("queue",))
        )
    )
    await house.later()
    assert await house.downloads.items() == []


async def test_with_its_settings_off_the_cache_asks_for_nothing(make: Make) -> None:
    house = await make(queue_precache_enabled=False, album_affinity_enabled=False)
    album = [song(number, "album") for number in range(5)]
    house.downloads.albums["album"] = album
    await house.cache.on_track_started(window(*album))
    for track in album[:4]:
        await house.play(track)
    assert house.downloads.calls == []


async def test_what_is_on_its_way_stops_when_its_setting_is_switched_off(make: Make) -> None:
    house = await make(queue_precache_count=1)
    album = [song(number, "album") for number in range(5)]
    house.downloads.albums["album"] = album
    await house.cache.on_track_started(window(song(0), song(1)))
    for track in album[:3]:
        await house.play(track)
    house.downloads.calls.clear()
    house.cache.take_settings(Settings(cache=CacheSettings(album_affinity_enabled=False, queue_precache_count=1)))
    await house.later()
    assert house.downloads.calls == [("withdraw", ("albumsong3", "albumsong4"), "album")]
    house.cache.take_settings(Settings(cache=CacheSettings(album_affinity_enabled=False, queue_precache_enabled=False)))
    await house.later()
    assert house.downloads.calls[1:] == [("withdraw", ("song1",), "queue")]


async def test_a_queue_that_changes_while_the_engine_ends_is_let_go(make: Make) -> None:
    house = await make()
    house.cache.on_queue_changed(lambda: window(song(0), song(1)))
    await house.close()
    assert house.clock.sleepers == 0


async def test_use_counts_bytes_by_origin_and_plays_that_the_cache_made_possible(make: Make) -> None:
    house = await make()
    await house.play(song(1), size=4096)
    await house.play(song(1), size=4096, source="disk")
    await house.downloads.add(song(2), "user")
    await house.downloads.complete("song2", 5000)
    await house.downloads.add(song(3), "queue")
    use = await house.cache.use()
    assert use.uses == (
        OriginUse(origin="user", files=1, bytes=8192),
        OriginUse(origin="stream", files=1, bytes=4096),
        OriginUse(origin="queue"),
        OriginUse(origin="album"),
    )
    assert (use.cache_bytes, use.reserved_bytes, use.limit_bytes) == (4096, 6_400_000, 10_000_000_000)
    assert (use.plays, use.bytes_saved) == (1, 4096)


async def test_bytes_count_as_saved_from_the_second_play_on_for_once_they_had_to_come(make: Make) -> None:
    house = await make()
    await house.downloads.add(song(1), "queue")
    await house.downloads.complete("song1", 4096)
    told = []
    for _ in range(3):
        house.bus.publish(PlayerState(track=song(1), status="playing", source="disk"))
        await house.cache.on_track_played(song(1))
        use = await house.cache.use()
        told.append((use.plays, use.bytes_saved))
    assert told == [(1, 0), (2, 4096), (3, 8192)]


async def test_the_plan_tells_what_and_why_and_does_nothing(make: Make) -> None:
    house = await make(queue_precache_count=1)
    await house.cache.on_track_started(window(song(0), song(1)))
    await house.downloads.withdraw(["song1"], "queue")
    house.downloads.calls.clear()
    plan = await house.cache.plan()
    assert [(step.act, step.item_id, step.reason) for step in plan] == [("fetch", "song1", "plays next")]
    assert house.downloads.calls == []


async def test_the_plan_tells_of_a_large_album_once_and_of_its_next_track_only_that_it_is_fetched(make: Make) -> None:
    album = [replace(song(number, "raices"), album="Raíces") for number in range(10)]
    house = await make(queue_precache_count=1, album_affinity_threshold=1, storage_limit=100 * MB)
    house.downloads.albums["raices"] = album
    await house.play(album[0])
    await house.cache.on_track_started(window(*album))
    await house.downloads.withdraw(["raicessong1"], "queue")
    plan = [(step.act, step.item_id, step.name, step.reason) for step in await house.cache.plan()]
    assert plan == [
        ("fetch", "raicessong1", "Song 1", "plays next"),
        ("leave", "raices", "8 tracks of Raíces", "the album is larger than a fifth of the cache"),
    ]
