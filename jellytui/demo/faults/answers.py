"""Faults of meaning: other answers than the server gives, and bodies that are not what they should be."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from jellytui.demo.faults.rules import Fault, Faults
from jellytui.demo.sources.names import dashed
from jellytui.demo.wire.query import guid

_LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in to this network.</body></html>"
)
_ODD_DATES = (
    "0001-01-01T00:00:00.0000000Z",
    "2024-02-03T04:05:06",
    "2024-02-03T04:05:06Z",
    "2024-02-03T04:05:06.1234567Z",
)
_HOSTILE = "\x1b]0;owned\x07[bold red]\u202e\t\u200b"


class FaultyAnswers:
    """ASGI middleware that does the faults of meaning."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        striking = self._faults.striking(scope["method"], scope["path"], wire=False)
        answer = next((found for fault in striking if (found := _instead(fault))), None)
        if answer is not None:
            await answer(scope, receive, send)
            return
        if any(fault.kind == "ignore_range" for fault in striking):
            kept = [(name, value) for name, value in scope["headers"] if name not in {b"range", b"if-range"}]
            scope = dict(scope) | {"headers": kept}
        if not striking:
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Rewriter(send, striking).send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        striking = self._faults.striking("GET", scope["path"], wire=False, socket=True)
        refusal = next((fault for fault in striking if fault.kind == "refuse_socket"), None)
        if refusal is not None:
            await WebSocket(scope, receive, send).send_denial_response(Response(refusal.body, refusal.status or 503))
            return

        async def with_more(message: Message) -> None:
            await send(message)
            if message["type"] != "websocket.accept":
                return
            for fault in striking:
                data = {"text": fault.body} if fault.kind == "socket_text" else {"bytes": fault.body.encode()}
                for _ in range(fault.copies):
                    await send({"type": "websocket.send", **data})

        await self._app(scope, receive, with_more)


def _instead(fault: Fault) -> Response | None:
    """The answer that takes the place of the server's."""
    headers = {name: value for name, value in fault.headers.items() if value is not None}
    if fault.kind == "status":
        typed = {"Content-Type": fault.content_type} if fault.content_type else {}
        return Response(fault.body, fault.status, headers | typed)
    if fault.kind == "html":
        return Response(fault.body or _LOGIN_PAGE, fault.status or 200, headers, media_type="text/html")
    if fault.kind == "redirect":
        return Response(status_code=fault.status or 302, headers=headers | {"Location": fault.location})
    return None


class _Rewriter:
    """Holds a JSON answer back, changes it, and sends it on; other bodies pass with changed headers."""

    def __init__(self, send: Send, faults: list[Fault]) -> None:
        self._send = send
        self._faults = faults
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        """Takes a message of the app."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for fault in self._faults:
                _change_headers(headers, fault)
            if not headers.get("content-type", "").startswith("application/json"):
                await self._send(message)
                return
            self._start = message
            return
        if self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        body = _changed(self._body, self._faults, MutableHeaders(scope=self._start))
        await self._send(self._start)
        await self._send(dict(message) | {"body": body})


def _change_headers(headers: MutableHeaders, fault: Fault) -> None:
    for name, value in fault.headers.items():
        if value is None:
            del headers[name]
        else:
            headers[name] = value


def _changed(body: bytes, faults: list[Fault], headers: MutableHeaders) -> bytes:
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
        del headers["content-encoding"]
    data: Any = json.loads(body)
    for fault in faults:
        _change_data(data, fault)
    out = json.dumps(data, ensure_ascii=True).encode()
    for fault in faults:
        if fault.kind == "bom":
            out = "\ufeff".encode() + out
        elif fault.kind == "truncate":
            out = out[: fault.after_bytes]
    return out


def _change_data(data: Any, fault: Fault) -> None:
    rows = data.get("Items") if isinstance(data, dict) else data
    if fault.kind == "set" and isinstance(data, dict):
        data.update(fault.values)
    elif fault.kind == "remove" and isinstance(data, dict):
        for name in fault.names:
            data.pop(name, None)
    elif fault.kind == "rows" and isinstance(rows, list):
        kept = [row for place, row in enumerate(rows) for _ in range(_copies(place, fault))]
        rows[:] = kept
    elif fault.kind == "set_rows":
        for row in _objects(rows):
            row.update(fault.values)
    elif fault.kind == "strip":
        for row in _objects(rows):
            for name in fault.names:
                row.pop(name, None)
    elif fault.kind == "hostile_names":
        for row in _objects(rows):
            if isinstance(row.get("Name"), str):
                row["Name"] += _HOSTILE
    elif fault.kind in {"dashed_ids", "odd_dates"}:
        for place, owner in enumerate(_everywhere(data)):
            _change_values(owner, fault.kind, place)


def _copies(place: int, fault: Fault) -> int:
    return 0 if place in fault.drop else 2 if place in fault.duplicate else 1


def _objects(rows: Any) -> list[dict[str, Any]]:
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _everywhere(data: Any) -> Iterator[dict[str, Any]]:
    if isinstance(data, dict):
        yield data
    for child in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from _everywhere(child)


def _change_values(owner: dict[str, Any], kind: str, place: int) -> None:
    for name, value in owner.items():
        if not isinstance(value, str):
            continue
        if kind == "dashed_ids" and name.endswith("Id") and guid(value) == value:
            owner[name] = dashed(value)
        elif kind == "odd_dates" and "Date" in name:
            owner[name] = _ODD_DATES[place % len(_ODD_DATES)]
