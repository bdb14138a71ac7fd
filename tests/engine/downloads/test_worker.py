"""Every fault between server and file: the file is right, or the row says why not (downloads-playback.md 1.4)."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from jellytui.engine.errors import NotSignedInError, ServerUnreachableError
from jellytui.engine.models import DownloadInfo
from tests.engine.downloads.conftest import Rig
from tests.support.clock import ManualClock
from tests.support.waiting import until

DOWNLOAD = "/items/*/download"
HALF = 1_300_000
OVERLAP = 64 * 1024


async def asked_for(rig: Rig, item_id: str, *statuses: str) -> DownloadInfo:
    """Asks for a track and waits for what comes of it."""
    await rig.manager.wishes.download_item(item_id)
    return await rig.until_status(item_id, *statuses) if statuses else await rig.row(item_id)


async def half_here(rig: Rig, item_id: str) -> int:
    """Lets half of a track come before the connection breaks; how many bytes are here."""
    rig.server.faults.add("close", route=DOWNLOAD, after_bytes=HALF, times=1)
    await rig.manager.wishes.download_item(item_id)
    row = await rig.until_row(item_id, lambda row: row.wait_reason == "retry")
    assert row.bytes_downloaded == rig.part(item_id).stat().st_size == HALF
    return row.bytes_downloaded


def starts(rig: Rig, item_id: str) -> list[int]:
    """From which byte each request for the track's file asked."""
    ranges = [request.headers.get("range", "bytes=0-") for request in rig.asked(item_id)]
    return [int(each.removeprefix("bytes=").partition("-")[0]) for each in ranges]


@pytest.mark.parametrize("kind", ["reset", "close", "stall"])
async def test_a_body_that_breaks_off_keeps_its_bytes_and_is_resumed(rig: Rig, clock: ManualClock, kind: str) -> None:
    rig.read_timeout_s = 0.3
    await rig.restart()
    song = rig.songs[0]
    rig.server.faults.add(kind, route=DOWNLOAD, after_bytes=HALF, times=1)

    await rig.manager.wishes.download_item(song.id)
    row = await rig.until_row(song.id, lambda row: row.wait_reason == "retry")
    assert (row.status, row.retry_count) == ("pending", 1)
    assert row.error_message
    kept = rig.part(song.id).stat().st_size
    assert row.bytes_downloaded == kept > OVERLAP

    await clock.advance(5)
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)
    assert starts(rig, song.id) == [0, kept - OVERLAP]


async def test_the_resumed_request_names_the_file_and_asks_for_no_compression(rig: Rig, clock: ManualClock) -> None:
    song = rig.songs[0]
    kept = await half_here(rig, song.id)
    await clock.advance(5)
    await rig.until_status(song.id, "completed")
    first, second = (request.headers for request in rig.asked(song.id))
    assert "range" not in first
    assert second["range"] == f"bytes={kept - OVERLAP}-"
    assert second["if-range"].endswith("GMT")
    assert first["accept-encoding"] == second["accept-encoding"] == "identity"
    assert 'Token="' in second["authorization"]


_OTHER_THAN_ASKED: dict[str, dict[str, Any]] = {
    "the range is ignored": {"kind": "ignore_range"},
    "another offset": {"kind": "headers", "headers": {"Content-Range": "bytes 7-2646043/2646044"}},
    "another length": {"kind": "headers", "headers": {"Content-Range": "bytes 1234464-2646999/2647000"}},
    "no word on which part it is": {"kind": "headers", "headers": {"Content-Range": None}},
    "a file of another time": {"kind": "headers", "headers": {"Last-Modified": "Tue, 01 Jan 2030 00:00:00 GMT"}},
    "compressed on the way": {"kind": "headers", "headers": {"Content-Encoding": "gzip"}},
    "a byte of the overlap differs": {"kind": "corrupt", "after_bytes": 1000},
    "the range cannot be had": {"kind": "status", "status": 416},
}


@pytest.mark.parametrize("name", _OTHER_THAN_ASKED)
async def test_an_answer_that_does_not_continue_the_file_is_not_mixed_into_it(
    rig: Rig, clock: ManualClock, name: str
) -> None:
    song = rig.songs[0]
    await half_here(rig, song.id)
    rig.server.faults.add(route=DOWNLOAD, times=1, **_OTHER_THAN_ASKED[name])
    await clock.advance(5)
    row = await rig.until_status(song.id, "completed")
    await rig.whole(song.id)
    assert row.retry_count == 0


