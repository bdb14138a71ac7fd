"""Compares an answer with its recording: keys, types, values and order, with ids and tags mapped.

The recordings' README says how: an id of a recording is bound to the double's when first seen at the same place.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

HEX = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{32}(?![0-9A-Fa-f])")
DASHED = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SAME_EVERYWHERE = frozenset({"0" * 32, "1" * 32})
_FREE_VALUES = frozenset(
    {
        "AccessToken", "AlbumNormalizationGain", "ApplicationVersion", "BitRate", "Bitrate", "BlurHash", "Code",
        "Date", "DateAdded", "DateCreated", "DisplayPreferencesId", "ETag", "Etag", "HostName",
        "InvalidLoginAttemptCount", "LastActivityDate", "LastLoginDate", "LastPlaybackCheckIn", "LastPlayedDate",
        "LocalAddress", "MessageId", "PlaySessionId", "PositionTicks", "Secret", "ServerName", "Size", "TimeBase",
        "TranscodingUrl", "WebSocketPortNumber", "traceId",
    }
)  # fmt: skip
"""Members whose values follow from machine, moment or encoder: only their presence and type are compared."""

_CLOSE_VALUES = frozenset({"RunTimeTicks", "CumulativeRunTimeTicks", "PlayedPercentage"})
_CLOSE_TICKS = 2_000_000 * 5


@dataclass(frozen=True)
class Difference:
    """Something that the double does otherwise: where, and both values."""

    topic: str
    index: int
    note: str
    place: str
    recorded: Any
    double: Any

    def __str__(self) -> str:
        return (
            f"{self.topic}[{self.index}] {self.note} {self.place}: recorded {_short(self.recorded)}, "
            f"double {_short(self.double)}"
        )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else text[:200] + "…"


@dataclass
class Binder:
    """What of a recording is what of the double."""

    values: dict[str, str] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def same(self, recorded: str, double: str) -> bool:
        """Whether two ids or tags mean the same; unseen ones are bound."""
        if recorded in _SAME_EVERYWHERE or double in _SAME_EVERYWHERE:
            return recorded == double
        if recorded in self.values:
            return self.values[recorded] == double
        if double in self.taken:
            return False
        self.values[recorded], self.taken[double] = double, recorded
        return True

    def translate(self, text: str) -> str:
        """A text of a recording with the double's ids."""

        def swap(match: re.Match[str]) -> str:
            found = self.values.get(match[0].lower(), match[0])
            return found.upper() if match[0].isupper() else found

        def swap_dashed(match: re.Match[str]) -> str:
            found = self.values.get(match[0].replace("-", ""))
            return _with_dashes(found) if found else match[0]

        for recorded, double in self.texts.items():
            text = text.replace(recorded, double)
        return DASHED.sub(swap_dashed, HEX.sub(swap, text))

    def unknown(self, text: str) -> set[str]:
        """The ids in a text that are not bound yet."""
        found = {each.lower() for each in HEX.findall(text)} | {each.replace("-", "") for each in DASHED.findall(text)}
        return found - self.values.keys() - _SAME_EVERYWHERE


def _with_dashes(text: str) -> str:
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


class Comparer:
    """Compares one answer with its recording."""

    def __init__(self, binder: Binder, *, unordered: bool) -> None:
        self._binder = binder
        self._unordered = unordered
        self.found: list[tuple[str, Any, Any]] = []

    def compare(self, recorded: Any, double: Any, place: str = "", name: str = "") -> None:
        """Collects in `found` what differs."""
        if isinstance(recorded, dict) and isinstance(double, dict):
            self._objects(recorded, double, place, name)
        elif isinstance(recorded, list) and isinstance(double, list):
            self._lists(recorded, double, place, name)
        elif not self._same_value(recorded, double, name):
            self.found.append((place, recorded, double))

    def _objects(self, recorded: dict[str, Any], double: dict[str, Any], place: str, name: str) -> None:
        if name in {"ImageTags", "Primary"}:
            recorded_tags, tags = list(recorded.values()), list(double.values())
            if name == "Primary":
                recorded_tags, tags = list(recorded), list(double)
            if len(recorded_tags) != len(tags) or not all(map(self._binder.same, recorded_tags, tags)):
                self.found.append((place, recorded, double))
            return
        for key in recorded.keys() | double.keys():
            if key not in double:
                self.found.append((f"{place}.{key}", recorded[key], "<absent>"))
            elif key not in recorded:
                self.found.append((f"{place}.{key}", "<absent>", double[key]))
        for key in recorded:
            if key in double:
                self.compare(recorded[key], double[key], f"{place}.{key}", key)

    def _lists(self, recorded: list[Any], double: list[Any], place: str, name: str) -> None:
        if self._unordered and name == "ItemIds":
            return
        rows = place in {".Items", ".SearchHints", ""} and isinstance((recorded or [None])[0], dict)
        if self._unordered and rows and double:
            if len(recorded) != len(double):
                self.found.append((f"{place}.length", len(recorded), len(double)))
            missing = {key for row in recorded for key in row} ^ {key for row in double for key in row}
            if len(recorded) > 20 and missing:
                self.found.append((f"{place}.keys", sorted(missing), "differ"))
            return
        names, doubled = list(map(_name, recorded)), list(map(_name, double))
        if names != doubled and any(isinstance(row, dict) for row in recorded):
            self.found.append((f"{place}.order", names, doubled))  # once, and not for each member of each row
            return
        if len(recorded) != len(double):
            self.found.append((f"{place}.length", names, doubled))
        double = self._paired(recorded, double)
        for position, (left, right) in enumerate(zip(recorded, double, strict=False)):
            self.compare(left, right, f"{place}[{position}]", name)

    def _paired(self, recorded: list[Any], double: list[Any]) -> list[Any]:
        """The double's rows, namesakes in the order of the recording: no sort key tells them apart."""
        left = list(double)
        out: list[Any] = []
        for row in recorded:
            wanted = self._binder.values.get(row.get("Id", "")) if isinstance(row, dict) else None
            name = _name(row)
            place = next((n for n, each in enumerate(left) if wanted and each.get("Id") == wanted), 0)
            if left and wanted and _name(left[place]) == name:
                out.append(left.pop(place))
            elif left:
                out.append(left.pop(0))
        return out + left

    def _same_value(self, recorded: Any, double: Any, name: str) -> bool:
        if isinstance(recorded, bool) or isinstance(double, bool) or recorded is None or double is None:
            return recorded is double
        if name == "Key" and bool(DASHED.fullmatch(recorded)) != bool(DASHED.fullmatch(double)):
            return True  # jellyfin-api.md 6.1: of the same item now this, now that
        if name in {"Secret", "Code"}:
            self._binder.texts[str(recorded)] = str(double)
        if name in _FREE_VALUES:
            return isinstance(recorded, int | float) == isinstance(double, int | float)
        if isinstance(recorded, str) and isinstance(double, str):
            return self._same_text(recorded, double)
        if name in _CLOSE_VALUES and isinstance(recorded, int | float) and isinstance(double, int | float):
            return abs(recorded - double) <= _CLOSE_TICKS
        return bool(recorded == double)

    def _same_text(self, recorded: str, double: str) -> bool:
        if HEX.fullmatch(recorded) and HEX.fullmatch(double):
            return self._binder.same(recorded.lower(), double.lower())
        return self._binder.translate(recorded) == double


def _name(row: Any) -> Any:
    return row.get("Name") or row.get("name") if isinstance(row, dict) else row
