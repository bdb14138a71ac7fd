"""AttachedBackend: a Backend that outlives its engine; it takes over from a holder that ends, or attaches anew."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from types import TracebackType
from typing import Any

from jellytui.config import Settings
from jellytui.engine.backend import Backend, EventStream, Views
from jellytui.engine.errors import EngineGoneError
from jellytui.engine.events import DownloadEvent, DownloadEventType, Event
from jellytui.engine.models import Account, DownloadInfo, DownloadStatus
from jellytui.paths import Paths
from jellytui.remote.attach import HostedEngine, open_engine
from jellytui.remote.client import RemoteBackend

log = logging.getLogger(__name__)

_READING = ("get_", "offline_", "search_")
"""How the names begin of commands that change nothing, so that they may be sent twice."""
_PATIENCE_S = 1.0
_TYPE_OF: dict[DownloadStatus, DownloadEventType] = {
    "pending": "queued",
    "downloading": "progress",
    "paused": "paused",
    "failed": "failed",
    "completed": "completed",
}


class AttachedBackend:
    """The account's engine, whichever process it runs in. Open one with `AttachedBackend.open`."""

    def __init__(self, paths: Paths, settings: Settings, account: Account, token: str, first: Backend) -> None:
        self._paths = paths
        self._settings = settings
        self._token = token
        self._backend = first
        self._account = account
        self._reopening = asyncio.Lock()
        self._is_closed = False

    @classmethod
    async def open(cls, paths: Paths, settings: Settings, account: Account, token: str) -> AttachedBackend:
        """The account's engine, near or far. Raises EngineGoneError, DatabaseError."""
        first = await open_engine(paths, settings, account, token)
        return cls(paths, settings, account, token, first)

    @property
    def account(self) -> Account:
        return self._account

    @property
    def views(self) -> Views:
        return self._backend.views

    @property
    def hosts_the_engine(self) -> bool:
        """Whether the engine runs in this process (and music stops when it ends)."""
        return isinstance(self._backend, HostedEngine)

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Runs a command. When the engine dies meanwhile, one that only reads asks the next engine; any other may have
        been done or not: EngineGoneError, and the next call finds the new engine."""
        backend = await self._living()
        try:
            return await backend.call(name, **arguments)
        except EngineGoneError:
            if not name.startswith(_READING):
                raise
        backend = await self._living()
        return await backend.call(name, **arguments)

    def events(self, kinds: Iterable[type[Event]] | None = None) -> AttachedStream:
        """Events that go on with the next engine (its retained states first) when this one dies."""
        return AttachedStream(self, None if kinds is None else tuple(kinds))

    async def open_stream(self, kinds: tuple[type[Event], ...] | None) -> EventStream | None:
        """A stream of the living engine; None once closed."""
        if self._is_closed:
            return None
        backend = await self._living()
        return backend.events(kinds)

    async def close(self) -> None:
        """Detaches, or stops the engine that runs here."""
        self._is_closed = True
        await self._backend.close()

    def _has_closed(self) -> bool:
        return self._is_closed

    async def _living(self) -> Backend:
        async with self._reopening:
            if isinstance(self._backend, RemoteBackend) and self._backend.is_gone and not self._is_closed:
                await self._backend.close()
                opened = await open_engine(self._paths, self._settings, self._account, self._token)
                if self._has_closed():
                    await opened.close()
                    raise EngineGoneError("This jellytui is ending.")
                self._backend = opened
                how = "took over" if self.hosts_the_engine else "attached anew"
                log.info("the engine's process has ended: %s", how)
            return self._backend


class AttachedStream:
    """The events of whichever engine lives.

    A new engine begins with its retained states. Downloads have none, and some may have moved between two engines: so
    each of their rows comes once more.
    """

    def __init__(self, backend: AttachedBackend, kinds: tuple[type[Event], ...] | None) -> None:
        self._backend = backend
        self._kinds = kinds
        self._stream: EventStream | None = None
        self._is_first = True
        self._is_closed = False

    async def batch(self) -> list[Event]:
        """All that is waiting, at least one; empty once closed."""
        while not self._is_closed:
            if self._stream is None and (missed := await self._open()):
                return missed
            if self._stream is None:
                continue
            if events := await self._stream.batch():
                return events
            self._stream = None
            self._is_first = False
        return []

    async def _open(self) -> list[Event]:
        """Listens to the living engine; what the one before may not have told."""
        try:
            self._stream = await self._backend.open_stream(self._kinds)
            if self._stream is None:
                self._is_closed = True
            elif not self._is_first and (self._kinds is None or DownloadEvent in self._kinds):
                user_id = self._backend.account.user_id
                rows: list[DownloadInfo] = await self._backend.call("get_downloads", user_id=user_id)
                return [DownloadEvent(type=_TYPE_OF[row.status], download=row) for row in rows]
        except EngineGoneError as error:
            # Somebody holds the account and does not answer: a face has nothing better to do than to go on trying.
            log.warning("no engine: %s", error)
            await asyncio.sleep(_PATIENCE_S)
        return []

    async def __aiter__(self) -> AsyncIterator[Event]:
        while events := await self.batch():
            for event in events:
                yield event

    async def __aenter__(self) -> AttachedStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stops listening."""
        self._is_closed = True
        if self._stream is not None:
            self._stream.close()
