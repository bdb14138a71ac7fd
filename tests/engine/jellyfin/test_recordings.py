"""What two real servers answered, understood: every recorded list, user, line of lyrics and phase of a start."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from jellytui.config import ServerSettings
from jellytui.engine.errors import JellytuiError, NotSignedInError, ServerStartingError
from jellytui.engine.jellyfin import dto
from jellytui.engine.jellyfin.http import Http
from jellytui.engine.jellyfin.publicinfo import decoded
from jellytui.engine.models import Track

VERSIONS = ("12.0", "10.11")
_ID = re.compile(r"[0-9a-f]{32}")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_DECODERS = {"Audio": dto.track, "MusicAlbum": dto.album, "MusicArtist": dto.artist, "Playlist": dto.playlist}


def exchanges(recordings: Path, version: str) -> Iterator[dict[str, Any]]:
    """Each request that was answered."""
    for file in sorted((recordings / version).glob("*.json")):
        if file.name == "openapi.json":
            continue
        for entry in json.loads(file.read_text("utf-8")):
            if entry.get("request") and entry.get("response"):
                yield entry


def path_of(entry: dict[str, Any]) -> str:
    return str(urlsplit(entry["request"]["path"]).path)


def answer_of(entry: dict[str, Any]) -> httpx.Response:
    """The recorded answer as httpx gives it."""
    recorded = entry["response"]
    body = recorded["body"]
    headers = {
        name: value
        for name, value in recorded["headers"].items()
        if name.lower() not in ("content-encoding", "content-length", "transfer-encoding")
    }
    is_json = "json" in headers.get("Content-Type", headers.get("content-type", ""))
    content = json.dumps(body) if is_json else (body or "")
    request = httpx.Request(entry["request"]["method"], f"http://attic{entry['request']['path']}")
    return httpx.Response(recorded["status"], headers=headers, content=content.encode(), request=request)


@pytest.fixture
def http() -> Http:
    return Http("http://attic", ServerSettings(), name="attic")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_recorded_item_is_understood(recordings: Path, version: str) -> None:
    counts = dict.fromkeys(_DECODERS, 0)
    for entry in exchanges(recordings, version):
        body = entry["response"]["body"]
        rows = body.get("Items") if isinstance(body, dict) else body
        for row in rows if isinstance(rows, list) else ():
            kind = row.get("Type") if isinstance(row, dict) else None
            if kind not in _DECODERS or "Id" not in row:
                continue
            item = _DECODERS[kind](row)
            if item is None:
                # Playlists of videos are none of ours.
                assert (kind, row["MediaType"]) == ("Playlist", "Video")
                continue
            counts[kind] += 1
            assert _ID.fullmatch(item.id)
            assert item.name
            assert not _UNSAFE.search(repr([item.name, item.album, *item.artists]))
    assert counts["Audio"] > 600
    assert min(counts.values()) > 10


@pytest.mark.parametrize("version", VERSIONS)
def test_the_recorded_catalogue_is_whole(recordings: Path, version: str) -> None:
    """63 tracks in nasty files (the recordings' README)."""
    tracks: dict[str, Track] = {}
    for entry in exchanges(recordings, version):
        query = entry["request"]["path"]
        if path_of(entry) == "/Items" and "includeItemTypes=Audio" in query and "fields=Genres,DateCreated" in query:
            tracks |= {track.id: track for track in dto.items(entry["response"]["body"], dto.track)}
    named = {track.name: track for track in tracks.values()}
    assert len(tracks) >= 63
    drive = named["Canción part 1"]
    assert (drive.artists, drive.album, drive.disc, drive.number) == (("Alma Verde",), "Canción de Otoño", None, 1)
    assert drive.has_lyrics
    assert (drive.year, drive.genres, drive.container) == (2019, ("Folk",), "flac")
    assert drive.gain_db == pytest.approx(-3.5, abs=0.01)
    assert named["Dump 2-3"].disc == 2
    hostile = next(track for track in tracks.values() if "bidi" in track.name)
    assert hostile.name == "tab andbidi"
    assert hostile.album == "Escape [31mred"
    untagged = next(track for track in tracks.values() if track.name.startswith("loose untagged"))
    assert (untagged.album, untagged.album_id, untagged.artists, untagged.year) == ("", "", (), None)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_recorded_playlist_entry_and_view_is_understood(recordings: Path, version: str) -> None:
    entries, libraries = 0, set()
    for entry in exchanges(recordings, version):
        body = entry["response"]["body"]
        if re.fullmatch(r"/Playlists/[0-9a-f]+/Items", path_of(entry)) and isinstance(body, dict) and "Items" in body:
            found = dto.items(body, dto.playlist_entry)
            assert len(found) == len(body["Items"])
            assert all(_ID.fullmatch(each.track_id) and each.entry_id for each in found)
            entries += len(found)
        if path_of(entry) == "/UserViews" and isinstance(body, dict):
            libraries |= {library.name for library in dto.items(body, dto.music_library)}
    assert entries > 20
    assert "Music" in libraries
    assert "Playlists" not in libraries


@pytest.mark.parametrize("version", VERSIONS)
def test_every_recorded_user_lyric_and_user_data_is_understood(recordings: Path, version: str, http: Http) -> None:
    users, lyrics, synced, plays = set(), 0, 0, 0
    for entry in exchanges(recordings, version):
        body, path = entry["response"]["body"], path_of(entry)
        if entry["response"]["status"] != 200 or not isinstance(body, dict):
            continue
        if path.endswith("/AuthenticateByName"):
            users.add(dto.user_info(body["User"]).name)
            assert _ID.fullmatch(dto.normal_id(body["ServerId"]))
        elif path.endswith("/Lyrics") and entry["request"]["method"] == "GET":
            found = dto.lyrics(http.json(answer_of(entry)), "id")
            lyrics += 1
            synced += found.is_synced
            assert len(found.lines) == len(body["Lyrics"])
        elif "/UserPlayedItems/" in path or path.endswith("/UserData"):
            data = dto.user_data(body, "id")
            plays += data.play_count
            assert data.last_played_at is None or data.last_played_at.endswith("Z")
    assert {"alice", "bob"} <= users
    assert 0 < synced < lyrics
    assert plays > 0


@pytest.mark.parametrize("version", VERSIONS)
def test_every_phase_of_a_recorded_start_is_starting_or_ready(recordings: Path, version: str, http: Http) -> None:
    seen: list[str] = []
    for topic in ("startup", "startup-phases"):
        for entry in json.loads((recordings / version / f"{topic}.json").read_text("utf-8")):
            if not entry.get("request") or path_of(entry) != "/System/Info/Public" or not entry["response"]["status"]:
                continue
            try:
                decoded(http, answer_of(entry))
            except ServerStartingError:
                seen.append("starting")
            else:
                seen.append("ready")
    assert seen.count("starting") >= 3
    # Not set up yet is "starting" too: only the last answer is that of a server ready for somebody.
    assert seen[-1] == "ready"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_recorded_refusal_has_words(recordings: Path, version: str, http: Http) -> None:
    for entry in exchanges(recordings, version):
        status = entry["response"]["status"]
        if status < 300 or status == 304:
            continue
        answer = answer_of(entry)
        with pytest.raises(JellytuiError) as raised:
            http.check(answer)
        assert "attic" in raised.value.text
        assert isinstance(raised.value, NotSignedInError) is (status == 401 and not answer.content)
