"""The engine's Unix socket: other jellytui processes of the same user become faces of this engine."""

from __future__ import annotations

import asyncio
import logging
import typing
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from jellytui import __version__
from jellytui.engine.backend import Backend
from jellytui.engine.errors import JellytuiError
from jellytui.engine.events import Event
from jellytui.engine.models import Problem
from jellytui.paths import ensure_private_folder
from jellytui.remote.protocol import (
    MAX_LINE_BYTES,
    PROTOCOL_VERSION,
    Call,
    Cancel,
    Failure,
    Happened,
    Hello,
    Listen,
    Result,
    decode_request,
    encode,
    problem_of,
)

log = logging.getLogger(__name__)

_KINDS: Mapping[str, type[Event]] = {kind.__name__: kind for kind in typing.get_args(Event)}


class RemoteServer:
    """Serves one Backend on one socket file (0600 in a 0700 folder)."""

    def __init__(self, backend: Backend, socket: Path, database: Path) -> None:
        self._backend = backend
        self._socket = socket
        self._database = database
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listens. Only the holder of the account's lock may call this: it takes a dead holder's socket file away."""
        ensure_private_folder(self._socket.parent)
        self._socket.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._accept, self._socket, limit=MAX_LINE_BYTES)
        self._socket.chmod(0o600)

    async def stop(self) -> None:
        """Hangs up on everybody and takes the socket file away."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self._socket.unlink(missing_ok=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._connections.add(task)
        connection = _Connection(self._backend, reader, writer)
        try:
            await connection.run(Hello(PROTOCOL_VERSION, __version__, self._backend.account, str(self._database)))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the face has gone: nothing to tell it
        except asyncio.CancelledError:
            pass  # the server stops: asyncio's streams log a cancelled handler as an error
        finally:
            self._connections.discard(task)
            await connection.close()


class _Connection:
    """One face at the other end: its calls run side by side, answers leave whole."""

    def __init__(self, backend: Backend, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._backend = backend
        self._reader = reader
        self._writer = writer
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def run(self, hello: Hello) -> None:
        await self._send(hello)
        while line := await self._reader.readline():
            try:
                request = decode_request(line)
            except msgspec.MsgspecError as error:
                log.warning("a face sent what is no request: %s", error)
                return
            match request:
                case Call():
                    self._begin(request.id, self._answer(request))
                case Listen():
                    self._begin(request.id, self._stream(request))
                case Cancel():
                    if task := self._tasks.pop(request.id, None):
                        task.cancel()

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    def _begin(self, number: int, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks[number] = task
        task.add_done_callback(lambda _: self._tasks.pop(number, None))

    async def _answer(self, call: Call) -> None:
        try:
            value = await self._backend.call(call.name, **call.arguments)
            answer: Result | Failure = Result(call.id, msgspec.Raw(msgspec.json.encode(value)))
        except JellytuiError as error:
            answer = Failure(call.id, problem_of(error))
        except Exception as error:
            log.exception("the command %s broke", call.name)
            text = f"{call.name} went wrong inside jellytui ({type(error).__name__}); the log has the details."
            answer = Failure(call.id, Problem(code="failed", text=text))
        await self._send(answer)

    async def _stream(self, request: Listen) -> None:
        # A newer face may know kinds that this engine never publishes: those stay silent.
        kinds = None if request.kinds is None else [_KINDS[name] for name in request.kinds if name in _KINDS]
        async with self._backend.events(kinds) as stream:
            while batch := await stream.batch():
                # A slow face holds the drain up; meanwhile the listener keeps only the newest of each state.
                self._writer.write(b"".join(encode(Happened(request.id, event)) for event in batch))
                await self._writer.drain()

    async def _send(self, answer: Hello | Result | Failure) -> None:
        self._writer.write(encode(answer))
        await self._writer.drain()
