"""One registry of the verbs: keys, palette, command line, socket and media keys call these and nothing else.

A command is a plain async function `verb(services, **arguments) -> result` with full type hints; its name is the
verb. Arguments that come over the socket are checked against the hints; results are decoded by them. A command is
done whole, whoever goes meanwhile, but for those marked `cancellable`.
"""

from __future__ import annotations

import inspect
import logging
import sqlite3
import typing
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from jellytui.engine.errors import DatabaseError, UsageError

log = logging.getLogger(__name__)

Function = Callable[..., Awaitable[Any]]
F = TypeVar("F", bound=Function)

_MARK = "is_cancellable"


def cancellable(function: F) -> F:
    """Marks a command that ends with its caller: it only reads or waits, or is long and made to be broken off."""
    function.__dict__[_MARK] = True
    return function


@dataclass(frozen=True)
class Command:
    """A verb with what it takes and gives."""

    name: str
    summary: str
    function: Function
    arguments: type[msgspec.Struct]
    result: Any
    is_cancellable: bool

    async def run(self, services: object, arguments: Mapping[str, Any]) -> Any:
        """Checks the arguments and runs the function.

        Raises UsageError for arguments that do not fit, DatabaseError where SQLite fails, and what the function raises.
        """
        checked = self._checked(arguments)
        try:
            return await self.function(services, **checked)
        except sqlite3.Error as error:
            log.exception("the command %s could not use the database", self.name)
            raise DatabaseError(
                f"The database cannot be used ({error}). Look whether its disk is full or gone, then try again."
            ) from error

    def _checked(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        try:
            struct = msgspec.convert(dict(arguments), self.arguments)
        except msgspec.ValidationError as error:
            raise UsageError(f"{self.name}: {error}.") from error
        return {name: getattr(struct, name) for name in self.arguments.__struct_fields__}


def command_of(function: Function) -> Command:
    """Reads a command off a function's name, first docstring line and type hints."""
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    name = function.__name__
    fields = [
        (parameter.name, hints[parameter.name])
        if parameter.default is parameter.empty
        else (parameter.name, hints[parameter.name], parameter.default)
        for parameter in parameters
    ]
    summary = inspect.getdoc(function) or ""
    return Command(
        name=name,
        summary=summary.partition("\n")[0],
        function=function,
        arguments=msgspec.defstruct(name, fields, frozen=True, kw_only=True, forbid_unknown_fields=True),
        result=hints["return"],
        is_cancellable=_MARK in function.__dict__,
    )


class Registry:
    """The commands by name."""

    def __init__(self, functions: Iterable[Function]) -> None:
        self._commands = {function.__name__: command_of(function) for function in functions}

    def __getitem__(self, name: str) -> Command:
        """The command of that name. Raises UsageError for a name that there is not."""
        try:
            return self._commands[name]
        except KeyError:
            raise UsageError(f"There is no command {name!r}.") from None

    def __iter__(self) -> typing.Iterator[Command]:
        return iter(self._commands.values())
