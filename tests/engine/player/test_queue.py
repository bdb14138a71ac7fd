"""The queue alone: orders, places, and properties that hold after any operations."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jellytui.engine.errors import NotFoundError, UsageError
from jellytui.engine.models import RepeatMode, Track
from jellytui.engine.player.queue import Queue


def _tracks(names: str) -> list[Track]:
    return [Track(id=name, name=name, duration_ms=1000) for name in names]


def _names(queue: Queue) -> str:
    return "".join(entry.track.name for entry in queue.page(0, len(queue)))


def _current(queue: Queue) -> str | None:
    return queue.current.track.name if queue.current else None


def test_filling_begins_at_the_chosen_track() -> None:
    queue = Queue().filled(_tracks("abcd"), 2)
    assert (_names(queue), _current(queue)) == ("abcd", "c")
    assert queue.next is not None
    assert queue.next.track.name == "d"
    assert queue.remaining_ms() == 1000


def test_the_end_is_the_end_unless_it_repeats() -> None:
    queue = Queue().filled(_tracks("abc"), 2)
    assert queue.next is None
    assert queue.repeating("all").next == queue.at(0)
    assert queue.repeating("one").next == queue.at(2)
    assert queue.repeating("one").after(0) is None


def test_a_single_track_repeats_all_as_itself() -> None:
    queue = Queue().filled(_tracks("a")).repeating("all")
    assert queue.next == queue.current
    assert queue.upcoming(5) == ()


@pytest.mark.parametrize(("repeat", "expected"), [("off", "d"), ("all", "dab"), ("one", "")])
def test_upcoming_is_in_play_order_and_never_the_current_one(repeat: RepeatMode, expected: str) -> None:
    queue = Queue().filled(_tracks("abcd"), 2).repeating(repeat)
    assert "".join(entry.track.name for entry in queue.upcoming(5)) == expected


def test_shuffling_keeps_the_current_one_and_unshuffling_restores_the_order() -> None:
    queue = Queue().filled(_tracks("abcdefgh"), 3)
    shuffled = queue.shuffled(7)
    assert _names(shuffled)[0] == "d"
    assert _names(shuffled) != _names(queue)
    assert sorted(_names(shuffled)) == list("abcdefgh")
    assert shuffled.shuffled(7).play_order == shuffled.play_order
    back = shuffled.unshuffled()
    assert (_names(back), _current(back)) == ("abcdefgh", "d")


def test_play_next_goes_behind_the_current_one_in_both_orders() -> None:
    shuffled = Queue().filled(_tracks("abcd"), 1).shuffled(3).played_next(_tracks("XY"))
    assert _names(shuffled).startswith("bXY")
    assert _names(shuffled.unshuffled()) == "abXYcd"


def test_removing_the_current_one_makes_the_next_current() -> None:
    queue = Queue().filled(_tracks("abcd"), 1)
    assert _current(queue.removed([queue.play_order[1]])) == "c"
    assert _current(queue.removed(queue.play_order[:2])) == "c"
    assert _current(queue.removed(queue.play_order[1:])) is None


def test_moving_keeps_the_current_one() -> None:
    queue = Queue().filled(_tracks("abcd"), 1)
    moved = queue.moved(queue.play_order[3], 0)
    assert (_names(moved), _current(moved)) == ("dabc", "b")


def test_what_is_not_there_cannot_be_used() -> None:
    queue = Queue().filled(_tracks("ab"))
    with pytest.raises(NotFoundError):
        queue.turned_to(99)
    with pytest.raises(UsageError):
        queue.moved(queue.play_order[0], 2)
    with pytest.raises(UsageError):
        Queue().filled(_tracks("ab"), 2)


_operations = st.lists(
    st.tuples(
        st.sampled_from(["append", "next", "move", "remove", "shuffle", "unshuffle", "turn", "repeat", "clear"]),
        st.integers(0, 50),
        st.integers(0, 50),
    ),
    max_size=25,
)


def _apply(queue: Queue, operation: str, first: int, second: int) -> Queue:
    length = len(queue)
    fresh = [Track(id=f"{first}-{n}", name="new", duration_ms=5) for n in range(second % 4)]
    choices: dict[str, Any] = {
        "append": lambda: queue.appended(fresh),
        "next": lambda: queue.played_next(fresh),
        "move": lambda: queue.moved(queue.play_order[first % length], second % length) if length else queue,
        "remove": lambda: queue.removed(queue.play_order[first % (length + 1) : first % (length + 1) + second % 5]),
        "shuffle": lambda: queue.shuffled(first),
        "unshuffle": queue.unshuffled,
        "turn": lambda: queue.turned_to(queue.play_order[first % length]) if length else queue,
        "repeat": lambda: queue.repeating(("off", "all", "one")[first % 3]),
        "clear": lambda: queue.cleared() if first < 3 else queue,
    }
    result: Queue = choices[operation]()
    return result


@settings(max_examples=150, deadline=None)
@given(_operations)
def test_both_orders_always_hold_the_same_entries(operations: list[tuple[str, int, int]]) -> None:
    queue = Queue().filled(_tracks("abcdef"), 2)
    for operation, first, second in operations:
        before = queue
        queue = _apply(queue, operation, first, second)
        assert sorted(queue.order) == sorted(queue.play_order) == sorted(queue.tracks)
        assert len(set(queue.play_order)) == len(queue)
        assert queue.index is None or 0 <= queue.index < len(queue)
        assert all(entry_id < queue.next_entry_id for entry_id in queue.tracks)
        assert queue.is_shuffled or queue.order == queue.play_order
        if operation not in ("remove", "turn", "clear"):
            assert queue.current == before.current
        upcoming = queue.upcoming(100)
        assert queue.current not in upcoming
        assert len(set(upcoming)) == len(upcoming) < max(1, len(queue) + 1)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 30), st.integers(0, 29), st.integers())
def test_unshuffling_undoes_shuffling(length: int, start: int, seed: int) -> None:
    tracks = [Track(id=str(n), name=str(n)) for n in range(length)]
    queue = Queue().filled(tracks, start % length)
    assert queue.shuffled(seed).unshuffled() == queue
