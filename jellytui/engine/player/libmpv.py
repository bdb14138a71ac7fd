"""Where libmpv is on this machine, and how to get it where it is not (downloads-playback.md 4)."""

from __future__ import annotations

import ctypes.util
import os
import platform
from pathlib import Path

from jellytui.engine.errors import SoundError

_HOMEBREW = ("/opt/homebrew/lib", "/usr/local/lib")
_INSTALL_LINES = {
    "debian": "sudo apt install --no-install-recommends libmpv2",
    "ubuntu": "sudo apt install --no-install-recommends libmpv2",
    "fedora": "sudo dnf install mpv-libs",
    "rhel": "sudo dnf install epel-release && sudo dnf install mpv-libs",
    "arch": "sudo pacman -S mpv",
    "alpine": "sudo apk add mpv-libs",
}
_OLD_DEBIANS = {("ubuntu", "22.04"), ("debian", "11")}


def find_libmpv() -> str:
    """The library as ctypes can load it. Raises SoundError with the line that installs it.

    Homebrew's folders are named to ctypes by its own environment variable, so that python-mpv's search finds them too.
    """
    if platform.system() == "Darwin":
        known = os.environ.get("DYLD_FALLBACK_LIBRARY_PATH", "").split(":")
        os.environ["DYLD_FALLBACK_LIBRARY_PATH"] = ":".join(dict.fromkeys([*filter(None, known), *_HOMEBREW]))
    found = ctypes.util.find_library("mpv")
    if found is None:
        raise SoundError(f"There is no sound: libmpv is not installed. Install it with: {install_line()}")
    return found


def install_line(os_release: Path = Path("/etc/os-release")) -> str:
    """The command that installs libmpv on this system."""
    if platform.system() == "Darwin":
        return "brew install mpv"
    facts = _read(os_release)
    if (facts.get("ID"), facts.get("VERSION_ID")) in _OLD_DEBIANS:
        return "sudo apt install --no-install-recommends libmpv1"
    for name in [facts.get("ID", ""), *facts.get("ID_LIKE", "").split()]:
        if name in _INSTALL_LINES:
            return _INSTALL_LINES[name]
    return "your package manager (the package is called libmpv2, mpv-libs or mpv)"


def _read(os_release: Path) -> dict[str, str]:
    try:
        lines = os_release.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name: value.strip("\"'") for name, _, value in pairs}
