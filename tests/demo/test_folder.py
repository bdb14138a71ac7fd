"""A folder as library: every format, many values in a tag, lyrics, playlists, broken files, changes, restarts."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import mutagen
import pytest
from websockets.asyncio.client import ClientConnection, connect

from jellytui.demo.changes import LibraryChange, compare
from jellytui.demo.folder import scan
from jellytui.demo.library import Library
from jellytui.demo.server import DemoServer
from jellytui.demo.wire.emulation import SERVER_10_11, SERVER_12, Emulation
from tests.support.m4a import write_m4a
from tests.support.music import Song, album_tags, cover_jpeg, write_song
from tests.support.signed_in import signed_in

FORMATS = {"flac": "flac", "mp3": "mp3", "ogg": "vorbis", "opus": "opus", "wav": "pcm_s16le", "aiff": "pcm_s16be"}


def _write_m4a(file: Path, **names: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_m4a(file, 1)
    audio: Any = mutagen.File(file)
    audio.update({"\xa9nam": [names["title"]], "\xa9ART": names["artists"], "\xa9alb": ["Formats"], "\xa9gen": ["Odd"],
                  "trkn": [(7, 7)], "\xa9lyr": ["[00:00.10]sung"]})  # fmt: skip
    audio.save()


@pytest.fixture(scope="module")
def formats(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """One track of each format, with the same tags."""
    folder = tmp_path_factory.mktemp("formats")
    for number, extension in enumerate(FORMATS, start=1):
        tags = album_tags("One", "Formats", f"In {extension}", number, date="2001-02-03", genre=["Odd", "Even"])
        tags |= {"artist": ["One", "Two"], "replaygain_track_gain": "-4.50 dB", "lyrics": "[00:00.10]sung"}
        write_song(folder, Song(f"One/Formats/{number:02d}.{extension}", tags, seconds=0.2))
    _write_m4a(folder / "One/Formats/07.m4a", title="In m4a", artists=["One", "Two"])
    return scan(folder)


def test_every_format_is_read_by_its_tags(formats: Library) -> None:
    found = {track.file.suffix[1:]: track for track in formats.tracks}
    assert {extension: track.codec for extension, track in found.items()} == FORMATS | {"m4a": "aac"}
    assert formats.skipped == []
    for extension in FORMATS:
        track = found[extension]
        assert (track.name, track.artists, track.genres) == (f"In {extension}", ["One", "Two"], ["Odd", "Even"])
        assert (track.year, track.gain_db, track.album_artists) == (2001, -4.5, ["One"])
        assert track.run_time_ticks == pytest.approx(2_000_000, abs=1_000_000)
    assert (found["m4a"].name, found["m4a"].artists, found["m4a"].index) == ("In m4a", ["One", "Two"], 7)
    assert [album.name for album in formats.albums] == ["Formats"]
    assert {artist.name for artist in formats.artists} == {"One", "Two"}


def test_lyrics_in_tags_count_in_every_format(formats: Library) -> None:
    assert [track.file.suffix for track in formats.tracks if not track.has_lyrics] == []


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"artist": "Anna|Ben"}, ["Anna", "Ben"]),
        ({"artist": "Anna; Ben"}, ["Anna; Ben"]),
        ({"artist": ["Anna", "Anna"]}, ["Anna"]),
        ({"artist": ["", " ", "Anna"]}, ["Anna"]),
        ({}, []),
    ],
)
def test_artists_are_split_where_the_server_splits_them(
    tmp_path: Path, tags: dict[str, Any], expected: list[str]
) -> None:
    write_song(tmp_path, Song("a/b/1.flac", {"title": "x"} | tags, seconds=0.1))
    assert scan(tmp_path).tracks[0].artists == expected


@pytest.mark.parametrize(
    "tags",
    [
        {"tracknumber": "A1", "discnumber": "x"}, {"tracknumber": "99999999999999999999"}, {"date": "0000"},
        {"date": "2020-13-45"}, {"date": "not a date"}, {"replaygain_track_gain": "garbage"},
        {"title": "\x1b[31m\u202e" + "x" * 5000}, {"album": "../../etc/passwd", "artist": "\n\t"}, {"genre": "(17)"},
        {"date": "９９９９"}, {"tracknumber": "-1"},
    ],
)  # fmt: skip
def test_nasty_tags_stop_nothing(tmp_path: Path, tags: dict[str, str]) -> None:
    write_song(tmp_path, Song("a/b/1.flac", {"title": "x"} | tags, seconds=0.1))
    library = scan(tmp_path)
    assert len(library.tracks) == 1
    assert library.skipped == []


def test_what_cannot_be_read_is_listed_without_tags_and_reported(tmp_path: Path) -> None:
    write_song(tmp_path, Song("a/b/1.flac", {"title": "good"}, seconds=0.1))
    (tmp_path / "a/b/2.mp3").write_bytes(b"this is no music")
    (tmp_path / "a/b/3.flac").write_bytes(b"")
    (tmp_path / "a/b/4.ogg").symlink_to(tmp_path / "gone.ogg")
    library = scan(tmp_path)
    assert {track.name: track.run_time_ticks is None for track in library.tracks} == {
        "good": False, "2": True, "3": True}  # fmt: skip
    assert {skipped.file.name for skipped in library.skipped} == {"2.mp3", "3.flac"}
    assert all(skipped.reason for skipped in library.skipped)


def test_a_link_back_to_a_folder_around_it_brings_nothing_twice(tmp_path: Path) -> None:
    write_song(tmp_path, Song("One/Album/01.flac", album_tags("One", "Album", "Song", 1), seconds=0.2))
    (tmp_path / "One" / "Album" / "round").symlink_to(tmp_path, target_is_directory=True)
    assert [track.name for track in scan(tmp_path).tracks] == ["Song"]


def test_an_m3u_file_is_a_playlist_of_the_tracks_that_exist(tmp_path: Path) -> None:
    for name in ("1", "2 ü"):
        write_song(tmp_path, Song(f"a/b/{name}.flac", {"title": name}, seconds=0.1))
    lines = ["#EXTM3U", "#EXTINF:1,x", "b/2 ü.flac", "", "b/gone.flac", str(tmp_path / "a/b/1.flac"), "b/2 ü.flac"]
    (tmp_path / "a/Mix.m3u8").write_text("\ufeff" + "\r\n".join(lines), "utf-8")
    (tmp_path / "a/empty.m3u").write_text("gone.flac\n")
    library = scan(tmp_path)
    assert [playlist.name for playlist in library.playlists] == ["Mix"]
    names = [library.get(each).name for each in library.playlists[0].track_ids]  # type: ignore[union-attr]
    assert names == ["2 ü", "1", "2 ü"]


def test_covers_come_from_the_folder_first_and_from_the_file_otherwise(tmp_path: Path) -> None:
    write_song(tmp_path, Song("a/with/1.flac", {"title": "x"}, seconds=0.1, cover=cover_jpeg("red")))
    write_song(tmp_path, Song("a/in/1.mp3", {"title": "y"}, seconds=0.1, cover=cover_jpeg("blue")))
    (tmp_path / "a/with/Folder.JPG").write_bytes(cover_jpeg("green", 100))
    covers = {album.path.rsplit("/", 1)[1]: album.image for album in scan(tmp_path).albums}
    assert (covers["with"] and covers["with"].embedded, covers["in"] and covers["in"].embedded) == (False, True)


@asynccontextmanager
async def _listening(server: DemoServer, header: str) -> AsyncIterator[ClientConnection]:
    url = server.url.replace("http", "ws", 1) + "/socket"
    async with connect(url, additional_headers={"Authorization": header}, proxy=None) as socket:
        await socket.recv()
        yield socket


async def _library_changed(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if message["MessageType"] == "LibraryChanged":
                data: dict[str, Any] = message["Data"]
                return data


async def test_a_new_file_is_noticed_told_and_listed_with_ids_that_last(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    write_song(folder, Song("a/b/1.flac", album_tags("a", "b", "first", 1), seconds=0.1))
    other = write_song(tmp_path / "elsewhere", Song("2.flac", album_tags("a", "b", "second", 2), seconds=0.1))
    async with DemoServer(folder, watch_seconds=0.05) as server, signed_in(server) as client:
        before = server.library.tracks[0].id
        async with _listening(server, client.headers["Authorization"]) as socket:
            shutil.copy(other, folder / "a/b/2.flac")
            told = await _library_changed(socket)
            added = [item.name for each in told["ItemsAdded"] if (item := server.library.get(each))]
            updated = [item.name for each in told["ItemsUpdated"] if (item := server.library.get(each))]
            assert (added, updated) == (["second"], ["b"])
            (folder / "a/b/2.flac").unlink()
            assert (await _library_changed(socket))["ItemsRemoved"] == told["ItemsAdded"]
        assert [track.id for track in server.library.tracks] == [before]


@pytest.mark.parametrize("emulate", [SERVER_12, SERVER_10_11], ids=["12", "10.11"])
async def test_what_a_scan_found_is_told_in_the_words_of_each_version(tmp_path: Path, emulate: Emulation) -> None:
    """As changing-library.json: added, renamed, removed, an artist's folder gone."""
    write_song(tmp_path, Song("a/b/1.flac", album_tags("a", "b", "first", 1), seconds=0.1))
    write_song(tmp_path, Song("c/d/1.flac", album_tags("Guest", "d", "other", 1), seconds=0.1))
    async with DemoServer(tmp_path, emulate=emulate) as server:
        named = {artist.name: artist.id for artist in server.library.artists}
        by_name = [named["Guest"]] if emulate.is_12 else []
        album = server.library.tracks[0].album_id
        new = write_song(tmp_path, Song("a/b/2.flac", album_tags("a", "b", "second", 2), seconds=0.1))
        added = await _rescanned(server)
        second = server.library.tracks[1].id
        assert (added.added, added.folders_added_to, added.updated) == ([second], [album], [album, *by_name])
        new.rename(new.with_name("3.flac"))
        renamed = await _rescanned(server)
        third = server.library.tracks[1].id
        assert (renamed.added, renamed.removed, renamed.updated) == ([third], [second], [album, *by_name])
        assert renamed.folders_added_to == renamed.folders_removed_from == [album]
        new.with_name("3.flac").unlink()
        removed = await _rescanned(server)
        assert (removed.removed, removed.folders_removed_from, removed.updated) == ([third], [album], by_name)
        gone = [named["a"], album, server.library.tracks[0].id]
        shutil.rmtree(tmp_path / "a")
        vanished = await _rescanned(server)
        assert vanished.removed == (gone[:1] if emulate.is_12 else gone)
        assert vanished.folders_removed_from == [server.library.folders[0].id]


