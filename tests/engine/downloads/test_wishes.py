"""Who wants what: followed lists, the cache, what nobody wants any more, and the permission to keep."""

from __future__ import annotations

import asyncio

import pytest

from jellytui.engine.downloads.wishes.facts import PAUSE_S
from jellytui.engine.errors import JellytuiError, NotAllowedError, NotFoundError, ServerUnreachableError
from jellytui.engine.models import Track
from tests.engine.downloads.conftest import Rig
from tests.support.clock import ManualClock
from tests.support.waiting import settle, until

DOWNLOAD = "/items/*/download"
STREAM = "/audio/*/stream"


def tracks(rig: Rig, *indexes: int) -> list[Track]:
    return [rig.catalogue.known[rig.songs[index].id] for index in indexes]


async def all_completed(rig: Rig, *indexes: int) -> None:
    for index in indexes:
        await rig.until_status(rig.songs[index].id, "completed")
        await rig.whole(rig.songs[index].id)


async def cached(rig: Rig, index: int) -> int:
    """Lets the cache fetch a track; its row's number."""
    (download_id,) = await rig.manager.want(tracks(rig, index), "queue")
    await rig.until_status(rig.songs[index].id, "completed")
    return download_id


async def test_a_followed_playlist_brings_what_is_added_and_lets_go_what_is_taken_out(rig: Rig) -> None:
    rig.catalogue.playlists["mix"] = tracks(rig, 0, 1)
    await rig.manager.wishes.download_playlist("mix")
    await all_completed(rig, 0, 1)

    rig.catalogue.playlists["mix"] = tracks(rig, 1, 2)
    await rig.manager.sync_wants()
    await all_completed(rig, 0, 1, 2)
    rows = await rig.rows()
    wants = {rig.songs[index].id: rows[rig.songs[index].id].wanted_by for index in range(3)}
    assert list(wants.values()) == [(), ("playlist:mix",), ("playlist:mix",)]
    assert (await rig.manager.summary()).cache_bytes == rig.songs[0].size


async def test_an_empty_or_failed_listing_changes_nothing(rig: Rig) -> None:
    rig.catalogue.playlists["mix"] = tracks(rig, 0, 1)
    await rig.manager.wishes.download_playlist("mix")
    await all_completed(rig, 0, 1)
    before = await rig.rows()

    rig.catalogue.playlists["mix"] = []
    await rig.manager.sync_wants()

    rig.catalogue.problem = JellytuiError("no")
    await rig.manager.sync_wants()
    assert await rig.rows() == before


async def test_a_track_that_the_library_has_lost_was_taken_out_of_no_list(rig: Rig) -> None:
    rig.catalogue.favorites = tracks(rig, 0, 1)
    await rig.manager.wishes.download_favorites()
    await all_completed(rig, 0, 1)
    before = await rig.rows()

    hidden = rig.catalogue.known.pop(rig.songs[0].id)
    rig.catalogue.favorites = tracks(rig, 1)
    await rig.manager.sync_wants()
    assert await rig.rows() == before

    rig.catalogue.known[hidden.id] = hidden
    await rig.manager.sync_wants()
    assert (await rig.row(hidden.id)).wanted_by == (), "there again, and no favourite"


async def test_a_deleted_track_stays_deleted_though_the_list_still_has_it(rig: Rig) -> None:
    rig.catalogue.favorites = tracks(rig, 0, 1)
    await rig.manager.wishes.download_favorites()
    await all_completed(rig, 0, 1)
    await rig.manager.acts.delete([(await rig.row(rig.songs[0].id)).id])
    await rig.manager.sync_wants()
    assert set(await rig.rows()) == {rig.songs[1].id}


async def test_a_track_of_two_lists_stays_until_neither_wants_it(rig: Rig) -> None:
    rig.catalogue.playlists = {"one": tracks(rig, 0, 1), "two": tracks(rig, 0, 2)}
    for name in ("one", "two"):
        await rig.manager.wishes.download_playlist(name)
    await all_completed(rig, 0, 1, 2)
    row = await rig.row(rig.songs[0].id)
    assert row.wanted_by == ("playlist:one", "playlist:two")

    rig.catalogue.playlists["one"] = tracks(rig, 1)
    await rig.manager.sync_wants()
    assert await rig.manager.evict([row.id]) == []
    rig.catalogue.playlists["two"] = tracks(rig, 2)
    await rig.manager.sync_wants()
    assert await rig.manager.evict([row.id]) == [row.id]


