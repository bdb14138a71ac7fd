"""What each face loads when it starts: deferred imports escape the import linter, so a fresh process is asked."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCREEN = {"textual", "rich"}
HEAVY = {"mpv", "PIL", "numpy", "httpx", "mutagen", "starlette"}


def loaded_by(statement: str) -> set[str]:
    """The top-level packages that a fresh interpreter holds after a statement."""
    program = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        "jellytui.engine.engine",
        "jellytui.engine.commands",
        "jellytui.remote.attach",
        "jellytui.remote.server",
        "jellytui.cli.run",
        "jellytui.cli.account",
        "jellytui.cli.library",
        "jellytui.cli.downloads",
        "jellytui.cli.offline",
        "jellytui.cli.player",
        "jellytui.cli.doctor",
        "jellytui.demo.server",
    ],
)
def test_no_room_but_the_tui_loads_a_screen(module: str) -> None:
    assert not loaded_by(f"import {module}") & SCREEN


def test_the_engine_starts_without_sound_or_pictures() -> None:
    assert not loaded_by("import jellytui.engine.engine, jellytui.remote.attach") & {"mpv", "PIL", "numpy"}


def test_the_app_starts_without_sound_network_or_pictures() -> None:
    assert not loaded_by("import jellytui.__main__, jellytui.tui.app") & HEAVY


def test_reading_the_command_line_loads_next_to_nothing() -> None:
    loaded = loaded_by("from jellytui.cli.arguments import parser; parser().parse_args(['downloads'])")
    assert not loaded & (SCREEN | HEAVY | {"asyncio", "sqlite3", "msgspec"})
