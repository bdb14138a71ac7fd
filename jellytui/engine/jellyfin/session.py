"""Session: requests as one signed-in user, and what follows when its token is refused (design.md, 401)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from jellytui.engine.clock import Clock
from jellytui.engine.errors import NotAllowedError, NotSignedInError
from jellytui.engine.jellyfin.http import Http, authorization

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

ReadToken = Callable[[], str | None]
"""The token in the account's file now; another process may have signed in meanwhile."""
Refused = Callable[[NotSignedInError], None]
Params = Mapping[str, str | int | bool | None]


class Session:
    """Sends requests with the token. `on_refused` hears when no token that we have is taken any more."""

    def __init__(self, http: Http, *, device_id: str, token: str, read_token: ReadToken, clock: Clock) -> None:
        self.on_refused: Refused | None = None
        self._http = http
        self._device_id = device_id
        self._token = token
        self._read_token = read_token
        self._clock = clock
        self._checking = asyncio.Lock()
        self._taken_at: float | None = None

    @property
    def authorization(self) -> str:
        """The Authorization header's value with the token of now."""
        return authorization(self._device_id, self._token)

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: object = None,
        timeout_s: float | None = None,
    ) -> httpx.Response:
        """Sends a request and gives its good answer. Raises the narrowest JellytuiError.

        A 401 was refused before anything was done: whatever the request was, it may be sent again.
        """
        token, sent_at = self._token, self._clock.monotonic()
        response = await self._send(method, path, params, body, timeout_s)
        if not _is_token_refused(response):
            self._http.check(response)
            return response
        if self._token == token and not await self.take_newer_token():
            await self._check_token(sent_at)
        response = await self._send(method, path, params, body, timeout_s)
        if _is_token_refused(response):
            # The token is good and this one thing is refused (a proxy?): signing in again would not help.
            await self._check_token(sent_at)
            raise NotAllowedError(f"{self._http.name} does not allow this account to do that.")
        self._http.check(response)
        return response

    async def take_newer_token(self) -> bool:
        """Reads the token's file again; whether it holds another token than the one used until now."""
        found = await asyncio.to_thread(self._read_token)
        if not found or found == self._token:
            return False
        log.info("another process has signed in; its token is used from now on")
        self._token = found
        self._taken_at = None
        return True

    async def user(self) -> httpx.Response:
        """/Users/Me, the canonical token check. Raises NotSignedInError; tells nobody."""
        response = await self._send("GET", "/Users/Me", None, None, None)
        self._http.check(response)
        self._taken_at = self._clock.monotonic()
        return response

    async def _check_token(self, sent_at: float) -> None:
        """Raises NotSignedInError unless the server has taken the token since a request that it refused was sent.

        So many requests that are refused at once check it once.
        """
        async with self._checking:
            if self._taken_at is not None and self._taken_at > sent_at:
                return
            try:
                await self.user()
            except NotSignedInError as error:
                if self.on_refused is not None:
                    self.on_refused(error)
                raise

    async def _send(
        self, method: str, path: str, params: Params | None, body: object, timeout_s: float | None
    ) -> httpx.Response:
        return await self._http.send(
            method, path, params=params, body=body, authorization=self.authorization, timeout_s=timeout_s
        )


def _is_token_refused(response: httpx.Response) -> bool:
    """401 with a body is about a permission, not about the token (jellyfin-api.md 3.6)."""
    return response.status_code == 401 and not response.content
