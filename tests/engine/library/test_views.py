"""What lists show: every order, every scope, every track in reach, and nothing that reads a whole table for a page."""

from __future__ import annotations

import asyncio
import sqlite3
from array import array
from pathlib import Path
from typing import Any

import pytest

from jellytui.engine.errors import UsageError
from jellytui.engine.jellyfin.records import PlaylistEntry
from jellytui.engine.library.listing import row_ids_sql
from jellytui.engine.library.search import best_matches
from jellytui.engine.library.syncing import mirror
from jellytui.engine.library.syncing.mirror import NO_ALBUM, UNKNOWN_ARTIST
from jellytui.engine.library.views import LibraryViews, rows_sql
from jellytui.engine.models import Album, Artist, ItemType, Listing, Playlist, Track
from jellytui.engine.storage.database import Database
from tests.support.catalogue import MUSIC, album, artist, track


async def fill(
    database: Database, *tracks: Track, artists: tuple[Artist, ...] = (), albums: tuple[Album, ...] = ()
) -> None:
    async with database.transaction() as transaction:
        await mirror.store_artists(transaction, artists)
        await mirror.store_albums(transaction, albums)
        await mirror.store_tracks(transaction, MUSIC, tracks)


async def names(
    views: LibraryViews, kind: ItemType, scope: Any = "all", parent: str = "", query: str = ""
) -> list[str]:
    listing = Listing(kind=kind, scope=scope, parent=parent, query=query)
    return [item.name for item in await views.rows(kind, await views.row_ids(listing)) if item is not None]


async def download(database: Database, *track_ids: str) -> None:
    for track_id in track_ids:
        await database.execute(
            "INSERT INTO downloads (item_id, user_id, status) VALUES (?, 'user', 'completed')", (track_id,)
        )


async def test_all_tracks_come_by_artist_album_disc_and_number(database: Database, views: LibraryViews) -> None:
    await fill(
        database,
        track("b2", of="Beta", number=2),
        track("z", of="Zeta", by="Ábel"),
        track("disc two", of="Beta", disc=2, number=1),
        track("b10", of="Beta", number=10),
        track("alpha", of="Alpha", number=7),
        track("unnumbered", of="Beta", disc=None),
    )

    assert await names(views, "track") == ["z", "alpha", "unnumbered", "b2", "b10", "disc two"]


async def test_names_are_ordered_without_case_accents_and_the_articles_that_the_server_left_out(
    database: Database, views: LibraryViews
) -> None:
    listed = [
        artist("The Zoo", sort_name="zoo"),
        artist("Ólafur"),
        artist("olga"),
        artist("Die Ärzte", sort_name="die ärzte"),
        artist("The Band"),
        artist("夜の音楽隊"),
    ]
    await fill(database, artists=tuple(listed))

    assert await names(views, "artist") == ["The Band", "Die Ärzte", "Ólafur", "olga", "The Zoo", "夜の音楽隊"]


async def test_an_artist_has_the_albums_and_tracks_that_he_appears_on_and_those_of_his_albums(
    database: Database, views: LibraryViews
) -> None:
    guest = track("duet", of="First", artists=("Guest",), artist_ids=("artist-Guest",))
    mix = track("mix", of="Mix", artists=("Ana",), artist_ids=("artist-Ana",), album_artist="Various Artists",
                album_artist_id="artist-Various Artists")  # fmt: skip
    albums = (album("First", year=2005), album("Mix", by="Various Artists", year=1999), album("Undated"))
    await fill(database, track("one"), guest, mix, track("old", of="Undated"), albums=albums)

    assert await names(views, "album", "artist", "artist-Ana") == ["Mix", "First", "Undated"]
    assert await names(views, "track", "artist", "artist-Ana") == ["mix", "duet", "one", "old"]
    assert await names(views, "track", "artist", "artist-Guest") == ["duet"]
    assert await names(views, "artist", "album", "album-First") == ["Ana", "Guest"]
    ana = await views.item("artist", "artist-Ana")
    assert isinstance(ana, Artist)
    assert (ana.album_count, ana.track_count) == (3, 4)


async def test_an_album_counts_its_tracks_and_their_time(database: Database, views: LibraryViews) -> None:
    await fill(database, track("one"), track("two"), albums=(album("First", duration_ms=99, year=2005),))

    first = await views.item("album", "album-First")

    assert isinstance(first, Album)
    assert (first.track_count, first.duration_ms, first.year) == (2, 360_000, 2005)


async def test_two_albums_of_one_name_stay_apart(database: Database, views: LibraryViews) -> None:
    hits = [track(f"{n}{side}", of="Hits", album_id=f"hits-{side}", number=n) for n in (1, 2) for side in "ab"]
    await fill(database, *hits)

    assert await names(views, "track") == ["1a", "2a", "1b", "2b"]


