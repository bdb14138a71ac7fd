"""Brings a double into the state in which the recorded server was when a topic began, as far as its answers tell.

Between topics the recorder did what it did not record: it ran the loudness scan, and it played and marked tracks.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from jellytui.demo.library import DemoAlbum, DemoTrack
from jellytui.demo.server import DemoServer
from tests.demo.recorded.comparing import DASHED, Binder

BoundId = Callable[[str], str | None]

_UNSEEN = {
    "Segfault part": ("2026-11-22T00:00:01Z", 1), "Ten minutes": ("2026-11-23T23:00:00Z", 1), "Dump 2-3": ("", 1),
    "Segfault part 10": ("", 0), "Segfault part 1": ("2026-11-24T00:00:00Z", 1), "Canción part 2": ("", 1),
    "Canción part 3": ("", 1), "Canción part 5": ("", 1), "Canción part 7": ("", 1), "Canción part 8": ("", 1),
}  # fmt: skip
"""Names, the moment and the number of plays of what was played before `browse` and shows no user data there: with what
does it makes the 22 that `filters=IsPlayed` counts. The last name that fits counts."""

_READ_ONLY = frozenset({"browse", "search", "users"})
"""Topics that change no user data: what an item shows there it has from the beginning."""


_LONG_AGO = datetime.fromisoformat("2026-11-22T00:00:00Z")


def rows(data: Any) -> Iterator[dict[str, Any]]:
    """All items in an answer, at any depth."""
    if isinstance(data, dict):
        if "Id" in data and "Type" in data:
            yield data
        for value in data.values():
            yield from rows(value)
    elif isinstance(data, list):
        for value in data:
            yield from rows(value)


def seed(server: DemoServer, entries: list[dict[str, Any]], bound: BoundId, user_id: str, topic: str) -> None:
    """Gives items the gains and the user data that they have at first sight in a topic."""
    library, seen = server.library, set()
    for each in (*library.tracks, *library.albums):
        server.world.user_data.forget(user_id, each.id)
    for entry, row in _all_rows(entries):
        item = library.get(bound(row["Id"]) or "")
        if item is None:
            continue
        if isinstance(item, DemoTrack | DemoAlbum) and "NormalizationGain" in row:
            item.gain_db = row["NormalizationGain"]
        album = library.album_of(item) if isinstance(item, DemoTrack) else None
        if album is not None and "AlbumNormalizationGain" in row:
            album.gain_db = row["AlbumNormalizationGain"]
        if isinstance(item, DemoTrack) and row.get("HasLyrics") and not item.has_lyrics:
            server.world.uploaded_lyrics.setdefault(item.id, ("sent.txt", "a\n\nb é\n"))
        own = topic in _READ_ONLY and _is_of(entry, bound, user_id)
        if own and "UserData" in row and item.id not in seen:
            seen.add(item.id)
            _seed_user_data(server, user_id, item.id, row["UserData"])
    if topic == "browse":
        _seed_unseen(server, user_id)


def _seed_unseen(server: DemoServer, user_id: str) -> None:
    change = server.world.user_data.change
    for track in server.library.tracks:
        fitting = [told for name, told in _UNSEEN.items() if track.name == name or track.name.startswith(f"{name} ")]
        date, count = fitting[-1] if fitting else ("", 0)
        if count:
            change(user_id, track.id, play_count=count, played=True, last_played=_moment(date) or _LONG_AGO)
        elif track.name in {"Drive 1", "Jökull part 1"}:
            change(user_id, track.id)  # something was saved for them once, and nothing is left of it


def seed_playlists(server: DemoServer, entries: list[dict[str, Any]], binder: Binder) -> None:
    """Makes the playlists that a topic shows and did not make itself, with what it shows of them."""
    made = {entry["response"]["body"]["Id"] for entry in entries if _makes_playlist(entry)}
    owner = next(iter(server.world.accounts.users.values()))
    for _, row in _all_rows(entries):
        if row["Type"] != "Playlist" or row["Id"] in made or row["Id"] in binder.values:
            continue
        asked = f"/Playlists/{row['Id']}"
        listed = [each for entry, each in _all_rows(entries) if entry["request"]["path"].startswith(f"{asked}/Items?")]
        ids = [binder.values[each["Id"]] for each in listed if each["Id"] in binder.values]
        told: dict[str, Any] = next(
            (entry["response"]["body"] for entry in entries if _tells(entry, asked)), {"ItemIds": []}
        )
        ids = ids or [binder.values[each] for each in told["ItemIds"]]
        public = "public" in row["Name"]
        tracks = ids or [server.library.tracks[0].id]
        playlist = server.world.playlists.create(row["Name"], owner.id, tracks, public=public, now=_LONG_AGO)
        binder.same(row["Id"], playlist.id)


def _makes_playlist(entry: dict[str, Any]) -> bool:
    request = entry.get("request", {})
    made = request.get("method") == "POST" and request["path"].partition("?")[0] == "/Playlists"
    return bool(made and entry["response"]["status"] == 200)


def _tells(entry: dict[str, Any], path: str) -> bool:
    request = entry.get("request", {})
    asked = (request.get("method"), request.get("path")) == ("GET", path)
    return asked and entry["response"]["status"] == 200


def _all_rows(entries: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for entry in entries:
        for row in rows(entry.get("response", {}).get("body")):
            yield entry, row


def _is_of(entry: dict[str, Any], bound: BoundId, user_id: str) -> bool:
    named = re.search(r"userId=([0-9a-f]+)", entry["request"]["path"])
    return named is None or bound(named[1]) == user_id


def _seed_user_data(server: DemoServer, user_id: str, item_id: str, told: dict[str, Any]) -> None:
    if not DASHED.fullmatch(told["Key"]) and not (told["PlayCount"] or told["IsFavorite"] or "Rating" in told):
        return  # nothing was ever saved for it
    server.world.user_data.change(
        user_id,
        item_id,
        play_count=told["PlayCount"],
        favorite=told["IsFavorite"],
        played=told["Played"],
        rating=told.get("Rating"),
        last_played=_moment(told.get("LastPlayedDate", "")),
    )


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
