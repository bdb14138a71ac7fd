"""What must be read is never clipped: messages, and why nothing comes down, at any width."""

import pytest

from jellytui.engine.events import DownloadEvent, DownloadsState, PlayerState
from jellytui.engine.models import DownloadInfo, DownloadsSummary, HoldKind
from jellytui.tui.app import JellytuiApp
from jellytui.tui.downloads.bands import DownloadTotals
from jellytui.tui.format import width, wrap
from jellytui.tui.screens.base import BaseScreen
from jellytui.tui.widgets.hint_line import HintLine
from jellytui.tui.widgets.player_bar import PlayerBar
from jellytui.tui.widgets.top_bar import TopBar
from tests.support.fake_backend import FakeBackend
from tests.support.waiting import until
from tests.tui.music import SIZES, library_backend, make_app

LONG = (
    "Not enough disk: 1.2 GB free, the next album needs 1.6 GB. Downloads are paused; R resumes. "
    "Or take another folder: jellytui downloads move DIR"
)


def shown(app: JellytuiApp, kind: type[HintLine] | type[PlayerBar] | type[DownloadTotals] | type[TopBar]) -> str:
    """The words of a widget as they stand on the screen, line by line."""
    widget = app.screen.query_one(kind)
    return " ".join(" ".join(widget.render_line(y).text for y in range(widget.size.height)).split())


@pytest.mark.parametrize("size", SIZES)
async def test_a_long_message_takes_the_lines_that_it_needs_and_moves_nothing(size: tuple[int, int]) -> None:
    app = make_app(library_backend())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, BaseScreen)
        bar, hints = app.screen.query_one(PlayerBar), app.screen.query_one(HintLine)
        place = bar.region
        app.say(LONG, "error")
        await until(lambda: shown(app, HintLine) == f"! {LONG}")
        assert bar.region == place
        assert hints.region.bottom == size[1]
        app.say("Done.")
        await until(lambda: hints.size.height == 1 and shown(app, HintLine) == "Done.")


async def test_why_all_downloads_wait_is_read_in_full() -> None:
    backend = FakeBackend()
    app = make_app(backend)
    async with app.run_test(size=(40, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2")
        backend.push(DownloadsState(summary=DownloadsSummary(queued_count=1, hold_reason=LONG)))
        await until(lambda: shown(app, DownloadTotals) == LONG)


async def test_what_is_wrong_with_a_failed_download_is_read_in_full_below_the_list() -> None:
    backend = FakeBackend()
    reason = "The server sent a web page instead of music. Is there a proxy that wants you to sign in? t tries again."
    backend.downloads = [
        DownloadInfo(id=1, item_id="a", user_id="user", status="failed", name="Alba", error_message=reason)
    ]
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2", "tab", "tab")
        await until(lambda: shown(app, DownloadTotals) == reason)


async def test_why_there_is_no_sound_is_read_in_full() -> None:
    backend = FakeBackend()
    app = make_app(backend)
    words = "No sound: install libmpv2, then start again"
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        backend.push(PlayerState(has_sound=False))
        await until(lambda: shown(app, PlayerBar) == words)


@pytest.mark.parametrize("columns", [40, 80, 140])
async def test_the_top_line_says_in_words_that_all_is_paused(columns: int) -> None:
    backend = FakeBackend()
    app = make_app(backend)
    async with app.run_test(size=(columns, 12)) as pilot:
        await pilot.pause()
        backend.push(DownloadsState(summary=DownloadsSummary(queued_count=1_204, paused_all=True, hold_reason=LONG)))
        await until(lambda: "all paused" in shown(app, TopBar))
        assert shown(app, TopBar).endswith("● attic")
        assert ("⏸ 1,204 all paused" in shown(app, TopBar)) == (columns > 40)


@pytest.mark.parametrize(
    ("kind", "words"),
    [("metered", "⏸ 1 metered ● attic"), ("disk", "⏸ 1 disk ● attic"), ("server", "⏸ 1 ● attic")],
)
async def test_the_top_line_says_in_a_word_what_all_downloads_wait_for(kind: HoldKind, words: str) -> None:
    backend = FakeBackend()
    app = make_app(backend)
    row = DownloadInfo(id=1, item_id="a", user_id="user", status="pending", name="Alba")
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        backend.push(
            DownloadEvent(type="queued", download=row),
            DownloadsState(summary=DownloadsSummary(queued_count=1, hold_reason=LONG, hold_kind=kind)),
        )
        await until(lambda: shown(app, TopBar).endswith(words))


def test_words_break_between_words_and_wide_ones_count_twice() -> None:
    assert wrap("a bb ccc", 4) == ["a bb", "ccc"]
    assert wrap("夜の 音楽隊", 6) == ["夜の", "音楽隊"]
    assert wrap("", 4) == [""]
    lines = wrap(LONG, 20, at_most=2)
    assert len(lines) == 2
    assert lines[-1].endswith("…")
    assert max(map(width, lines)) <= 20
