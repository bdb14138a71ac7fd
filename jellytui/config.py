"""config.toml -> Settings: strict, with errors that name file, key and allowed values."""

from __future__ import annotations

import re
import tomllib
import typing
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?)?")


class ConfigFileError(Exception):
    """config.toml cannot be used; the text names the file, the key and what is allowed."""


class ServerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[server]: how to reach it. `headers` are sent with each request, for proxies."""

    ca_file: str | None = None
    verify: bool = True
    headers: dict[str, str] = {}


class DownloadSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[downloads]. `folder` moves the download root; `max_rate` in bytes per second, 0 = no limit."""

    folder: str | None = None
    concurrency: Annotated[int, Meta(ge=1, le=8)] = 2
    max_rate: Annotated[int, Meta(ge=0)] = 0


class CacheSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[cache]: the seed's CacheConfig with its six names and defaults; `storage_limit` in bytes."""

    queue_precache_enabled: bool = True
    queue_precache_count: Annotated[int, Meta(ge=0, le=100)] = 5
    album_affinity_enabled: bool = True
    album_affinity_threshold: Annotated[int, Meta(ge=1, le=100)] = 3
    storage_limit: Annotated[int, Meta(ge=0)] = 10_000_000_000
    wifi_only: bool = True


class PlayerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[player]. `audio_output` is mpv's ao (empty = mpv chooses); `stream_bitrate` in bit/s, 0 = the original."""

    audio_output: str = ""
    audio_device: str = ""
    replaygain: Literal["album", "track", "off"] = "album"
    stream_bitrate: Annotated[int, Meta(ge=0)] = 0


class ScreenSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[screen]. `theme` is a name of Textual's or ours; `artwork` "blocks" or "off"."""

    theme: str = ""
    artwork: Literal["blocks", "off"] = "blocks"
    mouse: bool = True


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that config.toml may say."""

    server: ServerSettings = ServerSettings()
    downloads: DownloadSettings = DownloadSettings()
    cache: CacheSettings = CacheSettings()
    player: PlayerSettings = PlayerSettings()
    screen: ScreenSettings = ScreenSettings()
    keys: dict[str, str | None] = {}


def load_settings(path: Path) -> Settings:
    """The settings of a file, the defaults where it is missing. Raises ConfigFileError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigFileError(f"{path} cannot be read: {error}") from error
    try:
        settings = msgspec.convert(tomllib.loads(text), Settings)
    except tomllib.TOMLDecodeError as error:
        raise ConfigFileError(f"{path} is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise ConfigFileError(f"{path}: {error}. {_help_for(str(error))}") from error
    for name, value in settings.server.headers.items():
        if complaint := _complaint_about_header(name, value):
            raise ConfigFileError(f"{path}: {complaint} - at `$.server.headers`.")
    return settings


def _complaint_about_header(name: str, value: str) -> str:
    """Why a header cannot be sent; empty when it can. The value may be a secret and is not repeated."""
    if not _HEADER_NAME.fullmatch(name):
        return f"{name!r} is no name of a header: letters, digits and - only"
    if not _HEADER_VALUE.fullmatch(value):
        return f"the value of {name} may hold printable ASCII signs only, no accents, line breaks or spaces at its ends"
    return ""


def _help_for(message: str) -> str:
    """Which keys or values are allowed where the message complains."""
    found = re.search(r"\$\.(\w+)(?:\.(\w+))?", message)
    section = typing.get_type_hints(Settings).get(found[1]) if found else None
    if found is None or not isinstance(section, type) or not issubclass(section, Struct):
        return f"Sections: {', '.join(Settings.__struct_fields__)}."
    kind = typing.get_type_hints(section).get(found[2])
    if typing.get_origin(kind) is Literal:
        return f"It is one of: {', '.join(typing.get_args(kind))}."
    return f"[{found[1]}] knows: {', '.join(section.__struct_fields__)}."
