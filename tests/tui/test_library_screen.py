"""The library screen in the running app on a backend in memory."""

import asyncio
from typing import Any

import pytest
from rich.cells import cell_len
from textual.events import Key

from jellytui.config import Settings
from jellytui.engine.errors import JellytuiError, ServerUnreachableError
from jellytui.engine.events import ConnectionState, DownloadEvent, LibraryState, PlayerState, SyncState
from jellytui.engine.models import Problem, Track
from jellytui.tui.app import JellytuiApp
from jellytui.tui.library.panes import LibraryPanes
from jellytui.tui.library.playing_side import PlayingSide
from jellytui.tui.screens.confirm import Confirm, Question
from jellytui.tui.widgets.pane import PaneTitle
from tests.support.fake_backend import FakeBackend
from tests.support.waiting import until
from tests.tui.music import (
    HOSTILE,
    SIZES,
    download,
    library_backend,
    library_of,
    lines_of,
    make_app,
    many_tracks,
    name_under,
)


def names(panes: LibraryPanes) -> tuple[str, str, str]:
    """What stands under the cursors of the three panes."""
    left, albums, tracks = (name_under(panes.list_of(pane)) for pane in ("left", "albums", "tracks"))
    return left, albums, tracks


def titles(panes: LibraryPanes) -> list[str]:
    """The title lines that are seen, without their rules and the button of an album's download."""
    return [
        heading.render().plain.strip(" ").removesuffix(heading.button[0]).strip(" ─")
        for heading in panes.query(PaneTitle)
        if heading.size.width and heading.title
    ]


async def until_shown(panes: LibraryPanes, left: str, albums: str, tracks: str) -> None:
    await until(lambda: names(panes) == (left, albums, tracks))


async def test_each_pane_shows_what_the_cursor_before_it_points_at() -> None:
    app = make_app(library_backend())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        panes = library_of(app).panes
        await until_shown(panes, "Alma Verde", "Canción de cuna", "Luna")
        await pilot.press("l", "j")
        await until_shown(panes, "Alma Verde", "Raíces", "Alba")
        assert titles(panes) == ["ARTISTS  3", "ALBUMS  Alma Verde", "TRACKS  Raíces"]
        await pilot.press("h", "j")
        await until_shown(panes, "Björk Þórsdóttir", "Hvítt", "Snjór")


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_names_stand_at_each_size_and_every_row_is_as_wide_as_its_list(size: tuple[int, int]) -> None:
    app = make_app(library_backend())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        panes = library_of(app).panes
        await pilot.press("G", "l", "l")
        await until(lambda: name_under(panes.list_of("tracks")) == "Segfault" and panes.list_of("tracks").size.width)
        await pilot.pause()
        tracks = panes.list_of("tracks")
        shown = [tracks.render_line(y) for y in range(min(6, tracks.size.height))]
        assert [strip.cell_length for strip in shown] == [tracks.size.width] * len(shown)
        assert all(cell_len(strip.text.rstrip()) == tracks.size.width - 1 for strip in shown)
        assert HOSTILE[0] in shown[1].text
        assert all(heading.render().cell_length == heading.size.width for heading in panes.query(PaneTitle)
                   if heading.size.width)  # fmt: skip


async def test_a_narrow_terminal_shows_one_pane_under_the_way_to_it() -> None:
    app = make_app(library_backend())
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        panes = library_of(app).panes
        await until_shown(panes, "Alma Verde", "Canción de cuna", "Luna")
        assert titles(panes) == ["Library › Artists  3"]
        await pilot.press("l", "j")
        await until_shown(panes, "Alma Verde", "Raíces", "Alba")
        await pilot.press("l")
        await until(lambda: titles(panes) == ["Library › Alma Verde › Raíces  4"])
        await pilot.resize_terminal(80, 24)
        await until(lambda: len(titles(panes)) == 3)
        assert panes.list_of("tracks").has_focus


async def test_a_wide_terminal_shows_what_plays_beside_the_panes() -> None:
    backend = library_backend()
    backend.push(PlayerState(track=backend.views.items["track"][2], entry_id=0, status="playing"))
    app = make_app(backend)
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.pause()
        assert library_of(app).query_one(PlayingSide).size.width > 20
        await pilot.press("l", "j")
        panes = library_of(app).panes
        await until_shown(panes, "Alma Verde", "Raíces", "Alba")
        await until(lambda: lines_of(panes.list_of("tracks"))[0].startswith("▶"))


