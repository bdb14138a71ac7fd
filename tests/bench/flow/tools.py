"""curl and aria2c, told to fetch the same files into a folder."""

from __future__ import annotations

import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench.flow.engine import Took

Tool = Callable[[Sequence[str], Path, int], Took]
"""Fetches these addresses into the folder, so many at once."""


def curl(urls: Sequence[str], folder: Path, at_once: int) -> Took:
    """One curl for all; with more than one at once its -Z."""
    folder.mkdir()
    config = folder.with_suffix(".curl")
    lines = [f'url = "{url}"\noutput = "{folder}/{number}"' for number, url in enumerate(urls)]
    config.write_text("\n".join(lines), encoding="utf-8")
    parallel = (
        ["-Z", "--no-progress-meter", "--parallel-immediate", "--parallel-max", str(at_once)] if at_once > 1 else []
    )
    return _timed(["curl", "-sS", "--fail", *parallel, "-K", str(config)])


def aria2c(urls: Sequence[str], folder: Path, at_once: int) -> Took:
    """One aria2c for all, one connection for each file."""
    folder.mkdir()
    listed = folder.with_suffix(".aria2")
    lines = [f"{url}\n  out={number}" for number, url in enumerate(urls)]
    listed.write_text("\n".join(lines), encoding="utf-8")
    options = ["--quiet", "--no-conf", "--file-allocation=none", "-x1", "-s1", "-j", str(at_once)]
    return _timed(["aria2c", *options, "-i", str(listed), "-d", str(folder)])


def found_tools() -> dict[str, Tool]:
    """Those that are installed."""
    return {name: tool for name, tool in (("curl", curl), ("aria2c", aria2c)) if shutil.which(name)}


def _timed(words: Sequence[str]) -> Took:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_at = time.perf_counter()
    subprocess.run(words, check=True, timeout=120, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - began_at
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(seconds=seconds, cpu_seconds=cpu_seconds, peak_bytes=0)
