"""The mirror follows the server: whole, resumed, by changes, and never by guesses."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import msgspec

from jellytui.engine.bus import EventBus
from jellytui.engine.clock import timestamp
from jellytui.engine.errors import NotSignedInError, ServerStartingError, ServerUnreachableError
from jellytui.engine.events import ConnectionState, LibraryState, SyncState
from jellytui.engine.jellyfin.records import Library, StartReport
from jellytui.engine.library.outbox import Outbox
from jellytui.engine.library.syncing.sync import LibrarySync
from jellytui.engine.library.views import LibraryViews
from jellytui.engine.models import Listing, Playlist, Track
from jellytui.engine.storage.database import Database
from tests.support.catalogue import MUSIC, CatalogueInMemory, LinkInMemory, album, artist, synced, track
from tests.support.clock import ManualClock


def many(count: int) -> list[Track]:
    return [
        track(f"{n:05}", of=f"Album {n // 10:04}", by=f"Artist {n // 100:03}", number=n % 10 + 1) for n in range(count)
    ]


async def names(views: LibraryViews, listing: Listing) -> list[str]:
    rows = await views.rows(listing.kind, await views.row_ids(listing))
    return [item.name for item in rows if item is not None]


async def all_tracks(views: LibraryViews) -> list[str]:
    return await names(views, Listing(kind="track"))


def away(*_: Any) -> None:
    raise ServerUnreachableError("music cannot be reached. Is it on, and is the address right?")


async def test_a_sync_brings_tracks_albums_artists_playlists_and_favorites(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews
) -> None:
    server.artists = [artist("Ana")]
    server.albums = [album("First", year=2001)]
    server.tracks[MUSIC] = [track("one", number=1), track("two", number=2)]
    server.lists = [(Playlist(id="list", name="Mix"), ["track-two", "track-one", "track-two"])]
    server.favorites = {"track-one", "album-First", "artist-Ana", "list"}

    state = await synced(sync)

    assert (state.status, state.done, state.total) == ("done", 2, 2)
    assert await names(views, Listing(kind="artist")) == ["Ana"]
    assert await names(views, Listing(kind="album", scope="artist", parent="artist-Ana")) == ["First"]
    assert await names(views, Listing(kind="track", scope="album", parent="album-First")) == ["one", "two"]
    assert await names(views, Listing(kind="track", scope="playlist", parent="list")) == ["two", "one", "two"]
    for kind in ("track", "album", "artist", "playlist"):
        assert len(await views.row_ids(Listing(kind=kind, scope="favorites"))) == 1


async def test_a_long_catalogue_comes_in_growing_pages_with_progress(
    sync: LibrarySync, server: CatalogueInMemory, bus: EventBus, views: LibraryViews
) -> None:
    server.tracks[MUSIC] = many(5000)
    seen: list[SyncState] = []
    bus.subscribe([SyncState], lambda event: seen.append(event) if isinstance(event, SyncState) else None)

    await synced(sync)

    limits = [limit for _, _, limit, _ in server.asked("tracks_page") if limit]
    assert limits == [500, 1000, 2000, 2000]
    assert [(s.done, s.total) for s in seen if s.phase == "tracks"] == [
        (500, 5000), (1500, 5000), (3500, 5000), (5000, 5000)
    ]  # fmt: skip
    assert len(await views.row_ids(Listing(kind="track"))) == 5000


async def test_an_interrupted_sync_goes_on_where_it_was_and_then_removes_what_is_gone(
    sync: LibrarySync, server: CatalogueInMemory, link: LinkInMemory, views: LibraryViews
) -> None:
    server.tracks[MUSIC] = many(5000)
    await synced(sync)
    server.tracks[MUSIC] = many(4000)
    server.calls.clear()

    def break_off(name: str, arguments: tuple[Any, ...]) -> None:
        if name == "tracks_page" and arguments[1] == 1500:
            raise ServerStartingError("music is starting")

    server.before = break_off
    assert (await synced(sync, full=True)).status == "failed"
    assert isinstance(link.failures[0], ServerStartingError)
    assert len(await views.row_ids(Listing(kind="track"))) == 5000

    server.before = lambda *_: None
    server.calls.clear()
    state = await synced(sync)

    assert next(start for _, start, limit, _ in server.asked("tracks_page") if limit) == 1500
    assert server.asked("artists_page") == server.asked("albums_page") == []
    assert (state.status, state.total) == ("done", 4000)
    assert len(await views.row_ids(Listing(kind="track"))) == 4000


async def test_a_list_that_moved_during_the_interruption_is_read_from_its_beginning(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews
) -> None:
    server.tracks[MUSIC] = many(2000)
    server.before = lambda name, arguments: away() if name == "tracks_page" and arguments[1] == 500 else None
    assert (await synced(sync)).status == "failed"
    server.before = lambda *_: None
    server.tracks[MUSIC] = [track("new"), *many(2000)]
    server.calls.clear()

    await synced(sync)

    assert [start for _, start, limit, _ in server.asked("tracks_page") if limit] == [0, 500, 1500]
    assert len(await views.row_ids(Listing(kind="track"))) == 2001


async def test_a_broken_item_never_stops_a_sync_and_nothing_is_removed_then(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews
) -> None:
    server.tracks[MUSIC] = many(300)
    await synced(sync)
    server.broken_tracks = {"track-00123"}
    server.tracks[MUSIC] = many(301)[1:]

    state = await synced(sync, full=True)

    assert state.status == "done"
    found = await all_tracks(views)
    assert {"00000", "00123", "00300"} <= set(found)
    assert len(found) == 301


async def test_an_empty_answer_removes_nothing(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews
) -> None:
    server.tracks[MUSIC] = many(20)
    await synced(sync)
    server.tracks[MUSIC] = []

    assert (await synced(sync, full=True)).status == "done"

    assert len(await all_tracks(views)) == 20
    server.libraries = []
    assert (await synced(sync, full=True)).status == "done"
    assert len(await all_tracks(views)) == 20


async def test_a_library_that_moves_while_it_is_read_is_read_once_more(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews
) -> None:
    server.tracks[MUSIC] = many(1400)

    def shift(name: str, arguments: tuple[Any, ...]) -> None:
        if name == "tracks_page" and arguments[1] == 500 and len(server.tracks[MUSIC]) == 1400:
            server.tracks[MUSIC] = server.tracks[MUSIC][1:]

    server.before = shift
    await synced(sync)

    assert await all_tracks(views) == [t.name for t in many(1400)[1:]]


async def test_later_syncs_ask_for_changes_only(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews, clock: ManualClock
) -> None:
    server.tracks[MUSIC] = many(50)
    begun = clock.now()
    await synced(sync)
    await clock.advance(3600)
    new = track("Zebra", of="Zoo", by="Zoe")
    server.tracks[MUSIC].append(new)
    server.saved_at[new.id] = timestamp(clock.now())
    server.calls.clear()

    state = await synced(sync)

    since = timestamp(begun - timedelta(minutes=5))
    assert server.asked("tracks_page") == [(MUSIC, 0, 500, since), (MUSIC, 0, 0, None)]
    assert (state.status, state.total) == ("done", 51)
    assert "Zebra" in await all_tracks(views)


async def test_differing_counts_lead_to_a_full_sync_that_finds_what_was_removed_or_renamed(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews, clock: ManualClock
) -> None:
    server.tracks[MUSIC] = many(50)
    await synced(sync)
    await clock.advance(3600)
    renamed = track("moved file", of="Album 0000", by="Artist 000")
    server.tracks[MUSIC] = [*many(50)[1:], renamed]
    server.saved_at[renamed.id] = timestamp(clock.now())

    await synced(sync)

    assert sorted(await all_tracks(views)) == sorted([*(t.name for t in many(50)[1:]), "moved file"])
    server.calls.clear()
    await synced(sync)
    assert all(since for _, _, limit, since in server.asked("tracks_page") if limit), "changes only, after it"


async def test_what_a_full_sync_could_not_get_is_no_reason_for_another_one(
    sync: LibrarySync, server: CatalogueInMemory
) -> None:
    server.tracks[MUSIC] = many(50)
    server.broken_tracks = {"track-00007"}
    await synced(sync)
    server.calls.clear()

    await synced(sync)

    assert all(since for _, _, limit, since in server.asked("tracks_page") if limit)


async def test_an_odd_date_of_the_server_never_stops_a_sync(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews
) -> None:
    server.tracks[MUSIC] = many(5)
    server.date = "yesterday"

    assert [(await synced(sync)).status for _ in range(2)] == ["done", "done"]
    assert len(await all_tracks(views)) == 5


async def test_once_a_week_everything_is_read_again(
    sync: LibrarySync, server: CatalogueInMemory, clock: ManualClock
) -> None:
    server.tracks[MUSIC] = many(50)
    await synced(sync)
    await clock.advance(8 * 24 * 3600)
    server.calls.clear()

    await synced(sync)

    assert all(since is None for _, _, _, since in server.asked("tracks_page"))


async def test_albums_and_artists_without_a_track_go_with_their_last_one(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews
) -> None:
    server.tracks[MUSIC] = [track("one"), track("two", of="Second", by="Bo")]
    await synced(sync)
    server.tracks[MUSIC] = [track("one")]

    await synced(sync, full=True)

    assert await names(views, Listing(kind="album")) == ["First"]
    assert await names(views, Listing(kind="artist")) == ["Ana"]


async def test_several_libraries_are_one_and_a_closed_one_goes(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews
) -> None:
    server.libraries.append(Library("other", "Other music"))
    server.tracks[MUSIC] = [track("one")]
    server.tracks["other"] = [track("two", of="Second")]
    await synced(sync)
    assert await all_tracks(views) == ["one", "two"]

    server.libraries.pop()
    await synced(sync, full=True)

    assert await all_tracks(views) == ["one"]


async def test_the_version_grows_only_when_something_changed(
    sync: LibrarySync, server: CatalogueInMemory, bus: EventBus
) -> None:
    states: list[LibraryState] = []
    bus.subscribe([LibraryState], lambda event: states.append(event) if isinstance(event, LibraryState) else None)
    server.artists, server.albums = [artist("Ana")], [album("First")]
    server.tracks[MUSIC] = [track("one")]
    server.lists = [(Playlist(id="list", name="Mix"), ["track-one"])]
    await synced(sync)
    version = states[-1].version
    assert version > 0

    await synced(sync, full=True)
    await synced(sync)
    assert states[-1].version == version

    server.favorites = {"track-one"}
    await synced(sync)
    assert states[-1].version > version


async def test_row_ids_stay_when_an_item_changes(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews
) -> None:
    server.tracks[MUSIC] = many(5)
    await synced(sync)
    row_id = await views.row_id("track", "track-00003")
    server.tracks[MUSIC][3] = msgspec.structs.replace(server.tracks[MUSIC][3], name="Renamed")

    await synced(sync, full=True)

    assert await views.row_id("track", "track-00003") == row_id
    item = await views.item("track", "track-00003")
    assert item is not None
    assert item.name == "Renamed"


async def test_a_sync_without_server_or_sign_in_says_so_and_keeps_everything(
    sync: LibrarySync, server: CatalogueInMemory, link: LinkInMemory, views: LibraryViews
) -> None:
    server.tracks[MUSIC] = many(5)
    await synced(sync)
    server.before = away

    state = await synced(sync)

    assert state.status == "failed"
    assert state.problem is not None
    assert state.problem.code == "server_unreachable"
    assert not link.is_online
    assert len(await all_tracks(views)) == 5

    def signed_out(*_: Any) -> None:
        raise NotSignedInError("music wants you to sign in again")

    server.before = signed_out
    state = await synced(sync)
    assert state.problem is not None
    assert state.problem.code == "not_signed_in"


async def test_a_sync_begins_by_itself_whenever_the_server_comes_in_reach(
    sync: LibrarySync, server: CatalogueInMemory, link: LinkInMemory, bus: EventBus
) -> None:
    link.is_online = False
    await sync.start()
    assert server.calls == []

    link.is_online = True
    bus.publish(ConnectionState(status="online"))
    assert (await sync.wait()).status == "done"
    bus.publish(ConnectionState(status="online"))
    assert (await sync.wait()).status == "done"
    await sync.stop()

    assert len(server.asked("music_libraries")) == 2


async def test_a_cancelled_sync_says_so_and_keeps_its_pages(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews
) -> None:
    server.tracks[MUSIC] = many(3000)
    reached = asyncio.Event()

    def cancel(name: str, arguments: tuple[Any, ...]) -> None:
        if name == "tracks_page" and arguments[1] == 500:
            reached.set()
            sync.cancel()

    server.before = cancel
    sync.request()
    await reached.wait()

    assert (await sync.wait()).status == "cancelled"
    assert len(await all_tracks(views)) == 500
    server.before = lambda *_: None
    assert (await synced(sync)).total == 3000


async def test_a_full_sync_asked_for_during_one_of_changes_follows_it(
    sync: LibrarySync, server: CatalogueInMemory
) -> None:
    server.tracks[MUSIC] = many(5)
    await synced(sync)
    server.calls.clear()

    sync.request()
    sync.request(full=True)
    await sync.wait()

    assert [since is None for _, _, limit, since in server.asked("tracks_page") if limit] == [False, True]


async def test_what_was_synced_is_told_at_the_next_start(
    sync: LibrarySync, server: CatalogueInMemory, link: LinkInMemory, database: Database, clock: ManualClock
) -> None:
    server.tracks[MUSIC] = many(5)
    done = await synced(sync)
    bus = EventBus()
    link.is_online = False
    again = LibrarySync(client=server, connection=link, database=database, bus=bus, clock=clock)

    await again.start()

    retained = await bus.listen([SyncState, LibraryState]).batch()
    assert [event.status for event in retained if isinstance(event, SyncState)] == ["done"]
    assert [event.finished_at for event in retained if isinstance(event, SyncState)] == [done.finished_at]
    assert [event.tracks for event in retained if isinstance(event, LibraryState)] == [5]
    await again.stop()


async def test_lists_fill_while_the_pages_come(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews, bus: EventBus
) -> None:
    server.tracks[MUSIC] = many(3000)
    told: list[int] = []
    bus.subscribe([LibraryState], lambda event: told.append(event.tracks) if isinstance(event, LibraryState) else None)

    server.pace_s = 0.6
    await synced(sync)

    assert any(0 < count < 3000 for count in told)


async def test_an_empty_library_beside_does_not_keep_what_is_gone(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews
) -> None:
    server.libraries.append(Library("empty", "Nothing in it yet"))
    server.tracks["empty"] = []
    server.tracks[MUSIC] = [track("one"), track("two", of="Second", by="Bo")]
    await synced(sync)
    server.tracks[MUSIC] = [track("one")]

    await synced(sync, full=True)

    assert await names(views, Listing(kind="album")) == ["First"]
    assert await names(views, Listing(kind="artist")) == ["Ana"]


async def test_a_library_made_anew_and_still_empty_removes_nothing(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews
) -> None:
    server.tracks[MUSIC] = many(20)
    await synced(sync)
    server.libraries = [Library("anew", "Music")]
    server.tracks["anew"] = []

    for full in (False, True):
        assert (await synced(sync, full=full)).status == "done"

    assert len(await all_tracks(views)) == 20


async def test_a_sync_of_changes_notices_a_library_that_is_no_longer_listed(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews
) -> None:
    server.libraries.append(Library("other", "Other music"))
    server.tracks[MUSIC] = [track("one")]
    server.tracks["other"] = [track("two", of="Second", by="Bo")]
    await synced(sync)
    server.libraries.pop()

    await synced(sync)

    assert await all_tracks(views) == ["one"]
    assert await names(views, Listing(kind="artist")) == ["Ana"]
    server.calls.clear()
    await synced(sync)
    assert all(since for _, _, limit, since in server.asked("tracks_page") if limit), "changes only, after it"


async def test_a_broken_item_does_not_keep_a_closed_library(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews
) -> None:
    server.libraries.append(Library("other", "Other music"))
    server.tracks[MUSIC] = many(3)
    server.tracks["other"] = [track("two", of="Second", by="Bo")]
    server.broken_tracks = {"track-00001"}
    await synced(sync)
    closed = server.libraries.pop()

    await synced(sync)
    assert await all_tracks(views) == ["00000", "00002"]

    server.libraries.append(closed)
    await synced(sync)
    assert "two" in await all_tracks(views), "opened again"
    server.libraries.pop()
    await synced(sync, full=True)
    assert await all_tracks(views) == ["00000", "00002"]


async def test_tracks_move_with_the_sort_name_of_their_album_and_artist(
    sync: LibrarySync, server: CatalogueInMemory, views: LibraryViews, clock: ManualClock
) -> None:
    server.artists = [artist("Ana"), artist("Bo")]
    server.albums = [album("First"), album("Second"), album("Third", by="Bo")]
    server.tracks[MUSIC] = [track("one"), track("two", of="Second"), track("three", of="Third", by="Bo")]
    await synced(sync)
    assert await all_tracks(views) == ["one", "two", "three"]
    await clock.advance(3600)
    server.artists[1] = artist("Bo", sort_name="Aaron")
    server.albums[0] = album("First", sort_name="zz")
    server.saved_at["album-First"] = timestamp(clock.now())

    await synced(sync)

    assert await all_tracks(views) == ["three", "two", "one"]


async def test_a_full_disk_is_told_and_the_next_sync_goes_on_where_it_was(
    sync: LibrarySync, server: CatalogueInMemory, database: Database, views: LibraryViews
) -> None:
    server.tracks[MUSIC] = many(5000)
    pages = await database.fetch_one("PRAGMA page_count")
    assert pages is not None
    await database.fetch_all(f"PRAGMA max_page_count = {pages[0] + 700}")

    state = await synced(sync)

    assert state.problem is not None
    assert (state.status, state.problem.code) == ("failed", "database")
    assert "Is the disk full?" in state.problem.text
    stored = len(await all_tracks(views))
    assert stored < 5000
    await database.fetch_all("PRAGMA max_page_count = 1000000")
    server.calls.clear()
    assert (await synced(sync)).total == 5000
    starts = [start for _, start, limit, _ in server.asked("tracks_page") if limit]
    assert starts[0] == stored > 0


async def test_plays_that_the_server_does_not_know_yet_stay_counted_through_a_full_sync(
    sync: LibrarySync,
    server: CatalogueInMemory,
    link: LinkInMemory,
    database: Database,
    bus: EventBus,
    views: LibraryViews,
    clock: ManualClock,
) -> None:
    known = "2026-01-01T10:00:00.000000Z"
    server.tracks[MUSIC] = [track("one", play_count=4, last_played_at=known), track("two", play_count=7)]
    await synced(sync)
    outbox = Outbox(database=database, client=server, connection=link, bus=bus, clock=clock)
    for day, is_reported in ((2, False), (3, False), (4, True)):
        date = f"2026-01-0{day}T10:00:00.000000Z"
        await outbox.add_play(
            play_id=date,
            track_id="track-one",
            started_at=date,
            played_at=date,
            start=StartReport(is_counted=is_reported),
        )

    await synced(sync, full=True)

    one, two = await views.tracks(["track-one", "track-two"])
    assert (one.play_count, one.last_played_at) == (6, "2026-01-03T10:00:00.000000Z"), "the server says what it knows"
    assert (two.play_count, two.last_played_at) == (7, None)
