"""Joins the routes of all subjects into one Starlette app, with the manners that all answers share."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import PurePosixPath

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from jellytui.demo.routes import (
    artists,
    auth,
    images,
    items,
    lyrics,
    media,
    playback,
    playlists,
    sessions,
    system,
    userdata,
)
from jellytui.demo.routes.socket import serve_socket
from jellytui.demo.wire.authorization import client_info
from jellytui.demo.wire.endpoint import build_routes
from jellytui.demo.wire.query import Query
from jellytui.demo.wire.replies import ApiError, TextError, chunked, json_reply
from jellytui.demo.world import World

_MODULES = (items, artists, auth, userdata, playlists, playback, sessions, media, images, lyrics, system)
_LINE_BYTES = 8192
_HEADERS_BYTES = 32 * 1024
_LOADING = "<html><body>Jellyfin Server is loading. Please try again shortly.</body></html>"
_SETUP = "\ufeff<!DOCTYPE html><html><head><title>Jellyfin</title></head><body>Jellyfin is starting</body></html>"


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request as it came in: header names in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]


@dataclass(slots=True)
class RequestLog:
    """The requests seen, for tests that assert what a client asked."""

    requests: list[SeenRequest] = field(default_factory=list)
    enabled: bool = True


def build_app(world: World, log: RequestLog, wrap: Callable[[ASGIApp], ASGIApp] | None = None) -> ASGIApp:
    """The app of one server. `wrap` puts something (faults, a slow line) between the manners and the routes."""

    async def socket(websocket: WebSocket) -> None:
        await serve_socket(websocket, world)

    endpoints = [endpoint for module in _MODULES for endpoint in module.ENDPOINTS]
    inner: ASGIApp = Starlette(
        routes=[WebSocketRoute("/socket", socket), *build_routes(endpoints, world)],
        exception_handlers={404: _not_found, Exception: _failed},
    )
    inner = _StartUp(inner, world)
    if wrap is not None:
        inner = wrap(inner)
    return _Manners(_Paths(inner, world), world, log)


async def _not_found(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return Response(status_code=404)


async def _failed(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return TextError(500).response(request)


class _Manners:
    """What every answer has: `Server`, the time it took, CORS, and the language on 12 (jellyfin-api.md 2.3)."""

    def __init__(self, app: ASGIApp, world: World, log: RequestLog) -> None:
        self._app = app
        self._world = world
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers, began = Headers(scope=scope), time.perf_counter()
        if self._log.enabled:
            method = scope.get("method", "WEBSOCKET")
            query = scope["query_string"].decode("latin-1")
            self._log.requests.append(SeenRequest(method, scope["path"], query, dict(headers)))

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                out["Server"] = "Kestrel"
                out.setdefault("Date", formatdate(usegmt=True))
                out["X-Response-Time-ms"] = f"{(time.perf_counter() - began) * 1000:.4f}"
                if self._world.emulation.is_12 and scope["path"] != "/" and scope["method"] != "OPTIONS":
                    out["Content-Language"] = "en-US"
                if "origin" in headers:
                    out["Access-Control-Allow-Origin"] = "*"
            await send(message)

        if scope["type"] == "http" and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            allowed = headers["access-control-request-method"]
            answer = Response(status_code=204, headers={"Access-Control-Allow-Methods": allowed})
            await answer(scope, receive, with_headers)
            return
        too_long = _too_long(scope)
        if too_long is not None:
            answer = Response(status_code=too_long, headers={"Connection": "close", "Server": "Kestrel"})
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, with_headers)


def _too_long(scope: Scope) -> int | None:
    """414 for a request line beyond 8 KiB, 431 for headers beyond 32 KiB (jellyfin-api.md 2.2)."""
    line = len(scope["raw_path"]) + len(scope["query_string"]) + len("GET ? HTTP/1.1")
    if line > _LINE_BYTES:
        return 414
    headers = sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    return 431 if headers > _HEADERS_BYTES else None


class _Paths:
    """Paths without case and trailing slash, below the base path if there is one (jellyfin-api.md 2.2, 4.5)."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        base = self._world.base_path
        if base and not (path.lower() + "/").startswith(base.lower() + "/"):
            await _to_base(path, base)(scope, receive, send)
            return
        path = path[len(base) :] or "/"
        if self._world.emulation.legacy_authorization:
            for prefix in ("/emby/", "/mediabrowser/"):
                path = path[len(prefix) - 1 :] if path.lower().startswith(prefix) else path
        spelled = path.removesuffix("/") if not path.endswith("//") else path
        lowered = dict(scope) | {"path": spelled.lower() or "/", "spelled": spelled, "root_path": ""}
        await self._app(lowered, receive, send)


def _to_base(path: str, base: str) -> Response:
    """302 to the web client below the base path, relative to the request as the server writes it."""
    depth = max(0, len(PurePosixPath(path).parts) - 2)
    return RedirectResponse("../" * depth + base.strip("/") + "/web/", 302)


class _StartUp:
    """The answers of a server that is not ready yet (jellyfin-api.md 4.4)."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._world.phase == "ready" or scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            page = _SETUP if self._world.phase == "setup" else _LOADING
            await WebSocket(scope, receive, send).send_denial_response(_unavailable(page, self._world.phase))
            return
        request = Request(scope, receive)
        respond = self._setup if self._world.phase == "setup" else self._loading
        answer = respond(request)
        await (answer or self._app)(scope, receive, send)

    def _setup(self, request: Request) -> Response:
        if request.url.path == "/system/info/public":
            info = {
                "localAddress": self._world.address,
                "serverName": self._world.server_name,
                "version": self._world.emulation.version,
                "productName": "Jellyfin Server",
                "operatingSystem": "",
                "id": self._world.server_id,
                "startupWizardCompleted": False,
            }
            return json_reply(request, info, profiles=False)
        if request.url.path == "/health":
            return Response("Degraded", media_type="text/plain")
        return _unavailable(_SETUP, "setup")

    def _loading(self, request: Request) -> Response | None:
        """Ping works; a bad token is refused already, a good one or none needed waits."""
        path = request.url.path
        if path == "/system/ping":
            return None
        client = client_info(request.headers, Query(request.scope["query_string"]), self._world.emulation)
        open_paths = path in {"/system/info/public", "/health", "/users/public"}
        if not open_paths and client.token not in self._world.accounts.devices:
            return ApiError(401).response(request)
        return _unavailable(_LOADING, "loading")


def _unavailable(page: str, phase: str) -> Response:
    headers = {"Content-Type": "text/html"} | ({"Retry-After": "005"} if phase == "setup" else {})
    return chunked(Response(page, 503, headers))
