"""First paint of jellytui against an empty Textual app, both on a real pty in the same run (textual.md 3.1)."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.terminal import Terminal

ROUNDS = 9
EMPTY_APP = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("hello, nobody")
Empty().run()
"""


def run() -> None:
    """Prints both medians and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.py"
        empty.write_text(EMPTY_APP)
        environment = {"JELLYTUI_HOME": f"{folder}/home", "TEXTUAL_ANIMATIONS": "none"}
        words = ([sys.executable, str(empty)], [sys.executable, "-m", "jellytui"])
        seconds: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):  # one after the other, so that both see the same machine
            seconds[0].append(paint(words[0], "hello, nobody", environment))
            seconds[1].append(paint(words[1], "jellytui", environment))
    empty_ms, ours_ms = (statistics.median(times) * 1000 for times in seconds)
    print(f"first paint, median of {ROUNDS}: empty Textual app {empty_ms:.0f} ms, jellytui {ours_ms:.0f} ms")
    print(f"ratio {ours_ms / empty_ms:.2f}  (python {sys.version.split()[0]}, {os.cpu_count()} cores)")


def paint(words: Sequence[str], awaited: str, environment: Mapping[str, str]) -> float:
    """Seconds from the program's start until the words stand on the screen."""
    start = time.perf_counter()
    with Terminal(words, environment=environment) as terminal:
        terminal.wait_for(awaited)
        return time.perf_counter() - start