async def test_an_answer_that_never_continues_the_file_uses_up_its_attempts(rig: Rig, clock: ManualClock) -> None:
    song = rig.songs[0]
    await half_here(rig, song.id)
    rig.server.faults.add("status", route=DOWNLOAD, status=416)
    for seconds in (5, 15, 45):
        await rig.attempt_after(song.id, seconds)
    row = await rig.until_status(song.id, "failed")
    assert "Again and again" in (row.error_message or "")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "does not offer"),
        (403, "may not download"),
        (404, "no longer has"),
        (410, "no longer has"),
        (418, "refuses this download (418)"),
    ],
)
async def test_a_refusal_that_no_waiting_helps_fails_at_once_in_plain_words(rig: Rig, status: int, words: str) -> None:
    song = rig.songs[0]
    rig.server.faults.add("status", route=DOWNLOAD, status=status)
    row = await asked_for(rig, song.id, "failed")
    assert words in (row.error_message or "")
    assert row.gone_on_server == (status in (404, 410))
    assert len(rig.asked(song.id)) == 1


async def test_a_download_that_is_not_allowed_never_falls_back_to_the_anonymous_stream(rig: Rig) -> None:
    song = rig.songs[0]
    rig.server.faults.add("status", route=DOWNLOAD, status=403)
    await asked_for(rig, song.id, "failed")
    assert all(request.path.lower().endswith("/download") for request in rig.asked(song.id))


@pytest.mark.parametrize("status", [408, 425, 429, 500])
async def test_a_server_that_stumbles_is_asked_again_after_5_15_45_seconds(
    rig: Rig, clock: ManualClock, status: int
) -> None:
    song = rig.songs[0]
    rig.server.faults.add("status", route=DOWNLOAD, status=status)
    await rig.manager.wishes.download_item(song.id)
    for count, seconds in enumerate((5, 15, 45), start=1):
        row = await rig.until_row(song.id, lambda row: row.next_attempt_at)
        assert (row.status, row.wait_reason, row.retry_count) == ("pending", "retry", count)
        await rig.attempt_after(song.id, seconds)
    row = await rig.until_status(song.id, "failed")
    assert f"{status}" in (row.error_message or "")
    assert len(rig.asked(song.id)) == 4
    rig.server.faults.clear()
    assert await rig.manager.acts.retry_failed() == 1
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)


@pytest.mark.parametrize("form", ["seconds", "date", "nonsense"])
async def test_retry_after_is_kept_to(rig: Rig, clock: ManualClock, form: str) -> None:
    song = rig.songs[0]
    moment = format_datetime(clock.now() + timedelta(seconds=120), usegmt=True)
    value, wait = {"seconds": ("120", 120), "date": (moment, 120), "nonsense": ("soon", 5)}[form]
    rig.server.faults.add("status", route=DOWNLOAD, status=429, headers={"Retry-After": value}, times=1)
    await rig.manager.wishes.download_item(song.id)
    await rig.attempt_after(song.id, wait)
    await rig.until_status(song.id, "completed")


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_server_that_is_starting_costs_no_attempt(rig: Rig, status: int) -> None:
    song = rig.songs[0]
    rig.server.faults.add("status", route=DOWNLOAD, status=status, times=1)
    await rig.manager.wishes.download_item(song.id)
    row = await rig.until_row(song.id, lambda row: row.wait_reason == "server")
    assert (row.status, row.retry_count) == ("pending", 0)
    assert [type(error) for error in rig.link.failures] == [ServerUnreachableError]
    assert len(rig.asked(song.id)) == 1
    rig.link.is_online = True
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)


async def test_an_unanswered_request_opens_the_breaker_for_the_whole_queue(rig: Rig) -> None:
    await rig.server.stop()
    await rig.manager.wishes.download_album(rig.songs[0].album_id or "")
    await rig.until_row(rig.songs[0].id, lambda row: row.wait_reason == "server")
    await rig.until_idle()
    rows = await rig.rows()
    assert {row.status for row in rows.values()} == {"pending"}
    assert {row.retry_count for row in rows.values()} == {0}
    summary = await rig.manager.summary()
    assert summary.hold_kind == "server"
    assert "away" in (summary.hold_reason or "")
    await rig.server.start()
    rig.link.is_online = True
    for song in rig.songs:
        await rig.until_status(song.id, "completed")
        await rig.whole(song.id)


