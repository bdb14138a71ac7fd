"""Deleting and cancelling downloads: the same on every screen, undone with one key, safe at every end of the app."""

import msgspec
import pytest

from jellytui.engine.errors import ServerUnreachableError
from jellytui.engine.models import DownloadInfo, DownloadStatus
from jellytui.tui import removals
from jellytui.tui.app import JellytuiApp
from jellytui.tui.downloads.bands import DownloadTabs
from jellytui.tui.downloads.download_list import DownloadList
from jellytui.tui.library.panes import LibraryPanes
from jellytui.tui.screens.confirm import Confirm
from tests.support.fake_backend import FakeBackend
from tests.support.waiting import until
from tests.tui.music import download, library_backend, library_of, lines_of, make_app

ALBUM = "Raíces"
SONGS = ("Alba", "Río abajo", "Raíces", "La sal")


def backend_with(status: DownloadStatus, *names: str) -> FakeBackend:
    """The library with downloads of that album's tracks, all asked for by the user."""
    backend = library_backend()
    rows = (download(f"{ALBUM}/{name}", status) for name in names)
    backend.downloads = [msgspec.structs.replace(row, album=ALBUM) for row in rows]
    tracks = backend.views.items["track"]
    backend.answers["get_tracks"] = lambda scope, item_id: [track for track in tracks if track.album == item_id]

    def chosen(download_ids: list[int]) -> list[DownloadInfo]:
        return [row for row in backend.downloads if row.id in download_ids]

    backend.answers |= {"pause_downloads": chosen, "resume_downloads": chosen}
    backend.answers["download_item"] = lambda item_id, user_id, file_path=None: next(
        row for row in backend.downloads if row.item_id == item_id
    )
    return backend


def ids(backend: FakeBackend) -> list[int]:
    return sorted(row.id for row in backend.downloads)


async def show_album(app: JellytuiApp) -> LibraryPanes:
    """Puts the library's cursors on the album and its first track, the focus among the tracks."""
    await until(lambda: app.session is not None and bool(app.session.downloads.downloads))
    album = await library_of(app).session.backend.views.item("album", ALBUM)
    assert album is not None
    await library_of(app).open_item(album)
    return library_of(app).panes


def says(app: JellytuiApp, words: str) -> bool:
    return app.toast is not None and words in app.toast.text


async def test_a_deletion_in_the_library_asks_nothing_and_shows_at_once_and_can_be_undone_on_another_screen() -> None:
    backend = backend_with("completed", *SONGS)
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        tracks = (await show_album(app)).list_of("tracks")
        await until(lambda: sum("✓" in line for line in lines_of(tracks)) == 4)
        await pilot.press("h", "D")
        await until(lambda: says(app, f"{ALBUM}: 4 downloads deleted. Undo with U."))
        assert not isinstance(app.screen, Confirm)
        await until(lambda: not any("✓" in line for line in lines_of(tracks)))
        await pilot.press("2", "tab")
        await until(lambda: bool(app.screen.query(DownloadTabs)))
        assert app.screen.query_one(DownloadTabs).counts[1] == "0"
        await pilot.press("U")
        await until(lambda: says(app, "4 downloads back: nothing was deleted."))
        await until(lambda: app.screen.query_one(DownloadTabs).counts[1] == "4")
        assert not backend.called("delete_downloads")


async def test_what_is_being_deleted_is_not_among_the_downloaded() -> None:
    backend = backend_with("completed", "Alba", "La sal")
    backend.views.downloaded = {f"{ALBUM}/Alba", f"{ALBUM}/La sal", ALBUM}
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await until(lambda: app.session is not None and len(app.session.downloads.downloads) == 2)
        await pilot.press("V")
        panes = library_of(app).panes
        await until(lambda: panes.list_of("tracks").item_count == 2)
        await pilot.press("tab", "tab", "D")
        await until(lambda: panes.list_of("tracks").item_count == 1)
        assert panes.list_of("albums").item_count == 1
        await pilot.press("D")
        await until(lambda: panes.list_of("albums").item_count == 0)


