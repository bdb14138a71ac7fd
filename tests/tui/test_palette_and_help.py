"""The palette and help: both made from the registry, both as the user has set the keys."""

import pytest
from textual.pilot import Pilot

from jellytui.config import Settings
from jellytui.engine.models import UpkeepReport
from jellytui.tui.actions import ACTIONS
from jellytui.tui.app import JellytuiApp
from jellytui.tui.keymap import Keymap
from jellytui.tui.palette import EntryList, Palette, entries, matches
from jellytui.tui.screens.help import HelpScreen, in_columns, sections
from jellytui.tui.widgets.top_bar import TopBar
from tests.support.fake_backend import FakeBackend
from tests.support.waiting import until
from tests.tui.music import library_backend, make_app


async def type_words(pilot: Pilot[None], words: str) -> None:
    names = {" ": "space", ":": "colon", "/": "slash"}
    await pilot.press(*(names.get(letter, letter) for letter in words))


async def test_the_palette_has_all_actions_but_those_that_move_about_on_another_screen() -> None:
    app = make_app(library_backend())
    async with app.run_test() as pilot:
        await pilot.pause()
        words = {entry.word for entry in entries(app)}
        missing = {name for name in ACTIONS if name.replace("_", " ") not in words}
        assert missing == {"palette", "command_line", "close_search", "next_tab", "previous_tab", "drop_filter"}
        await pilot.press("2")
        words = {entry.word for entry in entries(app)}
        assert "drop filter" in words
        assert "close search" not in words


async def test_a_few_letters_find_a_command() -> None:
    app = make_app(library_backend())
    async with app.run_test() as pilot:
        await pilot.pause()
        known = list(entries(app))
        words = {"quit": "Quit", "q": "Quit", "login": "Sign in", "sign": "Sign in", "lodr": "Louder"}
        assert {typed: matches(typed, known)[0][0].title for typed in words} == words


@pytest.mark.parametrize(
    ("typed", "command", "arguments"),
    [
        (":vol 40", "set_volume", {"volume": 40}),
        (":volume 400", "set_volume", {"volume": 100}),
        (":export /media/USB Stick", "export_downloads", {"folder": "/media/USB Stick"}),
        (":move downloads to /media/m", "move_downloads", {"folder": "/media/m"}),
        (":seek 1:30", "seek", {"position_ms": 90_000}),
        (":seek 1:00:05", "seek", {"position_ms": 3_605_000}),
        (":seek 42", "seek", {"position_ms": 42_000}),
        (":full sync", "sync_library", {"full": True}),
    ],
)
async def test_a_typed_command_does_what_it_says(typed: str, command: str, arguments: dict[str, object]) -> None:
    backend = library_backend()
    app = make_app(backend)
    async with app.run_test() as pilot:
        await pilot.pause()
        await type_words(pilot, typed)
        await pilot.press("enter")
        await until(lambda: backend.called(command))
        assert backend.called(command) == [arguments]


async def test_letters_typed_right_behind_the_colon_are_not_lost() -> None:
    app = make_app(library_backend())
    async with app.run_test() as pilot:
        await pilot.pause()
        # As fast as a terminal hands over what was pasted: nothing is waited for in between.
        for key in ("colon", "q", "u", "i", "t"):
            app.simulate_key(key)
        await until(lambda: isinstance(app.screen, Palette))
        await pilot.pause()
        entry = app.screen.query_one(EntryList).entry
        assert entry is not None
        assert entry.word == "quit"


async def test_a_command_that_comes_in_one_go_is_done() -> None:
    app = make_app(library_backend())
    async with app.run_test() as pilot:
        await pilot.pause()
        for key in ("colon", *"queue", "enter"):
            app.simulate_key(key)
        await until(lambda: app.current_mode == "queue" and len(app.screen_stack) == 1)


async def test_a_key_right_behind_a_command_is_about_what_it_led_to() -> None:
    app = make_app(library_backend())
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("ctrl+p")
        for key in (*"queue", "enter", "3"):
            app.simulate_key(key)
        await until(lambda: app.current_mode == "playing" and bool(app.screen.query("Title")))
        assert len(app.screen_stack) == 1