async def test_enter_plays_the_album_from_the_track_on() -> None:
    backend = library_backend()
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        panes = library_of(app).panes
        await pilot.press("l", "j")
        await until_shown(panes, "Alma Verde", "Raíces", "Alba")
        await pilot.press("l", "j", "enter")
        await until(lambda: backend.called("play_album"))
        assert backend.called("play_album") == [{"album_id": "Raíces", "start_track_id": "Raíces/Río abajo"}]


async def test_keys_typed_ahead_are_about_what_the_panes_are_going_to_show() -> None:
    backend = library_backend()
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await until(lambda: name_under(library_of(app).panes.list_of("left")))
        for key in ("j", "j", "l", "l", "j", "enter"):
            app.post_message(Key(key, key if len(key) == 1 else None))
        await until(lambda: backend.called("play_album"))
        assert backend.called("play_album") == [
            {"album_id": "Greatest Hits", "start_track_id": f"Greatest Hits/{HOSTILE[0]}"}
        ]


async def test_enter_plays_an_artist_an_album_and_a_playlist_whole() -> None:
    backend = library_backend()
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        panes = library_of(app).panes
        await until_shown(panes, "Alma Verde", "Canción de cuna", "Luna")
        await pilot.press("enter", "l", "enter")
        await until(lambda: backend.called("play_album"))
        library_of(app).action_view_playlists()
        await until(lambda: (names(panes)[0], names(panes)[2]) == ("Morning", "La sal"))
        await pilot.press("enter", "l", "j", "enter")
        await until(lambda: len(backend.called("play_playlist")) == 2)
        assert backend.called("play_artist") == [{"artist_id": "Alma Verde"}]
        assert backend.called("play_album") == [{"album_id": "Canción de cuna"}]
        assert backend.called("play_playlist") == [
            {"playlist_id": "Morning"},
            {"playlist_id": "Morning", "start_index": 1},
        ]


async def test_a_hundred_thousand_tracks_read_a_few_pages_and_play_2000_from_here() -> None:
    backend = many_tracks(100_000)
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        library_of(app).action_view_tracks()
        tracks = library_of(app).panes.list_of("tracks")
        await until(lambda: name_under(tracks) == "Track 000000")
        await pilot.press("G")
        await until(lambda: name_under(tracks) == "Track 099999")
        await pilot.press("ctrl+u", "ctrl+u", "g", "ctrl+d")
        await until(lambda: name_under(tracks) == "Track 000009")
        assert backend.views.rows_asked < 64 * 8
        await pilot.press("enter")
        await until(lambda: backend.called("play_items"))
        played = backend.called("play_items")[0]
        assert (len(played["item_ids"]), played["item_ids"][0], played["start_index"]) == (2000, "t9", 0)
        await until(lambda: app.toast is not None)
        assert app.toast is not None
        assert app.toast.text == "Playing from here: 2,000 of 100,000 tracks."


async def test_the_end_of_a_long_list_plays_with_what_stands_before_it() -> None:
    backend = many_tracks(3_000)
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        library_of(app).action_view_tracks()
        tracks = library_of(app).panes.list_of("tracks")
        await until(lambda: name_under(tracks) == "Track 000000")
        await pilot.press("G")
        await until(lambda: name_under(tracks) == "Track 002999")
        await pilot.press("enter")
        await until(lambda: backend.called("play_items"))
        played = backend.called("play_items")[0]
        assert (played["item_ids"][0], played["item_ids"][played["start_index"]]) == ("t1000", "t2999")


async def test_a_held_cursor_reads_the_panes_beside_it_once_it_rests() -> None:
    backend = many_tracks(0)
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        source = library_backend()
        artist = source.views.items["artist"][0]
        for number in range(40):
            backend.views.items["artist"].append(type(artist)(id=str(number), name=f"Artist {number}"))
        backend.push(LibraryState(version=2, artists=40, tracks=1))
        panes = library_of(app).panes
        await until(lambda: name_under(panes.list_of("left")) == "Artist 0")
        asked: list[Any] = []
        row_ids = backend.views.row_ids

        async def counted(listing: Any) -> Any:
            asked.append(listing)
            return await row_ids(listing)

        backend.views.row_ids = counted  # type: ignore[method-assign]
        for _ in range(30):
            app.post_message(Key("j", "j"))
        await until(lambda: titles(panes)[1] == "ALBUMS  Artist 30")
        assert len(asked) < 20


