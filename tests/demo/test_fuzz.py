"""Whatever stands in a query, the server answers with what its document allows and never fails."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from jellytui.demo.library import Library
from jellytui.demo.server import DemoServer, ThreadedServer
from tests.support.signed_in import CLIENT

_PATHS = (
    "/Items", "/Items/Latest", "/Items/Counts", "/Items/Suggestions", "/Items/Filters", "/Items/Filters2",
    "/Items/Root", "/Artists", "/Artists/AlbumArtists", "/Genres", "/MusicGenres", "/Search/Hints", "/UserViews",
    "/Sessions",
    "/System/Info", "/System/ActivityLog/Entries", "/Users", "/Users/Me", "/QuickConnect/Connect", "/Items/{track}",
    "/Items/{album}/Similar", "/Items/{track}/InstantMix", "/Items/{album}/Images/Primary", "/Items/{track}/File",
    "/Items/{track}/PlaybackInfo", "/Items/{album}/Ancestors", "/Audio/{track}/Lyrics", "/UserItems/{track}/UserData",
    "/Playlists/{track}/Items", "/Artists/Alma Verde", "/MusicGenres/InstantMix",
)  # fmt: skip
_ODD = (
    "", " ", "0", "1", "-1", "true", "False", "null", "abc", "2147483648", "-2147483649", "9" * 40, "1e5", "１２", "%",
    "a" * 300, "\x00", "\u202e", "😀", "'", '"', "|", ",", ",,", "||", "Name,Random", "Descending,Ascending,Ascending",
    "2024-02-30", "2024-02-03T04:05:06Z", "0001-01-01", "10000-01-01", "0" * 32, "{track}", "{album}",
    "{track},{album}",
    "Audio", "MusicAlbum,Nope", "Rock|Folk", "IsPlayed,IsUnplayed", "IsFavorite", "Primary", "Jpg", "Nope", "[]", "{}",
    "9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00+14:00", "2024-02-03T04:05:06+99:99",
)  # fmt: skip
_NO_FAILURE = frozenset({200, 204, 206, 304, 400, 401, 403, 404, 405, 412, 415, 416})
_EXAMPLES = 500


@pytest.fixture(scope="module")
def fuzzed(small_library: Path, scanned_library: Library) -> Iterator[tuple[ThreadedServer, httpx.Client]]:
    """A server and a client that is signed in to it."""
    with DemoServer.in_thread(small_library, library=scanned_library) as server:
        header = CLIENT.format("fuzz")
        with httpx.Client(base_url=server.url, timeout=20) as client:
            body = {"Username": server.user, "Pw": server.password}
            answer = client.post("/Users/AuthenticateByName", json=body, headers={"Authorization": header})
            client.headers["Authorization"] = f'{header}, Token="{answer.json()["AccessToken"]}"'
            yield server, client


def _parameters(recordings: Path) -> dict[str, list[str]]:
    """The query parameters of each path, as the server's document names them."""
    document: dict[str, Any] = json.loads((recordings / "12.0" / "openapi.json").read_text("utf-8"))
    by_path = {
        path.lower().replace("{itemid}", "{track}"): [
            each["name"] for each in operations.get("get", {}).get("parameters", []) if each["in"] == "query"
        ]
        for path, operations in document["paths"].items()
    }
    common = sorted({name for path in ("/items", "/artists") for name in by_path[path]})
    return {path: by_path.get(path.lower().replace("{album}", "{track}"), []) or common for path in _PATHS}


_VALUES = st.one_of(st.sampled_from(_ODD), st.text(max_size=20), st.integers(-(10**12), 10**12).map(str))


def test_no_query_makes_the_server_fail(
    fuzzed: tuple[ThreadedServer, httpx.Client], recordings: Path, scanned_library: Library
) -> None:
    _, client = fuzzed
    known = _parameters(recordings)
    ids = {"track": scanned_library.tracks[0].id, "album": scanned_library.albums[0].id}

    @settings(max_examples=_EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(
        path=st.sampled_from(_PATHS),
        chosen=st.lists(st.tuples(st.integers(0, 200), _VALUES), max_size=6),
        headers=st.dictionaries(
            st.sampled_from(("Range", "If-Range", "If-Modified-Since", "If-None-Match", "Accept", "Accept-Encoding")),
            st.sampled_from(
                ("", "bytes=0-", "bytes=5-2", "bytes=-0", "bytes=" + "9" * 30 + "-", "x", "Mon, 99 Foo", "*")
            ),
            max_size=2,
        ),
    )
    @example(path="/Items", chosen=[], headers={})
    def ask(path: str, chosen: list[tuple[int, str]], headers: dict[str, str]) -> None:
        names = known[path]
        pairs = [(names[place % len(names)], _filled(value, ids)) for place, value in chosen]
        url = f"{_filled(path, ids)}?{urlencode(pairs, errors='surrogatepass')}"
        try:
            answer = client.get(url, headers=headers)
        except httpx.TransportError as error:
            raise AssertionError((url, headers, error)) from error
        assert answer.status_code in _NO_FAILURE, (url, headers, answer.status_code, answer.text[:200])

    ask()


def _filled(text: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        text = text.replace(f"{{{name}}}", value)
    return text


@pytest.mark.parametrize("value", _ODD)
def test_every_parameter_of_the_catalogue_takes_every_odd_value(
    fuzzed: tuple[ThreadedServer, httpx.Client], recordings: Path, scanned_library: Library, value: str
) -> None:
    _, client = fuzzed
    ids = {"track": scanned_library.tracks[0].id, "album": scanned_library.albums[0].id}
    names = _parameters(recordings)["/Items"]

    def ask() -> list[tuple[str, int]]:
        urls = [f"/Items?recursive=true&limit=2&{urlencode({name: _filled(value, ids)})}" for name in names]
        return [(url, status) for url in urls if (status := client.get(url).status_code) not in _NO_FAILURE]

    assert ask() == []
