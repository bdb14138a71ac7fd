"""A whole sync of a big library and one of changes after it: tracks a second, memory, how long the loop stands still.

The server is a process of its own and shares the cores; the client's CPU time tells what is ours. A task that only
sleeps stands in for the app, which draws on this very loop: how late it wakes is how late a key is painted.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from jellytui.config import ServerSettings
from jellytui.engine.bus import EventBus
from jellytui.engine.clock import SystemClock
from jellytui.engine.events import SyncState
from jellytui.engine.jellyfin.client import JellyfinClient
from jellytui.engine.jellyfin.signin.stored import stored_account, stored_token
from jellytui.engine.library.syncing.sync import LibrarySync
from jellytui.engine.storage.database import Database
from jellytui.paths import paths_below
from tests.bench.flow.machine import facts
from tests.support.catalogue import LinkInMemory, synced
from tests.support.program import JELLYTUI, Home

TRACKS = 20_000
LIMIT_S = 300.0
TICK_S = 0.005


def run(tracks: int = TRACKS) -> None:
    """Prints a row for each kind of sync."""
    with tempfile.TemporaryDirectory(prefix="jellytui-bench-") as folder:
        home = Home.make(Path(folder) / "home")
        with _server(home, tracks) as url:
            home.sign_in(url)
            asyncio.run(_measure(home, Path(folder)))
    print(f"{tracks:,} synthetic tracks, client and server share the cores; {facts()}")


@contextmanager
def _server(home: Home, tracks: int) -> Iterator[str]:
    command = [*JELLYTUI, "demo", "--synthetic", str(tracks), "--serve-only", "--json"]
    server = subprocess.Popen(command, env=home.environment, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield json.loads(server.stdout.readline())["url"]
    finally:
        server.terminate()
        server.wait()


async def _measure(home: Home, folder: Path) -> None:
    async with _sync(home, folder) as sync:
        memory = _memory_mb()
        for name, is_full in (("whole, empty mirror", True), ("changes only", False), ("whole, nothing new", True)):
            lags: list[float] = []
            watching = asyncio.create_task(_watch(lags))
            began, began_cpu = time.perf_counter(), time.process_time()
            async with asyncio.timeout(LIMIT_S):
                state = await synced(sync, full=is_full)
            took, cpu = time.perf_counter() - began, time.process_time() - began_cpu
            watching.cancel()
            _print(name, state, took, cpu, lags)
        print(f"memory: {memory:.0f} MB before, at most {_memory_mb():.0f} MB")


def _print(name: str, state: SyncState, took: float, cpu: float, lags: list[float]) -> None:
    assert state.status == "done", state
    lags.sort()
    middle, late = (lags[int(len(lags) * share)] * 1000 for share in (0.5, 0.99))
    print(
        f"{name:20} {took:6.2f} s ({cpu:5.2f} s of CPU here) {state.total / took:8,.0f} tracks/s"
        f"   loop late by {middle:.1f} ms (median) {late:.0f} ms (p99) {lags[-1] * 1000:.0f} ms (most)"
    )


@asynccontextmanager
async def _sync(home: Home, folder: Path) -> AsyncIterator[LibrarySync]:
    """As the engine joins it, without the other parts."""
    paths = paths_below(home.folder)
    account = stored_account(paths)
    assert account is not None
    token, clock = stored_token(paths, account), SystemClock()
    assert token is not None
    database = await Database.open(folder / "jellytui.db")
    client = JellyfinClient(account=account, token=token, server=ServerSettings(), clock=clock)
    try:
        yield LibrarySync(client=client, connection=LinkInMemory(), database=database, bus=EventBus(), clock=clock)
    finally:
        await client.close()
        await database.close()


async def _watch(lags: list[float]) -> None:
    while True:
        due = time.perf_counter() + TICK_S
        await asyncio.sleep(TICK_S)
        lags.append(time.perf_counter() - due)


def _memory_mb() -> float:
    """The most that this process has had at once, in MB."""
    status = Path(f"/proc/{os.getpid()}/status")
    if not status.exists():
        return 0.0
    line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
