"""RemoteBackend: the Backend of a process that is only a face, a proxy over the engine's socket."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec

from jellytui.engine.backend import Views
from jellytui.engine.bus import EventBus, Listener
from jellytui.engine.commands import registry
from jellytui.engine.errors import EngineGoneError
from jellytui.engine.events import Event
from jellytui.engine.models import Account
from jellytui.remote.protocol import (
    MAX_LINE_BYTES,
    PROTOCOL_VERSION,
    Answer,
    Call,
    Cancel,
    Failure,
    Happened,
    Hello,
    Listen,
    Request,
    Result,
    decode_answer,
    encode,
    error_of,
)

if TYPE_CHECKING:
    from jellytui.engine.library.views import LibraryViews

log = logging.getLogger(__name__)

_GONE = "The jellytui that played and downloaded has ended. Try again: this one takes over."


class RemoteBackend:
    """A Backend at the other end of a socket. Make one with `RemoteBackend.connect(socket)`."""

    def __init__(
        self, hello: Hello, views: LibraryViews, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._account = hello.account
        self._views = views
        self._reader = reader
        self._writer = writer
        self._registry = registry()
        self._numbers = itertools.count(1)
        self._calls: dict[int, asyncio.Future[bytes]] = {}
        self._streams: dict[int, RemoteStream] = {}
        self._is_gone = False
        self._receiving = asyncio.create_task(self._receive())

    @classmethod
    async def connect(cls, socket: Path) -> RemoteBackend:
        """Attaches. Raises OSError when nobody listens, EngineGoneError for another version's engine."""
        from jellytui.engine.library.views import LibraryViews

        reader, writer = await asyncio.open_unix_connection(socket, limit=MAX_LINE_BYTES)
        line = await reader.readline()
        hello = decode_answer(line) if line else None
        if not isinstance(hello, Hello) or hello.protocol != PROTOCOL_VERSION:
            writer.close()
            running = f" {hello.program}" if isinstance(hello, Hello) else ""
            raise EngineGoneError(f"The running jellytui{running} speaks another version. Quit it and start again.")
        return cls(hello, LibraryViews(Path(hello.database)), reader, writer)

    @property
    def account(self) -> Account:
        return self._account

    @property
    def views(self) -> Views:
        return self._views

    @property
    def is_gone(self) -> bool:
        """Whether the engine's process has hung up."""
        return self._is_gone

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Runs a command over there; raises what it raised, or EngineGoneError."""
        command = self._registry[name]
        number = next(self._numbers)
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._calls[number] = future
        try:
            await self._send(Call(number, name, arguments))
            return msgspec.json.decode(await future, type=command.result)
        except asyncio.CancelledError:
            self.forget(number)
            raise
        finally:
            self._calls.pop(number, None)

    def events(self, kinds: Iterable[type[Event]] | None = None) -> RemoteStream:
        """Listens over there."""
        number = next(self._numbers)
        stream = RemoteStream(self, number)
        if self._is_gone:
            stream.close()
            return stream
        self._streams[number] = stream
        names = None if kinds is None else tuple(kind.__name__ for kind in kinds)
        self._writer.write(encode(Listen(number, names)))
        return stream

    def forget(self, number: int) -> None:
        """Gives a call or a listening up."""
        self._streams.pop(number, None)
        if not self._is_gone and not self._writer.is_closing():
            self._writer.write(encode(Cancel(number)))

    async def close(self) -> None:
        """Detaches."""
        self._receiving.cancel()
        await asyncio.gather(self._receiving, return_exceptions=True)
        self._hang_up()
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()
        await self._views.close()

    async def _send(self, request: Request) -> None:
        if self._is_gone:
            raise EngineGoneError(_GONE)
        try:
            self._writer.write(encode(request))
            await self._writer.drain()
        except ConnectionError as error:
            raise EngineGoneError(_GONE) from error

    async def _receive(self) -> None:
        try:
            while line := await self._reader.readline():
                self._take(decode_answer(line))
        except ConnectionError:
            pass  # it hung up in the middle of a line
        except ValueError as error:  # msgspec's errors are some, and a line beyond the limit is
            log.warning("the engine sent what is no answer: %s", error)
        finally:
            self._hang_up()

    def _take(self, answer: Answer) -> None:
        match answer:
            case Result():
                if (future := self._calls.get(answer.id)) and not future.done():
                    future.set_result(bytes(answer.value))
            case Failure():
                if (future := self._calls.get(answer.id)) and not future.done():
                    future.set_exception(error_of(answer.problem))
            case Happened():
                if stream := self._streams.get(answer.id):
                    stream.accept(answer.event)
            case Hello():
                pass  # a greeting comes once, at the start

    def _hang_up(self) -> None:
        self._is_gone = True
        for future in self._calls.values():
            if not future.done():
                future.set_exception(EngineGoneError(_GONE))
        for stream in list(self._streams.values()):
            stream.close()


class RemoteStream:
    """The events of a listening over there, conflated once more on this side."""

    def __init__(self, backend: RemoteBackend, number: int) -> None:
        self._backend = backend
        self._number = number
        self._listener = Listener(EventBus(), None)

    def accept(self, event: Event) -> None:
        """Takes what came over the socket."""
        self._listener.accept(event)

    async def batch(self) -> list[Event]:
        """All that is waiting, at least one; empty once the stream has ended."""
        return await self._listener.batch()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._listener.__aiter__()

    async def __aenter__(self) -> RemoteStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stops listening."""
        self._backend.forget(self._number)
        self._listener.close()
