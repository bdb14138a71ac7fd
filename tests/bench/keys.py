"""From a key to its paint in the real app on a real pty: idle, while four downloads run flat out (issue 5), and while
music streams and three downloads run (issue 6).

The time ends when the terminal emulator shows the cursor's new row, so that its own work and the measuring process
(both on the same cores as app, server and nginx) are in it.
"""

from __future__ import annotations

import asyncio
import math
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.bench.flow.machine import facts, roomy_folder
from tests.bench.flow.nginx import find_nginx
from tests.bench.flow.site import site
from tests.support.program import JELLYTUI, Home
from tests.support.terminal import Terminal

FILES = 16
FILE_BYTES = 250_000_000
STREAM_BYTES = 1_000_000_000
"""Of the first track: long enough to be still on its way when the last key is painted."""
KEYS = 60
REST_S = 0.02
"""Between two keys: fast typing, and the paint before is over."""
COLUMN = 40
"""In the list of tracks."""


def run() -> None:
    """Prints the percentiles without and with downloads."""
    program, memory = find_nginx(), roomy_folder()
    if program is None or memory is None:
        print("not measured: nginx is needed (apt-get install nginx-light), and 4 GB of memory for files in /dev/shm")
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="jellytui-bench-") as folder:
        asyncio.run(_measure(program, Path(folder)))
    print(f"{KEYS} keys each; {facts()}")


async def _measure(program: str, folder: Path) -> None:
    sizes = [STREAM_BYTES, FILE_BYTES] + [1_000_000] * (FILES - 2)
    async with site(program, folder / "site", sizes) as here:
        media = folder / "site" / "media"
        for item_id in here.item_ids[2:]:  # the same bytes for all: they need no room, and the sizes do not matter
            (media / item_id).unlink()
            (media / item_id).hardlink_to(media / here.item_ids[1])
        await asyncio.to_thread(_beside_downloads, here.url, folder / "home")
        shutil.rmtree(folder / "home")
        await asyncio.to_thread(_beside_music, here.url, folder / "home", here.item_ids[0])


def _beside_downloads(url: str, folder: Path) -> None:
    home = _home(folder, url, concurrency=4)
    with Terminal(JELLYTUI, environment=home.environment) as terminal:
        _open_tracks(terminal)
        _print("idle", _paints(terminal))
        _download_album(terminal)
        _print("4 downloads", _paints(terminal))
        is_busy = "MB/s" in terminal.text
        terminal.send("q")
        terminal.wait_for_exit()
    if not is_busy:
        print("distrust this: the downloads had ended before the last key")


def _beside_music(url: str, folder: Path, item_id: str) -> None:
    home = _home(folder, url, concurrency=3)
    with Terminal(JELLYTUI, environment=home.environment) as terminal:
        _open_tracks(terminal)
        terminal.send("\r")
        terminal.wait_for("from the server")
        _download_album(terminal)
        _print("stream and 3", _paints(terminal))
        running = {row["item_id"] for row in home.json("downloads") if row["status"] == "downloading"}
        terminal.send("q")
        terminal.wait_for_exit()
    if item_id not in running or len(running) < 4:
        print(f"distrust this: only {len(running)} were still coming after the last key")


def _home(folder: Path, url: str, *, concurrency: int) -> Home:
    home = Home.make(folder)
    config = folder / "config" / "config.toml"
    settings = f"\n[downloads]\nconcurrency = {concurrency}\n"
    config.write_text(config.read_text(encoding="utf-8") + settings, encoding="utf-8")
    home.sign_in(url)
    return home


def _open_tracks(terminal: Terminal) -> None:
    terminal.wait_for("Hiss 0")
    terminal.rest()
    terminal.send("ll")
    terminal.rest()


def _download_album(terminal: Terminal) -> None:
    terminal.send("h")
    terminal.rest(0.2, seconds=1)
    terminal.send("d")
    terminal.wait_for("MB/s")
    terminal.send("l")
    terminal.rest(0.1, seconds=0.5)


def _paints(terminal: Terminal) -> list[float]:
    """Milliseconds from each key to the cursor in its new row."""
    times = []
    for number in range(KEYS):
        before = _cursor_row(terminal)
        began_at = time.perf_counter()
        terminal.send("j" if number % 2 == 0 else "k")
        terminal.read_until(partial(_has_moved, terminal, before))
        times.append((time.perf_counter() - began_at) * 1000)
        terminal.rest(REST_S, seconds=REST_S)
    return times


def _has_moved(terminal: Terminal, before: tuple[bool, ...]) -> bool:
    return _cursor_row(terminal) != before


def _cursor_row(terminal: Terminal) -> tuple[bool, ...]:
    """Which rows of the list stand out."""
    rows = range(8, 20)
    usual = terminal.screen.buffer[18][COLUMN].bg
    return tuple(terminal.screen.buffer[row][COLUMN].bg != usual for row in rows)


def _print(name: str, times: Sequence[float]) -> None:
    ordered = sorted(times)
    middle, late = statistics.median(ordered), ordered[math.ceil(len(ordered) * 0.95) - 1]
    print(f"key to paint, {name:<12} p50 {middle:5.1f} ms   p95 {late:5.1f} ms   max {ordered[-1]:5.1f} ms")