async def test_a_deletion_is_done_once_it_can_no_longer_be_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removals, "UNDO_SECONDS", 0.05)
    backend = backend_with("completed", "Alba", "La sal")
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2", "tab", "g", "D")
        await until(lambda: backend.called("delete_downloads"))
        assert backend.called("delete_downloads") == [{"download_ids": ids(backend)}]
        await pilot.press("U")
        await until(lambda: says(app, "nothing to undo"))


async def test_the_next_deletion_is_the_end_of_the_first_one() -> None:
    backend = backend_with("completed", "Alba", "La sal")
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2", "tab", "D", "D")
        await until(lambda: len(backend.called("delete_downloads")) == 1)
        await pilot.press("U")
        await until(lambda: app.screen.query_one(DownloadTabs).counts[1] == "1")


async def test_asking_for_a_track_again_takes_it_out_of_what_is_deleted() -> None:
    backend = backend_with("completed", *SONGS)
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        tracks = (await show_album(app)).list_of("tracks")
        await pilot.press("h", "D", "l", "d")
        await until(lambda: sum("✓" in line for line in lines_of(tracks)) == 1)
        await until(lambda: says(app, "Alba is here already."))
        await pilot.press("q")
        await until(lambda: not app.is_running)
    kept = next(row.id for row in backend.downloads if row.name.endswith("Alba"))
    assert backend.called("delete_downloads") == [{"download_ids": [one for one in ids(backend) if one != kept]}]


async def test_a_deleted_playlist_is_followed_no_more_but_not_before_that_is_certain() -> None:
    backend = backend_with("completed", "Alba")
    backend.answers["get_tracks"] = [backend.views.items["track"][2]]
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: app.session is not None and bool(app.session.downloads.downloads))
        await pilot.press("v", "v", "v")
        await until(lambda: library_of(app).panes.list_of("left").item_count == 2)
        await pilot.press("D")
        await until(lambda: says(app, "deleted"))
        assert not backend.called("unfollow_playlist")
        await pilot.press("q")
        await until(lambda: not app.is_running)
    assert backend.called("unfollow_playlist") == [{"playlist_id": "Morning", "user_id": "user"}]
    assert backend.called("delete_downloads")


async def test_a_dropped_session_keeps_the_files() -> None:
    backend = backend_with("completed", "Alba")
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2", "tab", "D")
        await until(lambda: says(app, "deleted"))
        app.exit()  # as the handler of SIGHUP and SIGTERM does
    assert not backend.called("delete_downloads")


async def test_what_cannot_be_deleted_is_back_with_the_reason() -> None:
    backend = backend_with("completed", "Alba", "La sal")
    backend.answers["delete_downloads"] = ServerUnreachableError("The engine is gone.")
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2", "tab", "D", "D")
        await until(lambda: says(app, "The engine is gone."))
        await until(lambda: app.screen.query_one(DownloadTabs).counts[1] == "1")


async def test_a_cancelled_album_stands_still_and_goes_on_when_that_is_undone() -> None:
    backend = backend_with("pending", *SONGS)
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2", "g", "x")
        await until(lambda: says(app, f"{ALBUM}: 4 downloads cancelled. Undo with U."))
        assert app.screen.query_one(DownloadList).row_count == 0
        await until(lambda: backend.called("pause_downloads"))
        await pilot.press("U")
        await until(lambda: backend.called("resume_downloads"))
        assert backend.called("resume_downloads") == [{"download_ids": ids(backend)}]
        assert not backend.called("cancel_downloads")
        await pilot.press("x", "q")
        await until(lambda: not app.is_running)
    assert len(backend.called("cancel_downloads")) == 1


async def test_a_dropped_session_lets_go_on_what_was_just_cancelled() -> None:
    backend = backend_with("pending", "Alba")
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2", "x")
        await until(lambda: backend.called("pause_downloads"))
        app.exit()
    assert backend.called("resume_downloads") == [{"download_ids": ids(backend)}]
    assert not backend.called("cancel_downloads")
