"""Which commands a face sends, read off its source: the names and arguments handed to a Backend."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jellytui.engine.commands.registry import Registry

SENDERS = frozenset({"call", "ask", "send", "_send", "_all"})
"""The functions of the faces that take the name of a command."""

_KINDS = "(item|album|artist|playlist)"


@dataclass(frozen=True)
class Sent:
    """A command sent somewhere; `arguments` are None where the source does not spell them out."""

    name: str
    arguments: frozenset[str] | None
    place: str


def sent_by(folder: Path, registry: Registry) -> Iterator[Sent]:
    """Every command sent from the modules below a folder. Names put together (`play_{kind}`) stand for all they fit."""
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or _name_of(node.func) not in SENDERS:
                continue
            place = f"{file.relative_to(folder.parent)}:{node.lineno}"
            for word in node.args:
                for name in _names(word, registry):
                    yield Sent(name, _arguments(node), place)


def named_in(folder: Path, registry: Registry) -> set[str]:
    """The commands of several words that are named in the modules below a folder: in tables, or handed on."""
    commands = {command.name for command in registry if "_" in command.name}
    return {
        node.value
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in commands
    }


def _name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _names(word: ast.expr, registry: Registry) -> list[str]:
    if isinstance(word, ast.Constant) and isinstance(word.value, str) and re.fullmatch(r"[a-z]+(_[a-z]+)*", word.value):
        return [word.value]
    if isinstance(word, ast.IfExp):
        return [*_names(word.body, registry), *_names(word.orelse, registry)]
    if isinstance(word, ast.JoinedStr):
        parts = [re.escape(str(part.value)) if isinstance(part, ast.Constant) else _KINDS for part in word.values]
        return [command.name for command in registry if re.fullmatch("".join(parts), command.name)]
    return []


def _arguments(call: ast.Call) -> frozenset[str] | None:
    names = [keyword.arg for keyword in call.keywords]
    if _name_of(call.func) not in {"call", "ask", "send"} or None in names:
        return None
    return frozenset(name for name in names if name)
