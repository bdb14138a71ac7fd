"""play, the verbs that steer what plays, and the queue."""

from __future__ import annotations

import asyncio
import re
import signal
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from jellytui.cli.output import clock_time, count, print_json, say
from jellytui.cli.run import Session
from jellytui.engine.backend import Backend
from jellytui.engine.errors import NotFoundError, UsageError
from jellytui.engine.events import PlayerState, ProblemOccurred, TrackStarted
from jellytui.engine.models import QueueEntry, QueuePage

_PAGE = 500


async def play(session: Session, arguments: Namespace) -> int:
    """Plays without a screen until the queue's end or ctrl+c; in a running app it only starts the music there."""
    backend = await session.backend()
    telling = asyncio.create_task(_tell(backend))
    try:
        await _start(backend, arguments)
        if getattr(backend, "hosts_the_engine", True):
            await _until_the_end(backend)
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    state: PlayerState = await backend.call("get_player")
    return 0 if state.has_sound else 1


async def add(session: Session, arguments: Namespace) -> int:
    """Puts tracks into the queue."""
    backend = await session.backend()
    number: int = await backend.call("enqueue_items", item_ids=arguments.ids, play_next=arguments.next)
    say(f"{number} added to the queue.")
    return 0


async def simple(session: Session, arguments: Namespace) -> int:
    """A verb without arguments."""
    await (await session.backend()).call(arguments.command)
    return 0


async def seek(session: Session, arguments: Namespace) -> int:
    """Goes to a place in the track, or on or back by seconds."""
    backend = await session.backend()
    text: str = arguments.to
    if re.fullmatch(r"[+-]\d+", text):
        await backend.call("seek_by", offset_ms=int(text) * 1000)
        return 0
    if not re.fullmatch(r"(\d+:)?(\d+:)?\d+", text):
        raise UsageError(f"{text!r} is no place in a track: 1:30, +10 or -10.")
    seconds = 0
    for part in text.split(":"):
        seconds = seconds * 60 + int(part)
    await backend.call("seek", position_ms=seconds * 1000)
    return 0


async def volume(session: Session, arguments: Namespace) -> int:
    """Sets or changes the volume."""
    backend = await session.backend()
    text: str = arguments.to
    if not re.fullmatch(r"[+-]?\d+", text):
        raise UsageError(f"{text!r} is no volume: 0 to 100, +5 or -5.")
    if text[0] in "+-":
        await backend.call("change_volume", by=int(text))
    else:
        await backend.call("set_volume", volume=int(text))
    return 0


async def repeat(session: Session, arguments: Namespace) -> int:
    """Sets what repeats."""
    await (await session.backend()).call("set_repeat", mode=arguments.mode)
    return 0


async def queue(session: Session, arguments: Namespace) -> int:
    """Lists the queue."""
    entries, current_index = await _read_queue(await session.backend())
    if arguments.json:
        print_json([entry.track for entry in entries])
        return 0
    for index, entry in enumerate(entries):
        mark = "▶" if index == current_index else " "
        track = entry.track
        print(f"{mark} {index + 1:>4}  {track.name} · {', '.join(track.artists)}  {clock_time(track.duration_ms)}")
    return 0


async def queue_play(session: Session, arguments: Namespace) -> int:
    """Plays an entry of the queue."""
    backend = await session.backend()
    (entry,) = await _entries_at(backend, [arguments.place])
    await backend.call("play_queue_entry", entry_id=entry.entry_id)
    return 0


async def queue_remove(session: Session, arguments: Namespace) -> int:
    """Takes entries off the queue."""
    backend = await session.backend()
    entries = await _entries_at(backend, arguments.places)
    await backend.call("remove_queue_entries", entry_ids=[entry.entry_id for entry in entries])
    return 0


async def queue_move(session: Session, arguments: Namespace) -> int:
    """Moves an entry to another place."""
    backend = await session.backend()
    entry, _ = await _entries_at(backend, [arguments.place, arguments.to])
    await backend.call("move_queue_entry", entry_id=entry.entry_id, to_index=arguments.to - 1)
    return 0


async def devices(session: Session, arguments: Namespace) -> int:
    """Lists the audio devices."""
    names: list[str] = await (await session.backend()).call("get_audio_devices")
    if arguments.json:
        print_json(names)
        return 0
    for name in names:
        print(name)
    return 0


async def status(session: Session, arguments: Namespace) -> int:
    """Says what plays."""
    state: PlayerState = await (await session.backend()).call("get_player")
    if arguments.json:
        print_json(state)
    elif state.track is None:
        print("Nothing plays.")
    else:
        place = f"{clock_time(state.position_ms)} of {clock_time(state.duration_ms)}"
        print(f"{state.status}  {state.track.name} · {', '.join(state.track.artists)}  {place}")
    return 0


async def _start(backend: Backend, arguments: Namespace) -> None:
    if not arguments.ids:
        await backend.call("play")
    elif arguments.kind == "item":
        await backend.call("play_items", item_ids=arguments.ids)
    elif len(arguments.ids) > 1:
        raise UsageError(f"Give one {arguments.kind} at a time.")
    else:
        named: dict[str, Any] = {f"{arguments.kind}_id": arguments.ids[0]}
        await backend.call(f"play_{arguments.kind}", **named)


async def _read_queue(backend: Backend) -> tuple[list[QueueEntry], int | None]:
    """All entries in play order, and which of them is the current one."""
    pages: list[QueuePage] = [await backend.call("get_queue", start=0, limit=_PAGE)]
    while sum(len(page.entries) for page in pages) < pages[0].length and pages[-1].entries:
        start = pages[-1].start + len(pages[-1].entries)
        pages.append(await backend.call("get_queue", start=start, limit=_PAGE))
    return [entry for page in pages for entry in page.entries], pages[0].current_index


async def _entries_at(backend: Backend, places: Sequence[int]) -> list[QueueEntry]:
    """The entries at places counted from 1, as the listing numbers them. Raises NotFoundError."""
    entries, _ = await _read_queue(backend)
    for place in places:
        if not 1 <= place <= len(entries):
            raise NotFoundError(f"There is no place {place} in the queue; it has {count(len(entries), 'track')}.")
    return [entries[place - 1] for place in places]


async def _until_the_end(backend: Backend) -> None:
    """Until the queue has ended, or somebody presses ctrl+c or ends the process."""
    ending = asyncio.ensure_future(backend.call("await_end_of_queue"))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ending.cancel)
    await asyncio.wait([ending])
    if not ending.cancelled():
        ending.result()


async def _tell(backend: Backend) -> None:
    async with backend.events([TrackStarted, ProblemOccurred]) as events:
        async for event in events:
            if isinstance(event, TrackStarted):
                say(f"▶ {event.track.name} · {', '.join(event.track.artists)}  {clock_time(event.track.duration_ms)}")
            elif isinstance(event, ProblemOccurred):
                say(event.problem.text)
