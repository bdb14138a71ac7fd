"""What goes over the engine's socket: JSON lines of tagged messages (msgspec), version 1.

The server greets with `Hello`. A client sends `Call` or `Listen` under a number of its own and `Cancel` to give one up;
the server answers a call with `Result` or `Failure`, and a listening with `Happened` until it is cancelled.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from jellytui.engine.errors import JellytuiError, error_types
from jellytui.engine.events import Event
from jellytui.engine.models import Account, Problem

PROTOCOL_VERSION = 1
MAX_LINE_BYTES = 1 << 28


class Call(Struct, frozen=True, tag_field="is", tag="call"):
    """Run a command of the registry."""

    id: int
    name: str
    arguments: dict[str, Any] = {}


class Listen(Struct, frozen=True, tag_field="is", tag="listen"):
    """Send events of these kinds (class names; all when None), the retained states first."""

    id: int
    kinds: tuple[str, ...] | None = None


class Cancel(Struct, frozen=True, tag_field="is", tag="cancel"):
    """Break off the call or the listening of this number."""

    id: int


class Hello(Struct, frozen=True, tag_field="is", tag="hello"):
    """The greeting: whose engine this is and where its database lies."""

    protocol: int
    program: str
    account: Account
    database: str


class Result(Struct, frozen=True, tag_field="is", tag="result"):
    """A call's result, still encoded: the caller knows its type."""

    id: int
    value: msgspec.Raw


class Failure(Struct, frozen=True, tag_field="is", tag="failure"):
    """Why a call failed."""

    id: int
    problem: Problem


class Happened(Struct, frozen=True, tag_field="is", tag="event"):
    """One event for a listening."""

    id: int
    event: Event


Request = Call | Listen | Cancel
Answer = Hello | Result | Failure | Happened

_encoder = msgspec.json.Encoder()
_requests = msgspec.json.Decoder(Request)
_answers = msgspec.json.Decoder(Answer)


def encode(message: Request | Answer) -> bytes:
    """One line."""
    return _encoder.encode(message) + b"\n"


def decode_request(line: bytes) -> Request:
    """Raises msgspec.MsgspecError for a line that is none."""
    request: Request = _requests.decode(line)
    return request


def decode_answer(line: bytes) -> Answer:
    """Raises msgspec.MsgspecError for a line that is none."""
    answer: Answer = _answers.decode(line)
    return answer


def problem_of(error: JellytuiError) -> Problem:
    """An error as data."""
    return Problem(code=error.code, text=error.text)


def error_of(problem: Problem) -> JellytuiError:
    """The error that a problem was made of."""
    return error_types().get(problem.code, JellytuiError)(problem.text)
