"""The bus: states conflated, occurrences kept, nobody's fault spoils another's event."""

from __future__ import annotations

import asyncio
import threading
import typing

import msgspec
import pytest

from jellytui.engine.bus import EventBus
from jellytui.engine.events import (
    ConnectionState,
    DownloadEvent,
    DownloadsState,
    Event,
    FavoriteState,
    LibraryState,
    PlayerState,
    ProblemOccurred,
    QueueState,
    SyncState,
    TrackPlayed,
    TrackStarted,
    UpkeepState,
)
from jellytui.engine.models import DownloadInfo, DownloadsSummary, Problem, Track

ONE_OF_EACH: list[Event] = [
    DownloadEvent(type="started", download=DownloadInfo(id=1, item_id="t", user_id="u", wanted_by=("user",))),
    DownloadsState(summary=DownloadsSummary(active_count=2)),
    PlayerState(track=Track(id="t", name="[/bold] x", artists=("a", "b"), gain_db=-4.5), status="playing"),
    QueueState(version=2, length=3, current_index=1),
    ConnectionState(status="offline", reason="attic does not answer."),
    SyncState(status="failed", problem=Problem(code="server", text="x")),
    LibraryState(version=4, tracks=63),
    FavoriteState(item_id="t", is_favorite=True),
    UpkeepState(work="move", done=3, total=7, text="3 of 7 files"),
    TrackStarted(play_id="p", track=Track(id="t", name="x"), started_at="2026-01-01T00:00:00.000000Z"),
    TrackPlayed(play_id="p", track=Track(id="t", name="x"), started_at="2026", played_at="2026"),
    ProblemOccurred(problem=Problem(code="disk", text="Not enough disk.")),
]


def download(number: int, progress: float) -> DownloadEvent:
    row = DownloadInfo(id=number, item_id=f"t{number}", user_id="u", progress=progress)
    return DownloadEvent(type="progress", download=row)


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: type(event).__name__)
def test_every_event_survives_encoding(event: Event) -> None:
    assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event


def test_one_of_each_is_one_of_each() -> None:
    assert {type(event) for event in ONE_OF_EACH} == set(typing.get_args(Event))


async def test_a_late_listener_gets_the_newest_of_each_retained_state_first() -> None:
    bus = EventBus()
    for event in (PlayerState(status="loading"), *ONE_OF_EACH, PlayerState(status="paused")):
        bus.publish(event)
    async with bus.listen() as listener:
        batch = await listener.batch()
    assert {type(event) for event in batch} == {
        DownloadsState,
        PlayerState,
        QueueState,
        ConnectionState,
        SyncState,
        LibraryState,
        UpkeepState,
    }
    assert PlayerState(status="paused") in batch


async def test_states_are_conflated_by_key_and_occurrences_never() -> None:
    bus = EventBus()
    problem = ProblemOccurred(problem=Problem(code="disk", text="x"))
    async with bus.listen() as listener:
        for event in (download(1, 0.1), problem, download(2, 0.1), download(1, 0.2), problem):
            bus.publish(event)
        assert await listener.batch() == [download(1, 0.2), problem, download(2, 0.1), problem]


async def test_a_failing_callback_does_not_keep_the_event_from_others() -> None:
    bus = EventBus()
    seen: list[Event] = []

    def fail(_: Event) -> None:
        raise ValueError

    bus.subscribe([PlayerState], fail)
    bus.subscribe([PlayerState], seen.append)
    bus.publish(PlayerState(status="paused"))
    assert seen == [PlayerState(status="paused")]


async def test_an_ended_subscription_hears_nothing_more() -> None:
    bus = EventBus()
    seen: list[Event] = []
    unsubscribe = bus.subscribe([PlayerState], seen.append)
    unsubscribe()
    unsubscribe()
    bus.publish(PlayerState())
    assert seen == []


async def test_closing_a_listener_ends_its_iteration() -> None:
    bus = EventBus()
    listener = bus.listen()
    bus.publish(PlayerState(status="paused"))
    seen: list[Event] = []

    async def read() -> None:
        async for event in listener:
            seen.append(event)
            listener.close()

    async with asyncio.timeout(5):
        await read()
    assert seen == [PlayerState(status="paused")]


async def test_a_thread_hands_over_to_the_loop() -> None:
    bus = EventBus()
    bus.bind(asyncio.get_running_loop())
    seen: list[int] = []
    bus.subscribe([PlayerState], lambda _: seen.append(threading.get_ident()))
    async with bus.listen() as listener:
        threading.Thread(target=bus.publish_threadsafe, args=(PlayerState(),)).start()
        assert await listener.batch() == [PlayerState()]
    assert seen == [threading.get_ident()]
