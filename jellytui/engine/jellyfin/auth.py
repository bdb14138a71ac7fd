"""Signing in and out: from an address typed by hand to an account with its token on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from jellytui.config import ServerSettings, Settings
from jellytui.engine.clock import Clock, SystemClock
from jellytui.engine.errors import (
    JellytuiError,
    NotAllowedError,
    NotJellyfinError,
    QuickConnectError,
    ServerError,
    ServerStartingError,
    ServerTooOldError,
    ServerUnreachableError,
    TlsError,
    UsageError,
    UserDisabledError,
    WrongPasswordError,
)
from jellytui.engine.jellyfin import dto, queries
from jellytui.engine.jellyfin.client import JellyfinClient
from jellytui.engine.jellyfin.http import Http, authorization
from jellytui.engine.jellyfin.publicinfo import PATH, PublicInfo, decoded
from jellytui.engine.jellyfin.signin import addresses, discovery, stored
from jellytui.engine.jellyfin.signin.stored import stored_account, stored_token
from jellytui.engine.models import Account, DiscoveredServer, ServerInfo
from jellytui.paths import Paths

if TYPE_CHECKING:
    import httpx

__all__ = ["QuickConnect", "SignInService", "sign_out", "stored_account", "stored_token"]

log = logging.getLogger(__name__)

POLL_S = 3.0
QUICK_CONNECT_LIFE_S = 600.0
_MAX_REDIRECTS = 5
_TELLING: tuple[type[JellytuiError], ...] = (
    ServerTooOldError,
    ServerStartingError,
    TlsError,
    NotAllowedError,
    NotJellyfinError,
)
"""Of several addresses tried in vain, the error nearest to success is told."""


class SignInService:
    """Signs in (the SignIn of backend.py). The account and its token are stored; whoever used the machine before
    keeps his token and his music."""

    def __init__(self, *, paths: Paths, settings: Settings, clock: Clock, timeout_s: float = 10.0) -> None:
        self._paths = paths
        self._server = settings.server
        self._clock = clock
        self._timeout_s = timeout_s

    def last_account(self) -> Account | None:
        """Who signed in last on this machine, still signed in or not."""
        return stored_account(self._paths)

    def discover(self) -> AsyncIterator[DiscoveredServer]:
        """Servers that answer on UDP 7359, as they answer, for about two seconds."""
        return discovery.discover(self._clock)

    async def probe(self, address: str) -> ServerInfo:
        """Resolves a carelessly typed address. Raises UsageError, ServerTooOldError, ServerStartingError, TlsError,
        NotAllowedError, NotJellyfinError or ServerUnreachableError, whichever says why not."""
        urls = addresses.candidates(address)
        tries = [asyncio.create_task(self._resolve(url)) for url in urls]
        errors: list[JellytuiError] = []
        try:
            # All at once, but the likelier address wins: a password should not go over plain HTTP where TLS is there.
            for attempt in tries:
                try:
                    return await attempt
                except JellytuiError as error:
                    errors.append(error)
        finally:
            for attempt in tries:
                attempt.cancel()
            await asyncio.gather(*tries, return_exceptions=True)
        raise min(errors, key=_rank)

    async def with_password(self, server: ServerInfo, user_name: str, password: str) -> Account:
        """Signs in with name and password. Raises WrongPasswordError, UserDisabledError, ServerUnreachableError."""
        if not user_name.strip():
            raise UsageError("Who signs in? Give a user name.")
        async with self._http(server) as http:
            body = {"Username": user_name.strip(), "Pw": password}
            response = await self._post(http, "/Users/AuthenticateByName", body)
            if response.status_code == 401:
                raise WrongPasswordError(f"{server.name} does not take this name and password.")
            if response.status_code == 403:
                raise UserDisabledError(
                    f"{server.name} does not let {user_name.strip()} in: the account is disabled or locked, or not "
                    "allowed from here or at this hour. Ask the server's administrator."
                )
            return await self._keep(server, http, response)

    async def quick_connect(self, server: ServerInfo) -> QuickConnect:
        """Starts a Quick Connect. Raises QuickConnectError where it is switched off."""
        async with self._http(server) as http:
            enabled = await http.send("GET", "/QuickConnect/Enabled", timeout_s=self._timeout_s)
            http.check(enabled)
            if http.json(enabled) is not True:
                raise QuickConnectError(f"{server.name} has Quick Connect switched off. Sign in with your password.")
            response = await self._post(http, "/QuickConnect/Initiate", None)
            if response.status_code == 401:
                raise QuickConnectError(f"{server.name} has Quick Connect switched off. Sign in with your password.")
            http.check(response)
            request = dto.record(http.json(response))
        code, secret = dto.clean(request.get("Code")), request.get("Secret")
        if not code or not isinstance(secret, str):
            raise ServerError(f"{server.name} gave no code. Sign in with your password.")
        return QuickConnect(self, server, code=code, secret=secret, clock=self._clock)

    async def is_approved(self, server: ServerInfo, secret: str) -> bool:
        """Whether a Quick Connect was approved. Raises QuickConnectError when its code has expired."""
        async with self._http(server) as http:
            params = {"secret": secret}
            response = await http.send("GET", "/QuickConnect/Connect", params=params, timeout_s=self._timeout_s)
            if response.status_code == 404:
                raise QuickConnectError("The code has expired. Start Quick Connect again.")
            http.check(response)
            return dto.record(http.json(response)).get("Authenticated") is True

    async def finish_quick_connect(self, server: ServerInfo, secret: str) -> Account:
        """Signs in with an approved Quick Connect; may be repeated."""
        async with self._http(server) as http:
            response = await self._post(http, "/Users/AuthenticateWithQuickConnect", {"Secret": secret})
            if response.status_code == 404:
                raise QuickConnectError("The code has expired. Start Quick Connect again.")
            return await self._keep(server, http, response)

    # Finding the server

    async def _resolve(self, url: str) -> ServerInfo:
        """The server at a base URL or behind its redirects."""
        typed_host = addresses.host(url)
        for _ in range(_MAX_REDIRECTS + 1):
            # Headers for one's own proxy are secrets to others.
            settings = self._server if addresses.host(url) == typed_host else _without_headers(self._server)
            async with _closing(Http(url, settings)) as http:
                response = await http.send("GET", PATH, timeout_s=self._timeout_s)
                found = addresses.moved(url, response.headers.get("location", ""), PATH)
                if not response.is_redirect or found is None or found == url:
                    return _server_info(url, decoded(http, response))
                url = found
        raise NotJellyfinError(f"{url} sends us round in a circle of redirects. Is the address right?")

    # Helpers

    @asynccontextmanager
    async def _http(self, server: ServerInfo) -> AsyncIterator[Http]:
        async with _closing(Http(server.url, self._server, name=server.name)) as http:
            yield http

    async def _post(self, http: Http, path: str, body: object) -> httpx.Response:
        header = authorization(await asyncio.to_thread(stored.device_id, self._paths))
        return await http.send("POST", path, body=body, authorization=header, timeout_s=self._timeout_s)

    async def _keep(self, server: ServerInfo, http: Http, response: httpx.Response) -> Account:
        """Stores what an AuthenticationResult says."""
        http.check(response)
        answer = dto.record(http.json(response))
        token, user = answer.get("AccessToken"), dto.user_info(dto.record(answer.get("User")))
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token or not user.id:
            raise ServerError(f"{server.name} let us in without a token. Its log says more.")
        account = Account(
            server_url=server.url,
            server_id=dto.normal_id(answer.get("ServerId")) or server.id,
            server_name=server.name,
            server_version=server.version,
            user_id=user.id,
            user_name=user.name,
            device_id=await asyncio.to_thread(stored.device_id, self._paths),
        )
        await asyncio.to_thread(stored.store, self._paths, account, token)
        log.info("signed in to %s as %s", account.server_name, account.user_name)
        return account


class QuickConnect:
    """A Quick Connect under way (the QuickConnectRequest of backend.py)."""

    def __init__(self, service: SignInService, server: ServerInfo, *, code: str, secret: str, clock: Clock) -> None:
        self._service = service
        self._server = server
        self._code = code
        self._secret = secret
        self._clock = clock

    @property
    def code(self) -> str:
        """The digits that the user enters in a client that is signed in."""
        return self._code

    async def wait(self) -> Account:
        """Waits for the approval, then signs in. Raises QuickConnectError when the code expires. Cancel to give up."""
        ends_at = self._clock.monotonic() + QUICK_CONNECT_LIFE_S
        while not await self._is_approved():
            if self._clock.monotonic() >= ends_at:
                raise QuickConnectError("The code has expired. Start Quick Connect again.")
            await self._clock.sleep(POLL_S)
        return await self._service.finish_quick_connect(self._server, self._secret)

    async def _is_approved(self) -> bool:
        try:
            return await self._service.is_approved(self._server, self._secret)
        except ServerUnreachableError as error:
            # A network that fails for a moment ends nothing: the code lives for minutes.
            log.info("the approval could not be asked for: %s", error)
            return False


async def sign_out(paths: Paths, settings: Settings, account: Account) -> None:
    """Ends the token at the server as far as it answers, and forgets it here; music and database stay."""
    token = stored_token(paths, account)
    try:
        if token is not None:
            client = JellyfinClient(account=account, token=token, server=settings.server, clock=SystemClock())
            with contextlib.suppress(JellytuiError):
                await client.sign_out()
            await client.close()
    finally:
        await asyncio.to_thread(stored.forget, paths, account)


@asynccontextmanager
async def _closing(http: Http) -> AsyncIterator[Http]:
    try:
        yield http
    finally:
        await http.close()


def _server_info(url: str, found: PublicInfo) -> ServerInfo:
    """Raises ServerTooOldError."""
    if queries.version(found.version) < queries.OLDEST:
        raise ServerTooOldError(
            f"{found.name} is Jellyfin {found.version}; jellytui needs 10.9 or newer. Its administrator can update it."
        )
    return ServerInfo(url=url, id=found.id, name=found.name, version=found.version)


def _without_headers(server: ServerSettings) -> ServerSettings:
    return msgspec.structs.replace(server, headers={})


def _rank(error: JellytuiError) -> int:
    return next((place for place, kind in enumerate(_TELLING) if isinstance(error, kind)), len(_TELLING))
