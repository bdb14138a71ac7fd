"""Finds the account's engine: becomes it when nobody is, attaches to it otherwise.

The lock on `engine.lock` decides (design.md, one engine per account); the kernel lets it go with its process, also on
kill -9.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from jellytui.config import Settings
from jellytui.engine.backend import Backend, EventStream, Views
from jellytui.engine.errors import EngineGoneError
from jellytui.engine.events import Event
from jellytui.engine.models import Account
from jellytui.paths import Paths, ensure_folder
from jellytui.remote.client import RemoteBackend
from jellytui.remote.server import RemoteServer

_ATTACH_TIMEOUT_S = 15.0
_ATTACH_RETRY_S = 0.1


class EngineLock:
    """The account's lock, held by an open file."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def take(cls, path: Path) -> EngineLock | None:
        """The lock, or None when another process holds it."""
        ensure_folder(path.parent)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return cls(handle)

    def release(self) -> None:
        """Lets the next one be the engine."""
        os.close(self._handle)


class HostedEngine:
    """The engine in this process with its lock and its socket for other faces."""

    def __init__(self, engine: Backend, server: RemoteServer, lock: EngineLock) -> None:
        self._engine = engine
        self._server = server
        self._lock = lock
        self._is_closed = False

    @property
    def account(self) -> Account:
        return self._engine.account

    @property
    def views(self) -> Views:
        return self._engine.views

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Runs a command of the registry; raises JellytuiError."""
        return await self._engine.call(name, **arguments)

    def events(self, kinds: Iterable[type[Event]] | None = None) -> EventStream:
        """Listens to events of these kinds, the retained states first."""
        return self._engine.events(kinds)

    async def close(self) -> None:
        """Hangs up on other faces, stops the engine, releases the lock."""
        if self._is_closed:
            return
        self._is_closed = True
        await self._server.stop()
        await self._engine.close()
        self._lock.release()


async def open_engine(paths: Paths, settings: Settings, account: Account, token: str) -> HostedEngine | RemoteBackend:
    """The account's engine, ours or another process's. Raises EngineGoneError when its holder does not answer."""
    ids = (account.server_id, account.user_id)
    socket = paths.socket_file(*ids)
    deadline = asyncio.get_running_loop().time() + _ATTACH_TIMEOUT_S
    while True:
        if lock := EngineLock.take(paths.lock_file(*ids)):
            return await _host(paths, settings, account, token, lock, socket)
        with suppress(FileNotFoundError, ConnectionError, TimeoutError):
            # A holder that was stopped (ctrl+z) takes connections and never greets.
            async with asyncio.timeout_at(deadline):
                return await RemoteBackend.connect(socket)
        if asyncio.get_running_loop().time() > deadline:
            raise EngineGoneError("Another jellytui holds this account but does not answer. Quit it, then try again.")
        await asyncio.sleep(_ATTACH_RETRY_S)


async def _host(
    paths: Paths, settings: Settings, account: Account, token: str, lock: EngineLock, socket: Path
) -> HostedEngine:
    from jellytui.engine.engine import Engine

    try:
        engine = await Engine.start(account=account, token=token, paths=paths, settings=settings)
    except BaseException:
        lock.release()
        raise
    server = RemoteServer(engine, socket, engine.database_file)
    try:
        await server.start()
    except BaseException:
        await engine.close()
        lock.release()
        raise
    return HostedEngine(engine, server, lock)
