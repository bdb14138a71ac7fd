"""The downloads store against the seed's rules (Frontend Downloads Store), without a screen."""

import msgspec
import pytest
from msgspec.structs import replace

from jellytui.engine.events import DownloadEvent, DownloadEventType, UpkeepState
from jellytui.engine.models import DownloadInfo, DownloadStatus
from jellytui.tui.downloads.bands import upkeep_words
from jellytui.tui.stores.downloads import DownloadsStore
from tests.support.fake_backend import FakeBackend


def row(download_id: int = 1, status: DownloadStatus = "pending", progress: float = 0.0) -> DownloadInfo:
    return DownloadInfo(
        id=download_id,
        item_id=f"t{download_id}",
        user_id="user",
        status=status,
        progress=progress,
        album_id="album",
        name=f"Track {download_id}",
    )


@pytest.mark.parametrize(
    ("type_", "status", "progress"),
    [
        ("queued", "pending", 0.0),
        ("started", "downloading", 0.0),
        ("progress", "downloading", 0.5),
        ("completed", "completed", 1.0),
        ("failed", "failed", 0.5),
        ("paused", "paused", 0.5),
        ("waiting", "pending", 0.5),
    ],
)
def test_each_event_type_leaves_the_row_that_it_carries(
    type_: DownloadEventType, status: DownloadStatus, progress: float
) -> None:
    store = DownloadsStore(FakeBackend())
    store.apply(DownloadEvent(type=type_, download=row(1, status, progress)))
    assert store.item_state("t1") == (status, progress)
    assert [one.id for one in store.active_downloads] == ([1] if status == "downloading" else [])
    assert (store.active_count, store.queued_count) == (status == "downloading", status == "pending")


def test_a_removed_row_leaves_nothing_behind() -> None:
    store = DownloadsStore(FakeBackend())
    store.apply(DownloadEvent(type="queued", download=row()))
    store.apply(DownloadEvent(type="removed", download=row()))
    assert (store.downloads, store.item_state("t1"), store.album_counts("album")) == ({}, None, (0, 0, 0))


def test_an_album_counts_what_is_here_and_what_is_coming() -> None:
    store = DownloadsStore(FakeBackend())
    statuses: tuple[DownloadStatus, ...] = ("completed", "downloading", "pending", "failed")
    for number, status in enumerate(statuses, start=1):
        store.apply(DownloadEvent(type="queued", download=row(number, status)))
    assert store.album_counts("album") == (1, 2, 4)


def test_an_album_is_cached_as_long_as_somebody_else_than_the_cache_does_not_want_all_that_is_here() -> None:
    store = DownloadsStore(FakeBackend())
    cached, kept = row(1, "completed"), replace(row(1, "completed"), wanted_by=("user",))
    store.apply(DownloadEvent(type="completed", download=cached))
    store.apply(DownloadEvent(type="queued", download=row(2)))
    assert store.is_album_cached("album")
    store.apply(DownloadEvent(type="queued", download=kept))
    assert not store.is_album_cached("album")
    store.apply(DownloadEvent(type="queued", download=cached))
    store.doom([1])
    assert not store.is_album_cached("album")
    store.spare([1])
    assert store.is_album_cached("album")
    store.apply(DownloadEvent(type="removed", download=cached))
    assert not store.is_album_cached("album")


def test_progress_marks_the_row_but_not_the_order() -> None:
    store = DownloadsStore(FakeBackend())
    store.apply(DownloadEvent(type="started", download=row(1, "downloading")))
    store.flush()
    heard: list[frozenset[str]] = []
    store.subscribe(heard.append)
    store.apply(DownloadEvent(type="progress", download=row(1, "downloading", 0.5)))
    store.flush()
    assert heard == [frozenset({"download:1", "t1", "album"})]


async def test_refresh_drops_what_is_gone() -> None:
    backend = FakeBackend()
    backend.downloads = [row(1), row(2)]
    store = DownloadsStore(backend)
    await store.refresh("user")
    backend.downloads = [row(2)]
    await store.refresh("user")
    assert list(store.downloads) == [2]


def test_the_end_of_a_work_that_was_seen_running_is_news_and_an_old_end_is_not() -> None:
    store = DownloadsStore(FakeBackend())
    store.apply(UpkeepState(work="verify", status="done", text="An hour ago."))
    assert store.news == []
    store.apply(UpkeepState(work="verify", done=3, total=9))
    assert upkeep_words(store.upkeep) == "Checking the downloads: 3 of 9"
    store.apply(UpkeepState(work="verify", status="done", text="All are right."))
    assert (store.upkeep, store.news) == (None, ["All are right."])


def test_what_was_rescued_or_failed_is_always_news() -> None:
    store = DownloadsStore(FakeBackend())
    store.apply(UpkeepState(work="rescue", status="done", text="The damaged database was set aside."))
    store.apply(UpkeepState(work="move", status="failed", text="The disk is full."))
    assert store.news == ["The damaged database was set aside.", "The disk is full."]


async def test_doomed_rows_are_on_no_list_and_in_no_count_until_they_are_spared() -> None:
    backend = FakeBackend()
    backend.downloads = [row(1, "completed"), row(2, "completed"), row(3)]
    store = DownloadsStore(backend)
    await store.refresh("user")
    store.doom([1, 2, 3])
    assert store.with_status("completed", "pending") == []
    assert (store.album_counts("album"), store.queued_count, store.item_state("t1")) == ((0, 0, 0), 0, None)
    assert store.doomed_items("track") == {"t1", "t2", "t3"}
    store.spare([1])
    assert (store.album_counts("album"), store.item_state("t1")) == ((1, 0, 1), ("completed", 0.0))
    assert store.doomed_items("album") == set()
    await store.delete_doomed([1, 2])
    assert backend.called("delete_downloads") == [{"download_ids": [2]}]
    await store.delete_doomed([1, 2])
    assert len(backend.called("delete_downloads")) == 1
    assert sorted(store.downloads) == [1, 3]


async def test_a_download_that_the_cache_wants_too_is_back_once_it_is_cancelled() -> None:
    backend = FakeBackend()
    backend.downloads = [
        msgspec.structs.replace(row(1), wanted_by=("user",)),
        msgspec.structs.replace(row(2), wanted_by=("user", "queue")),
    ]
    store = DownloadsStore(backend)
    await store.refresh("user")
    store.doom([1, 2])
    await store.cancel_doomed([1, 2])
    assert [one.id for one in store.with_status("pending")] == [2]
