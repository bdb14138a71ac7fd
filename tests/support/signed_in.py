"""A plain HTTP client that is signed in to a demo server, for tests of the server itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from jellytui.demo.server import DemoServer

CLIENT = 'MediaBrowser Client="test", Device="box", DeviceId="{}", Version="1.0"'


@asynccontextmanager
async def signed_in(
    server: DemoServer, user: str = "demo", password: str = "demo", device_id: str = "dev-1"
) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a token; `client.headers["Authorization"]` holds it."""
    header = CLIENT.format(device_id)
    async with httpx.AsyncClient(base_url=server.url, headers={"Authorization": header}, timeout=20) as client:
        answer = await client.post("/Users/AuthenticateByName", json={"Username": user, "Pw": password})
        answer.raise_for_status()
        client.headers["Authorization"] = f'{header}, Token="{answer.json()["AccessToken"]}"'
        yield client
