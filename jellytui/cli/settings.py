"""Settings by command line: checked in words, written to config.toml, told to the engine, which takes them at once."""

from __future__ import annotations

import re
import typing
from argparse import Namespace
from collections.abc import Iterator, Sequence
from decimal import Decimal

from msgspec import inspect

from jellytui.cli.output import say
from jellytui.cli.run import Session
from jellytui.config import Settings
from jellytui.engine.errors import JellytuiError, UsageError
from jellytui.settings_file import CannotEditError, set_value, written

_COMMANDS = {"cache": "set_cache_settings", "downloads": "set_download_settings"}
_UNITS = {"storage_limit": " of bytes", "max_rate": " of bytes per second"}
_SWITCHED = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
_SIZE = re.compile(r"(\d{1,20}(?:\.\d{1,20})?) ?([kmgt])(i?)b?(?:/s)?", re.ASCII | re.IGNORECASE)
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4}
_LARGEST = 2**63 - 1
"""What TOML's integers can hold."""

Kind = inspect.BoolType | inspect.IntType


async def change(session: Session, arguments: Namespace) -> int:
    """Changes settings of a section for good: in the file, and in the engine that runs."""
    section: str = arguments.section
    values = values_of(section, arguments.values)
    backend = await session.backend()
    path = session.paths.config_file
    try:
        for name, value in values.items():
            set_value(path, section, name, value)
    except CannotEditError as error:
        raise JellytuiError(str(error)) from error
    await backend.call(_COMMANDS[section], **values)
    lines = ", ".join(f"{name} = {written(value)}" for name, value in values.items())
    say(f"From now on {lines}. Written below [{section}] in {path}.")
    return 0


def values_of(section: str, pairs: Sequence[str]) -> dict[str, int | bool]:
    """The values in `name=value`, for a section of config.toml. Raises UsageError, which says what a name may be."""
    kinds = dict(_kinds(section))
    values: dict[str, int | bool] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        if name not in kinds:
            raise UsageError(f"There is no setting {name!r} here. There are: {', '.join(kinds)}.")
        value = _value(name, kinds[name], text)
        if value is None:
            refused = f", not {text!r}" if text else ""
            raise UsageError(f"{name} takes {_allowed(name, kinds[name])}{refused}.")
        values[name] = value
    return values


def _kinds(section: str) -> Iterator[tuple[str, Kind]]:
    """The settings of a section that are switches or numbers, and what they may be."""
    info = inspect.type_info(typing.get_type_hints(Settings)[section])
    if isinstance(info, inspect.StructType):
        for field in info.fields:
            if isinstance(field.type, Kind):
                yield field.name, field.type


def _value(name: str, kind: Kind, text: str) -> int | bool | None:
    """The value that a text means; None where it may not be that."""
    if isinstance(kind, inspect.BoolType):
        return _SWITCHED.get(text.lower())
    number = _size(text) if name in _UNITS else None
    if number is None:
        digits = text.replace("_", "")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(_LARGEST)):
            return None
        number = int(digits)
    return number if (kind.ge or 0) <= number <= (_LARGEST if kind.le is None else kind.le) else None


def _size(text: str) -> int | None:
    """The bytes of "60MB", "1.5 GB", "500MiB"; None without a unit."""
    found = _SIZE.fullmatch(text)
    if found is None:
        return None
    number, unit, binary = found.groups()
    return int(Decimal(number) * (1024 if binary else 1000) ** _POWERS[unit.lower()])


def _allowed(name: str, kind: Kind) -> str:
    if isinstance(kind, inspect.BoolType):
        return "on or off"
    limits = f", {kind.ge} or more" if kind.le is None else f" from {kind.ge} to {kind.le}"
    return f"a number{_UNITS[name]}{limits}, or as 500MB or 1.5GB" if name in _UNITS else f"a number{limits}"