async def test_a_token_that_is_not_taken_holds_the_queue_and_asks_to_sign_in(rig: Rig) -> None:
    song = rig.songs[0]
    rig.server.faults.add("status", route=DOWNLOAD, status=401, times=1)
    await rig.manager.wishes.download_item(song.id)
    row = await rig.until_row(song.id, lambda row: row.wait_reason == "server")
    assert (row.status, row.retry_count) == ("pending", 0)
    assert [type(error) for error in rig.link.failures] == [NotSignedInError]
    rig.link.is_online = True
    await rig.until_status(song.id, "completed")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "html"}, "web page"),
        ({"kind": "status", "status": 200, "body": "{}", "content_type": "application/json"}, "message"),
        ({"kind": "headers", "headers": {"Content-Encoding": "gzip"}}, "compresses"),
    ],
)
async def test_what_is_no_music_is_never_kept(rig: Rig, fault: dict[str, Any], words: str) -> None:
    song = rig.songs[0]
    rig.server.faults.add(route=DOWNLOAD, **fault)
    row = await asked_for(rig, song.id, "failed")
    assert words in (row.error_message or "")
    assert row.bytes_downloaded == 0
    assert len(rig.asked(song.id)) == 1


async def test_a_redirect_within_the_server_is_followed_with_the_token(rig: Rig) -> None:
    song = rig.songs[0]
    target = f"/Items/{song.id}/Download?again=1"
    rig.server.faults.add("redirect", route=DOWNLOAD, location=target, status=307, times=1)
    await asked_for(rig, song.id, "completed")
    await rig.whole(song.id)


async def test_a_length_that_promises_too_much_never_becomes_a_file(rig: Rig, clock: ManualClock) -> None:
    song = rig.songs[0]
    rig.server.faults.add("lie", route=DOWNLOAD, extra_bytes=10)
    await rig.manager.wishes.download_item(song.id)
    for seconds in (5, 15, 45):
        await rig.attempt_after(song.id, seconds)
    row = await rig.until_status(song.id, "failed")
    assert "broke" in (row.error_message or "")
    assert not await rig.manager.offline.is_available(song.id)


async def test_a_length_that_is_short_once_is_noticed_by_the_items_own_size(rig: Rig) -> None:
    song = rig.songs[0]
    await rig.manager.acts.pause_all()
    await rig.manager.wishes.download_item(song.id)
    await rig.until_row(song.id, lambda row: row.file_size == song.size)
    rig.server.faults.add("lie", route=DOWNLOAD, extra_bytes=-10, times=1)
    await rig.manager.acts.resume_all()
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)


async def test_a_body_without_a_length_is_measured_by_the_items_size(rig: Rig, clock: ManualClock) -> None:
    song = rig.songs[0]
    rig.server.faults.add("headers", route=DOWNLOAD, headers={"Content-Length": None})
    rig.server.faults.add("close", route=DOWNLOAD, after_bytes=HALF, times=1)
    await rig.manager.wishes.download_item(song.id)
    await rig.until_row(song.id, lambda row: row.wait_reason == "retry")
    await clock.advance(5)
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)


async def test_a_trickle_is_broken_off_and_tried_again(rig: Rig, clock: ManualClock) -> None:
    song = rig.songs[0]
    rig.server.faults.add("drip", route=DOWNLOAD, rate=2000, times=1)
    await rig.manager.wishes.download_item(song.id)
    await rig.until_row(song.id, lambda row: row.status == "downloading")
    transfer = next(iter(rig.manager.runner.running.values()))
    await until(lambda: transfer.bytes_here > 0)
    await clock.advance(31)
    row = await rig.until_row(song.id, lambda row: row.wait_reason == "retry")
    assert "next to nothing" in (row.error_message or "")
    await clock.advance(5)
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)


async def test_a_megabyte_beyond_the_furthest_point_starts_the_count_anew(rig: Rig, clock: ManualClock) -> None:
    song = rig.songs[0]
    rig.server.faults.add("status", route=DOWNLOAD, status=500, times=2)
    await rig.manager.wishes.download_item(song.id)
    await rig.attempt_after(song.id, 5)
    await rig.until_row(song.id, lambda row: row.retry_count == 2)
    rig.server.faults.add("close", route=DOWNLOAD, after_bytes=1_100_000, times=1)
    await rig.attempt_after(song.id, 15)
    row = await rig.until_row(song.id, lambda row: row.bytes_downloaded == 1_100_000 and row.next_attempt_at)
    assert row.retry_count == 1
    await rig.attempt_after(song.id, 5)
    await rig.until_status(song.id, "completed")
    await rig.whole(song.id)


async def test_progress_is_told_each_megabyte_and_at_the_end(rig: Rig) -> None:
    song = rig.songs[0]
    await asked_for(rig, song.id, "completed")
    await until(lambda: rig.events[-1].type == "completed")
    told = [event.download.bytes_downloaded for event in rig.events if event.type == "progress"]
    assert told == sorted(told)
    assert told[-1] == song.size
    assert 2 <= len(told) <= 3
    assert [event.type for event in rig.events if event.type != "progress"] == ["queued", "started", "completed"]
