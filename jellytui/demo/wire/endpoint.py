"""One request with all that a handler needs, and the table that leads to handlers by path and method."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from jellytui.demo.library import DemoItem
from jellytui.demo.state.sessions import Session
from jellytui.demo.state.users import Device, User
from jellytui.demo.wire.authorization import ClientInfo, client_info
from jellytui.demo.wire.query import Query, guid
from jellytui.demo.wire.replies import ApiError, ProblemError, StringError, TextError, chunked, invalid, json_reply
from jellytui.demo.world import World


class Access(Enum):
    """Who may call a route."""

    ANYONE = "anyone"
    USER = "user"
    ADMIN = "admin"


class Call:
    """One request."""

    def __init__(self, request: Request, world: World) -> None:
        self.request = request
        self.world = world
        self.query = Query(request.scope["query_string"])

    @cached_property
    def client(self) -> ClientInfo:
        """What the request says about its client."""
        return client_info(self.request.headers, self.query, self.world.emulation)

    @cached_property
    def device(self) -> Device | None:
        """The device behind the token; None without a valid one, or for an API key."""
        return self.world.accounts.devices.get(self.client.token or "")

    @cached_property
    def user(self) -> User | None:
        """The user behind the token; None for an API key."""
        return self.world.accounts.users.get(self.device.user_id) if self.device else None

    @property
    def is_api_key(self) -> bool:
        """Whether an API key calls: no user, yet all is allowed (jellyfin-api.md 3.2)."""
        return self.client.token in self.world.accounts.api_keys

    @property
    def is_admin(self) -> bool:
        """Whether an administrator calls."""
        return self.is_api_key or bool(self.user and self.user.policy.administrator)

    def check(self, access: Access) -> None:
        """Raises the 401 or 403 of a caller who may not; sees to it that the session exists."""
        if self.user is None and not self.is_api_key:
            if access is not Access.ANYONE:
                raise ApiError(401)
            return
        if self.user is not None and not self.user.policy.access_now:
            raise ApiError(403)
        if access is Access.ADMIN and not self.is_admin:
            raise ApiError(403)
        if self.device is not None:
            self.device.name = self.client.device or self.device.name
            self.device.version = self.client.version or self.device.version

    @cached_property
    def session(self) -> Session:
        """The session of the caller. Raises 401 for an API key."""
        if self.device is None:
            raise ApiError(401)
        return self.world.sessions.of(self.device, self.world.clock(), self.client.client, self.client.device_id)

    def target_user(self) -> User | None:
        """The user whom `userId` or the legacy path names, else the caller.

        Raises 404 text for an unknown one, 403 text for another's without being an administrator (2.4).
        """
        wanted = self.path_guid("userid") if "userid" in self.request.path_params else self.query.guid("userId")
        if wanted is None:
            return self.user
        found = self.world.accounts.users.get(wanted)
        if found is None:
            raise TextError(404)
        if found is not self.user and not self.is_admin:
            raise TextError(403)
        return found

    def required_user(self) -> User:
        """`target_user`, or the 400 that an API key gets."""
        user = self.target_user()
        if user is None:
            raise ProblemError(400)
        return user

    def path_guid(self, name: str, shown_as: str | None = None) -> str:
        """An id in the path. Raises the 400 of a failed validation."""
        text = str(self.request.path_params[name])
        found = guid(text)
        if found is None:
            raise invalid(shown_as or name, text)
        return found

    def item(self, name: str = "itemid", *, error: ApiError | None = None) -> DemoItem:
        """The item that the path names and the caller may see. Raises `error`, a 404 problem by default."""
        item_id = self.path_guid(name, "itemId")
        found = self.world.library.get(item_id) if self.sees_library else None
        if found is None:
            raise error or ProblemError(404)
        return found

    @property
    def sees_library(self) -> bool:
        """Whether the caller may see the music library; nobody in particular may."""
        return self.user is None or self.user.policy.all_folders

    async def body(self, *, parameter: str, required: bool = True) -> dict[str, Any]:
        """The JSON object of a body, its keys in lower case.

        Raises 415 without a JSON content type and 400 without a body, in the server's words (2.2, 2.4).
        """
        kind = self.request.headers.get("content-type", "").split(";")[0].strip().lower()
        raw = await self.request.body()
        if kind not in {"application/json", "text/json"} and not kind.endswith("+json") and (required or raw):
            raise ProblemError(415)
        missing = {parameter: [f"The {parameter} field is required."]}
        if not raw.strip():
            if not required:
                return {}
            raise ProblemError(400, {"": ["A non-empty request body is required."]} | missing)
        try:
            found = json.loads(raw)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise ProblemError(400, {"$": ["The JSON value could not be converted."]} | missing)
        return {name.lower(): value for name, value in found.items()}

    def json(self, data: Any, status: int = 200) -> Response:
        """A JSON answer."""
        return json_reply(self.request, data, status)

    def not_found(self, message: str) -> StringError:
        """A 404 with a JSON string."""
        return StringError(404, message)


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A handler and where it is found. `path` is in lower case: routing ignores case."""

    method: str
    path: str
    handler: Handler
    access: Access = Access.USER


class _Methods:
    """The handlers of one path."""

    def __init__(self, endpoints: Mapping[str, Endpoint], world: World) -> None:
        self._endpoints = endpoints
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._respond(request)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        endpoint = self._endpoints.get(request.method)
        if endpoint is None:
            refused = Response(status_code=405, headers={"Allow": ", ".join(sorted(self._endpoints))})
            return chunked(refused) if request.method == "HEAD" else refused
        call = Call(request, self._world)
        try:
            call.check(endpoint.access)
            return await endpoint.handler(call)
        except ApiError as error:
            return error.response(request)


def build_routes(endpoints: Iterable[Endpoint], world: World) -> list[BaseRoute]:
    """One Starlette route for each path; the more literal path goes first."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    ordered = sorted(by_path, key=lambda path: [part.startswith("{") for part in path.split("/")])
    return [Route(path, _Methods(by_path[path], world)) for path in ordered]
