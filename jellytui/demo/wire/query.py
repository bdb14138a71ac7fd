"""Query parameters as the server parses them: without case, with silent drops and hard 400s (jellyfin-api.md 2.2)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import parse_qsl

from jellytui.demo.wire.replies import TextError, invalid

_GUID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_INT32 = range(-(2**31), 2**31)
_INT64 = range(-(2**63), 2**63)
_DATE_FORMS = ("%Y%m%d%H%M%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y", "%Y/%m/%d")
_FRACTION = re.compile(r"(\.\d{6})\d+")
_T = TypeVar("_T")


def guid(text: str) -> str | None:
    """A GUID in any of its forms as 32 lower-case digits; None if it is none."""
    bare = text.strip()
    if bare[:1] + bare[-1:] in {"{}", "()"}:
        bare = bare[1:-1]
    return bare.replace("-", "").lower() if _GUID.fullmatch(bare) else None


def parse_date(text: str) -> datetime | None:
    """A date in the forms that the server takes; one without zone is UTC; None for garbage (11.3)."""
    text = _FRACTION.sub(r"\1", text.strip())
    if not text or (text.isdigit() and len(text) != 14):
        return None
    moment: datetime | None = None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        for form in _DATE_FORMS:
            try:
                moment = datetime.strptime(text, form)
                break
            except ValueError:
                continue
    if moment is None:
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None  # before the year 1 or after 9999 in UTC


class Query:
    """The parameters of one request, by lower-case name."""

    def __init__(self, raw: bytes) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=2000):
            self._values.setdefault(name.lower(), []).append(value)

    def text(self, name: str) -> str | None:
        """The first value, None when absent or empty."""
        return next((value for value in self._values.get(name.lower(), ()) if value), None)

    def has(self, name: str) -> bool:
        """Whether the parameter stands in the query, be it empty."""
        return name.lower() in self._values

    def integer(self, name: str, default: int | None = None) -> int | None:
        """A 32-bit number. Raises the 400 of a failed validation."""
        return self._parse(name, lambda text: _number(text, _INT32), default)

    def ticks(self, name: str) -> int | None:
        """A 64-bit number. Raises the 400 of a failed validation."""
        return self._parse(name, lambda text: _number(text, _INT64), None)

    def boolean(self, name: str) -> bool | None:
        """`true` or `false` in any case and nothing else. Raises the 400 of a failed validation."""
        return self._parse(name, lambda text: {"true": True, "false": False}.get(text.strip().lower()), None)

    def guid(self, name: str) -> str | None:
        """An id; the empty one counts as none. Raises the 400 of a failed validation."""
        found = self._parse(name, guid, None)
        return found if found and found.strip("0") else None

    def date(self, name: str) -> datetime | None:
        """A date. Raises the 400 of a failed validation."""
        return self._parse(name, parse_date, None)

    def listed(self, name: str, separator: str = ",") -> list[str]:
        """All values of a list: separated, repeated or both."""
        values = self._values.get(name.lower(), ())
        return [part.strip() for value in values for part in value.split(separator) if part.strip()]

    def names(self, name: str) -> list[str]:
        """A list of names, which the pipe separates."""
        return self.listed(name, "|")

    def guids(self, name: str) -> list[str]:
        """A list of ids; what is none is dropped, so that a list of garbage filters nothing."""
        return [found for each in self.listed(name) if (found := guid(each))]

    def enums(self, name: str, known: frozenset[str]) -> list[str]:
        """A list of enum values in their own spelling; unknown ones are dropped."""
        spelling = {value.lower(): value for value in known}
        return [spelling[each.lower()] for each in self.listed(name) if each.lower() in spelling]

    def integers(self, name: str) -> list[int]:
        """A list of numbers. Raises a plain 400 for garbage (`years=abc`)."""
        found = [_number(each, _INT32) for each in self.listed(name)]
        if None in found:
            raise TextError(400)
        return [number for number in found if number is not None]

    def _parse(self, name: str, parse: Callable[[str], _T | None], default: _T | None) -> _T | None:
        text = self.text(name)
        if text is None:
            return default
        value = parse(text)
        if value is None:
            raise invalid(name, text)
        return value


def _number(text: str, allowed: range) -> int | None:
    text = text.strip()
    if not re.fullmatch(r"[-+]?\d{1,19}", text, re.ASCII):
        return None
    number = int(text)
    return number if number in allowed else None
