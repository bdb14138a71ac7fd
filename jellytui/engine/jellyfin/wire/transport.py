"""BodyTransport: an httpx transport for the bodies of files, with half of httpx's cost (tests/bench/throughput.py).

httpcore reads 64 KiB at a time and h11 copies each of them four times. Here httpcore speaks over sockets of ours, its
public `network_backend`, and what follows an answer's head is read from the socket itself: in large pieces, as it
comes, without a copy. Only a body without a length (chunked, or ended by the connection's end) passes through h11.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpcore
import httpx

from jellytui.engine.jellyfin.wire.pace import NAME, Pace
from jellytui.engine.jellyfin.wire.sockets import Stream, connect

if TYPE_CHECKING:
    import asyncio
    import ssl

_BLANK_LINE = re.compile(rb"\n\r?\n")
"""What ends a head, as h11 sees it."""
_WITHOUT_BODY = (204, 304)
_ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.TimeoutException, httpx.ReadTimeout),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.UnsupportedProtocol, httpx.UnsupportedProtocol),
    (httpcore.ProtocolError, httpx.RemoteProtocolError),
    (httpcore.NetworkError, httpx.ReadError),
)


class BodyTransport(httpx.AsyncBaseTransport):
    """Makes a connection for each request and ends it with the answer. HTTP/1.1 only: h2 takes seven times the work."""

    def __init__(self, tls: ssl.SSLContext, turn: asyncio.Lock) -> None:
        self._tls = tls
        self._backend = _Backend(turn)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request and gives the answer once its head is here. Raises httpx.TransportError."""
        assert isinstance(request.stream, httpx.AsyncByteStream)
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        asked = httpcore.Request(
            method=request.method,
            url=url,
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        connection = httpcore.AsyncHTTPConnection(
            url.origin, ssl_context=self._tls, http2=False, network_backend=self._backend
        )
        try:
            with _errors_of_httpx():
                answer = await connection.handle_async_request(asked)
        except BaseException:
            await connection.aclose()
            raise
        timeout_s = request.extensions.get("timeout", {}).get("read")
        wire = answer.extensions.get("network_stream")
        pace = Pace(wire.hurry if isinstance(wire, _Wire) else _nothing)
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(connection, answer, timeout_s, pace),
            extensions={**answer.extensions, NAME: pace},
        )


class _Body(httpx.AsyncByteStream):
    """An answer's bytes: from the socket where their number is known."""

    def __init__(
        self, connection: httpcore.AsyncHTTPConnection, answer: httpcore.Response, timeout_s: float | None, pace: Pace
    ) -> None:
        self._connection = connection
        self._answer = answer
        self._timeout_s = timeout_s
        self._pace = pace

    async def __aiter__(self) -> AsyncIterator[bytes]:
        wire, length = self._answer.extensions.get("network_stream"), _length(self._answer)
        with _errors_of_httpx():
            if isinstance(wire, _Wire) and wire.is_at_body and length is not None:
                left = length
                while left:
                    piece = await wire.body(self._timeout_s, patience_s=self._pace.patience_s, enough_bytes=left)
                    if not piece:
                        raise httpx.RemoteProtocolError(f"the body ended after {length - left} of {length} bytes")
                    piece = piece[:left]
                    left -= len(piece)
                    yield piece
                return
            if isinstance(wire, _Wire):
                wire.has_more_heads = False
            async for piece in self._answer.aiter_stream():
                yield piece

    async def aclose(self) -> None:
        await self._answer.aclose()
        await self._connection.aclose()


def _length(answer: httpcore.Response) -> int | None:
    """The number of bytes that follow; None where only h11 can tell their end. h11 has looked at these headers."""
    headers = {name.lower(): value for name, value in answer.headers}
    if answer.status in _WITHOUT_BODY or b"transfer-encoding" in headers or b"content-length" not in headers:
        return None
    return int(headers[b"content-length"])


class _Wire(httpcore.AsyncNetworkStream):
    """A connection that gives httpcore each head up to its end and not a byte more."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._rest = b""
        """What came together with a head and follows it."""
        self._tail = b""
        """The last bytes of an unfinished head: the blank line may come in two pieces."""
        self.is_at_body = False
        """Whether all that was read ends with a head."""
        self.has_more_heads = True

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - httpcore's signature
        """More of a head, its end included; of anything, once there are no more heads."""
        data = await self.body(timeout)
        if not self.has_more_heads:
            return data
        seen = self._tail + data
        blank = _BLANK_LINE.search(seen)
        end = len(data) if blank is None else blank.end() - len(self._tail)
        self._tail = seen[-2:] if blank is None else b""
        self.is_at_body = blank is not None
        self._rest = data[end:]
        return data[:end]

    async def body(
        self, timeout_s: float | None, *, patience_s: Callable[[], float] | None = None, enough_bytes: int = 1
    ) -> bytes:
        """The next bytes as they come, gathered as Stream.receive says; none at the connection's end."""
        if self._rest:
            rest, self._rest = self._rest, b""
            return rest
        try:
            return await self._stream.receive(timeout_s, patience_s=patience_s, enough_bytes=enough_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def hurry(self) -> None:
        """As Stream.hurry."""
        self._stream.hurry()

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            await self._stream.send(buffer, timeout)
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        self._stream.close()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Wire:
        with _errors_of_connecting():
            await self._stream.start_tls(ssl_context, server_hostname, timeout)
        return self

    def get_extra_info(self, info: str) -> object:
        return self._stream.tls if info == "ssl_object" else None


class _Backend(httpcore.AsyncNetworkBackend):
    """Opens connections for httpcore."""

    def __init__(self, turn: asyncio.Lock) -> None:
        self._turn = turn

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - httpcore's signature
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> _Wire:
        with _errors_of_connecting():
            return _Wire(await connect(host, port, timeout, self._turn))


@contextmanager
def _errors_of_connecting() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(str(error)) from error
    except OSError as error:  # TLS's errors are among them
        raise httpcore.ConnectError(str(error)) from error


@contextmanager
def _errors_of_httpx() -> Iterator[None]:
    try:
        yield
    except tuple(ours for ours, _ in _ERRORS) as error:
        raise next(theirs for ours, theirs in _ERRORS if isinstance(error, ours))(str(error)) from error


def _nothing() -> None:
    """A connection that never waits longer than it has to."""