async def test_words_narrow_a_pane_and_escape_widens_it_with_the_cursor_on_its_item() -> None:
    backend = library_backend()
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        panes = library_of(app).panes
        await until_shown(panes, "Alma Verde", "Canción de cuna", "Luna")
        await pilot.press("L", *"null")
        await until_shown(panes, "The Null Pointers", "Greatest Hits", "Segfault")
        await pilot.press("enter")
        await until(lambda: titles(panes)[0] == "ARTISTS  “null” 1")
        await pilot.press("escape")
        await until(lambda: titles(panes)[0] == "ARTISTS  3")
        assert names(panes) == ("The Null Pointers", "Greatest Hits", "Segfault")
        await pilot.press("L", *"zzz")
        await until(lambda: panes.list_of("left").item_count == 0)
        assert "esc drops the filter" in " ".join(lines_of(panes.list_of("left")))
        await pilot.press("escape")
        await until(lambda: panes.list_of("left").item_count == 3)
        assert panes.list_of("left").has_focus


async def test_a_click_elsewhere_keeps_the_words_and_puts_the_title_back() -> None:
    app = make_app(library_backend())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        panes = library_of(app).panes
        await pilot.press("L", *"null")
        await until_shown(panes, "The Null Pointers", "Greatest Hits", "Segfault")
        await pilot.click("#tracks-list", offset=(9, 1))
        await until(lambda: titles(panes)[0] == "ARTISTS  “null” 1")
        assert panes.list_of("tracks").has_focus


async def test_a_filtered_album_plays_what_the_filter_leaves() -> None:
    backend = library_backend()
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        panes = library_of(app).panes
        await pilot.press("l", "j")
        await until_shown(panes, "Alma Verde", "Raíces", "Alba")
        await pilot.press("l", "L", *"río", "enter")
        await until(lambda: name_under(panes.list_of("tracks")) == "Río abajo")
        await pilot.press("enter")
        await until(lambda: backend.called("play_items"))
        assert backend.called("play_items") == [{"item_ids": ["Raíces/Río abajo"], "start_index": 0}]


async def test_a_new_version_of_the_library_keeps_the_cursors_on_their_items() -> None:
    backend = library_backend()
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        panes = library_of(app).panes
        await pilot.press("j", "j")
        await until_shown(panes, "The Null Pointers", "Greatest Hits", "Segfault")
        artists = backend.views.items["artist"]
        artists.insert(0, type(artists[0])(id="new", name="Aaa"))
        backend.push(LibraryState(version=2, artists=4, albums=5, tracks=18))
        await until(lambda: panes.list_of("left").item_count == 4)
        assert names(panes) == ("The Null Pointers", "Greatest Hits", "Segfault")
        assert panes.list_of("left").cursor == 3


async def test_each_view_names_what_it_shows_and_goes_round() -> None:
    app = make_app(library_backend())
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        panes = library_of(app).panes
        firsts = []

        def is_shown() -> bool:
            first = panes.view.panes[0]
            return panes.list_of(first).listing == panes.view.listings[first] and bool(titles(panes))

        for key in "vvvvvvV":
            await pilot.press(key)
            await until(is_shown)
            firsts.append((panes.view.name, titles(panes)[0]))
        assert firsts == [
            ("albums", "ALBUMS  5"),
            ("tracks", "TRACKS  18"),
            ("playlists", "PLAYLISTS  2"),
            ("favorites", "FAVOURITE ARTISTS  0"),
            ("downloaded", "DOWNLOADED ARTISTS  0"),
            ("artists", "ARTISTS  3"),
            ("downloaded", "DOWNLOADED ARTISTS  0"),
        ]


async def test_an_open_favourite_shows_its_albums_until_one_goes_back() -> None:
    backend = library_backend()
    artist = backend.views.items["artist"][1]
    backend.views.items["artist"][1] = type(artist)(id=artist.id, name=artist.name, is_favorite=True)
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        library_of(app).action_view_favorites()
        panes = library_of(app).panes
        await until(lambda: name_under(panes.list_of("left")) == artist.name)
        assert titles(panes)[1] == "FAVOURITE ALBUMS  0"
        await pilot.press("l")
        await until_shown(panes, artist.name, "Hvítt", "Snjór")
        assert panes.list_of("albums").has_focus
        await pilot.press("h", "h")
        await until(lambda: titles(panes)[1] == "FAVOURITE ALBUMS  0")


