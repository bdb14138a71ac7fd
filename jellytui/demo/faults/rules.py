"""Which request meets which fault: by route, method, n-th call or probability."""

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

WIRE_KINDS = frozenset({"reset", "close", "stall", "drip", "lie", "delay", "corrupt", "slow_request"})
"""Faults of the wire, done by the relay."""

ANSWER_KINDS = frozenset(
    {"status", "html", "redirect", "ignore_range", "headers", "truncate", "bom", "set", "set_rows", "remove", "rows",
     "strip", "dashed_ids", "hostile_names", "odd_dates"}
)  # fmt: skip
"""Faults of meaning, done between the routes and the manners."""


SOCKET_KINDS = frozenset({"refuse_socket", "socket_text", "socket_bytes"})
"""Faults of WebSockets, done there too."""

_KINDS = WIRE_KINDS | ANSWER_KINDS | SOCKET_KINDS


@dataclass(slots=True)
class Fault:
    """One fault and when it strikes. Routes are globs on the path in lower case, without base path.

    Wire: `reset` (RST), `close` (clean end) and `stall` (silence) strike after `after_bytes` of the body; `drip` sends
    `rate` bytes a second, also when that is changed on the way (0 = no limit); `lie` adds `extra_bytes` to
    Content-Length; `delay` waits `seconds` before the answer; `corrupt` flips the byte at `after_bytes`;
    `slow_request` takes the request at `rate` bytes a second.

    Meaning: `status` answers `status` with `body` and `headers`; `html` is a login page with 200; `redirect` goes to
    `location` with `status` (302); `ignore_range` answers as if no range was asked; `headers` replaces headers (None
    removes); `truncate` cuts JSON after `after_bytes`; `bom` puts one before it; `set` puts `values` into the object,
    `remove` takes `names` out; `rows` duplicates (`duplicate`) and drops (`drop`) rows by place; `strip` takes `names`
    out of each row, `set_rows` puts `values` in; `dashed_ids`, `hostile_names` and `odd_dates` change what rows hold.

    Sockets (route `/socket`): `refuse_socket` answers `status`; `socket_text` and `socket_bytes` send `body`, `copies`
    times, right after the connection was accepted.
    """

    kind: str
    route: str = "*"
    method: str | None = None
    nth: int = 1
    times: int | None = None
    probability: float = 1.0
    after_bytes: int = 0
    extra_bytes: int = 0
    rate: int = 0
    seconds: float = 0.0
    status: int = 0
    body: str = ""
    content_type: str | None = None
    copies: int = 1
    headers: dict[str, str | None] = field(default_factory=dict)
    location: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    duplicate: list[int] = field(default_factory=list)
    drop: list[int] = field(default_factory=list)
    calls: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"no fault is called {self.kind!r}; there are {', '.join(sorted(_KINDS))}")

    @property
    def is_wire(self) -> bool:
        """Whether the relay must do it."""
        return self.kind in WIRE_KINDS

    def matches(self, method: str, path: str) -> bool:
        """Whether it is meant for such a request."""
        return (self.method is None or self.method == method) and fnmatchcase(path.lower(), self.route.lower())


class Faults:
    """The faults of one server; `seed` makes those with a probability strike the same each time."""

    def __init__(self, seed: int = 0) -> None:
        self._rules: list[Fault] = []
        self._dice = random.Random(seed)
        self.wire_possible = False

    def add(self, kind: str, **members: Any) -> Fault:
        """Adds a fault; `members` are those of Fault. Raises ValueError where it cannot work."""
        fault = Fault(kind, **members)
        if fault.is_wire and not self.wire_possible:
            raise ValueError(f"{kind} needs the relay: DemoServer(…, relay=True)")
        self._rules.append(fault)
        return fault

    def clear(self) -> None:
        """Removes all faults."""
        self._rules.clear()

    def striking(self, method: str, path: str, *, wire: bool, socket: bool = False) -> list[Fault]:
        """The faults that this request meets; each match counts as a call of its rule."""
        found = []
        for fault in self._rules:
            apt = fault.is_wire == wire and (fault.kind in SOCKET_KINDS) == socket
            if not apt or not fault.matches(method, path):
                continue
            fault.calls += 1
            spent = fault.times is not None and fault.hits >= fault.times
            if fault.calls < fault.nth or spent or self._dice.random() >= fault.probability:
                continue
            fault.hits += 1
            found.append(fault)
        return found

    def load(self, file: Path) -> None:
        """Adds the `[[fault]]` tables of a TOML file; `seed` sets the dice. Raises ValueError naming file and fault."""
        told = tomllib.loads(file.read_text("utf-8"))
        self._dice.seed(int(told.get("seed", 0)))
        known = {each.name for each in fields(Fault)} - {"calls", "hits"}
        for number, table in enumerate(told.get("fault", []), start=1):
            unknown = set(table) - known
            if unknown or "kind" not in table:
                raise ValueError(f"{file}, fault {number}: {_problem(table, unknown)}")
            try:
                self.add(**table)
            except (TypeError, ValueError) as error:
                raise ValueError(f"{file}, fault {number}: {error}") from error


def _problem(table: Mapping[str, Any], unknown: set[str]) -> str:
    return f"unknown keys {', '.join(sorted(unknown))}" if "kind" in table else "`kind` is missing"
