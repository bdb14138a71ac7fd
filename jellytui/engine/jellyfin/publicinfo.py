"""/System/Info/Public: whether a Jellyfin server answers, which one, and whether it is ready (jellyfin-api.md 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from jellytui.engine.errors import (
    NotAllowedError,
    NotFoundError,
    NotJellyfinError,
    NotSignedInError,
    ServerStartingError,
)
from jellytui.engine.jellyfin import dto
from jellytui.engine.jellyfin.http import Http

if TYPE_CHECKING:
    import httpx

PATH = "/System/Info/Public"
_TIMEOUT_S = 10.0


class PublicInfo(Struct, frozen=True):
    """Who answers; the id in the server's own form, the rest cleaned."""

    id: str
    name: str
    version: str


async def public_info(http: Http) -> PublicInfo:
    """Asks the server behind `http`. Raises ServerUnreachableError and its kinds, NotAllowedError, NotJellyfinError."""
    return decoded(http, await http.send("GET", PATH, timeout_s=_TIMEOUT_S))


def decoded(http: Http, response: httpx.Response) -> PublicInfo:
    """The answer as data. While it starts a server writes other capitals (4.4)."""
    try:
        http.check(response)
    except (NotSignedInError, NotAllowedError) as error:
        raise NotAllowedError(
            f"{http.name} wants a login of its own before Jellyfin is reached (a proxy?). What it needs can be named "
            "in config.toml: [server] headers"
        ) from error
    except NotFoundError as error:
        raise _not_jellyfin(http) from error
    answer = http.json(response)
    members = {str(key).lower(): value for key, value in answer.items()} if isinstance(answer, dict) else {}
    if members.get("startupwizardcompleted") is False:
        raise ServerStartingError(
            f"{http.name} is starting, or is not set up yet. Wait a moment, or open it in a browser."
        )
    server_id, version = dto.normal_id(members.get("id")), dto.clean(members.get("version"))
    if not server_id or not version:
        raise _not_jellyfin(http)
    return PublicInfo(id=server_id, name=dto.clean(members.get("servername"))[:100] or http.name, version=version[:40])


def _not_jellyfin(http: Http) -> NotJellyfinError:
    return NotJellyfinError(f"Something answers at {http.base_url}, but it is not Jellyfin. Is the address right?")
