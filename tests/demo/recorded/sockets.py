"""The sockets of the recorded player: opened, spoken to and read as the recorder did."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from jellytui.demo.server import DemoServer

_HEADER = 'MediaBrowser Client="recorder", Device="box", DeviceId="more-player", Version="1.0"'
_SILENCE_SECONDS = 0.03
_PATIENCE_SECONDS = 2.0
_COMPARED = frozenset({"Play", "Playstate", "GeneralCommand", "KeepAlive", "ForceKeepAlive"})
"""Messages that answer what was just done: others come when they come."""


class Sockets:
    """The sockets of one device."""

    def __init__(self, server: DemoServer) -> None:
        self._server = server
        self._header = ""
        self._player: ClientConnection | None = None

    async def replayed(self, entry: dict[str, Any]) -> tuple[Any, Any]:
        """What was recorded on the sockets in an entry, and what now comes; two Nones where nothing was."""
        note = entry.get("note", "")
        if note == "player: only logged in":
            await self._sign_in()
            session = self._server.world.sessions.all()[0]
            kept = entry["response"]["body"][0]["Capabilities"]
            self._server.world.sessions.set_capabilities(session, kept)  # of an earlier run of the recorder
        elif note in {"first message", "socket again, capabilities not sent again"}:
            self._player = await self._open()
            return (_texts([entry["got"]]), await _read(self._player, 1)) if "got" in entry else _NONE
        elif note.endswith(": pushed") or note == "pushed":
            assert self._player is not None
            recorded = _texts(entry["got"])
            return recorded, await _read(self._player, len(recorded))
        elif note.startswith("the last socket closed") and self._player is not None:
            await self._player.close()
        elif note == "inbound message":
            return await self._spoken_to(entry)
        return _NONE

    async def _sign_in(self) -> None:
        body = {"Username": self._server.user, "Pw": self._server.password}
        async with httpx.AsyncClient(base_url=self._server.url) as client:
            answer = await client.post("/Users/AuthenticateByName", json=body, headers={"Authorization": _HEADER})
        self._header = f'{_HEADER}, Token="{answer.json()["AccessToken"]}"'

    async def _open(self) -> ClientConnection:
        url = self._server.url.replace("http", "ws", 1) + "/socket"
        return await connect(url, additional_headers={"Authorization": self._header}, proxy=None)

    async def _spoken_to(self, entry: dict[str, Any]) -> tuple[Any, Any]:
        """A message, then a KeepAlive: what each brings. Where a close comes is left to timing by the recorder."""
        recorded = entry["got"] + entry["then_keepalive"]
        socket = await self._open()
        await _read(socket, 1)
        got: list[Any] = []
        with suppress(ConnectionClosed):
            for text in (entry["sent"], '{"MessageType":"KeepAlive"}'):
                await socket.send(text)
                got += await _read(socket, None)
        with suppress(ConnectionClosed, TimeoutError):
            await asyncio.wait_for(socket.recv(), _SILENCE_SECONDS)
        closed = [{"code": socket.close_code, "reason": socket.close_reason}] if socket.close_code else []
        await socket.close()
        told = [{"code": frame["code"], "reason": frame["reason"]} for frame in recorded if frame.get("opcode") == 8]
        return [*_texts(recorded), *told], got + closed


_NONE: tuple[None, None] = (None, None)


def _texts(frames: list[dict[str, Any]]) -> list[Any]:
    messages = [json.loads(frame["text"]) for frame in frames if frame.get("opcode") == 1]
    return [message for message in messages if message["MessageType"] in _COMPARED]


async def _read(socket: ClientConnection, count: int | None) -> list[Any]:
    """So many messages and no more; with None what comes until it is silent."""
    got: list[Any] = []
    with suppress(TimeoutError, ConnectionClosed):
        while True:
            patient = count is not None and len(got) < count
            text = await asyncio.wait_for(socket.recv(), _PATIENCE_SECONDS if patient else _SILENCE_SECONDS)
            message = json.loads(text)
            if message["MessageType"] in _COMPARED:
                got.append(message)
    return got
