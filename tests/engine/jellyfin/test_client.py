"""The client against the demo server in both its manners: what it asks, what it understands, what it never sends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import pytest_asyncio

from jellytui.config import ServerSettings, Settings
from jellytui.demo.folder import scan
from jellytui.demo.library import Library
from jellytui.demo.server import DemoServer
from jellytui.demo.wire.emulation import SERVER_10_11, SERVER_12, Emulation
from jellytui.engine.clock import SystemClock
from jellytui.engine.errors import NotFoundError, NotJellyfinError, ServerError, ServerStartingError
from jellytui.engine.jellyfin.auth import SignInService, stored_token
from jellytui.engine.jellyfin.client import JellyfinClient
from jellytui.engine.jellyfin.records import PlaybackReport, UserData
from jellytui.engine.models import Account, Track
from jellytui.paths import Paths
from tests.support.signed_in import signed_in


@pytest.fixture(scope="session")
def libraries(small_library: Path) -> dict[str, Library]:
    """The small library as each version reads it."""
    return {each.version: scan(small_library, merge_names=each.merges_names) for each in (SERVER_12, SERVER_10_11)}


@pytest_asyncio.fixture(params=[SERVER_12, SERVER_10_11], ids=["12", "10.11"])
async def server(
    small_library: Path, libraries: dict[str, Library], request: pytest.FixtureRequest
) -> AsyncIterator[DemoServer]:
    emulation: Emulation = request.param
    async with DemoServer(small_library, library=libraries[emulation.version], emulate=emulation) as server:
        yield server


@pytest_asyncio.fixture
async def demo_server(server: DemoServer) -> DemoServer:
    """The fixtures of this folder sign in there."""
    return server


async def all_tracks(client: JellyfinClient) -> list[Track]:
    (library,) = await client.music_libraries()
    return list((await client.tracks_page(library.id, 0, 100, with_total=True)).items)


async def test_the_catalogue_comes_in_pages_of_one_order(client: JellyfinClient, server: DemoServer) -> None:
    (library,) = await client.music_libraries()
    first = await client.tracks_page(library.id, 0, 9, with_total=True)
    rest = await client.tracks_page(library.id, 9, 9, with_total=False)
    assert (first.total, rest.total, len(first.items), len(rest.items)) == (14, None, 9, 5)
    assert [*first.items, *rest.items] == await all_tracks(client)
    assert first.server_date is not None
    counted = await client.tracks_page(library.id, 0, 0, with_total=True)
    assert (counted.items, counted.total) == ((), 14)
    assert all(track.etag and track.sort_name and track.date_created for track in first.items)


async def test_only_what_was_saved_since_a_date_comes(client: JellyfinClient) -> None:
    (library,) = await client.music_libraries()
    for since, count in (("2000-01-01T00:00:00.000000Z", 14), ("2999-01-01T00:00:00.000000Z", 0)):
        page = await client.tracks_page(library.id, 0, 100, with_total=True, saved_since=since)
        assert (page.total, len(page.items)) == (count, count)
        albums = await client.albums_page(library.id, 0, 100, with_total=True, saved_since=since)
        assert bool(albums.items) is bool(count)


async def test_albums_and_artists_are_those_of_the_tracks(client: JellyfinClient) -> None:
    (library,) = await client.music_libraries()
    tracks = await all_tracks(client)
    albums = await client.albums_page(library.id, 0, 100, with_total=True)
    artists = await client.artists_page(library.id, 0, 100, with_total=True)
    assert (albums.total, artists.total) == (len(albums.items), len(artists.items))
    assert {album.id for album in albums.items} == {track.album_id for track in tracks if track.album_id}
    listed, known = {artist.id for artist in artists.items}, {each for track in tracks for each in track.artist_ids}
    assert listed & known
    assert (await client.artists_page(library.id, 0, 0, with_total=True)).total == artists.total


async def test_expensive_queries_are_never_asked(client: JellyfinClient, server: DemoServer) -> None:
    (library,) = await client.music_libraries()
    await client.tracks_page(library.id, 0, 5, with_total=False)
    await client.albums_page(library.id, 0, 5, with_total=False)
    await client.artists_page(library.id, 0, 5, with_total=False)
    await client.playlists()
    await client.favorite_ids()
    for request in server.requests:
        assert not {"ChildCount", "RecursiveItemCount", "MediaSources", "People"} & set(
            parse_qs(request.query).get("fields", [""])[0].split(",")
        )
        assert request.path != "/Artists/AlbumArtists"
        assert "br" not in request.headers["accept-encoding"]
    (tracks,) = [request for request in server.requests if "includeItemTypes=Audio&" in request.query]
    assert parse_qs(tracks.query)["sortBy"] == ["Album,SortName"]


async def test_tracks_by_id_keep_their_order_and_unknown_ones_bring_nothing_else(client: JellyfinClient) -> None:
    tracks = (await all_tracks(client))[:3]
    ids = [tracks[2].id, "f" * 32, tracks[0].id, "no id at all"]
    assert await client.tracks_by_ids(ids) == [tracks[2], tracks[0]]
    assert await client.tracks_by_ids(["no id at all"]) == []
    assert await client.tracks_by_ids([]) == []


async def test_many_ids_are_asked_in_lines_short_enough(client: JellyfinClient, server: DemoServer) -> None:
    tracks = await all_tracks(client)
    ids = [f"{number:032x}" for number in range(250)] + [tracks[0].id]
    assert await client.tracks_by_ids(ids) == [tracks[0]]
    assert len([request for request in server.requests if "ids=" in request.query]) == 3


async def test_facts_tell_the_size_of_the_file_that_comes(client: JellyfinClient, server: DemoServer) -> None:
    tracks = await all_tracks(client)
    facts = await client.media_facts([track.id for track in tracks])
    assert [fact.item_id for fact in facts] == [track.id for track in tracks]
    async with signed_in(server) as http:
        answer = await http.get(client.download_url(tracks[0].id), headers={"Authorization": client.authorization()})
        streamed = await http.get(client.stream_url(tracks[0].id), headers={"Authorization": ""})
    assert len(answer.content) == facts[0].size_bytes
    assert streamed.content == answer.content


async def test_no_url_holds_the_token_and_ids_cannot_leave_their_place(
    client: JellyfinClient, account: Account, paths: Paths, server: DemoServer
) -> None:
    token = stored_token(paths, account)
    assert token
    for url in (client.stream_url("abc"), client.download_url("abc")):
        assert token not in url
        assert account.user_id not in url
    assert client.stream_url("../../x?y#z").endswith("/Audio/..%2F..%2Fx%3Fy%23z/stream?static=true")
    await all_tracks(client)
    assert not [request for request in server.requests if token in request.path + request.query]
    assert [request for request in server.requests if token in request.headers.get("authorization", "")]


async def test_a_favorite_of_every_kind_is_told_and_listed(client: JellyfinClient, server: DemoServer) -> None:
    (library,) = await client.music_libraries()
    track = (await all_tracks(client))[0]
    album = (await client.albums_page(library.id, 0, 1, with_total=False)).items[0]
    artist = (await client.artists_page(library.id, 0, 1, with_total=False)).items[0]
    async with signed_in(server, device_id="other") as http:
        body = {"Name": "Mix", "Ids": [track.id], "MediaType": "Audio", "IsPublic": False}
        (await http.post("/Playlists", json=body)).raise_for_status()
    (playlist,) = await client.playlists()
    ids = {track.id, album.id, artist.id, playlist.id}
    for item_id in ids:
        await client.set_favorite(item_id, True)
        await client.set_favorite(item_id, True)
    assert await client.favorite_ids() == ids
    for item_id in ids:
        await client.set_favorite(item_id, False)
    assert await client.favorite_ids() == frozenset()


async def test_playlists_keep_their_order(client: JellyfinClient, server: DemoServer) -> None:
    ids = [track.id for track in await all_tracks(client)][:4][::-1]
    async with signed_in(server, device_id="other") as http:
        (await http.post("/Playlists", json={"Name": "Mix", "Ids": ids, "MediaType": "Audio"})).raise_for_status()
    (playlist,) = await client.playlists()
    assert playlist.name == "Mix"
    assert [entry.track_id for entry in await client.playlist_entries(playlist.id)] == ids
    with pytest.raises(NotFoundError):
        await client.playlist_entries("f" * 32)


async def test_a_play_is_counted_with_its_date(client: JellyfinClient) -> None:
    track = (await all_tracks(client))[0]
    assert await client.user_data(track.id) == UserData(item_id=track.id)
    played_at, later = "2026-01-02T03:04:05.123456Z", "2026-02-02T03:04:05.000001Z"
    await client.mark_played(track.id, played_at)
    assert await client.user_data(track.id) == UserData(
        item_id=track.id, play_count=1, last_played_at=played_at, is_played=True
    )
    await client.set_last_played(track.id, later)
    assert await client.user_data(track.id) == UserData(
        item_id=track.id, play_count=1, last_played_at=later, is_played=True
    )
    with pytest.raises(NotFoundError):
        await client.mark_played("f" * 32, played_at)


async def test_reports_show_what_plays_and_count_it_once(client: JellyfinClient, server: DemoServer) -> None:
    track = (await all_tracks(client))[0]
    report = PlaybackReport(item_id=track.id, play_session_id="play-1", position_ms=0, volume=70, repeat="one")
    await client.report_started(report)
    await client.report_progress(
        PlaybackReport(item_id=track.id, play_session_id="play-1", position_ms=1500, is_paused=True)
    )
    async with signed_in(server, device_id="other") as http:
        sessions = (await http.get("/Sessions")).json()
        (session,) = [each for each in sessions if each["Client"] == "jellytui"]
    assert session["NowPlayingItem"]["Id"] == track.id
    assert session["PlayState"]["PositionTicks"] == 15_000_000
    assert session["PlayState"]["IsPaused"] is True
    await client.report_stopped(PlaybackReport(item_id=track.id, play_session_id="play-1", position_ms=2000))
    assert (await client.user_data(track.id)).play_count == 1


async def test_words_come_with_their_times_or_there_are_none(client: JellyfinClient) -> None:
    tracks = {track.name: track for track in await all_tracks(client)}
    synced = await client.lyrics(tracks["Canción part 1"].id)
    assert synced.is_synced
    assert synced.lines[0].text == "First line"
    assert (await client.lyrics("f" * 32)).lines == ()


async def test_a_cover_comes_scaled_and_without_the_token(client: JellyfinClient, server: DemoServer) -> None:
    track = next(track for track in await all_tracks(client) if track.image_tag)
    image = await client.image(track.image_item_id, track.image_tag, 64)
    assert image.startswith(b"\xff\xd8\xff")
    assert "authorization" not in server.requests[-1].headers
    with pytest.raises(NotFoundError):
        await client.image("f" * 32, "tag", 64)


async def test_hostile_names_odd_dates_and_dashed_ids_arrive_clean(client: JellyfinClient, server: DemoServer) -> None:
    clean = {track.id for track in await all_tracks(client)}
    for kind in ("hostile_names", "odd_dates", "dashed_ids"):
        server.faults.add(kind)
    tracks = await all_tracks(client)
    assert {track.id for track in tracks} == clean
    assert not [track for track in tracks if "\x1b" in track.name or "\u202e" in track.name or "\t" in track.name]


async def test_members_that_are_missing_cost_nothing_but_themselves(client: JellyfinClient, server: DemoServer) -> None:
    names = ["Name", "Album", "AlbumId", "RunTimeTicks", "UserData", "Artists", "ArtistItems", "ImageTags", "Genres"]
    server.faults.add("strip", route="/items", names=names)
    tracks = await all_tracks(client)
    assert len(tracks) == 14
    assert {(track.name, track.album_id, track.duration_ms) for track in tracks} == {("(no name)", "", 0)}


async def test_an_answer_without_items_is_an_empty_page(client: JellyfinClient, server: DemoServer) -> None:
    (library,) = await client.music_libraries()
    server.faults.add("set", route="/items", values={"Items": None, "TotalRecordCount": "many"})
    page = await client.tracks_page(library.id, 0, 5, with_total=True)
    assert (page.items, page.total) == ((), None)


async def test_what_is_no_answer_has_its_narrow_error(client: JellyfinClient, server: DemoServer) -> None:
    (library,) = await client.music_libraries()
    for kind, members, error in (
        ("html", {}, NotJellyfinError),
        ("truncate", {"after_bytes": 100}, ServerError),
        ("status", {"status": 500}, ServerError),
        ("status", {"status": 503}, ServerStartingError),
        ("redirect", {"location": "/web/"}, NotJellyfinError),
    ):
        server.faults.clear()
        server.faults.add(kind, route="/items", **members)
        with pytest.raises(error) as raised:
            await client.tracks_page(library.id, 0, 5, with_total=True)
        assert type(raised.value) is error


async def test_headers_of_config_are_sent_but_never_instead_of_ours(
    account: Account, paths: Paths, server: DemoServer
) -> None:
    settings = ServerSettings(headers={"X-Gate": "open", "authorization": "Basic x", "ACCEPT-ENCODING": "br"})
    token = stored_token(paths, account) or ""
    client = JellyfinClient(account=account, token=token, server=settings, clock=SystemClock())
    await client.user()
    await client.close()
    seen = server.requests[-1].headers
    assert (seen["x-gate"], seen["accept-encoding"]) == ("open", "gzip")
    assert seen["authorization"] == client.authorization()
    assert client.extra_headers()["X-Gate"] == "open"


async def test_a_device_with_odd_letters_in_its_name_can_sign_in(
    paths: Paths, server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.node", lambda: 'Ana\'s "böx", + 100 %')
    service = SignInService(paths=paths, settings=Settings(), clock=SystemClock())
    await service.with_password(await service.probe(server.url), "demo", "demo")
    assert [device.name for device in server.world.accounts.devices.values()] == ['Ana\'s "böx", + 100 %']
