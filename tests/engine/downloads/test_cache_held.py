"""SmartCache on a metered link, and without its disk: what is left for them comes once they allow it."""

from __future__ import annotations

from jellytui.engine.events import ConnectionState
from tests.engine.downloads.conftest import NetworkInMemory
from tests.support.cache_house import MB, House, Make, song, window


def metered() -> NetworkInMemory:
    """A link that costs money, until the test sets it."""
    link = NetworkInMemory()
    link.set(True)
    return link


async def three_of_five_played(house: House) -> None:
    """An album's first three tracks are heard."""
    album = [song(number, "album") for number in range(5)]
    house.downloads.albums["album"] = album
    for track in album[:3]:
        await house.play(track)


async def test_on_a_metered_link_nothing_is_fetched_and_what_was_held_back_comes_once_it_is_free(make: Make) -> None:
    link = metered()
    house = await make(link, queue_precache_count=1)
    await house.cache.on_track_started(window(song(0), song(1)))
    assert house.downloads.calls == []
    assert [(step.act, step.reason) for step in await house.cache.plan()] == [
        ("leave", "the link is metered (wifi_only)")
    ]
    assert (await house.cache.use()).is_metered
    link.set(False)
    await house.later()
    assert house.downloads.calls == [("want", ("song1",), "queue", 200)]


async def test_the_rest_of_an_album_that_was_due_on_a_metered_link_comes_once_it_is_free_and_only_then(
    make: Make,
) -> None:
    link = metered()
    house = await make(link, queue_precache_enabled=False)
    await three_of_five_played(house)
    assert house.downloads.calls == []
    link.set(False)
    await house.later()
    assert house.downloads.calls == [("want", ("albumsong3", "albumsong4"), "album", -200)]
    await house.downloads.withdraw(["albumsong3", "albumsong4"], "album")
    house.downloads.calls.clear()
    link.set(True)
    await house.later()
    link.set(False)
    await house.later()
    assert house.downloads.calls == []


async def test_an_album_that_is_due_is_still_due_after_a_restart(make: Make) -> None:
    link = metered()
    house = await make(link, queue_precache_enabled=False)
    await three_of_five_played(house)
    await house.restart()
    await house.later()
    assert house.downloads.calls == []
    link.set(False)
    await house.later()
    assert house.downloads.calls == [("want", ("albumsong3", "albumsong4"), "album", -200)]
    house.downloads.calls.clear()
    await house.downloads.withdraw(["albumsong3", "albumsong4"], "album")
    await house.restart()
    await house.later()
    assert house.downloads.calls == [("withdraw", ("albumsong3", "albumsong4"), "album")]


async def test_what_was_left_while_the_disk_was_away_comes_once_it_is_back(make: Make) -> None:
    house = await make(queue_precache_count=1)
    away = house.root.with_name("pulled out")
    house.root.rename(away)
    await house.cache.on_track_started(window(song(0), song(1)))
    await three_of_five_played(house)
    await house.later(10)
    assert house.downloads.calls == []
    away.rename(house.root)
    await house.later(10)
    assert house.downloads.calls == [
        ("want", ("song1",), "queue", 200),
        ("want", ("albumsong3", "albumsong4"), "album", -200),
    ]
    house.downloads.calls.clear()
    await house.later(10)
    assert house.downloads.calls == []


async def test_without_wifi_only_a_metered_link_is_as_any(make: Make) -> None:
    house = await make(metered(), queue_precache_count=1, wifi_only=False)
    await house.cache.on_track_started(window(song(0), song(1)))
    assert house.downloads.calls == [("want", ("song1",), "queue", 200)]


async def test_with_no_server_nothing_is_removed_for_what_would_be_fetched_and_once_it_is_back_all_is_planned(
    make: Make,
) -> None:
    house = await make(queue_precache_count=1, storage_limit=15 * MB)
    for number in (0, 8):
        await house.play(song(number))
    house.bus.publish(ConnectionState(status="offline"))
    await house.cache.on_track_started(window(song(1), song(2)))
    await house.later()
    assert (house.downloads.calls, await house.downloads.items()) == ([], ["song0", "song8"])
    house.bus.publish(ConnectionState(status="online"))
    await house.later()
    assert house.downloads.calls == [("evict", (1,)), ("want", ("song2",), "queue", 200)]
    assert await house.downloads.items() == ["song8", "song2"]