async def _rescanned(server: DemoServer) -> LibraryChange:
    old = server.library
    await server.rescan()
    return compare(old, server.library, is_12=server.world.emulation.is_12)


async def test_a_rescan_can_be_asked_for(tmp_path: Path) -> None:
    write_song(tmp_path, Song("a/b/1.flac", {"title": "first"}, seconds=0.1))
    async with DemoServer(tmp_path) as server, signed_in(server) as client:
        async with _listening(server, client.headers["Authorization"]) as socket:
            file = write_song(tmp_path, Song("a/b/1.flac", {"title": "retagged"}, seconds=0.1))
            os.utime(file, (1_000_000_000, 1_000_000_000))
            assert (await client.post("/Library/Refresh")).status_code == 204
            told = await _library_changed(socket)
        assert server.library.tracks[0].id in told["ItemsUpdated"]
        assert server.library.tracks[0].name == "retagged"


async def test_favourites_plays_and_playlists_outlive_the_server(tmp_path: Path) -> None:
    write_song(tmp_path / "music", Song("a/b/1.flac", {"title": "first"}, seconds=0.1))
    state = tmp_path / "state" / "demo.sqlite"
    async with DemoServer(tmp_path / "music", state_file=state) as server, signed_in(server) as client:
        track = server.library.tracks[0].id
        await client.post(f"/UserFavoriteItems/{track}")
        await client.post(f"/UserPlayedItems/{track}?datePlayed=2024-05-06T07:08:09Z")
        made = (await client.post("/Playlists", json={"Name": "Mine", "Ids": [track]})).json()["Id"]
        token = client.headers["Authorization"]
    assert state.stat().st_mode & 0o777 == 0o600
    async with (
        DemoServer(tmp_path / "music", state_file=state) as server,
        signed_in(server, device_id="another") as client,
    ):
        client.headers["Authorization"] = token  # tokens last too
        data = (await client.get(f"/UserItems/{track}/UserData")).json()
        entries = (await client.get(f"/Playlists/{made}/Items")).json()["Items"]
    assert (data["IsFavorite"], data["Played"], data["PlayCount"]) == (True, True, 1)
    assert data["LastPlayedDate"].startswith("2024-05-06T07:08:09")
    assert [entry["Id"] for entry in entries] == [track]
