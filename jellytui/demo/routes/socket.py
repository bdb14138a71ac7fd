"""The WebSocket: keep-alive, pushed messages, and what a bad message brings (jellyfin-api.md 12)."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from jellytui.demo.state.sessions import Session, Socket
from jellytui.demo.wire.authorization import client_info
from jellytui.demo.wire.query import Query
from jellytui.demo.wire.replies import chunked
from jellytui.demo.world import World

_INBOUND = frozenset(
    {"KeepAlive", "SessionsStart", "SessionsStop", "ScheduledTasksInfoStart", "ScheduledTasksInfoStop",
     "ActivityLogEntryStart", "ActivityLogEntryStop"}
)  # fmt: skip
_REMINDER_SHARE = 0.85  # of the timeout: 48-56 s of 60 s
_DEAD_SHARE = 1.1  # 60-75 s of 60 s


async def serve_socket(websocket: WebSocket, world: World) -> None:
    """`GET /socket`: 403 text without a valid token, else messages both ways until one side closes."""
    query = Query(websocket.scope["query_string"])
    client = client_info(websocket.headers, query, world.emulation)
    device = world.accounts.devices.get(client.token or "")
    if device is None and client.token not in world.accounts.api_keys:
        denial = Response("Error processing request.", 403, headers={"Content-Type": "text/plain"})
        await websocket.send_denial_response(chunked(denial))
        return
    await websocket.accept()
    socket = Socket(websocket, device)
    session: Session | None = None
    if device is not None:
        session = world.sessions.of(device, world.clock(), client.client, client.device_id)
        session.sockets.append(socket)
    socket.send("ForceKeepAlive", world.keep_alive_seconds)
    pump = asyncio.create_task(socket.pump())
    reader = asyncio.create_task(_Reader(world, socket, session).run())
    try:
        await asyncio.wait({pump, reader}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (pump, reader):
            task.cancel()
        await asyncio.gather(pump, reader, return_exceptions=True)
        if session is not None:
            _left(world, session, socket)


def _left(world: World, session: Session, socket: Socket) -> None:
    """The last socket takes the session with it, at once (12)."""
    if socket in session.sockets:
        session.sockets.remove(socket)
    if not session.sockets and world.sessions.get(session.id) is session:
        world.sessions.end(session)


class _Reader:
    """Reads what a client sends; only KeepAlive keeps the connection alive."""

    def __init__(self, world: World, socket: Socket, session: Session | None) -> None:
        self._world = world
        self._socket = socket
        self._session = session

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        alive_at, reminded = loop.time(), False
        seconds = self._world.keep_alive_seconds
        while True:
            limit = seconds * (_DEAD_SHARE if reminded else _REMINDER_SHARE)
            try:
                async with asyncio.timeout_at(alive_at + limit):
                    text = await self._receive()
            except TimeoutError:
                if reminded:
                    await self._went_silent()
                    return
                self._socket.send("ForceKeepAlive", seconds)
                reminded = True
                continue
            if text is None:
                return
            kind = self._handle(text)
            if kind is None:
                self._socket.close()
                await asyncio.sleep(seconds)  # the pump ends the connection
                return
            if kind == "KeepAlive":
                alive_at, reminded = loop.time(), False

    async def _receive(self) -> str | None:
        try:
            message = await self._socket.websocket.receive()
        except (WebSocketDisconnect, RuntimeError):
            return None
        if message["type"] == "websocket.disconnect":
            return None
        text = message.get("text")
        return text if text is not None else bytes(message.get("bytes") or b"").decode("utf-8", "replace")

    async def _went_silent(self) -> None:
        """12 drops the socket half-open: nothing comes any more, and whoever writes gets the end. 10.11 goes on."""
        if not self._world.emulation.is_12:
            while await self._receive() is not None:
                continue
            return
        if self._session is not None and self._socket in self._session.sockets:
            self._session.sockets.remove(self._socket)
        with suppress(RuntimeError, WebSocketDisconnect):
            await self._receive()

    def _handle(self, text: str) -> str | None:
        """Acts on a message and returns its type, `` for one without; None for one that ends the connection."""
        try:
            message: Any = json.loads(text)
        except ValueError:
            return None
        if not isinstance(message, dict):
            return None
        if self._session is not None and self._socket in self._session.sockets:
            self._session.sockets.remove(self._socket)
            self._session.sockets.append(self._socket)  # the last one that sent something receives
        kind = message.get("MessageType")
        if kind is None:
            return ""
        if kind not in _INBOUND:
            return None
        if kind == "KeepAlive":
            self._socket.send("KeepAlive", has_data=False)
        elif kind in {"SessionsStart", "SessionsStop"}:
            self._socket.wants_sessions = kind == "SessionsStart"
        return str(kind)
