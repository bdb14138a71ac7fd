"""Replays recorded exchanges against a demo server and tells what differs, with ids, tags, dates and tokens mapped."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from jellytui.demo.server import DemoServer
from jellytui.demo.wire.transcode import has_ffmpeg
from tests.demo.recorded.admin import Admin
from tests.demo.recorded.comparing import Binder, Comparer, Difference
from tests.demo.recorded.openapi import Answer
from tests.demo.recorded.seeding import seed, seed_playlists
from tests.demo.recorded.sockets import Sockets

_DEVICE = re.compile(r'DeviceId="?([^",]*)"?')
_ARBITRARY = re.compile(r"InstantMix|Similar|Suggestions|Random|searchTerm=[^&]|Search/Hints")
"""Answers that may hold any items: 12 takes an arbitrary choice of what a search finds (jellyfin-api.md 5.1a)."""

_HEADERS = (
    "allow", "accept-ranges", "access-control-allow-methods", "access-control-allow-origin", "cache-control",
    "content-disposition", "content-encoding", "content-language", "content-range", "content-type", "etag",
    "last-modified", "location", "retry-after", "server", "vary", "www-authenticate",
)  # fmt: skip
_FREE_HEADERS = frozenset({"last-modified"})


def load(recordings: Path, version: str, topic: str) -> list[dict[str, Any]]:
    """The entries of a topic."""
    entries: list[dict[str, Any]] = json.loads((recordings / version / f"{topic}.json").read_text("utf-8"))
    return entries


def _is_transcode(entry: dict[str, Any]) -> bool:
    headers = entry["response"]["headers"]
    return headers.get("Accept-Ranges") == "none" and "Content-Length" not in headers


class Replay:
    """A signed-in recorder, played against a server."""

    def __init__(self, server: DemoServer, recordings: Path, version: str) -> None:
        self.binder = Binder()
        self._server = server
        self._recordings = recordings
        self._version = version
        self._tokens: dict[str, str] = {}
        self._main_token = self._earlier = ""
        self._admin = Admin(server, self.binder)
        self._sockets = Sockets(server)
        self._report: dict[str, Any] | None = None
        self.answers: list[Answer] = []
        """The double's own good JSON answers."""
        self.skipped: list[tuple[str, int]] = []
        """Entries that speak of items which the double cannot have."""
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

    def seed(self, topic: str) -> None:
        """Brings the double into the state in which the topic begins."""
        owner = next(iter(self._server.world.accounts.users.values()))
        entries = load(self._recordings, self._version, topic)
        seed(self._server, entries, self.binder.values.get, owner.id, topic)
        seed_playlists(self._server, entries, self.binder)

    async def play(self, client: httpx.AsyncClient, topic: str) -> list[Difference]:
        """Plays a topic and returns all differences; what speaks of unknown items is left out."""
        found: list[Difference] = []
        for index, entry in enumerate(load(self._recordings, self._version, topic)):
            note = entry.get("note", "")
            found += [Difference(topic, index, note, *each) for each in await self._on_sockets(topic, index, entry)]
            if self._admin.did(entry) or "request" not in entry or entry.get("response", {}).get("status", 0) == 0:
                continue
            if note == "after a progress report without a socket" and self._report is not None:
                await self.send(client, self._report)
            if entry["request"]["path"] == "/Sessions/Playing/Progress":
                self._report = entry
            if not has_ffmpeg() and _is_transcode(entry):
                continue
            if not self.knows(entry):
                self.skipped.append((topic, index))
                continue
            answer = await self.send(client, entry)
            self._keep(entry["request"], answer)
            note = note or f"{entry['request']['method']} {entry['request']['path'][:80]}"
            found += [Difference(topic, index, note, *each) for each in self.judge(entry, answer)]
        return found

    def _keep(self, request: dict[str, Any], answer: httpx.Response) -> None:
        plain = answer.headers.get("content-type", "") == "application/json; charset=utf-8"
        if plain and answer.is_success and answer.content:
            path = request["path"].partition("?")[0]
            self.answers.append(Answer(request["method"], path, answer.status_code, answer.json()))

    async def _on_sockets(self, topic: str, index: int, entry: dict[str, Any]) -> list[tuple[str, Any, Any]]:
        """Opens, reads and closes the sockets of `remote-control`, and compares what comes."""
        if topic != "remote-control" or (
            entry.get("note", "").endswith("pushed") and self.skipped[-1:] == [(topic, index - 1)]
        ):
            return []
        comparer = Comparer(
            self.binder, unordered=re.match("PlayInstantMix|PlayShuffle", entry.get("note", "")) is not None
        )
        comparer.compare(*await self._sockets.replayed(entry))
        return comparer.found

    def knows(self, entry: dict[str, Any]) -> bool:
        """Whether all ids in a request mean something to the double."""
        request = entry["request"]
        return not self.binder.unknown(request["path"] + json.dumps(request.get("body") or ""))

    async def send(self, client: httpx.AsyncClient, entry: dict[str, Any]) -> httpx.Response:
        """Sends a recorded request."""
        request, note = entry["request"], entry.get("note", "")
        path = self.binder.translate(request["path"])
        device = _DEVICE.search(request["headers"].get("Authorization", ""))
        token = self._tokens.get(device[1] if device else "", self._main_token)
        if "API key" in note:
            token = self._admin.api_key
        elif note == "the earlier token of that device":
            token = self._earlier
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
            self._earlier = token
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
        random = _ARBITRARY.search(entry["request"]["path"]) is not None
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
