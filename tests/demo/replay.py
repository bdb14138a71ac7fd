"""Replays recorded exchanges against a demo server and tells what differs, with ids, tags, dates and tokens mapped.

The recordings' README says how: an id of a recording is bound to the double's when first seen at the same place.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from jellytui.demo.server import DemoServer

HEX = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{32}(?![0-9A-Fa-f])")
DASHED = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DEVICE = re.compile(r'DeviceId="?([^",]*)"?')
_SAME_EVERYWHERE = frozenset({"0" * 32, "1" * 32})
_FREE_VALUES = frozenset(
    {
        "AccessToken", "ApplicationVersion", "BitRate", "Bitrate", "Code", "Date", "DateAdded", "DateCreated", "ETag",
        "Etag",
        "Id_", "LastActivityDate", "LastLoginDate", "LastPlayedDate", "LastPlaybackCheckIn", "LocalAddress", "Secret",
        "ServerName", "Size", "TimeBase", "traceId", "TranscodingUrl", "InvalidLoginAttemptCount", "PositionTicks",
        "PlaySessionId", "DisplayPreferencesId", "AlbumNormalizationGain", "HostName",
    }
)  # fmt: skip
"""Members whose values follow from machine, moment or encoder: only their presence and type are compared."""

_CLOSE_VALUES = frozenset({"RunTimeTicks", "CumulativeRunTimeTicks"})
_CLOSE_TICKS = 2_000_000 * 5
_HEADERS = (
    "allow", "accept-ranges", "access-control-allow-methods", "access-control-allow-origin", "cache-control",
    "content-disposition", "content-encoding", "content-language", "content-range", "content-type", "etag",
    "last-modified", "location", "retry-after", "server", "vary", "www-authenticate",
)  # fmt: skip
_FREE_HEADERS = frozenset({"last-modified"})


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


def load(recordings: Path, version: str, topic: str) -> list[dict[str, Any]]:
    """The entries of a topic."""
    entries: list[dict[str, Any]] = json.loads((recordings / version / f"{topic}.json").read_text("utf-8"))
    return entries


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
        if self._unordered and place in {".Items", ""} and recorded and double and isinstance(recorded[0], dict):
            if len(recorded) != len(double):
                self.found.append((f"{place}.length", len(recorded), len(double)))
            missing = {key for row in recorded for key in row} ^ {key for row in double for key in row}
            if len(recorded) > 20 and missing:
                self.found.append((f"{place}.keys", sorted(missing), "differ"))
            return
        if len(recorded) != len(double):
            self.found.append((f"{place}.length", list(map(_name, recorded)), list(map(_name, double))))
        for position, (left, right) in enumerate(zip(recorded, double, strict=False)):
            self.compare(left, right, f"{place}[{position}]", name)

    def _same_value(self, recorded: Any, double: Any, name: str) -> bool:
        if isinstance(recorded, bool) or isinstance(double, bool) or recorded is None or double is None:
            return recorded is double
        if name in {"Secret", "Code"}:
            self._binder.texts[str(recorded)] = str(double)
        if name in _FREE_VALUES:
            return isinstance(recorded, int | float) == isinstance(double, int | float)
        if isinstance(recorded, str) and isinstance(double, str):
            return self._same_text(recorded, double)
        if name in _CLOSE_VALUES and isinstance(recorded, int) and isinstance(double, int):
            return abs(recorded - double) <= _CLOSE_TICKS
        return bool(recorded == double)

    def _same_text(self, recorded: str, double: str) -> bool:
        if HEX.fullmatch(recorded) and HEX.fullmatch(double):
            return self._binder.same(recorded.lower(), double.lower())
        return self._binder.translate(recorded) == double


def _name(row: Any) -> Any:
    return row.get("Name") if isinstance(row, dict) else row


class Replay:
    """A signed-in recorder, played against a server."""

    def __init__(self, server: DemoServer, recordings: Path, version: str) -> None:
        self.binder = Binder()
        self._server = server
        self._recordings = recordings
        self._version = version
        self._tokens: dict[str, str] = {}
        self._main_token = ""
        self._dates: dict[str, str] = {}
        self._sizes: dict[int, int] = {}

    def bind_library(self) -> None:
        """Binds what has names in the catalogue: users, views, tracks with their sizes."""
        entry = load(self._recordings, self._version, "library")[1]
        rows = entry["response"]["body"]["Items"]
        mine = sorted(self._server.library.tracks, key=lambda track: (track.created, track.sort_name))
        for row, track in zip(rows, mine, strict=True):
            assert row["Name"] == track.name, (row["Name"], track.name)
            self.binder.same(row["Id"], track.id)
        path = entry["request"]["path"]
        owner = next(iter(self._server.world.accounts.users.values()))
        for name, value in (("userId", owner.id), ("parentId", self._server.library.view.id)):
            self.binder.same(re.search(rf"{name}=([0-9a-f]+)", path)[1], value)  # type: ignore[index]
        size = load(self._recordings, self._version, "media")[0]["response"]["length"]
        self._sizes[size] = mine[0].size

    async def sign_in(self, client: httpx.AsyncClient, user: str, password: str) -> None:
        """Gets the token that stands for `<token>` where no login of the same device came before."""
        header = 'MediaBrowser Client="recorder", Device="box", DeviceId="rec-0", Version="1.0"'
        body = {"Username": user, "Pw": password}
        answer = await client.post("/Users/AuthenticateByName", json=body, headers={"Authorization": header})
        self._main_token = answer.json()["AccessToken"]
        for session in self._server.world.sessions.all():
            self._server.world.sessions.end(session)

    async def play(self, client: httpx.AsyncClient, topic: str) -> list[Difference]:
        """Plays a topic and returns all differences; what speaks of unknown items is left out."""
        found: list[Difference] = []
        for index, entry in enumerate(load(self._recordings, self._version, topic)):
            if "changed" in entry:
                self._change_policy(entry["changed"])
            if "request" not in entry or entry.get("response", {}).get("status", 0) == 0:
                continue
            if not self.knows(entry):
                continue
            answer = await self.send(client, entry["request"])
            note = entry.get("note") or f"{entry['request']['method']} {entry['request']['path'][:80]}"
            found += [Difference(topic, index, note, *each) for each in self.judge(entry, answer)]
        return found

    def knows(self, entry: dict[str, Any]) -> bool:
        """Whether all ids in a request mean something to the double."""
        request = entry["request"]
        return not self.binder.unknown(request["path"] + json.dumps(request.get("body") or ""))

    async def send(self, client: httpx.AsyncClient, request: dict[str, Any]) -> httpx.Response:
        """Sends a recorded request."""
        path = self.binder.translate(request["path"])
        device = _DEVICE.search(request["headers"].get("Authorization", ""))
        token = self._tokens.get(device[1] if device else "", self._main_token)
        headers = {name: self._header(name, value, token) for name, value in request["headers"].items()}
        headers.setdefault("Accept-Encoding", "identity")
        body = request.get("body")
        content: bytes | None = None
        if body is not None:
            text = body if isinstance(body, str) else json.dumps(body)
            content = self.binder.translate(text).encode()
        elif headers.get("Content-Type") == "application/json" and request.get("body") == {}:
            content = b"{}"
        url = httpx.URL(self._server.url).copy_with(
            raw_path=quote(path.replace("<token>", token), safe="/?&=%+,:;@!$'()*~-._|").encode()
        )
        answer = await client.request(request["method"], url, headers=headers, content=content)
        if answer.status_code == 200 and "AuthenticateBy" in path and device:
            self._tokens[device[1]] = answer.json()["AccessToken"]
        return answer

    def _header(self, name: str, value: str, token: str) -> str:
        value = value.replace("<token>", token)
        if name.lower() in {"if-range", "if-modified-since", "if-unmodified-since"}:
            return self._dates.get(value, value)
        if name.lower() == "range":
            return re.sub(r"\d+", lambda match: str(self._sizes.get(int(match[0]), match[0])), value)
        return self.binder.translate(value)

    def judge(self, entry: dict[str, Any], answer: httpx.Response) -> Iterator[tuple[str, Any, Any]]:
        """What differs between an answer and its recording."""
        recorded = entry["response"]
        if recorded["status"] != answer.status_code:
            yield "status", recorded["status"], f"{answer.status_code} {answer.text[:150]}"
            return
        headers = {name.lower(): value for name, value in recorded["headers"].items()}
        for name in _HEADERS:
            if not self._same_header(name, headers.get(name), answer.headers.get(name)):
                yield f"header {name}", headers.get(name), answer.headers.get(name)
        if ("content-length" in headers) != ("content-length" in answer.headers):
            yield "header content-length", headers.get("content-length"), answer.headers.get("content-length")
        body = recorded["body"]
        if isinstance(body, str) and body.startswith("<") and body.endswith(">"):
            return
        random = re.search(r"InstantMix|Similar|Suggestions|Random", entry["request"]["path"]) is not None
        comparer = Comparer(self.binder, unordered=random)
        is_json = "json" in answer.headers.get("content-type", "")
        comparer.compare(body, answer.json() if is_json and answer.content else answer.text)
        yield from comparer.found

    def _same_header(self, name: str, recorded: str | None, double: str | None) -> bool:
        if recorded is None or double is None:
            return recorded == double
        if name == "last-modified":
            self._dates[recorded] = double
            return True
        if name == "content-range":
            return re.sub(r"\d{4,}", "n", recorded) == re.sub(r"\d{4,}", "n", double)
        return self.binder.translate(recorded) == double

    def _change_policy(self, changed: dict[str, Any]) -> None:
        """Sets bob's policy to the default but for what was changed, as the recorder did."""
        from jellytui.demo.state.users import Policy

        names = {
            "EnableContentDownloading": "download",
            "EnableMediaPlayback": "playback",
            "EnableAudioPlaybackTranscoding": "transcoding",
            "EnableAllFolders": "all_folders",
            "EnableUserPreferenceAccess": "preferences",
            "IsDisabled": "disabled",
            "LoginAttemptsBeforeLockout": "login_attempts_before_lockout",
            "MaxActiveSessions": "max_active_sessions",
        }
        bob = self._server.world.accounts.named("bob")
        if bob is not None:
            bob.policy = Policy(**{names[name]: value for name, value in changed.items() if name in names})
