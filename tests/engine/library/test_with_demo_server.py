"""The library against a Jellyfin-compatible server over real sockets: synced, told, and drawn with the server gone."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from jellytui.config import ServerSettings
from jellytui.demo.server import DemoServer
from jellytui.engine.bus import EventBus
from jellytui.engine.clock import SystemClock
from jellytui.engine.jellyfin.client import JellyfinClient
from jellytui.engine.jellyfin.records import StartReport
from jellytui.engine.library.covers import Covers
from jellytui.engine.library.lyrics import LyricsStore
from jellytui.engine.library.outbox import Outbox
from jellytui.engine.library.syncing.sync import LibrarySync
from jellytui.engine.library.views import LibraryViews
from jellytui.engine.models import Account, Item, ItemType, Listing, Track
from jellytui.engine.storage.database import Database
from tests.support.catalogue import LinkInMemory, synced
from tests.support.music import HOSTILE_TITLE, Song, album_tags, write_song
from tests.support.signed_in import signed_in


@pytest_asyncio.fixture
async def http(demo_server: DemoServer) -> AsyncIterator[httpx.AsyncClient]:
    """Another client of the same user."""
    async with signed_in(demo_server) as http:
        yield http


@asynccontextmanager
async def client_of(server: DemoServer, http: httpx.AsyncClient) -> AsyncIterator[JellyfinClient]:
    """The engine's own client, signed in as `http` is."""
    user = (await http.get("/Users/Me")).json()
    account = Account(
        server_url=server.url,
        server_id=user["ServerId"],
        server_name="Demo",
        server_version="10.11.0",
        user_id=user["Id"],
        user_name=user["Name"],
        device_id="dev-1",
    )
    token = http.headers["Authorization"].partition('Token="')[2].rstrip('"')
    client = JellyfinClient(account=account, token=token, server=ServerSettings(), clock=SystemClock())
    yield client
    await client.close()


@pytest_asyncio.fixture
async def client(demo_server: DemoServer, http: httpx.AsyncClient) -> AsyncIterator[JellyfinClient]:
    async with client_of(demo_server, http) as client:
        yield client


@pytest.fixture
def real_sync(client: JellyfinClient, link: LinkInMemory, database: Database, bus: EventBus) -> LibrarySync:
    return LibrarySync(client=client, connection=link, database=database, bus=bus, clock=SystemClock())


async def listed(views: LibraryViews, kind: ItemType, scope: Any = "all", parent: str = "") -> list[Item]:
    row_ids = await views.row_ids(Listing(kind=kind, scope=scope, parent=parent))
    return [item for item in await views.rows(kind, row_ids) if item is not None]


async def named(views: LibraryViews, name: str) -> Track:
    return next(item for item in await listed(views, "track") if isinstance(item, Track) and item.name == name)


async def test_every_track_is_reached_by_artist_and_album_also_with_the_server_gone(
    demo_server: DemoServer, real_sync: LibrarySync, views: LibraryViews
) -> None:
    state = await synced(real_sync)
    await demo_server.stop()

    assert (state.status, state.total) == ("done", 14)
    reached = {
        track.id
        for artist in await listed(views, "artist")
        for album in await listed(views, "album", "artist", artist.id)
        for track in await views.tracks_of_album(album.id)
    }
    assert reached == {track.id for track in await listed(views, "track")}
    assert len(reached) == 14
    guest = next(item for item in await listed(views, "artist") if item.name.startswith("Guest One"))
    assert [item.name for item in await listed(views, "album", "artist", guest.id)] == ["Night Drive"]
    dump = next(item for item in await listed(views, "album") if item.name == "Core Dump")
    assert [(t.disc, t.number) for t in await views.tracks_of_album(dump.id)] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert [item.name for item in (await views.search("夜", 5)).artists] == ["夜の音楽隊"]
    assert not any("\x1b" in item.name or "\x1b" in item.album for item in await listed(views, "track"))
    assert HOSTILE_TITLE not in {item.name for item in await listed(views, "track")}

    assert (await synced(real_sync)).status == "failed"
    assert len(await listed(views, "track")) == 14


async def test_a_playlist_and_favorites_made_elsewhere_arrive_and_go(
    http: httpx.AsyncClient, real_sync: LibrarySync, views: LibraryViews
) -> None:
    await synced(real_sync)
    one, two = (await listed(views, "track"))[:2]
    body = {"Name": "Mix", "Ids": [two.id, one.id], "UserId": "", "MediaType": "Audio", "IsPublic": False}
    body["UserId"] = (await http.get("/Users/Me")).json()["Id"]
    playlist_id = (await http.post("/Playlists", json=body)).raise_for_status().json()["Id"]
    (await http.post(f"/UserFavoriteItems/{one.id}")).raise_for_status()

    await synced(real_sync)

    (mix,) = await listed(views, "playlist")
    assert [track.id for track in await views.tracks_of_playlist(mix.id)] == [two.id, one.id]
    assert [track.id for track in await views.favorite_tracks()] == [one.id]

    (await http.delete(f"/Items/{playlist_id}")).raise_for_status()
    (await http.delete(f"/UserFavoriteItems/{one.id}")).raise_for_status()
    await synced(real_sync)
    assert await listed(views, "playlist") == []
    assert await views.favorite_tracks() == []


