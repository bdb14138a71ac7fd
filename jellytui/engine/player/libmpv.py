"""Where libmpv is on this machine, how to get it where it is not, and the options it runs with."""

from __future__ import annotations

import ctypes.util
import os
import platform
from pathlib import Path
from typing import Any

from jellytui.config import PlayerSettings, ServerSettings
from jellytui.engine.errors import ConfigError, SoundError

OPTIONS = {
    "vid": "no",
    "audio_display": "no",
    "ytdl": "no",
    "load_scripts": "no",
    "load_stats_overlay": "no",
    "load_auto_profiles": "no",
    "config": "no",
    "osc": "no",
    "input_default_bindings": "no",
    "terminal": "no",
    "idle": "yes",
    "demuxer": "lavf",
    # FFmpeg 7 would read a megabyte of a WAV before its first sound.
    "demuxer_lavf_probesize": "131072",
    "gapless_audio": "weak",
    "prefetch_playlist": "no",
    "audio_fallback_to_null": "yes",
    "network_timeout": "15",
    "demuxer_readahead_secs": "20",
    "demuxer_max_bytes": "32MiB",
    "demuxer_max_back_bytes": "16MiB",
    "replaygain_clip": "no",
    "volume_max": "100",
    "audio_client_name": "jellytui",
    "stream_lavf_o": "reconnect=1,reconnect_streamed=1,reconnect_on_network_error=1,"
    "reconnect_on_http_error=5xx,reconnect_delay_max=30",
}
"""downloads-playback.md 7; each is known to libmpv 0.35, since an unknown one leaves threads behind (3.7, point 5).

MpvSound switches prefetch_playlist on near the end of each file."""

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
    """The library as ctypes can load it (downloads-playback.md 4). Raises SoundError with the line that installs it.

    Homebrew's folders are named to ctypes by its own environment variable, so that python-mpv's search finds them too.
    """
    if platform.system() == "Darwin":
        known = os.environ.get("DYLD_FALLBACK_LIBRARY_PATH", "").split(":")
        os.environ["DYLD_FALLBACK_LIBRARY_PATH"] = ":".join(dict.fromkeys([*filter(None, known), *_HOMEBREW]))
    found = ctypes.util.find_library("mpv")
    if found is None:
        raise SoundError(f"No libmpv, no sound: {install_line()}")
    return found


def apply_settings(handle: Any, player: PlayerSettings, server: ServerSettings) -> None:
    """Sets on a new handle what the user may have mistyped: not with the options (3.7, point 5). Raises ConfigError."""
    wanted = {"ao": player.audio_output, "audio-device": player.audio_device, "tls-ca-file": server.ca_file}
    for name, value in wanted.items():
        if not value:
            continue
        try:
            handle[name] = value
        except (AttributeError, TypeError, ValueError, SystemError) as error:
            raise ConfigError(f"libmpv does not take {value!r} as its {name}; see config.toml.") from error
    if server.headers:
        # As a list: a string is split at its commas (3.4).
        handle["http-header-fields"] = [f"{name}: {value}" for name, value in server.headers.items()]


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
