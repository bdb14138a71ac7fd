"""How to get libmpv is said for the system at hand."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from jellytui.engine.player.libmpv import install_line


@pytest.mark.parametrize(
    ("release", "line"),
    [
        ("ID=debian\nVERSION_ID=\"12\"", "sudo apt install --no-install-recommends libmpv2"),
        ("ID=ubuntu\nVERSION_ID=\"22.04\"", "sudo apt install --no-install-recommends libmpv1"),
        ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"", "sudo apt install --no-install-recommends libmpv2"),
        ("ID=fedora", "sudo dnf install mpv-libs"),
        ("ID=arch", "sudo pacman -S mpv"),
        ("ID=alpine", "sudo apk add mpv-libs"),
        ("ID=plan9", "your package manager (the package is called libmpv2, mpv-libs or mpv)"),
    ],
)  # fmt: skip
def test_each_system_has_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, release: str, line: str) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    (tmp_path / "os-release").write_text(release, "utf-8")
    assert install_line(tmp_path / "os-release") == line


def test_a_mac_has_homebrew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert install_line(tmp_path / "none") == "brew install mpv"


@pytest.mark.skipif(sys.platform != "linux", reason="the loader's own variable is Linux's")
def test_a_damaged_library_is_said_in_words_with_the_line_that_mends_it(tmp_path: Path) -> None:
    (tmp_path / "libmpv.so.2").touch()
    program = (
        "from jellytui.engine.errors import SoundError\n"
        "from jellytui.engine.player.mpv import libmpv_version\n"
        "try: libmpv_version()\n"
        "except SoundError as error: print(error.text)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "LD_LIBRARY_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "No sound" in done.stdout
    assert "nstall it" in done.stdout
