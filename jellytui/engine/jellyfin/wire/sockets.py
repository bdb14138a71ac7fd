"""Stream: a TCP connection on asyncio's loop, with TLS or without, that is read in large pieces.

Each read gives the loop a turn: a fast server always has more, and the app draws on the same loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")

READ_BYTES = 256 * 1024
"""More at once wins nothing (downloads-playback.md 2)."""
GATHERED_BYTES = 192 * 1024
"""What is enough where there is patience: one read takes it, and what comes with its last packet."""
_RECORD_BYTES = 17 * 1024
"""TLS may hold so much of an unfinished record, which the kernel then does not count."""
_CAN_GATHER = sys.platform == "linux"
"""Elsewhere a small receive buffer may be full before it is enough, and nobody woken."""
_NEXT_ADDRESS_AFTER_S = 0.25
"""When a second address is tried while the first is silent (RFC 8305)."""
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

_Address = tuple[int, int, int, str, Any]
"""As getaddrinfo gives it: family, kind, protocol, name, where."""


async def connect(host: str, port: int, timeout_s: float | None, turn: asyncio.Lock) -> Stream:
    """Connects to whichever of the host's addresses answers first; `turn` as Stream has it. Raises OSError,
    TimeoutError.
    """
    async with asyncio.timeout(timeout_s):
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return Stream(await _first_connected(_by_turns(found)), turn)


class Stream:
    """Open with `connect`; one task reads and writes. Streams that share a `turn` and have more to read do so one after
    the other, one in each round of the loop: a key needs a dozen rounds until it is painted, and each would read from
    all of them.
    """

    def __init__(self, connected: socket.socket, turn: asyncio.Lock) -> None:
        self._socket = connected
        self._turn = turn
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._buffer = bytearray()
        self._is_drained = False
        """Whether the last read took all that had come, so that there is nothing to read before more comes."""
        self._has_ended = False
        """Whether the other side has said over TLS that no more comes: the socket may never tell it again."""
        self._is_gathering = False
        self.tls: ssl.SSLSocket | None = None
        """The same connection once it is encrypted."""

    async def receive(
        self, timeout_s: float | None, *, patience_s: Callable[[], float] | None = None, enough_bytes: int = 1
    ) -> bytes:
        """What has come, as much as there is up to READ_BYTES; nothing at the end. Raises OSError, TimeoutError.

        On a slow line a read of little costs as much as one of much: for `patience_s`, asked when nothing is here, what
        comes is left to gather in the kernel, until it is enough or somebody is in a `hurry`.
        """
        if self._is_drained:
            await self._until_readable(timeout_s, patience_s() if patience_s else 0.0, enough_bytes)
        else:
            has_to_wait = self._turn.locked()
            async with self._turn:
                if not has_to_wait:
                    await asyncio.sleep(0)
        data = await self._when_ready(self._receive_records if self.tls else self._receive_now, timeout_s)
        self._is_drained = len(data) < READ_BYTES and not self._has_ended
        return data

    def hurry(self) -> None:
        """Ends the patience of a read that is under way."""
        if self._is_gathering and self._waiter is not None:
            _wake(self._waiter)

    async def send(self, data: bytes, timeout_s: float | None) -> None:
        """Sends all of it. Raises OSError, TimeoutError."""
        left = data
        while left:
            left = left[await self._when_ready(partial(self._socket.send, left), timeout_s) :]

    async def start_tls(self, context: ssl.SSLContext, host: str | None, timeout_s: float | None) -> None:
        """Encrypts the connection. Raises OSError (ssl.SSLError is one), TimeoutError."""
        try:
            self._socket = self.tls = context.wrap_socket(
                self._socket, server_hostname=host, do_handshake_on_connect=False
            )
            await self._when_ready(self.tls.do_handshake, timeout_s)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Lets the connection go, whatever is on its way; who waits for it is told."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionAbortedError("closed here"))
        self._stop_watching()
        self._socket.close()

    def _receive_now(self) -> bytes:
        return self._socket.recv(READ_BYTES)

    def _receive_records(self) -> bytes:
        """TLS gives one record of 16 KiB at a time: all that are here."""
        assert self.tls is not None
        if not self._buffer:
            self._buffer = bytearray(READ_BYTES)
        view, filled = memoryview(self._buffer), 0
        while filled < READ_BYTES:
            try:
                count = self.tls.recv_into(view[filled:])
            except _WOULD_BLOCK:
                if not filled:
                    raise
                break
            if not count:
                self._has_ended = True
                break
            filled += count
        return bytes(view[:filled])

    async def _until_readable(self, timeout_s: float | None, patience_s: float, enough_bytes: int) -> None:
        enough_bytes = min(enough_bytes, GATHERED_BYTES) - (_RECORD_BYTES if self.tls else 0)
        if patience_s <= 0 or enough_bytes <= 0 or not self._wake_at(enough_bytes):
            await self._wait(self._loop.add_reader, timeout_s)
            return
        self._is_gathering = True
        try:
            with contextlib.suppress(TimeoutError):
                await self._wait(self._loop.add_reader, patience_s)
        finally:
            self._is_gathering = False
            self._wake_at(1)

    def _wake_at(self, count: int) -> bool:
        """From how many bytes on the socket counts as readable; whether the system can do that."""
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)
        except OSError:  # or it was closed meanwhile
            return False
        return _CAN_GATHER

    async def _when_ready(self, act: Callable[[], T], timeout_s: float | None) -> T:
        """Acts until that does not block."""
        while True:
            try:
                return act()
            except (BlockingIOError, ssl.SSLWantReadError):
                await self._wait(self._loop.add_reader, timeout_s)
            except ssl.SSLWantWriteError:
                await self._wait(self._loop.add_writer, timeout_s)

    async def _wait(self, watch: Callable[..., None], timeout_s: float | None) -> None:
        if self._socket.fileno() < 0:
            raise ConnectionAbortedError("closed here")
        self._waiter = waiter = self._loop.create_future()
        watch(self._socket.fileno(), _wake, waiter)
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        finally:
            self._waiter = None
            self._stop_watching()

    def _stop_watching(self) -> None:
        if (descriptor := self._socket.fileno()) >= 0:
            self._loop.remove_reader(descriptor)
            self._loop.remove_writer(descriptor)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _by_turns(addresses: Sequence[_Address]) -> list[_Address]:
    """The families by turns, the first one as the system prefers it: one of them may lead nowhere."""
    families: dict[int, list[_Address]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    rounds = itertools.zip_longest(*families.values())
    return [address for each in rounds for address in each if address is not None]


async def _first_connected(addresses: Sequence[_Address]) -> socket.socket:
    """The first connection that stands; an address that is silent does not hold up the next."""
    attempts: set[asyncio.Task[socket.socket]] = set()
    waiting = list(addresses)
    problem = OSError("the host has no address")
    try:
        while waiting or attempts:
            if waiting:
                attempts.add(asyncio.create_task(_connect_to(waiting.pop(0))))
            patience = _NEXT_ADDRESS_AFTER_S if waiting else None
            done, _ = await asyncio.wait(attempts, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            for attempt in done:
                if (error := attempt.exception()) is None:
                    attempts.remove(attempt)
                    return attempt.result()
                problem = error if isinstance(error, OSError) else problem
            attempts -= done
        raise problem
    finally:
        for attempt in attempts:
            attempt.cancel()
            attempt.add_done_callback(_close_late)


async def _connect_to(address: _Address) -> socket.socket:
    family, kind, protocol, _, where = address
    connecting = socket.socket(family, kind, protocol)
    try:
        connecting.setblocking(False)
        connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connecting, where)
    except BaseException:
        connecting.close()
        raise
    return connecting


def _close_late(attempt: asyncio.Task[socket.socket]) -> None:
    """Two addresses answered at the same moment, and one was enough."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()
