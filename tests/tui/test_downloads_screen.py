"""The downloads screen: tabs, albums at once, filter and order, undo of a deletion, the cache, and its words."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from jellytui.engine.events import DownloadEvent, DownloadsState
from jellytui.engine.models import CacheStep, CacheUse, DownloadInfo, DownloadsSummary, DownloadStatus, OriginUse
from jellytui.tui.app import JellytuiApp
from jellytui.tui.downloads.bands import DownloadTabs, DownloadTotals, totals_words
from jellytui.tui.downloads.cache_list import CacheList
from jellytui.tui.downloads.download_list import DownloadList
from jellytui.tui.downloads.lines import Heading, lines_of
from jellytui.tui.keymap import Keymap
from jellytui.tui.stores.downloads import DownloadsStore
from jellytui.tui.widgets.download_item import DownloadItem
from jellytui.tui.widgets.hint_line import HintLine
from tests.support.fake_backend import FakeBackend
from tests.support.waiting import until
from tests.tui.music import lines_of as shown_lines
from tests.tui.music import make_app

ALBUM = "Raíces"
KEYS = Keymap({})


def row(number: int, status: DownloadStatus = "pending", **facts: object) -> DownloadInfo:
    """A download of a track of an album, in the order of the numbers."""
    known: dict[str, object] = {
        "item_id": f"t{number}",
        "user_id": "user",
        "name": f"Track {number}",
        "album": ALBUM,
        "album_id": "a",
        "artists": ("Alma Verde",),
        "number": number,
        "queued_at": f"2026-01-01T00:00:{number:02d}Z",
        "file_size": 30_000_000,
        "wanted_by": ("user",),
    }
    return DownloadInfo(id=number, status=status, **{**known, **facts})  # type: ignore[arg-type]


def make_backend(*rows: DownloadInfo) -> FakeBackend:
    backend = FakeBackend()
    backend.downloads = list(rows)
    for command in ("pause_downloads", "resume_downloads", "prioritize_downloads", "downloads_anyway"):
        backend.answers[command] = lambda download_ids: [row for row in backend.downloads if row.id in download_ids]
    backend.answers["keep_cached"] = lambda item_ids: []
    return backend


async def open_downloads(app: JellytuiApp, pilot: Pilot[None]) -> DownloadList:
    await pilot.pause()
    await pilot.press("2")
    await until(lambda: bool(app.screen.query(DownloadList)))
    await pilot.pause()
    return app.screen.query_one(DownloadList)


def here(its_list: DownloadList) -> list[str]:
    return [line[2:].strip() for line in shown_lines(its_list)]


# Order, filter, headings: plain functions


def store_of(*rows: DownloadInfo) -> DownloadsStore:
    store = DownloadsStore(FakeBackend())
    for one in rows:
        store.apply(DownloadEvent(type="queued", download=one))
    return store


def test_what_comes_stands_in_its_turn_below_its_album() -> None:
    store = store_of(row(1), row(2, priority=100), row(3, album="Other", album_id="b"), row(4, "downloading"))
    lines = lines_of("active", store)
    assert [line if isinstance(line, int) else line.title for line in lines] == [
        "Raíces · Alma Verde", 2, 1, 4, "Other · Alma Verde", 3,
    ]  # fmt: skip


def test_what_is_here_stands_in_the_order_of_its_album_the_newest_album_first() -> None:
    store = store_of(
        row(2, "completed", completed_at="2026-01-01"),
        row(1, "completed", completed_at="2026-01-02"),
        row(3, "completed", completed_at="2026-01-03", album_id="b"),
    )
    assert [line for line in lines_of("completed", store) if isinstance(line, int)] == [3, 1, 2]


@pytest.mark.parametrize(("order", "ids"), [("name", [3, 1, 2]), ("size", [2, 3, 1])])
def test_other_orders_are_one_list(order: str, ids: list[int]) -> None:
    store = store_of(
        row(1, name="b", file_size=10), row(2, name="c", file_size=30), row(3, name="A", file_size=20, album_id="b")
    )
    assert lines_of("active", store, order) == ids  # type: ignore[arg-type]


def test_words_find_names_albums_and_artists() -> None:
    store = store_of(row(1), row(2, name="Marea"), row(3, album="Marea viva", album_id="b", artists=("Null",)))
    assert [line for line in lines_of("active", store, words="mar") if isinstance(line, int)] == [2, 3]
    assert [line for line in lines_of("active", store, words="null mar") if isinstance(line, int)] == [3]


def test_an_album_of_many_artists_says_so() -> None:
    heading = lines_of("active", store_of(row(1), row(2, artists=("Somebody",))))[0]
    assert heading == Heading("a", "Raíces · Various artists", (1, 2))


def test_a_row_that_waits_says_for_what_it_comes() -> None:
    """Of what was left half heard nobody can say that it is being played."""
    origins = ("user", "queue", "album", "stream")
    words = {origin: DownloadItem(row(1, origin=origin), datetime.now(UTC), KEYS).words() for origin in origins}
    assert words == {
        "user": "waiting",
        "queue": "waiting · for the queue",
        "album": "waiting · for its album",
        "stream": "waiting · from listening",
    }


def test_totals_are_read_as_a_person_says_them() -> None:
    summary = DownloadsSummary(
        active_count=2, queued_count=5, bytes_downloaded=61_200_000, bytes_total=140_800_000, bytes_per_second=4e6
    )
    assert totals_words(summary, KEYS) == "5 waiting, 2 running · 61.2 of 141 MB · 4.0 MB/s · about 0:20 left"
    full = DownloadsSummary(queued_count=1, hold_kind="disk", hold_reason="The disk is full.")
    assert totals_words(full, KEYS) == "The disk is full."
    assert totals_words(DownloadsSummary(), KEYS) == ""


@pytest.mark.parametrize(
    ("keymap", "whole", "line"),
    [
        (Keymap({}), "It costs. A downloads the chosen one anyway.", "metered; A downloads it anyway"),
        (Keymap({"download_anyway": "W"}), "It costs. W downloads the chosen one anyway.", "W downloads it anyway"),
        (Keymap({"download_anyway": ""}), "It costs.", "waits: this link is metered"),
    ],
)
def test_how_to_download_over_a_metered_link_is_said_with_the_key_that_does_it(
    keymap: Keymap, whole: str, line: str
) -> None:
    held = DownloadsSummary(queued_count=1, hold_kind="metered", hold_reason="It costs.")
    assert totals_words(held, keymap) == whole
    assert DownloadItem(row(1, wait_reason="metered"), datetime.now(UTC), keymap).words().endswith(line)


# The screen


async def test_a_key_on_an_album_s_heading_is_about_all_its_tracks() -> None:
    backend = make_backend(row(1), row(2), row(3, album="Other", album_id="b"))
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        its_list = await open_downloads(app, pilot)
        await pilot.press("g", "p")
        await until(lambda: backend.called("pause_downloads"))
        assert backend.called("pause_downloads") == [{"download_ids": [1, 2]}]
        assert its_list.chosen_title == "Raíces (2 tracks)"


async def test_a_paused_or_failed_one_goes_on_with_the_same_key() -> None:
    backend = make_backend(row(1, "paused"), row(2, "failed", error_message="It is gone."))
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_downloads(app, pilot)
        await pilot.press("p", "tab", "tab", "p")
        await until(lambda: len(backend.called("resume_downloads")) == 2)
        assert backend.called("resume_downloads") == [{"download_ids": [1]}, {"download_ids": [2]}]


@pytest.mark.parametrize(
    ("key", "command"),
    [
        ("P", "pause_all_downloads"),
        ("R", "resume_all_downloads"),
        ("plus", "prioritize_downloads"),
        ("A", "downloads_anyway"),
    ],
)
async def test_each_key_does_what_the_key_line_says(key: str, command: str) -> None:
    backend = make_backend(row(1))
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_downloads(app, pilot)
        await pilot.press(key)
        await until(lambda: backend.called(command))


async def test_clear_and_retry_say_how_many() -> None:
    backend = make_backend(row(1, "failed"))
    backend.answers |= {"clear_completed_downloads": 1_204, "retry_failed_downloads": 1}
    app = make_app(backend)
    async with app.run_test(size=(100, 24)) as pilot:
        await open_downloads(app, pilot)
        await pilot.press("C")
        await until(lambda: app.toast is not None and "1,204 downloads taken off" in app.toast.text)
        await pilot.press("t")
        await until(lambda: app.toast is not None and "1 download queued again" in app.toast.text)


async def test_the_filter_narrows_the_tab_and_escape_shows_all_again() -> None:
    backend = make_backend(row(1), row(2, name="Marea"))
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        its_list = await open_downloads(app, pilot)
        await pilot.press("L", "m", "a", "r", "enter")
        await until(lambda: not any("Track 1" in line for line in here(its_list)))
        assert any("Marea" in line for line in here(its_list))
        assert its_list.has_focus
        await pilot.press("escape")
        await until(lambda: any("Track 1" in line for line in here(its_list)))


async def test_the_order_turns_and_is_said() -> None:
    app = make_app(make_backend(row(1), row(2)))
    async with app.run_test(size=(120, 24)) as pilot:
        its_list = await open_downloads(app, pilot)
        await pilot.press("o", "o")
        assert "by name" in app.screen.query_one(DownloadTabs).facts
        await pilot.press("o", "o")
        assert its_list.order == "turn"


async def test_the_cursor_stays_on_its_row_while_rows_come_and_go() -> None:
    backend = make_backend(row(1), row(2), row(3))
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        its_list = await open_downloads(app, pilot)
        await pilot.press("j", "j")
        backend.push(DownloadEvent(type="completed", download=row(1, "completed")))
        await until(lambda: app.screen.query_one(DownloadTabs).counts[0] == "2")
        assert its_list.download is not None
        assert its_list.download.id == 3


@pytest.mark.parametrize(
    ("tabs", "words"),
    [(0, "Press d on a track"), (1, "What you press d on"), (2, "Nothing failed")],
)
async def test_each_empty_tab_teaches_the_next_key(tabs: int, words: str) -> None:
    app = make_app(make_backend())
    async with app.run_test(size=(80, 24)) as pilot:
        its_list = await open_downloads(app, pilot)
        await pilot.press(*["tab"] * tabs)
        await pilot.pause()
        assert any(words in line for line in shown_lines(its_list))


async def test_the_cache_says_what_it_holds_and_what_it_would_do_and_a_key_keeps_a_track() -> None:
    backend = make_backend()
    backend.answers["get_cache"] = CacheUse(
        uses=(OriginUse(origin="user", files=3, bytes=9_000_000), OriginUse(origin="stream", files=1, bytes=5_000)),
        cache_bytes=9_300_000_000, limit_bytes=10_000_000_000, plays=412, bytes_saved=12_100_000_000,
    )  # fmt: skip
    backend.answers["plan_cache"] = [CacheStep(act="evict", item_id="x", name="Old", bytes=1, reason="not played")]
    backend.answers["clear_cache"] = 9_300_000_000
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_downloads(app, pilot)
        await pilot.press("shift+tab")
        cache = app.screen.query_one(CacheList)
        await until(lambda: cache.step is not None)
        text = "\n".join(shown_lines(cache))
        for words in ("9.3 of 10 GB", "93 %", "Yours", "412 plays", "12.1 GB not fetched twice", "Old", "not played"):
            assert words in text, words
        assert "stays until you delete it" in text  # whole at 80 columns
        await pilot.press("K")
        await until(lambda: backend.called("keep_cached"))
        assert backend.called("keep_cached") == [{"item_ids": ["x"]}]
        await pilot.press("C", "y")
        await until(lambda: backend.called("clear_cache"))


async def test_why_a_step_of_the_cache_is_taken_is_read_in_full_where_its_line_lacks_the_room() -> None:
    reason = "the next tracks may take no more than half of the cache"
    backend = make_backend()
    backend.answers["get_cache"] = CacheUse(uses=(), limit_bytes=10_000_000_000)
    backend.answers["plan_cache"] = [
        CacheStep(act="fetch", item_id="x", name="Alba", bytes=1, reason="plays next"),
        CacheStep(act="leave", item_id="y", name="Norðurljós", bytes=0, reason=reason),
    ]
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_downloads(app, pilot)
        await pilot.press("shift+tab")
        cache, totals = app.screen.query_one(CacheList), app.screen.query_one(DownloadTotals)
        await until(lambda: cache.step is not None and totals.words == "")
        assert "the next tracks may take no more tha" in shown_lines(cache)[-1]
        await pilot.press("j")
        await until(lambda: totals.words == f"Norðurljós: {reason}")
        assert not totals.is_held
        await pilot.resize_terminal(140, 24)
        await until(lambda: totals.words == "")
        backend.answers["plan_cache"] = [
            CacheStep(act="leave", item_id="z", name="Alba", bytes=0, reason=reason * 2),
        ]
        await pilot.press("tab", "shift+tab")
        await until(lambda: totals.words == f"Alba: {reason * 2}")


async def test_how_full_the_cache_is_follows_its_limit() -> None:
    backend = make_backend()
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_downloads(app, pilot)
        tabs = app.screen.query_one(DownloadTabs)
        half = DownloadsSummary(cache_bytes=27_000_000, cache_limit_bytes=60_000_000)
        backend.push(DownloadsState(summary=half))
        await until(lambda: tabs.counts == ("0", "0", "0", "45 %"))
        backend.push(DownloadsState(summary=replace(half, cache_limit_bytes=30_000_000)))
        await until(lambda: tabs.counts == ("0", "0", "0", "90 %"))


async def test_keep_is_hinted_only_where_the_cache_has_the_track_under_the_cursor() -> None:
    backend = make_backend()
    backend.answers["get_cache"] = CacheUse(uses=(), limit_bytes=10_000_000_000)
    backend.answers["plan_cache"] = [
        CacheStep(act="evict", item_id="x", name="Old", bytes=1, reason="not played"),
        CacheStep(act="fetch", item_id="y", name="New", bytes=1, reason="next in the queue"),
    ]
    app = make_app(backend)

    def hints() -> str:
        return str(app.screen.query_one(HintLine).render())

    async with app.run_test(size=(80, 24)) as pilot:
        await open_downloads(app, pilot)
        await pilot.press("shift+tab")
        await until(lambda: "K keep" in hints())
        await pilot.press("j")
        await until(lambda: "K keep" not in hints())
        backend.answers["plan_cache"] = []
        await pilot.press("tab", "shift+tab")
        cache = app.screen.query_one(CacheList)
        await until(lambda: cache.step is None)
        assert "K keep" not in hints()
        assert "C clear" in hints()
        await pilot.press("K")
        await until(lambda: app.toast is not None)
        assert not backend.called("keep_cached")


async def test_without_a_step_no_line_of_the_cache_has_the_cursor_and_keys_scroll() -> None:
    backend = make_backend()
    uses = tuple(OriginUse(origin=origin, files=1, bytes=1) for origin in ("user", "stream", "queue", "album"))
    backend.answers["get_cache"] = CacheUse(uses=uses, limit_bytes=10_000_000_000, is_metered=True)
    backend.answers["plan_cache"] = []
    app = make_app(backend)
    async with app.run_test(size=(60, 12)) as pilot:
        await open_downloads(app, pilot)
        await pilot.press("shift+tab")
        cache = app.screen.query_one(CacheList)
        await until(lambda: cache.row_count > 0)
        await until(lambda: "Cache" in shown_lines(cache)[0])
        assert not any("▌" in line for line in shown_lines(cache))
        await pilot.press("j")
        await until(lambda: "nothing to fetch" in shown_lines(cache)[-1])
        await pilot.press("k")
        await until(lambda: "Cache" in shown_lines(cache)[0])


async def test_keep_makes_a_cached_track_one_s_own_and_says_when_it_is_already() -> None:
    backend = make_backend(row(1, "completed", wanted_by=(), origin="queue"), row(2, "completed", album_id="b"))
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        its_list = await open_downloads(app, pilot)
        await pilot.press("tab", "K")
        await until(lambda: app.toast is not None)
        assert its_list.chosen_title in ("Track 1", "Track 2")
        await pilot.press("g", "K", "G", "K")
        await until(lambda: backend.called("keep_cached"))
        assert backend.called("keep_cached")[0]["item_ids"] == ["t1"]


async def test_why_all_waits_stands_below_the_list() -> None:
    backend = make_backend(row(1))
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_downloads(app, pilot)
        backend.push(DownloadsState(summary=DownloadsSummary(queued_count=1, hold_reason="attic does not answer.")))
        totals = app.screen.query_one(DownloadTotals)
        await until(lambda: totals.words == "attic does not answer.")
        assert totals.is_held


async def test_the_key_that_downloads_over_a_metered_link_is_hinted_while_it_holds_the_downloads() -> None:
    backend = make_backend(row(1, wait_reason="metered"))
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_downloads(app, pilot)
        held = DownloadsSummary(queued_count=1, hold_kind="metered", hold_reason="It costs.")
        backend.push(DownloadsState(summary=held))
        await until(lambda: "A anyway" in str(app.screen.query_one(HintLine).render()))
        backend.push(DownloadsState(summary=DownloadsSummary(queued_count=1)))
        await until(lambda: "anyway" not in str(app.screen.query_one(HintLine).render()))


async def test_enter_plays_from_the_row_on_and_an_album_from_its_heading(tmp_path: Path) -> None:
    backend = make_backend(*(row(number, "completed") for number in (1, 2, 3)))
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_downloads(app, pilot)
        await pilot.press("tab", "j", "enter", "g", "enter")
        await until(lambda: len(backend.called("play_items")) == 2)
        assert backend.called("play_items") == [
            {"item_ids": ["t1", "t2", "t3"], "start_index": 1},
            {"item_ids": ["t1", "t2", "t3"], "start_index": 0},
        ]
