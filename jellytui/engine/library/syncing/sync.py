"""LibrarySync: keeps the mirror of the library up to date in the background and says how it is doing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable

import msgspec

from jellytui.engine.bus import EventBus
from jellytui.engine.clock import Clock
from jellytui.engine.errors import DatabaseError, JellytuiError, NotSignedInError, ServerUnreachableError
from jellytui.engine.events import ConnectionState, Event, SyncState
from jellytui.engine.library.ports import CatalogueServer, Link
from jellytui.engine.library.syncing import facts
from jellytui.engine.library.syncing.rounds import Round
from jellytui.engine.models import Problem
from jellytui.engine.storage.database import Database

log = logging.getLogger(__name__)

_TELL_EVERY_S = 1.0
"""How often lists are told that they are stale while pages come in."""


class LibrarySync:
    """Syncs each time the server comes (back) in reach, and on request; one round at a time.

    An interrupted round goes on where it was when it is asked for again: at the next start, or once the server is back.
    """

    def __init__(
        self, *, client: CatalogueServer, connection: Link, database: Database, bus: EventBus, clock: Clock
    ) -> None:
        self._client = client
        self._connection = connection
        self._database = database
        self._bus = bus
        self._clock = clock
        self._state = SyncState()
        self._task: asyncio.Task[None] | None = None
        self._is_full = False
        self._full_is_next = False
        self._told_at = 0.0
        self._unsubscribe: Callable[[], None] | None = None

    async def start(self) -> None:
        """Publishes what is known and begins to follow the connection."""
        await self._tell_library()
        finished_at = await facts.read(self._database, facts.FINISHED_AT)
        self._tell(SyncState(status="done" if finished_at else "never", finished_at=finished_at))
        self._unsubscribe = self._bus.subscribe([ConnectionState], self._follow_connection)
        if self._connection.is_online:
            self.request()

    async def stop(self) -> None:
        """Breaks off what runs; its pages are stored."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        self.cancel()
        await self.wait()

    def request(self, full: bool = False) -> SyncState:
        """Asks for a round and returns at once; joins a running one. A full one follows a running one of changes."""
        if self._task is None or self._task.done():
            self._is_full = full
            self._tell(SyncState(status="running", finished_at=self._state.finished_at))
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(self._end)
        elif full and not self._is_full:
            self._full_is_next = True
        return self._state

    def cancel(self) -> None:
        """Breaks off the running round, if there is one."""
        self._full_is_next = False
        if self._task is not None:
            self._task.cancel()

    async def wait(self) -> SyncState:
        """Waits until no round runs and tells how the last one ended."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])
        return self._state

    async def _run(self) -> None:
        await self._round()
        while self._full_is_next:
            self._full_is_next, self._is_full = False, True
            await self._round()

    def _end(self, task: asyncio.Task[None]) -> None:
        self._full_is_next = False
        if task.cancelled():
            self._tell(msgspec.structs.replace(self._state, status="cancelled"))

    async def _round(self) -> None:
        finished_at = self._state.finished_at
        round_ = Round(
            client=self._client,
            database=self._database,
            clock=self._clock,
            show=lambda phase, done, total: self._tell(
                SyncState(status="running", phase=phase, done=done, total=total, finished_at=finished_at)
            ),
            on_change=self._tell_library_soon,
        )
        try:
            await round_.run(full=self._is_full)
            self._connection.report_success()
            await self._tell_end()
        except JellytuiError as error:
            self._fail(error)
        except sqlite3.Error as error:
            log.exception("the mirror cannot be written")
            self._fail(DatabaseError(f"The library cannot be written to disk ({error}). Is the disk full?"))
        except Exception:
            log.exception("the library could not be synced")
            self._fail(JellytuiError("The library could not be synced; `jellytui doctor` names the log that says why."))
        finally:
            # A database that cannot be read any more is told of above.
            with contextlib.suppress(sqlite3.Error):
                await self._tell_library()

    async def _tell_end(self) -> None:
        library = await facts.library_state(self._database)
        finished_at = await facts.read(self._database, facts.FINISHED_AT)
        self._tell(SyncState(status="done", done=library.tracks, total=library.tracks, finished_at=finished_at))

    def _fail(self, error: JellytuiError) -> None:
        log.info("the library could not be synced: %s", error)
        if isinstance(error, ServerUnreachableError | NotSignedInError):
            self._connection.report_failure(error)
        problem = Problem(code=error.code, text=error.text)
        self._tell(msgspec.structs.replace(self._state, status="failed", problem=problem))

    async def _tell_library_soon(self) -> None:
        """At most once a second: each time all lists are read again."""
        if self._clock.monotonic() - self._told_at >= _TELL_EVERY_S:
            await self._tell_library()

    async def _tell_library(self) -> None:
        self._told_at = self._clock.monotonic()
        self._bus.publish(await facts.library_state(self._database))

    def _tell(self, state: SyncState) -> None:
        self._state = state
        self._bus.publish(state)

    def _follow_connection(self, event: Event) -> None:
        if isinstance(event, ConnectionState) and event.status == "online":
            self.request()