async def test_the_cell_of_a_track_says_what_its_download_is() -> None:
    backend = library_backend()
    backend.downloads = [
        download("Raíces/Alba", "completed"),
        download("Raíces/Río abajo", "completed", wanted_by="stream"),
        download("Raíces/Raíces", "downloading", progress=0.5),
        download("Raíces/La sal", "failed"),
    ]
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        panes = library_of(app).panes
        await pilot.press("l", "j")
        await until_shown(panes, "Alma Verde", "Raíces", "Alba")

        def signs() -> str:
            return "".join(line[5] for line in lines_of(panes.list_of("tracks")))

        await until(lambda: signs() == "✓·◑!")
        backend.push(DownloadEvent(type="completed", download=download("Raíces/Raíces", "completed", progress=1)))
        await until(lambda: signs() == "✓·✓!")
        assert " 3/4 " in lines_of(panes.list_of("albums"))[1]
        backend.push(DownloadEvent(type="queued", download=download("Raíces/La sal", "pending")))
        await until(lambda: "⇣ 3/4" in lines_of(panes.list_of("albums"))[1])
        backend.push(DownloadEvent(type="completed", download=download("Raíces/La sal", "completed")))
        await until(lambda: "· 4" in lines_of(panes.list_of("albums"))[1])
        title = panes.query_one("#tracks-pane PaneTitle", PaneTitle)
        assert title.button[0] == "· 4"
        backend.push(DownloadEvent(type="queued", download=download("Raíces/Río abajo", "completed")))
        await until(lambda: "✓ 4" in lines_of(panes.list_of("albums"))[1])
        assert title.button[0] == "✓ 4"


async def test_what_cannot_be_played_is_dim_while_the_server_is_away() -> None:
    backend = library_backend()
    backend.downloads = [download("Canción de cuna/Luna", "completed")]
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        tracks = library_of(app).panes.list_of("tracks")
        await until(lambda: name_under(tracks) == "Luna")

        def color(y: int, word: str) -> object:
            style = next(segment.style for segment in tracks.render_line(y) if word in segment.text)
            return style.color if style else None

        await until(lambda: "✓" in lines_of(tracks)[0])
        assert color(0, "Luna") == color(1, "Sueño")
        backend.push(ConnectionState(status="offline", reason="attic does not answer."))
        await until(lambda: color(0, "Luna") != color(1, "Sueño"))


