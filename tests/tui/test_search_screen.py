"""Search as you type in the running app on a backend in memory."""

import asyncio
from typing import Any

import pytest
from textual.events import Key

from jellytui.engine.models import Album, SearchResults, Track
from jellytui.tui.app import JellytuiApp
from jellytui.tui.library.results_list import ResultsList
from jellytui.tui.screens.search import SearchScreen
from jellytui.tui.widgets.hint_line import HintLine
from tests.support.waiting import until
from tests.tui.music import SIZES, library_backend, library_of, lines_of, make_app, name_under


def results_of(app: JellytuiApp) -> ResultsList:
    """The results on the search screen, which must be the one that is seen."""
    assert isinstance(app.screen, SearchScreen)
    return app.screen.query_one(ResultsList)


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_typed_finds_by_kind_at_each_size(size: tuple[int, int]) -> None:
    app = make_app(library_backend())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press("slash", *"alma")
        results = results_of(app)
        await until(lambda: name_under(results) == "Alma Verde")
        shown = [results.render_line(y) for y in range(results.size.height)]
        assert [strip.cell_length for strip in shown] == [results.size.width] * len(shown)
        assert shown[0].text.startswith("  ARTISTS  1 ─")
        assert shown[2].text.startswith("  ALBUMS  3 ─")


async def test_digits_and_letters_are_typed_and_not_taken_as_keys() -> None:
    backend = library_backend()
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("slash", "1", "q", "space", "question_mark", "d", "colon")
        await until(lambda: backend.called("search_library"))
        assert isinstance(app.screen, SearchScreen)
        await until(lambda: backend.called("search_library")[-1]["query"] == "1q ?d:")
        assert not backend.called("toggle_pause")


async def test_an_older_query_is_dropped_and_never_shown() -> None:
    backend = library_backend()
    gates: dict[str, asyncio.Event] = {}
    dropped: list[str] = []

    async def slow(query: str, limit: int) -> SearchResults:
        gate = gates[query] = asyncio.Event()
        try:
            await gate.wait()
        except asyncio.CancelledError:
            dropped.append(query)
            raise
        return SearchResults(tracks=(Track(id=query, name=f"found {query}"),))

    backend.answers["search_library"] = slow
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("slash", "a", "b")
        await until(lambda: "ab" in gates)
        assert dropped == ["a"]
        gates["ab"].set()
        await until(lambda: name_under(results_of(app)) == "found ab")


async def test_keys_go_on_working_while_a_search_takes_its_time() -> None:
    backend = library_backend()

    async def never(query: str, limit: int) -> Any:
        await asyncio.Event().wait()

    backend.answers["search_library"] = never
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("slash", "a", "escape")
        await until(lambda: app.current_mode == "library")


async def test_enter_plays_the_found_tracks_from_the_one_under_the_cursor() -> None:
    backend = library_backend()
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("slash", *"null")
        results = results_of(app)
        await until(lambda: name_under(results) == "The Null Pointers")
        await pilot.press("down", "j", "j", "j", "enter")
        assert name_under(results) == "[bold]x[/] [/Live]"
        await until(lambda: backend.called("play_items"))
        played = backend.called("play_items")[0]
        assert (len(played["item_ids"]), played["start_index"]) == (6, 1)


async def test_enter_while_typing_plays_the_best_match() -> None:
    backend = library_backend()
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("slash", *"hvítt")
        await until(lambda: name_under(results_of(app)) == "Hvítt")
        await pilot.press("enter")
        await until(lambda: backend.called("play_album"))
        assert backend.called("play_album") == [{"album_id": "Hvítt"}]


@pytest.mark.parametrize(
    ("last", "command"), [(("enter",), "play_items"), (("down", "d"), "download_item")], ids=["enter", "down"]
)
async def test_keys_typed_faster_than_the_search_are_about_what_it_finds(last: tuple[str, ...], command: str) -> None:
    backend = library_backend()
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("slash")
        for key in (*"alba", *last):  # all at once: pilot.press would wait for each
            app.post_message(Key(key, key if len(key) == 1 else None))
        await until(lambda: backend.called(command))
        assert isinstance(app.screen, SearchScreen)


async def test_favourite_and_download_work_on_a_result() -> None:
    backend = library_backend()
    backend.answers["download_artist"] = []
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("slash", *"null")
        results = results_of(app)
        await until(lambda: name_under(results) == "The Null Pointers")
        await pilot.press("down", "f", "d")
        await until(lambda: backend.called("download_artist"))
        assert backend.called("download_artist") == [{"artist_id": "The Null Pointers", "user_id": "user"}]
        assert backend.called("set_favorite") == [{"item_id": "The Null Pointers", "is_favorite": True}]
        await until(lambda: "♥" in lines_of(results)[1])


@pytest.mark.parametrize(
    ("words", "name", "left", "tracks"),
    [
        ("verde", "Alma Verde", "Alma Verde", "Luna"),
        ("hvítt", "Hvítt", "Hvítt", "Snjór"),
        ("morning", "Morning", "Morning", "La sal"),
    ],
)
async def test_l_shows_a_result_where_it_stands_in_the_library(words: str, name: str, left: str, tracks: str) -> None:
    app = make_app(library_backend())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("slash", *words)
        results = results_of(app)
        await until(lambda: name_under(results) == name)
        await pilot.press("down", "l")
        await until(lambda: app.current_mode == "library")
        panes = library_of(app).panes
        await until(lambda: name_under(panes.list_of("left")) == left)
        await until(lambda: name_under(panes.list_of("tracks")) == tracks)


async def test_l_shows_a_track_in_its_album() -> None:
    app = make_app(library_backend())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("slash", *"río")
        results = results_of(app)
        await until(lambda: name_under(results) == "Río abajo")
        await pilot.press("down", "l")
        await until(lambda: app.current_mode == "library")
        panes = library_of(app).panes
        await until(lambda: name_under(panes.list_of("left")) == "Raíces")
        await until(lambda: name_under(panes.list_of("tracks")) == "Río abajo")
        assert panes.list_of("tracks").has_focus


async def test_escape_goes_back_to_where_the_search_began_and_slash_takes_the_words_up_again() -> None:
    app = make_app(library_backend())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("4", "slash", *"alma")
        await until(lambda: name_under(results_of(app)) == "Alma Verde")
        await pilot.press("escape")
        await until(lambda: app.current_mode == "queue")
        await pilot.press("slash")
        await until(lambda: app.current_mode == "search")
        await pilot.pause()
        await pilot.press(*"hvítt")
        await until(lambda: name_under(results_of(app)) == "Hvítt")


async def test_a_long_kind_is_cut_short_until_enter_asks_for_the_rest() -> None:
    backend = library_backend()
    found = SearchResults(
        albums=tuple(Album(id=str(n), name=f"Album {n}") for n in range(20)), tracks=(Track(id="t", name="Track"),)
    )
    backend.answers["search_library"] = found
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("slash", "a")
        results = results_of(app)
        await until(lambda: name_under(results) == "Album 0")
        assert lines_of(results)[6] == "  … 15 more: enter shows them"
        await pilot.press("down", *["j"] * 5, "enter")
        await until(lambda: name_under(results) == "Album 5")
        await pilot.press("G")
        assert name_under(results) == "Track"


async def test_nothing_found_says_what_helps() -> None:
    app = make_app(library_backend())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("slash", *"zzz")
        await until(
            lambda: "Nothing begins with “zzz”. Fewer letters find more." in " ".join(lines_of(results_of(app)))
        )
        assert "esc back" in app.screen.query_one(HintLine).render().plain