@pytest.mark.parametrize("key", ["2", "3", "4", "slash"])
async def test_the_palette_opened_right_behind_a_screen_s_key_stands_over_that_screen(key: str) -> None:
    app = make_app(library_backend())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for typed in (key, "ctrl+p"):
            app.simulate_key(typed)
        await until(lambda: isinstance(app.screen, Palette))
        below = app.screen_stack[-2]
        await until(lambda: "1 Library" in below.query_one(TopBar).render_line(0).text)


async def test_what_concerns_a_whole_screen_is_done_there_and_what_concerns_a_row_is_not_done_blindly() -> None:
    backend = library_backend()
    app = make_app(backend)
    async with app.run_test() as pilot:
        await pilot.pause()
        await type_words(pilot, ":pause all")
        await pilot.press("enter")
        await until(lambda: backend.called("pause_all_downloads"))
        assert app.current_mode == "downloads"
        await pilot.press("1")
        await type_words(pilot, ":cancel download")
        await pilot.press("enter")
        await until(lambda: app.current_mode == "downloads")
        await pilot.pause()
        assert not backend.called("cancel_downloads")
        assert app.toast is not None
        assert "press x" in app.toast.text


async def test_escape_closes_the_palette_and_nothing_happens() -> None:
    backend = library_backend()
    app = make_app(backend)
    async with app.run_test() as pilot:
        await pilot.pause()
        calls = len(backend.calls)
        await pilot.press("ctrl+p", "s", "t", "o", "p", "escape")
        await pilot.pause()
        assert not isinstance(app.screen, Palette)
        assert len(backend.calls) == calls


def test_help_shows_each_key_where_it_works_and_as_the_user_has_set_it() -> None:
    keymap = Keymap({"download": "ctrl+d", "shuffle": ""})
    text = in_columns(list(sections(keymap, "downloads")), 80).plain
    assert text.index("DOWNLOADS") < text.index("LIBRARY")
    assert "C-d" in text
    assert "Shuffle" not in text
    for action in ACTIONS.values():
        for key in keymap.keys(action.name):
            assert keymap.all_written(action.name) in text, (action.name, key)


async def test_help_closes_with_q_and_the_app_stays() -> None:
    app = make_app(FakeBackend())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("j", "G", "q")
        await pilot.pause()
        assert app.current_mode == "library"
        assert len(app.screen_stack) == 1
        assert app.is_running


async def test_a_theme_is_chosen_by_its_name() -> None:
    app = make_app(FakeBackend())
    async with app.run_test() as pilot:
        await pilot.pause()
        await type_words(pilot, ":theme nord")
        await pilot.press("enter")
        await until(lambda: app.theme == "nord")


async def test_own_keys_work_and_the_registry_s_do_not() -> None:
    backend = library_backend()

    async def open_backend() -> FakeBackend:
        return backend

    app = JellytuiApp(
        backend=backend,
        sign_in=None,  # type: ignore[arg-type]
        open_backend=open_backend,
        settings=Settings(keys={"mute": "ctrl+e"}),
    )
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("m", "ctrl+e")
        await until(lambda: backend.called("toggle_mute"))
        assert len(backend.called("toggle_mute")) == 1


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (UpkeepReport(rows=19), "19 downloads looked at: everything is as it should be."),
        (UpkeepReport(rows=19, counts={"missing": 2}), "2 findings. :repair downloads mends them."),
    ],
)
async def test_a_check_of_the_downloads_says_what_it_found(report: UpkeepReport, words: str) -> None:
    backend = library_backend()
    backend.answers["verify_downloads"] = report
    app = make_app(backend)
    async with app.run_test() as pilot:
        await pilot.press("colon")
        await type_words(pilot, "verify")
        await pilot.press("enter")
        await until(lambda: app.toast is not None and app.toast.text == words)
