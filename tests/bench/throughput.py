"""How fast files come down and what that costs, against curl and aria2c; nginx sends them (downloads-playback.md 2).

Bare loopback first, where only the client's own work counts, then a line of 1 Gbit/s through a relay. The clients take
turns, so that each sees the same machine; the engine's time is from the request until the last row says completed.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec

from tests.bench.flow.engine import Job, Took, run_job
from tests.bench.flow.machine import facts, roomy_folder
from tests.bench.flow.nginx import find_nginx
from tests.bench.flow.relay import line
from tests.bench.flow.site import Site, site
from tests.bench.flow.tools import Tool, found_tools

MANY = 100
MANY_BYTES = 8_000_000
ONE_BYTES = 800_000_000
AT_ONCE = (1, 2, 4, 8)
ROUNDS = 3
GIGABIT = 125_000_000
"""Bytes a second of a line of 1 Gbit/s."""
SMALL_BYTES = 40_000_000
"""Of the file that the large one's memory is compared with."""


@dataclass(frozen=True, kw_only=True)
class _Task:
    """Files to fetch, so many at once."""

    name: str
    item_ids: Sequence[str]
    at_once: int
    total_bytes: int
    rounds: int = ROUNDS


def run() -> None:
    """Prints a table for the loopback and one for the line, each row as a ratio to curl."""
    program, tools = find_nginx(), found_tools()
    if program is None or "curl" not in tools:
        print("not measured: nginx and curl are needed (apt-get install nginx-light curl)")
        return
    if "aria2c" not in tools:
        print("aria2c is not installed, so its rows are missing (apt-get install aria2)")
    memory = roomy_folder()
    with tempfile.TemporaryDirectory(dir=memory, prefix="jellytui-bench-") as folder:
        asyncio.run(_measure(program, Path(folder), tools))
    print(f"files in {'memory' if memory else 'the temp folder'}; median of {ROUNDS}, aria2c once; {facts()}")


async def _measure(program: str, folder: Path, tools: dict[str, Tool]) -> None:
    sizes = [ONE_BYTES, SMALL_BYTES, *[MANY_BYTES] * MANY]
    async with site(program, folder / "site", sizes) as here:
        one, small, many = here.item_ids[:1], here.item_ids[1:2], here.item_ids[2:]
        tasks = [_Task(name="one file", item_ids=one, at_once=1, total_bytes=ONE_BYTES)]
        tasks += [
            _Task(
                name=f"{MANY} files, {at_once} at once", item_ids=many, at_once=at_once, total_bytes=MANY * MANY_BYTES
            )
            for at_once in AT_ONCE
        ]
        print("bare loopback:")
        for task in tasks:
            await asyncio.to_thread(_compare, here, task, folder, tools)
        print("a line of 1 Gbit/s:")
        with line(here.url, GIGABIT) as url:
            through = replace(here, url=url, account=msgspec.structs.replace(here.account, server_url=url))
            for task in (tasks[0], tasks[2]):
                # aria2c adds nothing here, and each takes seconds.
                await asyncio.to_thread(_compare, through, replace(task, rounds=1), folder, {"curl": tools["curl"]})
        await asyncio.to_thread(_memory, here, folder, one, small)


def _compare(here: Site, task: _Task, folder: Path, tools: dict[str, Tool]) -> None:
    urls = [f"{here.url}/Items/{item_id}/Download" for item_id in task.item_ids]
    into = folder / "into"
    clients: dict[str, Callable[[], Took]] = {
        name: partial(tool, urls, into, task.at_once) for name, tool in tools.items()
    }
    clients["jellytui"] = lambda: _engine(here, task, into)
    took: dict[str, list[Took]] = {name: [] for name in clients}
    for number in range(task.rounds):
        for name, fetch in clients.items():
            if name == "aria2c" and number:
                continue  # it is here for the order of magnitude
            took[name].append(fetch())
            shutil.rmtree(into)
    rates = {name: task.total_bytes / statistics.median(one.seconds for one in each) for name, each in took.items()}
    for name, each in took.items():
        cpu = statistics.median(one.cpu_seconds for one in each) / task.total_bytes * 1e9
        print(
            f"  {task.name:<24} {name:<9} {rates[name] / 1e6:7.0f} MB/s   {rates[name] / rates['curl']:5.2f} of curl"
            f"   {cpu:5.2f} CPU s/GB"
        )


def _engine(here: Site, task: _Task, into: Path) -> Took:
    into.mkdir()
    return run_job(
        Job(
            account=here.account,
            token=here.token,
            item_ids=list(task.item_ids),
            concurrency=task.at_once,
            folder=str(into),
        )
    )


def _memory(here: Site, folder: Path, large: Sequence[str], small: Sequence[str]) -> None:
    peaks = []
    for item_ids in (small, large):
        task = _Task(name="memory", item_ids=item_ids, at_once=1, total_bytes=0)
        peaks.append(_engine(here, task, folder / "into").peak_bytes / 1e6)
        shutil.rmtree(folder / "into")
    print(
        f"memory of the whole process at its peak: {peaks[0]:.0f} MB for a file of {SMALL_BYTES / 1e6:.0f} MB, "
        f"{peaks[1]:.0f} MB for one of {ONE_BYTES / 1e6:.0f} MB"
    )
