"""Runs `jellytui` as a user does: a process of its own, with a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JELLYTUI = [sys.executable, "-m", "jellytui"]


@dataclass(frozen=True)
class Home:
    """A JELLYTUI_HOME; sound goes nowhere."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Home:
        """Makes it, with a config that plays into the void."""
        (folder / "config").mkdir(parents=True)
        (folder / "config" / "config.toml").write_text('[player]\naudio_output = "null"\n', encoding="utf-8")
        return cls(folder)

    @property
    def environment(self) -> dict[str, str]:
        """What the process sees."""
        return {**os.environ, "JELLYTUI_HOME": str(self.folder)}

    def run(self, *words: str, typed: str | None = None, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        return subprocess.run(
            [*JELLYTUI, *words],
            env=self.environment,
            input=typed,
            stdin=subprocess.DEVNULL if typed is None else None,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def json(self, *words: str) -> Any:
        """Runs a listing with --json; fails the test when it fails."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def sign_in(self, url: str) -> None:
        """Signs in as demo."""
        done = self.run("login", url, "--user", "demo", "--password-stdin", typed="demo\n")
        assert done.returncode == 0, done.stderr
