"""PlayerStore: the queue and the player's place on disk, so that a restart finds them again."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import sys
from array import array
from collections.abc import Mapping
from types import MappingProxyType

import msgspec
from msgspec import Struct

from jellytui.engine.bus import EventBus
from jellytui.engine.clock import Clock, first_of
from jellytui.engine.errors import DiskError
from jellytui.engine.events import ProblemOccurred
from jellytui.engine.models import Problem, RepeatMode, Track
from jellytui.engine.player.queue import Queue
from jellytui.engine.storage.database import Database, Transaction

log = logging.getLogger(__name__)

_WRITE_AGAIN_S = 10.0

_decode_track = msgspec.json.Decoder(Track).decode
_encode_track = msgspec.json.Encoder().encode


class Place(Struct, frozen=True, kw_only=True):
    """What changes while music plays."""

    entry_id: int | None = None
    position_ms: int = 0
    volume: int = 80
    is_muted: bool = False
    repeat: RepeatMode = "off"


class PlayerStore:
    """Writes in the background, the newest state only, and again until it is there; `flush` does not wait for that."""

    def __init__(self, database: Database, *, bus: EventBus, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._stored_tracks: Mapping[int, Track] = MappingProxyType({})
        self._stored_queue: Queue | None = None
        self._is_restored = False
        self._wanted: tuple[Queue, Place] | None = None
        self._writing: asyncio.Task[None] | None = None
        self._is_flushing = asyncio.Event()

    async def restore(self) -> tuple[Queue, Place]:
        """The queue and place of the last time; empty ones at first."""
        rows = await self._database.fetch_all("SELECT entry_id, track FROM queue_entries")
        tracks = MappingProxyType({row["entry_id"]: _decode_track(row["track"]) for row in rows})
        place = await self._place()
        row = await self._database.fetch_one("SELECT * FROM queue WHERE id = 1")
        self._stored_tracks = tracks
        self._is_restored = True
        if row is None:
            return Queue(repeat=place.repeat), place
        queue = Queue(
            tracks=tracks,
            order=_ids(row["put_order"]),
            play_order=_ids(row["play_order"]),
            repeat=place.repeat,
            is_shuffled=bool(row["is_shuffled"]),
            next_entry_id=row["next_entry_id"],
        )
        self._stored_queue = queue
        return queue.turned_to(place.entry_id if place.entry_id in tracks else None), place

    def keep(self, queue: Queue, place: Place) -> None:
        """Writes soon; a newer state replaces one that still waits. What was kept is not written over unread."""
        if not self._is_restored:
            return
        self._wanted = (queue, place)
        self._write_soon()

    async def flush(self) -> None:
        """Waits until the newest state is on disk, or cannot be written now."""
        self._is_flushing.set()
        self._write_soon()
        if self._writing is not None:
            await self._writing
        self._is_flushing.clear()

    async def _place(self) -> Place:
        row = await self._database.fetch_one(
            "SELECT entry_id, position_ms, volume, is_muted, repeat FROM player WHERE id = 1"
        )
        return Place() if row is None else msgspec.convert(dict(row), Place, strict=False)

    def _write_soon(self) -> None:
        if self._wanted is not None and (self._writing is None or self._writing.done()):
            self._writing = asyncio.create_task(self._write_wanted())

    async def _write_wanted(self) -> None:
        has_told = False
        while self._wanted is not None:
            is_last = self._is_flushing.is_set()
            queue, place = wanted = self._wanted
            try:
                async with self._database.transaction() as transaction:
                    await self._write_queue(transaction, queue)
                    await _write_place(transaction, place)
            except sqlite3.Error as error:
                log.warning("the queue could not be written: %s", error)
                if is_last:
                    return
                if not has_told:
                    has_told = True
                    self._tell_unwritten(error)
                await first_of(self._is_flushing.wait(), self._clock.sleep(_WRITE_AGAIN_S))
                continue
            has_told = False
            self._stored_tracks, self._stored_queue = queue.tracks, queue
            if self._wanted is wanted:
                self._wanted = None

    def _tell_unwritten(self, error: sqlite3.Error) -> None:
        words = f"The queue cannot be written yet ({error}). Free some space; it is tried again."
        self._bus.publish(ProblemOccurred(problem=Problem(code=DiskError.code, text=words)))

    async def _write_queue(self, transaction: Transaction, queue: Queue) -> None:
        """The entries that came and went, and the orders where they changed."""
        if queue.tracks is not self._stored_tracks:
            gone = self._stored_tracks.keys() - queue.tracks.keys()
            new = queue.tracks.keys() - self._stored_tracks.keys()
            await transaction.execute_many("DELETE FROM queue_entries WHERE entry_id = ?", [(id_,) for id_ in gone])
            await transaction.execute_many(
                "INSERT INTO queue_entries (entry_id, track) VALUES (?, ?)",
                [(entry_id, _encode_track(queue.tracks[entry_id])) for entry_id in new],
            )
        if self._stored_queue is not None and _is_kept_alike(self._stored_queue, queue):
            return
        await transaction.execute(
            "INSERT OR REPLACE INTO queue (id, put_order, play_order, next_entry_id, is_shuffled) "
            "VALUES (1, ?, ?, ?, ?)",
            (_blob(queue.order), _blob(queue.play_order), queue.next_entry_id, queue.is_shuffled),
        )


def _is_kept_alike(stored: Queue, queue: Queue) -> bool:
    """Whether the row would be the same; orders that did not change are the same objects."""
    return (
        stored.order is queue.order
        and stored.play_order is queue.play_order
        and stored.is_shuffled == queue.is_shuffled
        and stored.next_entry_id == queue.next_entry_id
    )


async def _write_place(transaction: Transaction, place: Place) -> None:
    await transaction.execute(
        "INSERT OR REPLACE INTO player (id, entry_id, position_ms, volume, is_muted, repeat) VALUES (1, ?, ?, ?, ?, ?)",
        (place.entry_id, place.position_ms, place.volume, place.is_muted, place.repeat),
    )


def _blob(ids: tuple[int, ...]) -> bytes:
    numbers = array("q", ids)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _ids(blob: bytes) -> tuple[int, ...]:
    numbers = array("q")
    numbers.frombytes(blob)
    if sys.byteorder == "big":
        numbers.byteswap()
    return tuple(numbers)