async def test_no_track_is_out_of_reach(database: Database, views: LibraryViews) -> None:
    bare: dict[str, Any] = {"artists": (), "artist_ids": (), "album_artist": "", "album_artist_id": "", "album_id": ""}
    await fill(
        database,
        track("untagged", of="", **bare),
        track("loose", of="", album_id="", album_artist="", album_artist_id=""),
        track("no ids", of="Tag only", by="Tagged", album_id="", artist_ids=(), album_artist_id=""),
        track("unlisted", of="Unlisted"),
    )

    reached = set()
    for row in await views.rows("artist", await views.row_ids(Listing(kind="artist"))):
        assert row is not None
        for of_artist in await views.rows(
            "album", await views.row_ids(Listing(kind="album", scope="artist", parent=row.id))
        ):
            assert of_artist is not None
            reached |= {found.name for found in await views.tracks_of_album(of_artist.id)}
    assert reached == {"untagged", "loose", "no ids", "unlisted"}
    assert await names(views, "artist") == [UNKNOWN_ARTIST, "Ana", "Tagged"]
    assert (await names(views, "album")).count(NO_ALBUM) == 2


async def test_a_playlist_keeps_its_order_and_its_duplicates(database: Database, views: LibraryViews) -> None:
    await fill(database, track("one"), track("two"))
    entries = [PlaylistEntry(entry_id=str(n), track_id=f"track-{name}")
               for n, name in enumerate(["two", "one", "gone", "two"])]  # fmt: skip
    async with database.transaction() as transaction:
        await mirror.store_playlists(transaction, [(Playlist(id="list", name="Mix"), entries)])

    assert [found.name for found in await views.tracks_of_playlist("list")] == ["two", "one", "two"]
    item = await views.item("playlist", "list")
    assert isinstance(item, Playlist)
    assert (item.track_count, item.duration_ms) == (3, 540_000)


async def test_downloaded_shows_what_has_a_completed_download(database: Database, views: LibraryViews) -> None:
    await fill(database, track("one"), track("two", of="Second", by="Bo"))
    await download(database, "track-two", "track-not-in-the-mirror")
    await database.execute(
        "INSERT INTO downloads (item_id, user_id, status) VALUES ('track-one', 'user', 'downloading')"
    )
    entry = PlaylistEntry(entry_id="1", track_id="track-two")
    async with database.transaction() as transaction:
        await mirror.store_playlists(transaction, [(Playlist(id="list", name="Mix"), [entry])])

    assert await names(views, "track", "downloaded") == ["two"]
    assert await names(views, "album", "downloaded") == ["Second"]
    assert await names(views, "artist", "downloaded") == ["Bo"]
    assert await names(views, "playlist", "downloaded") == ["Mix"]


async def test_rows_keep_order_and_duplicates_and_show_what_is_gone(database: Database, views: LibraryViews) -> None:
    await fill(database, track("one"), track("two"))
    one, two = [await views.row_id("track", f"track-{name}") for name in ("one", "two")]
    assert one is not None
    assert two is not None

    rows = await views.rows("track", [two, 999, one, two])

    assert [row and row.name for row in rows] == ["two", None, "one", "two"]
    assert [found.name for found in await views.tracks(["track-two", "gone", "track-one"])] == ["two", "one"]


async def test_a_scope_that_a_kind_does_not_have_is_an_error(views: LibraryViews) -> None:
    with pytest.raises(UsageError, match="albums by playlist"):
        await views.row_ids(Listing(kind="album", scope="playlist", parent="list"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("cancion", ["Canción de Otoño"]),
        ("OTOÑO can", ["Canción de Otoño"]),
        ("alma can", ["Canción de Otoño"]),
        ("東京", ["東京の夜"]),
        ("京の", ["東京の夜"]),
        ("夜 part", []),
        ("ac/dc", ["Back"]),
        ('"', ['Say "Hi"']),
        ('hi"*', ['Say "Hi"']),
        ("otono -x", []),
        ("smor", ["Smørrebrød"]),
        ("NEAR(", ["Near (Far)"]),
        ("zzz", []),
        ("can\udcff", ["Canción de Otoño"]),
    ],
)
async def test_words_are_found_by_their_beginnings_whatever_is_typed(
    database: Database, views: LibraryViews, query: str, found: list[str]
) -> None:
    await fill(
        database,
        track("Canción de Otoño", of="Otoño", by="Alma Verde"),
        track("東京の夜", of="夜"),
        track("Back", of="Black", by="AC/DC"),
        track('Say "Hi"'),
        track("Smørrebrød"),
        track("Near (Far)"),
    )

    assert await names(views, "track", query=query) == found
    assert [item.name for item in (await views.search(query, 10)).tracks] == found


async def test_search_gives_each_kind_and_puts_names_that_begin_with_the_query_first(
    database: Database, views: LibraryViews
) -> None:
    await fill(
        database,
        track("Aaa love", number=1),
        track("Love me", of="Second"),
        track("other", of="Love songs", by="Lovers"),
    )
    async with database.transaction() as transaction:
        await mirror.store_playlists(transaction, [(Playlist(id="list", name="My lovelies"), [])])

    results = await views.search("lov", 2)

    assert [item.name for item in results.tracks] == ["Love me", "Aaa love"]
    assert [item.name for item in results.albums] == ["Love songs"]
    assert [item.name for item in results.artists] == ["Lovers"]
    assert [item.name for item in results.playlists] == ["My lovelies"]
    assert await views.search("  ", 5) == await views.search("", 5) == type(results)()