async def test_a_track_that_leaves_its_list_before_it_came_down_is_not_fetched(rig: Rig) -> None:
    rig.link.is_online = False
    rig.catalogue.playlists["mix"] = tracks(rig, 0, 1)
    await rig.manager.wishes.download_playlist("mix")
    rig.catalogue.playlists["mix"] = tracks(rig, 1)
    await rig.manager.sync_wants()
    assert set(await rig.rows()) == {rig.songs[1].id}
    rig.link.is_online = True
    await all_completed(rig, 1)


async def test_a_list_that_is_followed_no_more_is_the_caches_and_stays_as_it_is(rig: Rig) -> None:
    rig.catalogue.playlists["mix"] = tracks(rig, 0)
    await rig.manager.wishes.download_playlist("mix")
    await all_completed(rig, 0)
    await rig.manager.wishes.unfollow_playlist("mix")
    assert (await rig.row(rig.songs[0].id)).wanted_by == ()
    rig.catalogue.playlists["mix"] = tracks(rig, 0, 1)
    await rig.manager.sync_wants()
    assert set(await rig.rows()) == {rig.songs[0].id}
    with pytest.raises(NotFoundError):
        await rig.manager.wishes.unfollow_playlist("mix")


async def test_the_cache_fetches_anonymously_and_the_user_does_not(rig: Rig) -> None:
    await cached(rig, 0)
    await rig.manager.wishes.download_item(rig.songs[1].id)
    await all_completed(rig, 0, 1)
    (stream,), (download,) = rig.asked(rig.songs[0].id), rig.asked(rig.songs[1].id)
    assert stream.path.lower().startswith("/audio/")
    assert "authorization" not in stream.headers
    assert download.path.lower().endswith("/download")
    assert "authorization" in download.headers


async def test_a_users_request_takes_over_what_the_cache_has_without_fetching_it_again(rig: Rig) -> None:
    download_id = await cached(rig, 0)
    row = await rig.manager.wishes.download_item(rig.songs[0].id)
    assert (row.id, row.status, row.wanted_by) == (download_id, "completed", ("queue", "user"))
    assert len(rig.asked(rig.songs[0].id)) == 1
    assert await rig.manager.evict([download_id]) == []


async def test_keeping_what_the_cache_has_needs_the_servers_permission(rig: Rig) -> None:
    download_id = await cached(rig, 0)
    rig.server.faults.add("set", route="/users/me", values={"Policy": {"EnableContentDownloading": False}}, times=2)
    for asking in (rig.manager.wishes.download_item(rig.songs[0].id), rig.manager.keep([rig.songs[0].id])):
        with pytest.raises(NotAllowedError, match="administrator"):
            await asking
    assert (await rig.row(rig.songs[0].id)).wanted_by == ("queue",)
    assert await rig.manager.keep([rig.songs[0].id]) == [download_id]
    assert (await rig.row(rig.songs[0].id)).wanted_by == ("queue", "user")


async def test_any_number_of_tracks_can_be_kept(rig: Rig) -> None:
    download_id = await cached(rig, 0)
    others = [f"not-here-{number}" for number in range(260_000)]  # SQLite takes fewer parameters, however it was built
    assert await rig.manager.keep([*others, rig.songs[0].id]) == [download_id]


async def test_without_the_server_its_last_word_on_keeping_counts(rig: Rig) -> None:
    await cached(rig, 0)
    await cached(rig, 1)
    await rig.server.stop()
    with pytest.raises(ServerUnreachableError):
        await rig.manager.keep([rig.songs[0].id])
    await rig.server.start()
    await rig.manager.keep([rig.songs[0].id])
    await rig.server.stop()
    await rig.manager.keep([rig.songs[1].id])
    assert (await rig.row(rig.songs[1].id)).wanted_by == ("queue", "user")