async def test_without_colours_the_cursor_is_reversed_and_nothing_is_black_on_black(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app(library_backend())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        left = library_of(app).panes.list_of("left")
        await until(lambda: name_under(left) == "Alma Verde")
        await pilot.pause()
        bar = next(segment.style for segment in left.render_line(0) if "Alma" in segment.text)
        assert bar is not None
        assert bar.reverse
        shown = list(left.render_line(0))
        for line_filter in app.get_line_filters():
            shown = line_filter.apply(shown, app.screen.background_colors[1])
        assert all(segment.style and segment.style.color and segment.style.color.is_default for segment in shown)


async def test_a_click_goes_to_a_pane_and_a_double_click_plays() -> None:
    backend = library_backend()
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        panes = library_of(app).panes
        await until(lambda: name_under(panes.list_of("tracks")) == "Luna")
        await pilot.click("#albums-list", offset=(5, 1))
        await until_shown(panes, "Alma Verde", "Raíces", "Alba")
        assert panes.current == "albums"
        await pilot.click("#tracks-list", offset=(9, 2))
        await pilot.click("#tracks-list", offset=(9, 2), times=2)
        await until(lambda: backend.called("play_album"))
        assert backend.called("play_album") == [{"album_id": "Raíces", "start_track_id": "Raíces/Raíces"}]


async def test_an_album_of_two_discs_has_a_heading_for_each() -> None:
    app = make_app(library_backend())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        panes = library_of(app).panes
        await pilot.press("l", "j", "j")
        await until_shown(panes, "Alma Verde", "Vivo en Sevilla", "Entrada")
        tracks = panes.list_of("tracks")
        assert [line.split()[0] for line in lines_of(tracks) if "Disc" in line] == ["Disc", "Disc"]
        await pilot.press("l", "j", "j")
        assert name_under(tracks) == "Plaza"
        assert tracks.item_number == 2


async def test_f_shows_the_heart_before_the_engine_answers_and_takes_it_back_when_it_refuses() -> None:
    backend = library_backend()
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        left = library_of(app).panes.list_of("left")
        await until(lambda: name_under(left) == "Alma Verde")
        await pilot.press("f")
        await until(lambda: "♥" in lines_of(left)[0])
        refusal: JellytuiError = ServerUnreachableError("attic does not answer.")
        backend.answers["set_favorite"] = refusal
        await pilot.press("j", "f")
        await until(lambda: app.toast is not None)
        await until(lambda: "♥" not in lines_of(left)[1])


@pytest.mark.parametrize(("key", "command"), [("a", "enqueue_items"), ("E", "enqueue_items"), ("d", "download_album")])
async def test_queueing_and_downloading_take_the_item_under_the_cursor(key: str, command: str) -> None:
    backend = library_backend()
    tracks = [track for track in backend.views.items["track"] if track.album == "Raíces"]
    backend.answers["get_tracks"] = tracks
    backend.answers["enqueue_items"] = len(tracks)
    backend.answers["download_album"] = []
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        panes = library_of(app).panes
        await pilot.press("l", "j")
        await until_shown(panes, "Alma Verde", "Raíces", "Alba")
        await pilot.press(key)
        await until(lambda: app.toast is not None)
        expected = {
            "a": {"item_ids": [track.id for track in tracks], "play_next": False},
            "E": {"item_ids": [track.id for track in tracks], "play_next": True},
            "d": {"album_id": "Raíces", "user_id": "user"},
        }[key]
        assert backend.called(command) == [expected]


@pytest.mark.parametrize("columns", [36, 80])
async def test_a_long_question_takes_as_many_lines_as_it_needs_and_the_keys_stand_behind_it(columns: int) -> None:
    app = make_app(library_backend())
    async with app.run_test(size=(columns, 12)) as pilot:
        await pilot.pause()
        await app.push_screen(Confirm(f"Delete 12 downloads of {HOSTILE[0] * 9}?", "delete"))
        question = app.screen.query_one(Question)
        await until(lambda: question.size.height > 1)
        lines = question.render().plain.split("\n")
        assert len(lines) == question.size.height
        assert lines[-1].endswith("y delete  n no")
        assert "…" not in "".join(lines)
        assert max(map(cell_len, lines)) <= columns - 2


async def test_the_first_sync_is_told_in_numbers_and_what_is_there_is_shown_meanwhile() -> None:
    backend = FakeBackend()
    backend.push(SyncState(status="running", phase="tracks", done=1200, total=20000))
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        left = library_of(app).panes.list_of("left")

        def words() -> str:
            return " ".join(" ".join(lines_of(left)).split())

        await until(lambda: words() == "Reading the library: 1,200 of 20,000 tracks.")
        backend.push(SyncState(status="running", phase="artists", done=2, total=3))
        await until(lambda: words() == "Reading the library: 2 of 3 artists.")
        backend.views.items = library_backend().views.items
        backend.push(LibraryState(version=2, artists=3, albums=5, tracks=18))
        await until(lambda: name_under(left) == "Alma Verde")


async def test_an_empty_library_says_why_and_which_key_helps() -> None:
    backend = FakeBackend()
    problem = Problem(code="server_unreachable", text="attic does not answer.")
    backend.push(SyncState(status="failed", problem=problem))
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        left = library_of(app).panes.list_of("left")
        await until(lambda: "attic does not answer. u tries again." in " ".join(" ".join(lines_of(left)).split()))
        backend.push(SyncState(status="done"))
        await until(lambda: "Press u to sync." in " ".join(" ".join(lines_of(left)).split()))
        backend.push(ConnectionState(status="signed_out", reason="This server wants you to sign in again: :login"))
        await until(lambda: ":login" in " ".join(lines_of(left)))


async def test_a_paused_track_is_marked_so() -> None:
    backend = library_backend()
    track: Track = backend.views.items["track"][0]
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        tracks = library_of(app).panes.list_of("tracks")
        await until(lambda: name_under(tracks) == track.name)
        backend.push(PlayerState(track=track, entry_id=0, status="playing"))
        await until(lambda: lines_of(tracks)[0].startswith("▶"))
        backend.push(PlayerState(track=track, entry_id=0, status="paused"))
        await until(lambda: lines_of(tracks)[0].startswith("⏸"))
        backend.push(PlayerState(track=track, entry_id=0, status="stopped"))
        await until(lambda: lines_of(tracks)[0].startswith("▌"))


async def test_keys_typed_while_the_app_starts_are_not_lost() -> None:
    backend = library_backend()
    is_there = asyncio.Event()

    async def open_backend() -> FakeBackend:
        await is_there.wait()
        return backend

    app = JellytuiApp(backend=None, sign_in=None, open_backend=open_backend, settings=Settings())  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "l", "l", "enter")
        is_there.set()
        await until(lambda: backend.called("play_album"))
        assert backend.called("play_album")[0]["start_track_id"]


async def test_an_album_from_the_cache_is_said_to_stay_once_it_is_asked_for() -> None:
    backend = library_backend()
    held = [download(f"Raíces/{name}", "completed", wanted_by="album", progress=1) for name in ("Alba", "Río abajo")]
    backend.downloads = list(held)
    backend.answers["download_album"] = held
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("j", "l", "d")
        await until(lambda: app.toast is not None and app.toast.text.endswith("was in the cache; now it stays."))
