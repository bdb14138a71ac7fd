"""How much of a benchmark is the demo server: pages of the catalogue a second, megabytes of a file a second."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from jellytui.demo.server import DemoServer
from jellytui.demo.synthetic.library import SyntheticLibrary

TRACKS = 100_000
PAGE = 1000
SECONDS = 3.0
CATALOGUE = (
    "/Items?includeItemTypes=Audio&recursive=true&sortBy=Album,SortName"
    "&fields=Genres,DateCreated,SortName,ParentId,Etag&enableImageTypes=Primary&imageTypeLimit=1"
)
_CLIENT = 'MediaBrowser Client="bench", Device="box", DeviceId="bench", Version="1.0"'


def run() -> None:
    """Prints the rates of a server and a client that share this machine."""
    library = SyntheticLibrary(TRACKS)
    with DemoServer.in_thread(Path("/synthetic"), library=library) as server, httpx.Client(timeout=60) as client:
        client.base_url = server.url
        server.server.log.enabled = False
        client.headers["Authorization"] = f'{_CLIENT}, Token="{_token(client, server.user, server.password)}"'
        began = time.perf_counter()
        client.get(f"{CATALOGUE}&limit={PAGE}")
        first = time.perf_counter() - began  # the order of all tracks is made once
        pages = iter(range(0, TRACKS, PAGE))
        sizes: list[int] = []

        def page() -> None:
            sizes.append(len(client.get(f"{CATALOGUE}&limit={PAGE}&startIndex={next(pages)}").content))

        count, seconds = _repeat(page, TRACKS // PAGE)
        requests, spent = _repeat(lambda: client.get("/System/Info/Public"), 100_000)
        track = max((library.tracks[number] for number in range(50)), key=lambda each: each.size)
        files, reading = _repeat(lambda: client.get(f"/Items/{track.id}/File"), 100_000)
    per_page = sum(sizes) / len(sizes) / 1e6
    print(f"catalogue of {TRACKS:,} tracks, pages of {PAGE:,}: first {first:.2f} s, then {count / seconds:.1f} pages/s")
    print(f"  = {count * PAGE / seconds:,.0f} tracks/s, {per_page * count / seconds:.1f} MB/s of JSON")
    print(f"smallest answer: {requests / spent:,.0f} requests/s on one connection")
    print(f"a file of {track.size / 1e6:.1f} MB: {files * track.size / reading / 1e6:,.0f} MB/s")
    print(f"(python {sys.version.split()[0]}, {os.cpu_count()} cores, client and server share them)")


def _token(client: httpx.Client, user: str, password: str) -> str:
    body = {"Username": user, "Pw": password}
    answer = client.post("/Users/AuthenticateByName", json=body, headers={"Authorization": _CLIENT})
    return str(answer.json()["AccessToken"])


def _repeat(work: Callable[[], object], most: int) -> tuple[int, float]:
    """Does it for some seconds, at most so often: how often, and how long that took."""
    began, count = time.perf_counter(), 0
    while count < most and time.perf_counter() - began < SECONDS:
        work()
        count += 1
    return count, time.perf_counter() - began
