"""Files that change on the server: before, while and after they come down."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from msgspec.structs import replace

from jellytui.demo.library import DemoTrack, Library
from jellytui.demo.server import DemoServer
from jellytui.engine.downloads.rows.cached import CachedRows
from jellytui.engine.downloads.state import Act
from tests.engine.downloads.conftest import Rig, rig_for
from tests.support.clock import ManualClock
from tests.support.waiting import until

DOWNLOAD = "/items/*/download"
STREAM = "/audio/*/stream"


async def replaced(rig: Rig, clock: ManualClock) -> tuple[DemoTrack, bytes]:
    """A song that is here, as long as before and other on the server; the queue is paused. (song, what is here)"""
    (song,) = rig.songs
    await mirrored(rig, song, "one")
    await facts_known(rig, song)
    await rig.manager.acts.resume_all()
    await rig.until_status(song.id, "completed")
    await rig.manager.sync_wants()
    await rig.manager.acts.pause_all()
    old = song.file.read_bytes()
    change(song, old[:44] + bytes(reversed(old[44:])), modified_at=song.file.stat().st_mtime + 100)
    await rig.server.rescan()
    await mirrored(rig, song, "two")
    await rig.manager.sync_wants()
    assert (await rig.row(song.id)).status == "paused"
    return song, old


async def plays(rig: Rig, song: DemoTrack) -> bytes:
    """What is played of the song without the server."""
    path = await rig.manager.local_path(song.id)
    assert path is not None
    assert await rig.manager.offline.is_available(song.id)
    assert [track.id for track in await rig.manager.offline.items()] == [song.id]
    return path.read_bytes()


@pytest_asyncio.fixture
async def own(noise: Library, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Rig]:
    """An engine and a server over a song that may be changed."""
    song = noise.tracks[0].file
    own = tmp_path / "music" / "Noise" / "Static" / song.name
    own.parent.mkdir(parents=True)
    own.write_bytes(song.read_bytes())
    async with DemoServer(tmp_path / "music", relay=True) as server, rig_for(server, tmp_path, clock) as rig:
        yield rig


def change(song: DemoTrack, data: bytes, *, modified_at: float | None = None) -> None:
    """Puts another file in the song's place, as a tagger or a restored backup does."""
    fresh = song.file.with_suffix(".new")
    fresh.write_bytes(data)
    if modified_at is not None:
        os.utime(fresh, (modified_at, modified_at))
    fresh.replace(song.file)


async def facts_known(rig: Rig, song: DemoTrack) -> None:
    """Queues the song and waits until the server's word on its size is here; it does not start yet."""
    await rig.manager.acts.pause_all()
    await rig.manager.wishes.download_item(song.id)
    await rig.until_row(song.id, lambda row: row.file_size == song.size)


async def test_a_file_retagged_since_the_servers_scan_still_comes_down(own: Rig) -> None:
    (song,) = own.songs
    await facts_known(own, song)
    change(song, song.file.read_bytes() + b"a longer tag" * 100)
    await own.manager.acts.resume_all()
    await own.until_status(song.id, "completed")
    await own.whole(song.id)
    assert [request.headers.get("range") is not None for request in own.asked(song.id)] == [False, True]


@pytest.mark.parametrize("status", [500, 503])
async def test_a_size_that_cannot_be_asked_for_again_is_waited_for_and_loses_nothing(own: Rig, status: int) -> None:
    (song,) = own.songs
    await facts_known(own, song)
    change(song, song.file.read_bytes() + b"more")
    own.server.faults.add("status", route="/items", status=status, times=1)
    await own.manager.acts.resume_all()
    row = await own.until_row(song.id, lambda row: row.wait_reason in ("retry", "server"))
    assert row.status == "pending"
    assert row.bytes_downloaded == song.size + 4
    own.link.is_online = True
    await own.manager.acts.resume([row.id])
    await own.until_status(song.id, "completed")
    await own.whole(song.id)


@pytest.mark.parametrize("age", ["newer", "older", "of the same second"])
async def test_a_file_replaced_halfway_is_never_mixed(own: Rig, age: str) -> None:
    (song,) = own.songs
    before = song.file.stat().st_mtime
    own.server.faults.add("close", route=DOWNLOAD, after_bytes=1_300_000, times=1)
    await own.manager.wishes.download_item(song.id)
    await own.until_row(song.id, lambda row: row.wait_reason == "retry")
    modified_at = {"newer": before + 100, "older": before - 100, "of the same second": before}[age]
    change(song, bytes(reversed(song.file.read_bytes())), modified_at=modified_at)
    await own.attempt_after(song.id, 5)
    await own.until_status(song.id, "completed")
    await own.whole(song.id)


async def test_a_file_that_the_server_has_lost_is_said_to_be_missing_and_comes_when_it_is_back(own: Rig) -> None:
    (song,) = own.songs
    data = song.file.read_bytes()
    song.file.unlink()
    await own.manager.wishes.download_item(song.id)
    row = await own.until_row(song.id, lambda row: row.error_message)
    change(song, data)
    await own.manager.acts.resume([row.id])
    await own.until_status(song.id, "completed")
    await own.whole(song.id)


async def mirrored(rig: Rig, song: DemoTrack, etag: str) -> None:
    """The library knows the track in this state."""
    body = msgspec.json.encode(replace(rig.catalogue.known[song.id], etag=etag))
    await rig.database.execute("DELETE FROM tracks")
    await rig.database.execute(
        """INSERT INTO tracks (id, library_id, album_id, duration_ms, play_count, credits, sort_key, words, body)
           VALUES (?, '', '', 0, 0, '[]', '', '', ?)""",
        (song.id, body),
    )
    rig.catalogue.known[song.id] = replace(rig.catalogue.known[song.id], etag=etag)


