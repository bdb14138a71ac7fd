"""Settings by command line: checked in words, written to config.toml, told to the engine, which takes them at once."""

from __future__ import annotations

import typing
from argparse import Namespace
from collections.abc import Iterator, Sequence

from msgspec import inspect

from jellytui.cli.output import say
from jellytui.cli.run import Session
from jellytui.config import Settings
from jellytui.engine.errors import JellytuiError, UsageError
from jellytui.settings_file import CannotEditError, set_value, written

_COMMANDS = {"cache": "set_cache_settings", "downloads": "set_download_settings"}
_UNITS = {"storage_limit": " of bytes", "max_rate": " of bytes per second"}
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
        value = _value(kinds[name], text)
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


def _value(kind: Kind, text: str) -> int | bool | None:
    """The value that a text means; None where it may not be that."""
    if isinstance(kind, inspect.BoolType):
        return {"true": True, "false": False}.get(text)
    digits = text.replace("_", "")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(_LARGEST)):
        return None
    number = int(digits)
    return number if (kind.ge or 0) <= number <= (_LARGEST if kind.le is None else kind.le) else None


def _allowed(name: str, kind: Kind) -> str:
    if isinstance(kind, inspect.BoolType):
        return "true or false"
    limits = f", {kind.ge} or more" if kind.le is None else f" from {kind.ge} to {kind.le}"
    return f"a number{_UNITS.get(name, '')}{limits}"
