"""What users, listeners, the queue and a move do to the same row at the same instant: nobody's wish gets lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from jellytui.demo.library import Library
from jellytui.demo.server import DemoServer
from jellytui.engine.downloads.rows.queue import Claim
from jellytui.engine.downloads.rows.requests import Ask, Requests
from jellytui.engine.downloads.stream.listeners import LINGER_S
from jellytui.engine.errors import UsageError
from jellytui.engine.events import DownloadEvent
from jellytui.engine.models import Track
from tests.engine.downloads.conftest import Rig, rig_for
from tests.engine.downloads.test_changed_files import change, facts_known, mirrored
from tests.support.clock import ManualClock
from tests.support.waiting import settle, until


async def steps(count: int) -> None:
    """Lets others run for so many rounds of the loop."""
    for _ in range(count):
        await asyncio.sleep(0)


async def last_byte(rig: Rig, item_id: str) -> None:
    """Returns when the last byte of the song is here and nothing of its commit is done yet."""
    size = next(song.size for song in rig.songs if song.id == item_id)

    def is_here(event: DownloadEvent) -> bool:
        return event.type == "progress" and event.download.bytes_downloaded == size

    async with asyncio.timeout(20):
        while not any(is_here(event) for event in rig.events):
            await asyncio.sleep(0)


async def test_what_is_asked_for_while_all_is_being_paused_is_paused_too(rig: Rig) -> None:
    async with rig.manager.changes:
        pausing = asyncio.create_task(rig.manager.acts.pause_all())
        await steps(1)
        asking = asyncio.create_task(rig.manager.wishes.download_item(rig.songs[0].id))
        await settle()
    await asyncio.gather(pausing, asking)
    assert (await rig.row(rig.songs[0].id)).status == "paused"


@pytest.mark.parametrize("count", [0, 4, 30])
@pytest.mark.parametrize("act", ["pause", "cancel", "delete"])
async def test_an_act_in_the_last_moment_before_a_file_is_complete_leaves_no_half_thing(
    rig: Rig, act: str, count: int
) -> None:
    song = rig.songs[0]
    row = await rig.manager.wishes.download_item(song.id)
    await last_byte(rig, song.id)
    await steps(count)
    try:
        await getattr(rig.manager.acts, act)([row.id])
    except UsageError as error:
        assert "is complete. Delete removes it." in str(error)  # noqa: PT017 - only where the commit was first
        await rig.whole(song.id)
        return
    await rig.until_idle()
    files = [path for path in rig.root.rglob("*.*") if path.suffix in (".part", ".wav")]
    if act == "cancel" and files:
        await rig.whole(song.id)  # the commit came between the cancel's looking and its doing
        return
    if act != "pause":
        assert await rig.rows() == {}
        assert files == []
        return
    row = await rig.row(song.id)
    assert len(files) == 1
    assert (row.status == "completed") == (files[0].suffix == ".wav")
    await rig.manager.acts.resume([row.id])
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)


@pytest_asyncio.fixture
async def replaced(noise: Library, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Rig]:
    """A song that is here; the server has another one of the same length now, which is paused."""
    own = tmp_path / "music" / "Noise" / "Static" / "01 Hiss.wav"
    own.parent.mkdir(parents=True)
    own.write_bytes(noise.tracks[0].file.read_bytes())
    async with DemoServer(tmp_path / "music", relay=True) as server, rig_for(server, tmp_path, clock) as rig:
        (song,) = rig.songs
        await mirrored(rig, song, "one")
        await facts_known(rig, song)
        await rig.manager.acts.resume_all()
        await rig.until_status(song.id, "completed")
        await rig.manager.sync_wants()
        await rig.manager.acts.pause_all()
        old = own.read_bytes()
        change(song, old[:44] + bytes(reversed(old[44:])), modified_at=own.stat().st_mtime + 100)
        await rig.server.rescan()
        await mirrored(rig, song, "two")
        await rig.manager.sync_wants()
        assert (await rig.row(song.id)).status == "paused"
        rig.events.clear()
        yield rig


@pytest.mark.parametrize("count", [0, 4, 30])
@pytest.mark.parametrize("act", ["pause", "cancel"])
async def test_an_act_in_the_last_moment_of_a_successor_leaves_a_file_that_plays(
    replaced: Rig, act: str, count: int
) -> None:
    (song,) = replaced.songs
    row = await replaced.row(song.id)
    await replaced.manager.acts.resume_all()
    await last_byte(replaced, song.id)
    await steps(count)
    try:
        await getattr(replaced.manager.acts, act)([row.id])
    except UsageError as error:
        assert "is complete. Delete removes it." in str(error)  # noqa: PT017 - only where the commit was first
    await replaced.until_idle()
    path = await replaced.manager.local_path(song.id)
    assert path is not None
    assert path.stat().st_size == song.size
    if act == "cancel":
        assert (await replaced.row(song.id)).status == "completed"
        assert not replaced.part(song.id).exists()
        return
    await replaced.manager.acts.resume([row.id])
    await replaced.until_status(song.id, "completed")
    await replaced.whole(song.id)


@pytest.mark.parametrize("count", [0, 10, 40])
async def test_a_move_that_begins_while_rows_are_claimed_takes_everything_along(
    rig: Rig, clock: ManualClock, tmp_path: Path, count: int
) -> None:
    await rig.manager.wishes.download_album(rig.songs[0].album_id or "")
    await steps(count)
    old, rig.root = rig.root, tmp_path / "elsewhere"
    await rig.manager.caretaker.move(rig.root)
    assert not old.exists()
    await until(lambda: clock.sleepers)
    for _ in range(3):
        await clock.advance(10)
    for song in rig.songs:
        await rig.until_status(song.id, "completed")
        await rig.whole(song.id)
    assert not old.exists()


async def test_a_row_that_is_claimed_while_the_link_becomes_metered_waits(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = rig.songs[0]
    claim = rig.manager.rows.claim

    async def claim_meanwhile(*, is_metered: bool) -> Claim | None:
        claiming = asyncio.create_task(claim(is_metered=is_metered))
        await steps(1)
        rig.network.set(True)
        return await claiming

    monkeypatch.setattr(rig.manager.rows, "claim", claim_meanwhile)
    row = await rig.manager.wishes.download_item(song.id)
    waiting = await rig.until_row(song.id, lambda row: row.wait_reason)
    await rig.until_idle()
    assert (waiting.status, waiting.wait_reason, rig.asked(song.id)) == ("pending", "metered", [])
    await rig.manager.acts.download_anyway([row.id])
    await rig.until_status(song.id, "completed")


async def test_what_was_asked_for_by_a_face_that_hangs_up_at_once_comes_down(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Requests.add

    async def add_and_hang_up(requests: Requests, tracks: Sequence[Track], ask: Ask) -> list[int]:
        await add(requests, tracks, ask)
        raise asyncio.CancelledError

    monkeypatch.setattr(Requests, "add", add_and_hang_up)
    with pytest.raises(asyncio.CancelledError):
        await rig.manager.wishes.download_item(rig.songs[0].id)
    await rig.until_status(rig.songs[0].id, "completed")


async def test_a_listener_who_goes_while_his_row_is_claimed_leaves_it_to_the_queue(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    song = rig.songs[0]
    rig.network.set(True)
    await rig.manager.wishes.download_item(song.id)
    await rig.until_row(song.id, lambda row: row.wait_reason == "metered")
    claim = rig.manager.rows.claim_for_listener

    async def claim_and_go(download_id: int, *, at_once: bool) -> Claim | None:
        claimed = await claim(download_id, at_once=at_once)
        opening.cancel()
        await asyncio.sleep(0)
        return claimed

    monkeypatch.setattr(rig.manager.rows, "claim_for_listener", claim_and_go)
    opening = asyncio.create_task(rig.manager.open_stream(song.id))
    with pytest.raises(asyncio.CancelledError):
        await opening
    await rig.until_idle()
    assert (await rig.row(song.id)).status == "pending"
    rig.network.set(False)
    await rig.until_status(song.id, "completed")


async def test_a_paused_row_that_is_claimed_when_its_listener_has_just_gone_stays_paused(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    song = rig.songs[0]
    rig.link.is_online = False
    row = await rig.manager.wishes.download_item(song.id)
    await rig.manager.acts.pause([row.id])
    rig.server.faults.add("status", route="/audio/*/stream*", status=500)
    reader = await rig.manager.open_stream(song.id)
    await rig.until_row(song.id, lambda row: row.next_attempt_at)
    await rig.until_idle()
    rig.server.faults.clear()
    asked = len(rig.asked(song.id))
    claim = rig.manager.rows.claim_for_listener
    claimed: list[Claim | None] = []

    async def go_and_claim(download_id: int, *, at_once: bool) -> Claim | None:
        reader.close()
        await settle()
        await clock.advance(LINGER_S)
        await until(lambda: not rig.manager.leases.is_held(song.id))
        claimed.append(await claim(download_id, at_once=at_once))
        return claimed[0]

    monkeypatch.setattr(rig.manager.rows, "claim_for_listener", go_and_claim)
    await clock.advance(1)
    await until(lambda: claimed)
    await rig.until_idle()
    assert ((await rig.row(song.id)).status, len(rig.asked(song.id))) == ("paused", asked)


@pytest.mark.parametrize("count", [0, 3, 12])
async def test_what_is_asked_for_while_its_listener_leaves_comes_down(rig: Rig, clock: ManualClock, count: int) -> None:
    song = rig.songs[0]
    rig.server.faults.add("drip", route="/audio/*/stream*", rate=2_000_000, times=1)
    reader = await rig.manager.open_stream(song.id)
    await until(lambda: rig.part(song.id).exists() and rig.part(song.id).stat().st_size > 100_000)
    reader.close()
    await until(lambda: clock.sleepers)
    leaving = asyncio.create_task(clock.advance(LINGER_S))
    await steps(count)
    await rig.manager.wishes.download_item(song.id)
    await leaving
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)


@pytest.mark.parametrize("act", ["evict", "delete"])
async def test_a_file_that_is_being_chosen_to_be_played_while_it_is_removed_stays_or_is_not_chosen(
    rig: Rig, act: str
) -> None:
    song = rig.songs[0]
    for count in range(40):
        await rig.manager.want(await rig.catalogue.tracks([song.id]), "queue")
        row = await rig.until_status(song.id, "completed")
        file = rig.root / (row.file_path or "")
        remove = rig.manager.evict if act == "evict" else rig.manager.acts.delete
        removing: asyncio.Task[object] = asyncio.create_task(remove([row.id]))
        await steps(count)
        with rig.manager.lease(song.id):
            path = await rig.manager.local_path(song.id)
            await removing
            assert path is None or path.read_bytes() == song.file.read_bytes()
        if act == "delete":
            async with asyncio.timeout(20):
                while await rig.manager.listing.by_item(song.id):
                    await steps(1)
            assert not file.exists()


@pytest.mark.parametrize("is_one_track", [True, False])
async def test_of_two_requests_at_once_with_paths_of_their_own_one_is_told_what_is_taken(
    rig: Rig, is_one_track: bool
) -> None:
    first, second = rig.songs[0], rig.songs[0 if is_one_track else 1]
    outcomes = await asyncio.gather(
        rig.manager.wishes.download_item(first.id, "Mine/first.wav"),
        rig.manager.wishes.download_item(second.id, "Mine/second.wav" if is_one_track else "Mine/first.wav"),
        return_exceptions=True,
    )
    (refusal,) = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert isinstance(refusal, UsageError)
    assert len(await rig.rows()) == 1