async def test_plays_and_favorites_made_offline_arrive_once_with_their_dates(
    demo_server: DemoServer,
    client: JellyfinClient,
    real_sync: LibrarySync,
    link: LinkInMemory,
    database: Database,
    bus: EventBus,
    views: LibraryViews,
) -> None:
    await synced(real_sync)
    track = (await listed(views, "track"))[0]
    outbox = Outbox(database=database, client=client, connection=link, bus=bus, clock=SystemClock())
    await demo_server.stop()
    link.is_online = False
    await outbox.start()
    dates = [f"2026-01-0{day}T10:00:00.123456Z" for day in (2, 1)]
    for date in dates:
        await outbox.add_play(
            play_id=date, track_id=track.id, started_at=date, played_at=date, start=StartReport(is_counted=False)
        )
    await outbox.set_favorite(track.id, True)
    assert [found.id for found in await views.favorite_tracks()] == [track.id]

    await demo_server.start()
    link.is_online = True
    async with asyncio.timeout(30):
        while await database.fetch_all("SELECT 1 FROM plays WHERE reported = 0"):
            await asyncio.sleep(0.01)
    await outbox.stop()

    data = await client.user_data(track.id)
    assert (data.play_count, data.last_played_at, data.is_favorite) == (2, dates[0], True)
    await synced(real_sync, full=True)
    mirrored = await views.item("track", track.id)
    assert isinstance(mirrored, Track)
    assert (mirrored.play_count, mirrored.last_played_at, mirrored.is_favorite) == (2, dates[0], True)


async def test_lyrics_and_covers_stay_with_the_server_gone(
    demo_server: DemoServer,
    client: JellyfinClient,
    real_sync: LibrarySync,
    database: Database,
    views: LibraryViews,
    tmp_path: Path,
) -> None:
    await synced(real_sync)
    timed, plain = await named(views, "Canción part 1"), await named(views, "Canción part 2")
    lyrics, covers = LyricsStore(client=client, database=database), Covers(client=client, folder=tmp_path / "covers")
    first = (await lyrics.get(timed.id), await lyrics.get(plain.id))
    cover = await covers.path(timed.image_item_id, timed.image_tag)

    await demo_server.stop()

    assert (await lyrics.get(timed.id), await lyrics.get(plain.id)) == first
    assert [words.is_synced for words in first] == [True, False]
    assert first[0].lines[0].text == "First line"
    assert cover is not None
    assert await covers.path(timed.image_item_id, timed.image_tag) == cover


async def test_what_is_added_renamed_and_removed_on_the_server_is_followed_and_an_unmounted_disk_is_not(
    tmp_path: Path, link: LinkInMemory, database: Database, bus: EventBus, views: LibraryViews
) -> None:
    folder, away = tmp_path / "music", tmp_path / "away"
    for number in range(1, 5):
        tags = album_tags("Ana", "First", f"Song {number}", number)
        write_song(folder, Song(f"Ana/First/{number:02d}.flac", tags, frequency_hz=200 + number))
    async with DemoServer(folder) as server, signed_in(server) as http, client_of(server, http) as client:
        sync = LibrarySync(client=client, connection=link, database=database, bus=bus, clock=SystemClock())
        await synced(sync)
        first = {item.name: item.id for item in await listed(views, "track")}

        (folder / "Ana/First/01.flac").unlink()
        (folder / "Ana/First/02.flac").rename(folder / "Ana/First/02 moved.flac")
        write_song(folder, Song("Bo/Second/01.flac", album_tags("Bo", "Second", "New", 1)))
        await server.rescan()
        await synced(sync)
        second = {item.name: item.id for item in await listed(views, "track")}

        shutil.move(folder, away)
        folder.mkdir()
        await server.rescan()
        emptied = [await synced(sync), await synced(sync, full=True)]

    assert set(second) == {"Song 2", "Song 3", "Song 4", "New"}
    assert second["Song 2"] != first["Song 2"], "a moved file is another item"
    assert (second["Song 3"], second["Song 4"]) == (first["Song 3"], first["Song 4"])
    assert [item.name for item in await listed(views, "artist")] == ["Ana", "Bo"]
    assert [(state.status, state.total) for state in emptied] == [("done", 4), ("done", 4)]
    assert {item.name: item.id for item in await listed(views, "track")} == second
