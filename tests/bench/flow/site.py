"""A server to measure against: the demo server for the API, nginx for the music, both over files of noise."""

from __future__ import annotations

import os
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from jellytui.demo.folder import scan
from jellytui.demo.server import DemoServer
from jellytui.engine.models import Account
from tests.bench.flow.nginx import nginx
from tests.support.signed_in import signed_in


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where everything is, and who is signed in."""

    url: str
    account: Account
    token: str
    item_ids: Sequence[str]
    """In the order of the sizes that were asked for."""


@asynccontextmanager
async def site(program: str, folder: Path, sizes: Sequence[int]) -> AsyncIterator[Site]:
    """A site with one track for each size in bytes."""
    music, media = folder / "music", folder / "media"
    for number, size in enumerate(sizes):
        _write_noise(music / "Noise" / "Static" / f"{number:04d} Hiss {number}.wav", size)
    library = scan(music)
    media.mkdir()
    for track in library.tracks:
        os.link(track.file, media / track.id)
    in_order = sorted(library.tracks, key=lambda track: track.file.name)
    async with DemoServer(music, library=library) as server, signed_in(server) as http:
        user = (await http.get("/Users/Me")).json()
        token = http.headers["Authorization"].partition('Token="')[2].rstrip('"')
        with nginx(program, folder / "nginx", media, server.port) as url:
            account = Account(
                server_url=url,
                server_id=user["ServerId"],
                server_name="Demo",
                server_version="10.11.0",
                user_id=user["Id"],
                user_name="demo",
                device_id="bench",
            )
            yield Site(url=url, account=account, token=token, item_ids=[track.id for track in in_order])


def _write_noise(file: Path, size: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    block = os.urandom(1_000_000)
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(44_100)
        for _ in range(max(1, size // len(block))):
            sound.writeframesraw(block)