async def test_a_file_replaced_after_it_came_down_is_noticed_at_the_next_sync_and_comes_again(own: Rig) -> None:
    (song,) = own.songs
    await mirrored(own, song, "one")
    await facts_known(own, song)
    await own.manager.acts.resume_all()
    await own.until_status(song.id, "completed")
    await own.manager.sync_wants()
    assert (await own.row(song.id)).status == "completed"

    await mirrored(own, song, "retitled in the library only")
    await own.manager.sync_wants()
    assert (await own.row(song.id)).status == "completed"
    asked = len(own.asked(song.id))

    change(song, bytes(reversed(song.file.read_bytes())), modified_at=song.file.stat().st_mtime + 100)
    await own.server.rescan()
    await mirrored(own, song, "two")
    with own.manager.lease(song.id):
        await own.manager.sync_wants()
        assert (await own.row(song.id)).status == "completed"
    await own.manager.sync_wants()
    await own.until_row(song.id, lambda row: row.status == "completed" and len(own.asked(song.id)) > asked)
    await own.whole(song.id)
    await own.manager.sync_wants()
    assert (await own.row(song.id)).status == "completed"
    assert len(own.asked(song.id)) == asked + 1


async def test_a_replaced_file_plays_until_its_successor_is_here(own: Rig, clock: ManualClock) -> None:
    song, old = await replaced(own, clock)
    assert await plays(own, song) == old
    own.server.faults.add("close", route=DOWNLOAD, after_bytes=1_300_000, times=1)
    await own.manager.acts.resume_all()
    await own.until_row(song.id, lambda row: row.wait_reason == "retry")
    assert await plays(own, song) == old
    await own.restart()
    await own.manager.caretaker.swept()
    row = await own.row(song.id)
    assert (row.status, row.bytes_downloaded) == ("pending", 1_300_000)
    assert await plays(own, song) == old

    await own.manager.acts.resume([row.id])
    await own.until_status(song.id, "completed")
    await own.whole(song.id)
    assert await plays(own, song) == song.file.read_bytes() != old


async def test_a_replaced_file_whose_successor_cannot_be_had_goes_on_playing(own: Rig, clock: ManualClock) -> None:
    song, old = await replaced(own, clock)
    own.server.faults.add("status", route=DOWNLOAD, status=404)
    await own.manager.acts.resume_all()
    await own.until_status(song.id, "failed")
    assert await plays(own, song) == old


async def test_the_old_file_of_what_only_the_cache_wants_counts_and_goes_though_its_successor_cannot_be_had(
    own: Rig,
) -> None:
    (song,) = own.songs
    await mirrored(own, song, "one")
    await own.manager.want(await own.catalogue.tracks([song.id]), "queue")
    await own.until_status(song.id, "completed")
    await own.manager.sync_wants()
    before = await CachedRows(own.database).used_bytes()
    change(song, song.file.read_bytes()[::-1], modified_at=song.file.stat().st_mtime + 100)
    await own.server.rescan()
    await mirrored(own, song, "two")
    own.server.faults.add("status", route=STREAM, status=404)
    await own.manager.sync_wants()
    await own.until_status(song.id, "failed")
    rows = CachedRows(own.database)
    assert await rows.used_bytes() == before > song.size
    await own.manager.evict([row.download_id for row in await rows.evictable(before)])
    assert not list(own.root.rglob("*.wav"))
    assert await rows.used_bytes() == 0
    await rows.close()


async def test_cancelling_the_successor_keeps_the_file_that_is_here(own: Rig, clock: ManualClock) -> None:
    song, old = await replaced(own, clock)
    own.server.faults.add("close", route=DOWNLOAD, after_bytes=1_300_000, times=1)
    await own.manager.acts.resume_all()
    row = await own.until_row(song.id, lambda row: row.wait_reason == "retry")
    await own.manager.acts.cancel([row.id])
    row = await own.row(song.id)
    assert (row.status, row.bytes_downloaded, row.wanted_by) == ("completed", len(old), ("user",))
    assert await plays(own, song) == old
    assert not own.part(song.id).exists()
    await own.manager.sync_wants()
    assert (await own.row(song.id)).status == "completed"


async def test_deleting_a_download_whose_successor_is_to_come_takes_the_old_file_too(
    own: Rig, clock: ManualClock
) -> None:
    song, _ = await replaced(own, clock)
    await own.manager.acts.delete([(await own.row(song.id)).id])
    assert await own.rows() == {}
    assert not list(own.root.rglob("*.wav"))


async def test_a_replaced_file_that_the_queue_takes_up_at_once_waits_while_all_is_paused(
    own: Rig, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = own.manager.rows.move

    async def move_while_the_queue_looks(download_ids: Sequence[int], act: Act, **fields: Any) -> list[int]:
        moved = await move(download_ids, act, **fields)
        if act == "lose":
            own.server.faults.add("drip", route=DOWNLOAD, rate=300_000)
            own.manager.runner.wake()
            await until(lambda: own.manager.runner.running)
        return moved

    monkeypatch.setattr(own.manager.rows, "move", move_while_the_queue_looks)
    song, old = await replaced(own, clock)
    assert not own.manager.runner.running
    assert await plays(own, song) == old
