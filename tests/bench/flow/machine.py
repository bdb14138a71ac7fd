"""What the figures were measured on, and where there is room for the files."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

ROOM_BYTES = 4_000_000_000


def facts() -> str:
    """The machine in one line."""
    return f"{_processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, python {platform.python_version()}"


def roomy_folder() -> Path | None:
    """Memory where there is enough, so that the network and not the disk is measured; else the usual temp folder."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= ROOM_BYTES:
        return memory
    return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
