"""Changes one value of config.toml and nothing else in it: comments, order and unknown layouts stay as they are."""

from __future__ import annotations

import re
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from jellytui.config import Settings

Value = bool | int | str

_HEADER = re.compile(r"^\s*\[+\s*([^\[\]]+?)\s*\]+\s*(#.*)?$")


class CannotEditError(Exception):
    """The file cannot be changed safely; the text says why, and what to write into it by hand."""


def set_value(path: Path, section: str, key: str, value: Value) -> Settings:
    """Sets `key` below `[section]` in a config.toml, which it makes where there is none; returns the new settings.

    Raises CannotEditError, with the file as it was.
    """
    by_hand = f"Write it by hand: {key} = {written(value)} below [{section}] in {path}."
    try:
        target = path.resolve()
        old = target.read_text(encoding="utf-8") if target.exists() else ""
        new = with_value(old, section, key, value)
        settings = _settings(new)
        # The proof: read back, everything else says what it said, and this says what it should.
        if _without(new, section, key) != _without(old, section, key) or _get(new, section, key) != value:
            raise CannotEditError(f"{path.name} is laid out in a way that is not changed from here. {by_hand}")
        _replace(target, new)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise CannotEditError(f"{path.name} is laid out in a way that is not changed from here. {by_hand}") from error
    except OSError as error:
        raise CannotEditError(f"{path} cannot be written ({error.strerror}). {by_hand}") from error
    return settings


def with_value(text: str, section: str, key: str, value: Value) -> str:
    """The text with one value set: in its line, else below its section's header, else in a new section at the end."""
    lines = text.splitlines(keepends=True)
    line_of_key = re.compile(rf"^(\s*{re.escape(key)}\s*=\s*)([^#\n\"']*?|\"[^\"\n]*\"|'[^'\n]*')(\s*(?:#.*)?)$")
    header_at = None
    current = ""
    for at, line in enumerate(lines):
        if header := _HEADER.match(line.rstrip("\n")):
            current = header[1]
            if current == section:
                header_at = at
        elif current == section and (found := line_of_key.match(line.rstrip("\n"))):
            lines[at] = f"{found[1]}{written(value)}{found[3]}\n"
            return "".join(lines)
    entry = f"{key} = {written(value)}\n"
    if header_at is not None:
        lines[header_at] = lines[header_at].rstrip("\n") + "\n"
        lines.insert(header_at + 1, entry)
        return "".join(lines)
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return f"{text}{gap}[{section}]\n{entry}"


def written(value: Value) -> str:
    """A value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:_}" if value >= 10_000 else str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _settings(text: str) -> Settings:
    return msgspec.convert(tomllib.loads(text), Settings)


def _get(text: str, section: str, key: str) -> Any:
    return tomllib.loads(text).get(section, {}).get(key)


def _without(text: str, section: str, key: str) -> dict[str, Any]:
    """What a file says but for one value."""
    found = tomllib.loads(text)
    found.setdefault(section, {}).pop(key, None)
    return found


def _replace(path: Path, text: str) -> None:
    """Replaces the file in one step, so that no crash halves it; it keeps its mode."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as new:
        temporary = Path(new.name)
        new.write(text)
    try:
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
