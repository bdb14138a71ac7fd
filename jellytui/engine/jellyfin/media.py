"""MediaClient: opens the bodies of files, one short-lived HTTP client for each (downloads-playback.md 1.5, 7).

Cancelling a request of a shared httpx client leaks its pool slot for ever; a client of its own, over the shared SSL
context, costs 0.15 ms and is dropped with whatever it held.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.request import getproxies

from jellytui.engine.errors import BodyBrokenError, ServerUnreachableError, TlsError
from jellytui.engine.jellyfin.client import JellyfinClient
from jellytui.engine.jellyfin.wire.pace import NAME, Pace

if TYPE_CHECKING:
    import httpx

MAX_REDIRECTS = 5


@dataclass(frozen=True, kw_only=True)
class MediaTimeouts:
    """Seconds to connect, and of silence before a body counts as broken off."""

    connect_s: float = 10.0
    read_s: float = 30.0


class MediaResponse:
    """An answer whose body is read as it comes."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self._pace: Pace | None = response.extensions.get(NAME)
        """Behind a proxy there is none."""

    async def chunks(self, patience_s: Callable[[], float] | None = None) -> AsyncIterator[bytes]:
        """The body's bytes, undecoded; at once, or left to gather for `patience_s`, asked when nothing is here. Raises
        BodyBrokenError.
        """
        import httpx

        if self._pace is not None:
            self._pace.patience_s = patience_s
        try:
            # No chunk_size: httpx would lose what it had gathered when the connection breaks.
            async for chunk in self._response.aiter_raw():
                yield chunk
        except httpx.TimeoutException as error:
            raise BodyBrokenError("The server fell silent in the middle of the file.") from error
        except (httpx.TransportError, httpx.StreamError) as error:
            raise BodyBrokenError("The connection broke in the middle of the file.") from error

    def hurry(self) -> None:
        """Has what is left to gather read now."""
        if self._pace is not None:
            self._pace.hurry()

    async def close(self) -> None:
        """Closes the connection, read or not."""
        await self._response.aclose()


class MediaClient:
    """Opens files of the server; holds no connection between two of them."""

    def __init__(self, *, client: JellyfinClient, timeouts: MediaTimeouts | None = None) -> None:
        self._client = client
        self._timeouts = timeouts or MediaTimeouts()
        self._turn = asyncio.Lock()
        """All bodies read by turns."""
        self._has_proxy = _has_proxy()

    @asynccontextmanager
    async def open(
        self, url: str, *, start: int = 0, end: int | None = None, if_range: str | None = None, authorized: bool
    ) -> AsyncIterator[MediaResponse]:
        """Asks for a file from byte `start` (to `end`, inclusive) and gives the answer, whatever its status.

        Redirects are followed at most five times, with the token only to the same origin. Raises
        ServerUnreachableError (TlsError) when nothing answered before the first byte.
        """
        headers = {"Accept-Encoding": "identity"}
        if start or end is not None:
            headers["Range"] = f"bytes={start}-{'' if end is None else end}"
        if if_range is not None:
            headers["If-Range"] = if_range
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(await self._one_use_client())
            response = await self._send(http, url, headers, authorized=authorized)
            stack.push_async_callback(response.close)
            yield response

    async def _one_use_client(self) -> httpx.AsyncClient:
        import httpx

        from jellytui.engine.jellyfin.wire.transport import BodyTransport

        tls = await self._client.tls()
        return httpx.AsyncClient(
            # httpx knows the ways through proxies; the usual way is straight, and ours is twice as fast.
            transport=None if self._has_proxy else BodyTransport(tls, self._turn),
            verify=tls,
            http2=False,
            follow_redirects=False,
            timeout=httpx.Timeout(connect=self._timeouts.connect_s, read=self._timeouts.read_s, write=10.0, pool=10.0),
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=0),
        )

    async def _send(
        self, http: httpx.AsyncClient, url: str, headers: Mapping[str, str], *, authorized: bool
    ) -> MediaResponse:
        import httpx

        target = home = httpx.URL(url)
        for _ in range(MAX_REDIRECTS + 1):
            is_home = _origin(target) == _origin(home)
            own = dict(self._client.extra_headers()) if is_home else {}
            if authorized and is_home:
                own["Authorization"] = self._client.authorization()
            try:
                response = await http.send(http.build_request("GET", target, headers={**own, **headers}), stream=True)
            except httpx.ConnectError as error:
                if "certificate" in str(error).lower():
                    raise TlsError("The server's certificate is not trusted; see [server] ca_file.") from error
                raise ServerUnreachableError("The server cannot be reached.") from error
            except httpx.TimeoutException as error:
                raise ServerUnreachableError("The server does not answer.") from error
            except httpx.TransportError as error:
                raise ServerUnreachableError("The server broke off before it answered.") from error
            location = response.headers.get("location")
            if not response.is_redirect or location is None:
                return MediaResponse(response)
            await response.aclose()
            target = target.join(location)
        raise ServerUnreachableError("The server sends the download round in a circle of redirects.")


def _has_proxy() -> bool:
    """Whether the machine is set up to reach servers through a proxy, as httpx sees it too."""
    return not getproxies().keys().isdisjoint({"http", "https", "all"})


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return (url.scheme, url.host, url.port)
