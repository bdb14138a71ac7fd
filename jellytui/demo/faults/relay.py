"""A raw relay in front of the server for what no HTTP server does: resets, lies about lengths, silence, slow lines.

One request a connection: what follows the head of a request goes through as it is, so each answer ends its connection.
"""

import asyncio
import re
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from jellytui.demo.faults.rules import Fault, Faults

_HEAD_BYTES = 128 * 1024
_CHUNK_BYTES = 16 * 1024
_CONNECTION = re.compile(rb"\r\nconnection:[^\r]*", re.IGNORECASE)
_RANGE = re.compile(rb"\r\nrange:[ \t]*([^\r]*)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """A line to feel: bytes a second that all answers share (0 = no limit), and seconds of delay each way."""

    rate: int = 0
    delay: float = 0.0


@dataclass(slots=True)
class Sent:
    """An answer that was passed on: what was asked for, and how many bytes of the body have gone out so far."""

    path: str
    range: str
    """As in the request's header; empty without one."""
    body_bytes: int = 0


class Relay:
    """Listens where clients connect and passes on to the server, with the faults of the wire."""

    def __init__(self, faults: Faults, line: Line = Line()) -> None:
        self.line = line
        self.sent: list[Sent] = []
        self._faults = faults
        self._server: asyncio.Server | None = None
        self._upstream_port = 0
        self._running: set[asyncio.Task[None]] = set()
        self._line_free_at = 0.0
        """When the line has sent all that it was given."""

    async def start(self, listener: socket.socket, upstream_port: int) -> None:
        """Listens on a bound socket; the server is at `upstream_port` of 127.0.0.1."""
        self._upstream_port = upstream_port
        self._server = await asyncio.start_server(self._accept, sock=listener, limit=_HEAD_BYTES)

    async def stop(self) -> None:
        """Stops listening and cuts every connection."""
        if self._server is not None:
            self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._running.discard(task)
            writer.transport.abort() if task.cancelling() else writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, _, rest = head.decode("latin-1").partition(" ")
        path = rest.partition(" ")[0].partition("?")[0]
        faults = self._faults.striking(method, path, wire=True)
        there_back_and_there = 3 * self.line.delay  # the kernel has shaken hands without the line's delay
        await asyncio.sleep(there_back_and_there + sum(fault.seconds for fault in faults if fault.kind == "delay"))
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        is_socket = b"upgrade: websocket" in head.lower()
        slow = next((fault.rate for fault in faults if fault.kind == "slow_request"), 0)
        try:
            await _send(upstream_writer, head if is_socket else _one_request(head), slow)
            there = asyncio.create_task(_pump(reader, upstream_writer, slow))
            try:
                self.sent.append(sent := Sent(path, _range(head)))
                await self._answer(upstream_reader, writer, there, faults, sent)
            finally:
                there.cancel()
                await asyncio.gather(there, return_exceptions=True)
        finally:
            upstream_writer.close()

    async def _answer(
        self,
        upstream: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        client: asyncio.Task[None],
        faults: Sequence[Fault],
        sent: Sent,
    ) -> None:
        head = await upstream.readuntil(b"\r\n\r\n")
        lie = sum(fault.extra_bytes for fault in faults if fault.kind == "lie")
        head = _LENGTH.sub(lambda match: b"\r\ncontent-length: %d" % (int(match[1]) + lie), head)
        await asyncio.sleep(self.line.delay)
        writer.write(head)
        cut = next((fault for fault in faults if fault.kind in {"reset", "close", "stall"}), None)
        corrupt = next((fault.after_bytes for fault in faults if fault.kind == "corrupt"), None)
        while True:
            room = cut.after_bytes - sent.body_bytes if cut is not None else _CHUNK_BYTES
            if cut is not None and room <= 0:
                await _cut(cut, writer, client)
                return
            # As of now: a test may change it while an answer is on its way.
            drip = min((fault.rate for fault in faults if fault.kind == "drip" and fault.rate > 0), default=0)
            chunk = await upstream.read(min(room, _chunk_bytes(drip), _chunk_bytes(self.line.rate)))
            if not chunk:
                return
            if corrupt is not None and sent.body_bytes <= corrupt < sent.body_bytes + len(chunk):
                place = corrupt - sent.body_bytes
                chunk = chunk[:place] + bytes([chunk[place] ^ 0xFF]) + chunk[place + 1 :]
            await self._take_line(len(chunk))
            await _send(writer, chunk, drip)
            sent.body_bytes += len(chunk)

    async def _take_line(self, size: int) -> None:
        """Waits until the line, which all connections share, has sent so many bytes."""
        if self.line.rate:
            now = asyncio.get_running_loop().time()
            self._line_free_at = max(now, self._line_free_at) + size / self.line.rate
            await asyncio.sleep(self._line_free_at - now)


async def _cut(fault: Fault, writer: asyncio.StreamWriter, client: asyncio.Task[None]) -> None:
    """Ends an answer before its end: by RST, by a clean close, or by silence until the client leaves."""
    await writer.drain()
    if fault.kind == "stall":
        await asyncio.wait({client})
    elif fault.kind == "reset":
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


def _range(head: bytes) -> str:
    match = _RANGE.search(head)
    return match[1].decode("latin-1") if match else ""


def _one_request(head: bytes) -> bytes:
    """The head with `Connection: close`: the answer shall end the connection."""
    return _CONNECTION.sub(b"", head)[:-4] + b"\r\nconnection: close\r\n\r\n"


def _chunk_bytes(rate: int) -> int:
    """How much is sent at once, so that it comes smoothly."""
    return min(_CHUNK_BYTES, max(1, rate // 10)) if rate else _CHUNK_BYTES


async def _send(writer: asyncio.StreamWriter, data: bytes, rate: int) -> None:
    writer.write(data)
    await writer.drain()
    if rate > 0:
        await asyncio.sleep(len(data) / rate)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rate: int) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_chunk_bytes(rate)):
            await _send(writer, chunk, rate)
        if writer.can_write_eof():
            writer.write_eof()