async def test_search_follows_what_is_renamed_and_removed(database: Database, views: LibraryViews) -> None:
    await fill(database, track("one"))
    assert await names(views, "track", query="one") == ["one"]
    await fill(database, Track(id="track-one", name="Renamed", album="First", album_id="album-First"))
    assert await names(views, "track", query="one") == []
    assert await names(views, "track", query="renam") == ["Renamed"]

    async with database.transaction() as transaction:
        await mirror.remove_unseen(transaction, MUSIC)
        await mirror.remove_empty(transaction)

    assert await names(views, "track", query="renam") == []
    for table in ("track_words", "album_words", "artist_words"):
        await database.execute(f"INSERT INTO {table}({table}, rank) VALUES ('integrity-check', 1)")


async def test_a_cancelled_query_is_broken_off_and_the_next_one_answers(
    database: Database, views: LibraryViews
) -> None:
    await fill(database, *(track(f"{n:04}", of=f"{n // 9}") for n in range(3000)))
    started = [asyncio.create_task(views.row_ids(Listing(kind="track", query="0"))) for _ in range(20)]
    await asyncio.sleep(0)
    for task in started:
        task.cancel()

    found = await views.row_ids(Listing(kind="track"))

    assert isinstance(found, array)
    assert len(found) == 3000
    assert all(isinstance(e, asyncio.CancelledError) for e in await asyncio.gather(*started, return_exceptions=True))


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> sqlite3.Connection:
    """100,000 tracks of 10,000 albums by 1,000 artists."""
    path: Path = tmp_path_factory.mktemp("big") / "jellytui.db"

    async def build() -> None:
        database = await Database.open(path)
        for start in range(0, 100_000, 5000):
            tracks = [
                track(f"Song {n:06}", of=f"Album {n // 10:05}", by=f"Artist {n // 100:04}", number=n % 10 + 1)
                for n in range(start, start + 5000)
            ]
            async with database.transaction() as transaction:
                await mirror.store_tracks(transaction, MUSIC, tracks)
        await database.close()

    asyncio.run(build())
    return sqlite3.connect(path)


def plan(connection: sqlite3.Connection, sql: str, parameters: dict[str, Any]) -> list[str]:
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]


def test_a_page_of_a_hundred_thousand_tracks_reads_no_whole_table(big: sqlite3.Connection) -> None:
    for kind in ("track", "album", "artist", "playlist"):
        for key in ("id", "row_id"):
            steps = plan(big, rows_sql(kind, key), {"wanted": "[1]"})
            assert not [step for step in steps if step.startswith("SCAN") and "VIRTUAL" not in step], steps


@pytest.mark.parametrize(
    "listing",
    [
        Listing(kind="track", scope="album", parent="album-Album 00042"),
        Listing(kind="track", scope="artist", parent="artist-Artist 0042"),
        Listing(kind="track", scope="playlist", parent="list"),
        Listing(kind="track", scope="favorites"),
        Listing(kind="album", scope="artist", parent="artist-Artist 0042"),
        Listing(kind="album", scope="favorites"),
        Listing(kind="artist", scope="favorites"),
        Listing(kind="artist", scope="album", parent="album-Album 00042"),
    ],
)
def test_lists_of_a_part_do_not_read_the_whole(big: sqlite3.Connection, listing: Listing) -> None:
    steps = plan(big, *row_ids_sql(listing))
    assert not [step for step in steps if step.startswith("SCAN") and step != "SCAN f"], steps


@pytest.mark.parametrize("kind", ["track", "album", "artist", "playlist"])
def test_whole_lists_come_off_an_index_unsorted(big: sqlite3.Connection, kind: ItemType) -> None:
    steps = plan(big, *row_ids_sql(Listing(kind=kind)))
    assert len(steps) == 1
    assert "COVERING INDEX" in steps[0]


def test_a_search_reads_the_word_index_and_not_the_tracks(big: sqlite3.Connection) -> None:
    sql, parameters = best_matches("track", "song 0042") or ("", {})
    steps = plan(big, sql, {**parameters, "limit": 50})
    assert any("VIRTUAL TABLE" in step for step in steps)
    assert not [step for step in steps if step.startswith("SCAN i")], steps
    assert len(big.execute(sql, {**parameters, "limit": 50}).fetchall()) == 50


async def test_closing_ends_what_runs_and_what_waits(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "jellytui.db")
    async with database.transaction() as transaction:
        await mirror.store_tracks(transaction, MUSIC, [track(f"{number:04}") for number in range(2000)])
    views = LibraryViews(database.path)
    asked = [asyncio.create_task(views.row_ids(Listing(kind="track", query="0"))) for _ in range(20)]
    await asyncio.sleep(0)

    async with asyncio.timeout(5):
        await views.close()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        late = asyncio.create_task(views.rows("track", [1]))
        await asyncio.wait([late])

    assert late.cancelled()
    assert all(isinstance(answer, array | asyncio.CancelledError) for answer in answers)
    await database.close()
