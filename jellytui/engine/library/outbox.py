"""Outbox: what the user did that the server has to know, kept in SQLite until it does.

Plays are told oldest first with their dates, none twice and none lost, whatever breaks in between (issue 6, 4): before
a play is sent, what the server knows of the track is written down; after a crash or a lost answer it tells whether the
play arrived (replay.py). So it is too with a play whose live report got no answer. Favourites may be told again: the
last word counts (jellyfin-api.md 14).
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable

import msgspec

from jellytui.engine.bus import EventBus
from jellytui.engine.clock import Clock, first_of
from jellytui.engine.errors import (
    JellytuiError,
    NotAllowedError,
    NotFoundError,
    NotSignedInError,
    ServerError,
    ServerUnreachableError,
)
from jellytui.engine.events import ConnectionState, Event, FavoriteState
from jellytui.engine.jellyfin.records import StartReport, UserData
from jellytui.engine.library.ports import Link, OutboxServer
from jellytui.engine.library.replay import WaitingPlay, next_step
from jellytui.engine.storage.database import Database, Transaction

log = logging.getLogger(__name__)

_COLUMNS = "play_id, track_id, started_at, played_at, is_open, count_before, played_before"
_RETRY_S = 60.0
"""After an answer that was an error; a server that is away is waited for instead."""


class Outbox:
    """Start it and put things in; it tells the server as soon as it is there."""

    def __init__(
        self, *, database: Database, client: OutboxServer, connection: Link, bus: EventBus, clock: Clock
    ) -> None:
        self._database = database
        self._client = client
        self._connection = connection
        self._bus = bus
        self._clock = clock
        self._wake = asyncio.Event()
        self._awaited: set[str] = set()
        """Plays whose live report is still under way: sent now, they might be counted twice."""
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] | None = None

    async def start(self) -> None:
        """Begins to tell the server what waits."""
        self._unsubscribe = self._bus.subscribe([ConnectionState], self._follow_connection)
        self._wake.set()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stops telling; what waits stays in SQLite."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def add_play(
        self, *, play_id: str, track_id: str, started_at: str, played_at: str, start: StartReport | None
    ) -> None:
        """Writes a play; once it returns the play is in SQLite. Adding the same `play_id` again changes nothing.

        What the server has counted at its live report (`start`, jellyfin-api.md 11.2) must not be told again, and what
        it may have counted not unasked. None: the answer may still come, `settle_play` will tell; should this process
        end first, the next one takes it for lost.
        """
        if start is None:
            self._awaited.add(play_id)
        else:
            self._awaited.discard(play_id)
        told = start or StartReport(is_counted=None)
        async with self._database.transaction() as transaction:
            added = await transaction.execute(
                """INSERT INTO plays (play_id, track_id, started_at, played_at, reported, is_open)
                    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (play_id) DO NOTHING""",
                (play_id, track_id, started_at, played_at, told.is_counted is True, told.is_counted is None),
            )
            if added:
                await transaction.execute(
                    """UPDATE tracks SET play_count = play_count + 1,
                        last_played_at = max(coalesce(last_played_at, ''), ?) WHERE id = ?""",
                    (played_at, track_id),
                )
                await self._take_start(transaction, play_id, track_id, told)
        if not told.is_counted:
            self._wake.set()

    async def settle_play(self, play_id: str, start: StartReport) -> None:
        """Says what became of a live report whose answer was still to come."""
        try:
            async with self._database.transaction() as transaction:
                play = await transaction.fetch_one("SELECT track_id FROM plays WHERE play_id = ?", (play_id,))
                if play is not None:
                    await transaction.execute(
                        "UPDATE plays SET reported = coalesce(?, reported), is_open = ? WHERE play_id = ?",
                        (start.is_counted, start.is_counted is None, play_id),
                    )
                    await self._take_start(transaction, play_id, play["track_id"], start)
        finally:
            self._awaited.discard(play_id)  # what could not be written is found out by asking the server
            self._wake.set()

    async def set_favorite(self, item_id: str, is_favorite: bool) -> None:
        """Makes an item a favourite, or none, in the mirror at once; the server hears of it when it is there."""
        async with self._database.transaction() as transaction:
            if is_favorite:
                await transaction.execute("INSERT OR IGNORE INTO favorites (item_id) VALUES (?)", (item_id,))
            else:
                await transaction.execute("DELETE FROM favorites WHERE item_id = ?", (item_id,))
            await transaction.execute(
                """INSERT INTO favorite_wishes (item_id, is_favorite, number, is_sent)
                    VALUES (?, ?, (SELECT coalesce(max(number), 0) + 1 FROM favorite_wishes), 0)
                    ON CONFLICT (item_id) DO UPDATE
                    SET is_favorite = excluded.is_favorite, number = excluded.number, is_sent = 0""",
                (item_id, is_favorite),
            )
        self._bus.publish(FavoriteState(item_id=item_id, is_favorite=is_favorite))
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._connection.wait_online()
            try:
                has_told_all = await self._tell_all()
            except ServerUnreachableError as error:
                self._connection.report_failure(error)
                if self._connection.is_online:
                    await self._pause()
                self._wake.set()
            except (JellytuiError, sqlite3.Error) as error:
                log.warning("the outbox waits: %s", error)
                await self._pause()
            else:
                if not has_told_all:
                    await self._pause()

    async def _pause(self) -> None:
        """Waits before what the server refused is tried again; anything new goes at once."""
        await first_of(self._wake.wait(), self._clock.sleep(_RETRY_S))
        self._wake.set()

    async def _tell_all(self) -> bool:
        """Whether nothing waits any more. Raises ServerUnreachableError, NotSignedInError."""
        favorites = [await self._tell_favorite(*row) for row in await self._waiting_favorites()]
        stuck: set[str] = set()
        held: set[str] = set()
        for play_id, track_id in await self._waiting_plays():
            # The next play of a track would be taken for this one: its plays go one after the other.
            if track_id in stuck or track_id in held:
                continue
            if play_id in self._awaited:
                held.add(track_id)
            elif not await self._tell_play(play_id):
                stuck.add(track_id)
        return all(favorites) and not stuck

    async def _waiting_favorites(self) -> list[tuple[str, bool, int]]:
        rows = await self._database.fetch_all(
            "SELECT item_id, is_favorite, number FROM favorite_wishes WHERE is_sent = 0 ORDER BY number"
        )
        return [(row["item_id"], bool(row["is_favorite"]), row["number"]) for row in rows]

    async def _tell_favorite(self, item_id: str, is_favorite: bool, number: int) -> bool:
        try:
            await self._client.set_favorite(item_id, is_favorite)
        except NotFoundError:
            log.info("%s is gone from the server and no favourite any more", item_id)
        except (NotAllowedError, ServerError) as error:
            log.warning("the server did not take a favourite: %s", error)
            return False
        # A newer wish, made meanwhile, is still to be sent.
        await self._database.execute(
            "UPDATE favorite_wishes SET is_sent = 1 WHERE item_id = ? AND number = ?", (item_id, number)
        )
        return True

    async def _waiting_plays(self) -> list[tuple[str, str]]:
        rows = await self._database.fetch_all(
            "SELECT play_id, track_id FROM plays WHERE reported = 0 ORDER BY played_at, rowid"
        )
        return [(row["play_id"], row["track_id"]) for row in rows]

    async def _tell_play(self, play_id: str) -> bool:
        """Whether the server knows the play now, or never will."""
        row = await self._database.fetch_one(
            f"SELECT {_COLUMNS} FROM plays WHERE play_id = ? AND reported = 0",  # noqa: S608
            (play_id,),
        )
        if row is None:
            return True
        play = _waiting_play(row)
        try:
            before = await self._client.user_data(play.track_id)
            if next_step(play, before) == "send":
                play = await self._note(play, before)
                await self._client.mark_played(play.track_id, play.played_at)
            await self._restore_date(play)
        except NotFoundError:
            log.info("track %s is gone from the server: its play stays here only", play.track_id)
        except NotSignedInError:
            raise
        except (NotAllowedError, ServerError) as error:
            log.warning("the server did not take a play: %s", error)
            return False
        async with self._database.transaction() as transaction:
            await transaction.execute("UPDATE plays SET reported = 1 WHERE play_id = ?", (play.play_id,))
            if play.count_before is not None:
                await self._count_own(transaction, play.play_id, play.track_id, play.count_before)
        return True

    async def _note(self, play: WaitingPlay, before: UserData) -> WaitingPlay:
        """Writes down what the server knows before the play is sent."""
        async with self._database.transaction() as transaction:
            await transaction.execute("UPDATE plays SET is_open = 0 WHERE play_id = ?", (play.play_id,))
            await self._write_before(transaction, play.play_id, before)
            await self._judge_others(transaction, play.play_id, play.track_id, before)
        return msgspec.structs.replace(
            play, is_open=False, count_before=before.play_count, played_before=before.last_played_at
        )

    async def _take_start(self, transaction: Transaction, play_id: str, track_id: str, start: StartReport) -> None:
        """What the server knew of the track ahead of a live report, and that it has counted it."""
        if start.before is None:
            return
        await self._write_before(transaction, play_id, start.before)
        if start.is_counted:
            await self._judge_others(transaction, play_id, track_id, start.before)
            await self._count_own(transaction, play_id, track_id, start.before.play_count)

    async def _judge_others(self, transaction: Transaction, play_id: str, track_id: str, before: UserData) -> None:
        """Before one play counts: the track's other plays that may have arrived are there by now, or are not."""
        rows = await transaction.fetch_all(
            f"""SELECT {_COLUMNS} FROM plays WHERE track_id = ? AND play_id != ? AND reported = 0
                AND (is_open OR count_before IS NOT NULL) AND coalesce(count_before, 0) <= ?""",  # noqa: S608
            (track_id, play_id, before.play_count),
        )
        for play in map(_waiting_play, rows):
            if next_step(play, before) == "arrived":
                await transaction.execute("UPDATE plays SET reported = 1 WHERE play_id = ?", (play.play_id,))
            else:
                await self._write_before(transaction, play.play_id, before)

    @staticmethod
    async def _count_own(transaction: Transaction, play_id: str, track_id: str, count_before: int) -> None:
        """After it has counted: to the others it is nobody else's play."""
        await transaction.execute(
            """UPDATE plays SET count_before = count_before + 1
                WHERE track_id = ? AND play_id != ? AND reported = 0 AND count_before <= ?""",
            (track_id, play_id, count_before),
        )

    @staticmethod
    async def _write_before(transaction: Transaction, play_id: str, before: UserData) -> None:
        """Never back to what an older answer said."""
        await transaction.execute(
            """UPDATE plays SET count_before = ?, played_before = ?
                WHERE play_id = ? AND coalesce(count_before, 0) <= ?""",
            (before.play_count, before.last_played_at, play_id, before.play_count),
        )

    async def _restore_date(self, play: WaitingPlay) -> None:
        """An older play must not hide a later one that the server knew (jellyfin-api.md 11.3)."""
        if play.played_before is not None and play.played_before > play.played_at:
            await self._client.set_last_played(play.track_id, play.played_before)

    def _follow_connection(self, event: Event) -> None:
        if isinstance(event, ConnectionState) and event.status == "online":
            self._wake.set()


def _waiting_play(row: sqlite3.Row) -> WaitingPlay:
    return WaitingPlay(**{**dict(row), "is_open": bool(row["is_open"])})