@pytest.mark.parametrize(("share", "is_kept"), [(0.2, False), (0.7, True)])
async def test_what_nobody_wants_any_more_is_finished_only_when_it_is_half_here(
    rig: Rig, share: float, is_kept: bool
) -> None:
    song = rig.songs[0]
    rig.server.faults.add("drip", route=STREAM, rate=3_000_000, times=1)
    (download_id,) = await rig.manager.want(tracks(rig, 0), "album")
    await until(lambda: download_id in rig.manager.runner.running)
    transfer = rig.manager.runner.running[download_id]
    await until(lambda: transfer.bytes_here >= song.size * share)
    await rig.manager.withdraw([song.id], "album")
    if is_kept:
        await rig.until_status(song.id, "completed")
        await rig.whole(song.id)
    else:
        assert await rig.rows() == {}
        assert not rig.part(song.id).exists()


async def test_the_cache_gives_a_wish_up_but_never_a_users(rig: Rig) -> None:
    rig.link.is_online = False
    await rig.manager.want(tracks(rig, 0), "queue", priority=200)
    assert (await rig.row(rig.songs[0].id)).priority == 200
    await rig.manager.wishes.download_item(rig.songs[0].id)
    await rig.manager.withdraw([rig.songs[0].id], "queue")
    row = await rig.row(rig.songs[0].id)
    assert row.wanted_by == ("user",)
    await rig.manager.want(tracks(rig, 1), "queue")
    await rig.manager.want(tracks(rig, 1), "album")
    assert (await rig.row(rig.songs[1].id)).priority == -100
    await rig.manager.withdraw([rig.songs[1].id], "queue")
    assert (await rig.row(rig.songs[1].id)).priority == -200


async def test_a_cancelled_download_that_the_cache_wants_too_begins_again_as_the_caches(rig: Rig) -> None:
    song = rig.songs[0]
    rig.server.faults.add("drip", route=DOWNLOAD, rate=2_000_000)
    await rig.manager.wishes.download_item(song.id)
    row = await rig.until_status(song.id, "downloading")
    await rig.manager.want(tracks(rig, 0), "queue")
    await rig.manager.acts.cancel([row.id])
    left = await rig.row(song.id)
    assert (left.id, left.wanted_by, left.priority) == (row.id, ("queue",), -100)
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)
    assert rig.asked(song.id)[-1].path.lower().startswith("/audio/")


async def test_eviction_takes_what_no_user_wants_and_nobody_reads_and_remembers_it(rig: Rig) -> None:
    first, second = await cached(rig, 0), await cached(rig, 1)
    with rig.manager.lease(rig.songs[0].id):
        assert await rig.manager.evict([first, second]) == [second]
        await rig.whole(rig.songs[0].id)
    assert set(await rig.rows()) == {rig.songs[0].id}
    assert not [path for path in rig.root.rglob("*") if path.stem == rig.songs[1].id]
    remembered = await rig.database.fetch_all("SELECT item_id FROM evictions")
    assert [row["item_id"] for row in remembered] == [rig.songs[1].id]


async def test_access_is_counted_by_a_sequence_that_outlives_restarts(rig: Rig) -> None:
    for index in (0, 1, 2):
        await cached(rig, index)
    await rig.manager.touch(rig.songs[1].id)
    await rig.restart()
    await rig.manager.touch(rig.songs[0].id)
    rows = await rig.database.fetch_all("SELECT item_id FROM downloads ORDER BY last_access, id")
    assert [row["item_id"] for row in rows] == [rig.songs[index].id for index in (2, 1, 0)]


async def test_size_and_etag_are_asked_for_in_one_request_behind_the_queueing(rig: Rig) -> None:
    await rig.manager.acts.pause_all()
    rows = await rig.manager.wishes.download_album(rig.songs[0].album_id or "")
    assert {row.file_size for row in rows} == {None}
    for song in rig.songs:
        assert (await rig.until_row(song.id, lambda row: row.file_size)).file_size == song.size
    etags = await rig.database.fetch_all("SELECT source_etag FROM downloads")
    assert len({row["source_etag"] for row in etags}) == 4
    assert len([request for request in rig.server.requests if request.path == "/Items"]) == 1


