"""The player while the server is away: it goes on with what is here, and leaves no place that somebody has reached."""

from __future__ import annotations

from pathlib import Path

from jellytui.engine.errors import ServerUnreachableError
from jellytui.engine.events import ConnectionState
from tests.engine.player.conftest import World, tracks
from tests.support.waiting import settle


async def test_a_server_that_comes_back_is_used_at_once(world: World) -> None:
    world.sound.failures["jellytui://a"] = ServerUnreachableError("nobody answers.")
    world.bus.publish(ConnectionState(status="offline", server_name="attic", reason="nobody answers"))
    await world.player.play_tracks(tracks("a"))
    await settle()
    assert (world.state.status, world.state.waiting_for) == ("stalled", "waits for attic")
    world.sound.failures.clear()
    world.bus.publish(ConnectionState(status="online"))
    await settle()
    assert world.now() == ("playing", "a")


async def test_with_no_network_the_queue_goes_on_with_what_is_local(world: World) -> None:
    world.files.here["d"] = Path("/music/d.flac")
    await world.player.play_tracks(tracks("abcd"))
    await world.advance(10)
    world.bus.publish(ConnectionState(status="offline"))
    await world.advance(90)
    assert world.now() == ("playing", "d")
    assert world.problems == []


async def test_with_no_network_a_track_whose_first_seconds_are_not_here_gives_way_to_one_that_is(world: World) -> None:
    world.sound.starving.add("jellytui://a")
    world.files.here["c"] = Path("/music/c.flac")
    world.bus.publish(ConnectionState(status="offline"))
    await world.player.play_tracks(tracks("abc"))
    await world.advance(2)
    assert world.now() == ("stalled", "a")
    await world.advance(1)
    assert world.now() == ("playing", "c")
    assert world.problems == ["The server does not answer. Playing what is on this machine."]


async def test_the_network_that_goes_while_a_track_begins_is_not_waited_for_beside_music_that_is_here(
    world: World,
) -> None:
    world.sound.starving.add("jellytui://b")
    await world.player.play_tracks(tracks("abc"))
    await world.advance(100)
    assert world.now() == ("loading", "b")
    world.bus.publish(ConnectionState(status="offline"))
    await world.advance(3)
    assert world.now() == ("stalled", "b")
    world.files.here["c"] = Path("/music/c.flac")
    await world.advance(10)
    assert world.now() == ("playing", "c")


async def test_with_no_network_a_place_in_a_track_is_never_left(world: World) -> None:
    world.files.here["b"] = Path("/music/b.flac")
    await world.player.play_tracks(tracks("ab"))
    await world.advance(40)
    world.sound.starving.add("jellytui://a")
    world.sound.break_off(ServerUnreachableError("nobody answers."))
    await world.advance(10)
    world.bus.publish(ConnectionState(status="offline"))
    await world.advance(30)
    assert (world.now(), world.state.position_ms) == (("stalled", "a"), 40_000)


async def test_that_what_is_here_plays_instead_is_said_once_until_the_server_is_back(world: World) -> None:
    gone = ServerUnreachableError("nobody answers.")
    world.sound.failures |= {f"jellytui://{name}": gone for name in "abc"}
    world.files.here["d"] = Path("/music/d.flac")
    words = "attic does not answer. Playing what is on this machine."
    for times in (1, 2):
        world.bus.publish(ConnectionState(status="offline", server_name="attic", reason="nobody answers"))
        for start in (0, 1):
            await world.player.play_tracks(tracks("abcd"), start)
            await settle()
            assert world.now() == ("playing", "d")
        assert world.problems == [words] * times
        world.bus.publish(ConnectionState(status="online", server_name="attic"))


async def test_with_no_network_a_track_that_repeats_and_is_not_here_waits(world: World) -> None:
    world.sound.failures["jellytui://a"] = ServerUnreachableError("nobody answers.")
    world.files.here["b"] = Path("/music/b.flac")
    await world.player.set_repeat("one")
    world.bus.publish(ConnectionState(status="offline"))
    await world.player.play_tracks(tracks("ab"))
    await world.advance(1)
    assert (world.now(), world.problems) == (("stalled", "a"), [])
    loaded = len(world.sound.loads)
    await world.advance(8)
    assert len(world.sound.loads) == loaded
