"""A restart finds queue, place and volume again, paused."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from array import array
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from jellytui.engine.events import ConnectionState, QueueState
from jellytui.engine.models import Track
from jellytui.engine.storage.database import Transaction
from tests.engine.player.conftest import World, tracks
from tests.support.waiting import settle, until


async def test_a_restart_finds_queue_position_and_volume_again_paused(world: World) -> None:
    await world.player.play_tracks(tracks("abcd"), 2)
    await world.player.set_volume(33)
    await world.player.set_repeat("all")
    await world.advance(42)
    await world.player.stop()

    player = world.make_player()
    await player.start()
    state = player.state
    assert state.track
    assert (state.status, state.track.id, state.position_ms) == ("paused", "c", 42_000)
    assert (state.volume, state.repeat) == (33, "all")
    assert [entry.track.id for entry in player.queue_page(0, 10).entries] == list("abcd")
    await player.play()
    await settle()
    assert world.sound.playing
    assert (world.sound.playing.uri, world.sound.playing.start_ms) == ("jellytui://c", 42_000)
    await player.stop()


async def test_a_player_that_ends_lets_go_of_the_files(world: World, tmp_path: Path) -> None:
    world.files.here = {item_id: tmp_path / item_id for item_id in "ab"}
    await world.player.play_tracks(tracks("ab"))
    await world.advance(42)
    assert world.files.leased == ["a", "b"]
    await world.player.stop()
    assert world.files.leased == []


async def test_news_of_the_server_before_the_start_does_not_cost_the_queue(world: World) -> None:
    await world.player.play_tracks(tracks("abcd"), 2)
    await world.player.set_volume(33)
    await world.advance(42)
    await world.player.stop()

    player = world.make_player()
    world.bus.publish(ConnectionState(status="online", server_name="attic"))
    await settle()
    await player.start()
    assert player.state.track
    assert (player.state.track.id, player.state.position_ms, player.state.volume) == ("c", 42_000, 33)
    assert player.queue_page(0, 10).length == 4
    await player.stop()


async def test_a_kill_loses_at_most_five_seconds_of_the_position(world: World) -> None:
    await world.player.play_tracks(tracks("ab"))
    await world.advance(23)

    player = world.make_player()  # the first one was not asked to stop
    await player.start()
    assert 18_000 <= player.state.position_ms <= 23_000
    await player.stop()


async def test_a_kill_loses_no_change_of_the_queue_also_while_nothing_plays(world: World) -> None:
    await world.player.enqueue(tracks("abcd"))
    await until_kept(world, "abcd")
    entries = world.player.queue_page(0, 4).entries
    await world.player.remove_entries([entries[1].entry_id])
    await until_kept(world, "acd")
    await world.player.move_entry(entries[3].entry_id, 0)
    await until_kept(world, "dac")


async def until_kept(world: World, ids: str) -> None:
    """Waits until the queue on the disk is these tracks."""
    async with asyncio.timeout(10):
        while await kept_by(world) != list(ids):
            await asyncio.sleep(0.01)


async def kept_by(world: World) -> list[str]:
    """The tracks of the queue on the disk, in play order."""
    async with world.database.transaction() as transaction:
        rows = await transaction.fetch_all("SELECT entry_id, track FROM queue_entries")
        queue = await transaction.fetch_one("SELECT play_order FROM queue")
    ids = {row["entry_id"]: json.loads(row["track"])["id"] for row in rows}
    return [ids[entry_id] for entry_id in array("q", queue["play_order"])] if queue else []


@pytest.fixture
def full_disk(world: World, monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    return FullDisk(world, monkeypatch)


class FullDisk:
    """A disk that may be full."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        self.tries = 0
        write = world.database.transaction

        def transaction() -> AbstractAsyncContextManager[Transaction]:
            if self.is_full:
                self.tries += 1
                raise sqlite3.OperationalError("database or disk is full")
            return write()

        monkeypatch.setattr(world.database, "transaction", transaction)


async def test_a_change_of_the_queue_that_finds_no_room_is_told_and_written_once_there_is(
    world: World, full_disk: FullDisk
) -> None:
    await world.player.enqueue(tracks("abc"))
    await until_kept(world, "abc")
    full_disk.is_full = True
    await world.player.enqueue(tracks("de"))
    await until(lambda: full_disk.tries)
    await world.advance(10)
    await until(lambda: full_disk.tries == 2)
    await world.player.enqueue(tracks("f"))
    assert world.problems == [
        "The queue cannot be written yet (database or disk is full). Free some space; it is tried again."
    ]
    full_disk.is_full = False
    await world.advance(10)
    await until_kept(world, "abcdef")

    full_disk.is_full = True
    await world.player.clear()
    await until(lambda: len(world.problems) == 2)
    full_disk.is_full = False


async def test_quitting_tries_once_more_to_write_the_queue_and_waits_for_no_room(
    world: World, full_disk: FullDisk
) -> None:
    full_disk.is_full = True
    await world.player.enqueue(tracks("abc"))
    await until(lambda: full_disk.tries == 1)
    await world.player.stop()
    assert full_disk.tries == 2
    full_disk.is_full = False
    await world.player.stop()
    await until_kept(world, "abc")


async def test_shuffle_and_its_order_survive_and_can_be_undone(world: World) -> None:
    await world.player.play_tracks(tracks("abcdefgh"), 3)
    await world.player.toggle_shuffle()
    await world.player.remove_entries([world.player.queue_page(0, 8).entries[5].entry_id])
    shuffled = [entry.track.id for entry in world.player.queue_page(0, 8).entries]
    await world.player.stop()

    player = world.make_player()
    await player.start()
    assert [entry.track.id for entry in player.queue_page(0, 8).entries] == shuffled
    await player.toggle_shuffle()
    assert [entry.track.id for entry in player.queue_page(0, 8).entries] == sorted(shuffled)
    await player.stop()


async def test_shuffle_of_an_empty_queue_survives(world: World) -> None:
    await world.player.play_tracks(tracks("a"))
    await world.player.clear()
    await world.player.toggle_shuffle()
    await world.player.stop()

    player = world.make_player()
    await player.start()
    assert player.state.is_shuffled
    await player.stop()


async def test_shuffle_turned_off_where_both_orders_are_one_survives(world: World) -> None:
    await world.player.play_tracks(tracks("xy"))
    await world.player.toggle_shuffle()
    await world.player.clear()
    await world.player.enqueue(tracks("abc"))
    await until_kept(world, "abc")
    await world.player.toggle_shuffle()
    assert not world.state.is_shuffled
    await world.player.stop()

    player = world.make_player()
    await player.start()
    assert not player.state.is_shuffled
    await player.stop()


async def test_ten_thousand_tracks_are_a_queue_like_any_other(world: World) -> None:
    many = [Track(id=f"t{number}", name="x", duration_ms=100_000) for number in range(10_000)]
    await world.player.play_tracks(many, 9_000)
    await world.player.toggle_shuffle()
    await world.advance(3)
    await world.player.stop()

    states: list[QueueState] = []
    world.bus.subscribe([QueueState], lambda event: states.append(event) if isinstance(event, QueueState) else None)
    player = world.make_player()
    await player.start()
    assert (states[-1].length, states[-1].current_index) == (10_000, 0)
    assert player.state.track
    assert player.state.track.id == "t9000"
    await player.stop()