async def test_queueing_waits_for_no_server(rig: Rig) -> None:
    rig.server.faults.add("delay", route="/items", seconds=5)
    rows = await rig.manager.wishes.download_album(rig.songs[0].album_id or "")
    assert len(rows) == 4
    await all_completed(rig, 0, 1, 2, 3)


async def test_with_a_track_come_its_cover_and_its_words_also_after_an_outage(rig: Rig) -> None:
    rig.lyrics.problem = ServerUnreachableError("away")
    await rig.manager.wishes.download_item(rig.songs[0].id)
    await rig.until_status(rig.songs[0].id, "completed")
    await until(lambda: rig.link.failures)
    assert rig.lyrics.asked == []
    await rig.restart()
    rig.link.is_online = True
    await until(lambda: rig.lyrics.asked)
    await settle()
    assert rig.lyrics.asked == [rig.songs[0].id]
    assert rig.covers.asked
    await rig.restart()
    await settle()
    assert rig.lyrics.asked == [rig.songs[0].id]


async def test_a_database_that_is_full_for_a_while_costs_no_track_its_words(rig: Rig) -> None:
    await rig.database.execute(
        """CREATE TRIGGER full BEFORE INSERT ON downloads_state WHEN NEW.name = 'company_until'
           BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"""
    )
    await rig.manager.wishes.download_item(rig.songs[0].id)
    await until(lambda: rig.lyrics.asked == [rig.songs[0].id])
    await settle()
    await rig.database.execute("DROP TRIGGER full")
    await rig.manager.wishes.download_item(rig.songs[1].id)
    await until(lambda: rig.songs[1].id in rig.lyrics.asked)


async def test_facts_that_cannot_be_written_for_a_while_are_asked_for_again(rig: Rig, clock: ManualClock) -> None:
    await rig.database.execute(
        """CREATE TRIGGER full BEFORE UPDATE OF source_etag ON downloads
           BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"""
    )
    await rig.manager.acts.pause_all()
    row = await rig.manager.wishes.download_item(rig.songs[0].id)
    await until(lambda: any(request.path == "/Items" for request in rig.server.requests))
    await settle()
    await rig.database.execute("DROP TRIGGER full")
    async with asyncio.timeout(20):
        while (await rig.row(row.item_id)).file_size is None:
            await clock.advance(PAUSE_S)


async def test_what_a_list_lets_go_while_all_is_paused_waits_with_everything_else(rig: Rig) -> None:
    song = rig.songs[0]
    rig.server.faults.add("drip", route=DOWNLOAD, rate=3_000_000)
    rig.catalogue.playlists["mix"] = tracks(rig, 0)
    (row,) = await rig.manager.wishes.download_playlist("mix")
    await until(lambda: row.id in rig.manager.runner.running)
    transfer = rig.manager.runner.running[row.id]
    await until(lambda: transfer.bytes_here >= song.size * 0.6)
    await rig.manager.acts.pause_all()
    await rig.manager.wishes.unfollow_playlist("mix")
    await settle()
    assert ((await rig.row(song.id)).status, rig.manager.runner.running) == ("paused", {})


async def test_what_is_left_to_the_cache_while_all_is_paused_waits_with_everything_else(rig: Rig) -> None:
    song = rig.songs[0]
    rig.server.faults.add("drip", route=DOWNLOAD, rate=2_000_000)
    row = await rig.manager.wishes.download_item(song.id)
    await rig.manager.want(tracks(rig, 0), "queue")
    await until(lambda: rig.part(song.id).exists())
    await rig.manager.acts.pause_all()
    await rig.manager.acts.cancel([row.id])
    await settle()
    left = await rig.row(song.id)
    assert (left.status, left.wanted_by, left.bytes_downloaded) == ("paused", ("queue",), 0)
    assert not rig.part(song.id).exists()
    await rig.manager.acts.resume_all()
    await all_completed(rig, 0)
