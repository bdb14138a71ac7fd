"""Http: requests to one server, and what its answers mean as errors (jellyfin-api.md 2.4, 3.6, 4.4)."""

from __future__ import annotations

import asyncio
import logging
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from jellytui import __version__
from jellytui.config import ServerSettings
from jellytui.engine.errors import (
    JellytuiError,
    NotAllowedError,
    NotFoundError,
    NotJellyfinError,
    NotSignedInError,
    ServerError,
    ServerStartingError,
    ServerUnreachableError,
    TlsError,
)

if TYPE_CHECKING:
    import ssl

    import httpx

log = logging.getLogger(__name__)

_TIMEOUTS_S = {"connect": 5.0, "read": 60.0, "write": 30.0, "pool": 30.0}
_AWAY = (502, 503, 504)


def authorization(device_id: str, token: str | None = None) -> str:
    """The Authorization header's value; each part percent-encoded as the server decodes it (jellyfin-api.md 3.1)."""
    parts = {
        "Client": "jellytui",
        "Device": platform.node() or "terminal",
        "DeviceId": device_id,
        "Version": __version__,
    }
    if token:
        parts["Token"] = token
    return "MediaBrowser " + ", ".join(f'{name}="{quote(value, safe="")}"' for name, value in parts.items())


async def tls_context(server: ServerSettings) -> ssl.SSLContext:
    """The TLS rules of [server]; made in a thread, since it reads all certificates. Raises TlsError."""

    def build() -> ssl.SSLContext:
        import ssl

        import certifi

        context = ssl.create_default_context(cafile=certifi.where())
        context.load_default_certs()
        if server.ca_file:
            context.load_verify_locations(server.ca_file)
        if not server.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    try:
        return await asyncio.to_thread(build)
    except OSError as error:
        raise TlsError(f"[server] ca_file = {server.ca_file!r} cannot be read: {error}") from error


class Http:
    """One server's address, settings and connection pool. The pool is made at the first request."""

    def __init__(self, base_url: str, server: ServerSettings, *, name: str = "") -> None:
        self.base_url = base_url.rstrip("/")
        self.name = name or urlsplit(base_url).netloc
        self._settings = server
        self._tls: ssl.SSLContext | None = None
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()

    @property
    def extra_headers(self) -> dict[str, str]:
        """What config.toml adds to each request, for proxies."""
        return dict(self._settings.headers)

    async def tls(self) -> ssl.SSLContext:
        """The TLS context, made once. Raises TlsError."""
        if self._tls is None:
            self._tls = await tls_context(self._settings)
        return self._tls

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int | bool | None] | None = None,
        body: object = None,
        authorization: str | None = None,
        timeout_s: float | None = None,
        accept: str = "application/json",
    ) -> httpx.Response:
        """Sends a request and gives the answer, whatever its status. Raises ServerUnreachableError, TlsError."""
        import httpx

        client = await self._open()
        # Names of headers have no case: what we must send takes the place of what config.toml adds.
        headers = httpx.Headers({**self.extra_headers})
        headers.update({"Accept": accept, "Accept-Encoding": "gzip"})
        if authorization is not None:
            headers["Authorization"] = authorization
        given = {name: value for name, value in (params or {}).items() if value is not None}
        try:
            return await client.request(
                method,
                f"{self.base_url}{path}",
                params=given,
                json=body,
                headers=headers,
                timeout=_timeout(timeout_s),
            )
        except httpx.HTTPError as error:
            raise self.error_of(error) from error
        except httpx.InvalidURL as error:
            raise NotJellyfinError(f"{self.base_url} is no address: {error}.") from error

    def error_of(self, error: Exception) -> ServerUnreachableError:
        """What a failed exchange means, in words."""
        import httpx

        text = str(error)
        if "mismatch" in text:
            return TlsError(
                f"The certificate of {self.name} is made for another name. Use the address that it is made for "
                "(or [server] verify = false in config.toml to trust anybody)."
            )
        if "has expired" in text:
            return TlsError(
                f"The certificate of {self.name} has expired. Renew it there; if it has not, set this machine's clock."
            )
        if "CERTIFICATE_VERIFY_FAILED" in text or "certificate" in text.lower():
            return TlsError(
                f"The certificate of {self.name} is not trusted here. If it is your own, name its authority in "
                'config.toml: [server] ca_file = "…" (or verify = false to trust anybody).'
            )
        if "SSL" in text or "TLS" in text:
            return ServerUnreachableError(
                f"{self.name} does not speak TLS as expected. Try the address with http:// instead."
            )
        if isinstance(error, httpx.TimeoutException):
            return ServerUnreachableError(f"{self.name} does not answer in time. Is it on, and reachable from here?")
        if isinstance(error, httpx.ConnectError):
            return ServerUnreachableError(f"{self.name} cannot be reached. Is it on, and is the address right?")
        return ServerUnreachableError(f"{self.name} broke the connection off. Trying again may help.")

    def check(self, response: httpx.Response) -> None:
        """Raises the narrowest error for an answer that is none of 2xx and 304."""
        status = response.status_code
        if status < 300 or status == 304:
            return
        log.info("%s answered %d to %s", self.name, status, response.request.url.path)
        raise self._problem(status, response)

    def _problem(self, status: int, response: httpx.Response) -> JellytuiError:
        if status == 401:
            if response.content:
                return NotAllowedError(f"{self.name} does not allow this account to do that.")
            return NotSignedInError(f"{self.name} wants you to sign in again: :login (or jellytui login).")
        if status == 403:
            return NotAllowedError(f"{self.name} does not allow this account to do that (at this hour, perhaps).")
        if status in (404, 405):
            return NotFoundError(f"{self.name} does not have that (any more).")
        if status in _AWAY:
            return ServerStartingError(f"{self.name} is starting or in maintenance. It will be tried again by itself.")
        if 300 <= status < 400:
            return NotJellyfinError(f"{self.name} has moved. Sign in again with its address: jellytui login URL")
        return ServerError(f"{self.name} answered with an error ({status}). Its log says more.")

    def json(self, response: httpx.Response) -> Any:
        """The answer's JSON. Raises NotJellyfinError for anything else (a captive portal, a proxy's login page)."""
        if "json" not in response.headers.get("content-type", ""):
            raise NotJellyfinError(
                f"Something other than Jellyfin answers for {self.name}: a login page of the network?"
            )
        try:
            return response.json()
        except ValueError as error:
            raise ServerError(f"The answer of {self.name} arrived damaged. Trying again may help.") from error

    async def close(self) -> None:
        """Closes the pool."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _open(self) -> httpx.AsyncClient:
        async with self._opening:
            if self._client is None:
                import httpx

                # Over plain http, where no redirect is followed either, reading all certificates would be in vain.
                is_plain = self.base_url.startswith("http://")
                self._client = httpx.AsyncClient(
                    verify=False if is_plain else await self.tls(),
                    http2=False,
                    follow_redirects=False,
                    timeout=_timeout(None),
                    limits=httpx.Limits(max_connections=8),
                )
            return self._client


def _timeout(seconds: float | None) -> httpx.Timeout:
    """The usual patience, or so many seconds for the answer; to connect never takes longer than usual."""
    import httpx

    if seconds is None:
        return httpx.Timeout(**_TIMEOUTS_S)
    return httpx.Timeout(seconds, connect=min(seconds, _TIMEOUTS_S["connect"]))
