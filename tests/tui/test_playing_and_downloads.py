"""Downloads, now playing, queue and player bar in the running app on a backend in memory."""

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Static

from jellytui.config import Settings
from jellytui.engine.events import ConnectionState, DownloadEvent, DownloadsState, PlayerState, QueueState
from jellytui.engine.models import DownloadInfo, DownloadsSummary, LyricLine, Lyrics, QueueEntry, QueuePage, Track
from jellytui.tui.app import JellytuiApp
from jellytui.tui.downloads.download_list import DownloadList
from jellytui.tui.palette import Palette
from jellytui.tui.widgets.cover import Cover
from jellytui.tui.widgets.download_button import md
from jellytui.tui.widgets.lyrics import LyricsView, line_at
from jellytui.tui.widgets.player_bar import PlayerBar
from jellytui.tui.widgets.playing_parts import Heading, Transport, lines_of
from jellytui.tui.widgets.queue_list import QueueList
from jellytui.tui.widgets.top_bar import TopBar
from tests.support.fake_backend import FakeBackend
from tests.support.waiting import until

HOSTILE = "[/Live] 夜の音楽隊 e\u0301 [bold]x"


def make_backend(folder: Path) -> FakeBackend:
    from PIL import Image

    picture = folder / "cover.png"
    image = Image.linear_gradient("L").resize((64, 64))
    Image.merge("RGB", (image, image.rotate(90), Image.new("L", (64, 64), 90))).save(picture)
    names = ("La sal", "Piedra y viento", "Interludio", HOSTILE)
    tracks = [
        Track(id=f"t{n}", name=name, album="Raíces", artists=("Alma Verde",), number=n, duration_ms=200_000,
              year=2021, image_item_id="a", image_tag="x")
        for n, name in enumerate(names, start=1)
    ]  # fmt: skip
    backend = FakeBackend(tracks=tracks)
    backend.downloads = [
        DownloadInfo(
            id=n, item_id=f"t{n}", user_id="user", name=track.name, album="Raíces", album_id="a",
            artists=("Alma Verde",), status="downloading" if n < 3 else "pending", progress=0.6 / n,
            file_size=31_000_000, bytes_downloaded=18_000_000 // n, bytes_per_second=4e6 if n < 3 else 0,
        )
        for n, track in enumerate(tracks, start=1)
    ]  # fmt: skip
    entries = tuple(QueueEntry(entry_id=n, track=track) for n, track in enumerate(tracks))
    backend.answers["get_queue"] = lambda start=0, limit=200: QueuePage(
        version=1, start=start, length=4, current_index=0, entries=entries[start : start + limit]
    )
    backend.answers["get_cover"] = str(picture)
    words = ("Vine por el camino viejo", "con la tierra en los zapatos", "y el río me dijo al oído")
    backend.answers["get_lyrics"] = lambda item_id: Lyrics(
        item_id=item_id, lines=tuple(LyricLine(text=text, start_ms=n * 5000) for n, text in enumerate(words))
    )
    backend.push(
        PlayerState(track=tracks[0], entry_id=0, status="playing", position_ms=7_000, duration_ms=200_000,
                    codec="flac", sample_rate_hz=44_100, bit_depth=16, source="disk", gain_db=-6.3),
        QueueState(version=1, length=4, current_index=0, remaining_ms=800_000),
        DownloadsState(summary=DownloadsSummary(active_count=2, queued_count=2, bytes_per_second=8e6,
                       bytes_downloaded=61_200_000, bytes_total=140_800_000, user_bytes=41_000_000_000)),
    )  # fmt: skip
    return backend


def make_app(backend: FakeBackend) -> JellytuiApp:
    async def open_backend() -> FakeBackend:
        return backend

    return JellytuiApp(backend=backend, sign_in=None, open_backend=open_backend, settings=Settings())  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (40, 12)])
@pytest.mark.parametrize("key", ["2", "3", "4"])
async def test_each_screen_stands_at_each_size_with_hostile_names(
    size: tuple[int, int], key: str, tmp_path: Path
) -> None:
    app = make_app(make_backend(tmp_path))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press(key)
        await pilot.pause()
        assert app.screen.query("TopBar")
        assert not app.screen.query(Static).filter("#problem")


async def test_p_pauses_the_download_under_the_cursor_and_progress_keeps_it_there(tmp_path: Path) -> None:
    backend = make_backend(tmp_path)
    backend.answers["pause_downloads"] = lambda download_ids: [backend.downloads[number - 1] for number in download_ids]
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2", "down", "p")
        while not backend.called("pause_downloads"):
            await pilot.pause()
        assert backend.called("pause_downloads") == [{"download_ids": [2]}]
        backend.push(DownloadEvent(type="removed", download=backend.downloads[0]))
        while app.session is not None and 1 in app.session.downloads.downloads:
            await pilot.pause()
        row = app.screen.query_one(DownloadList).download
        assert row is not None
        assert row.id == 2


async def test_the_queue_removes_and_moves_the_entry_under_the_cursor(tmp_path: Path) -> None:
    backend = make_backend(tmp_path)
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("4")
        while app.screen.query_one(QueueList).entry is None or not app.screen.query_one(QueueList).row_count:
            await pilot.pause()
        await pilot.press("J", "D")
        while not backend.called("remove_queue_entries"):
            await pilot.pause()
        assert backend.called("move_queue_entry") == [{"entry_id": 0, "to_index": 1}]
        assert backend.called("remove_queue_entries") == [{"entry_ids": [0]}]


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_a_stall_says_what_is_awaited_on_every_screen(size: tuple[int, int], tmp_path: Path) -> None:
    backend = make_backend(tmp_path)
    app = make_app(backend)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        track = backend.views.items["track"][0]
        backend.push(PlayerState(track=track, status="stalled", duration_ms=1, waiting_for="waits for attic"))
        for key in ("1", "2", "3", "4"):
            await pilot.press(key)
            await until(lambda: "waits" in app.export_screenshot(simplify=True))


async def test_now_playing_says_in_full_what_the_other_screens_say_in_short(tmp_path: Path) -> None:
    reason = "jellytui demo does not answer in time. Is it on, and reachable from here?"
    backend = make_backend(tmp_path)
    app = make_app(backend)
    track = backend.views.items["track"][0]
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("3")
        awaited = app.screen.query_one(Transport)
        backend.push(PlayerState(track=track, status="stalled", waiting_for="waits for jellytui demo"))
        await until(lambda: awaited.render_line(0).text.strip() == "◌ waits for jellytui demo")
        backend.push(ConnectionState(status="offline", server_name="jellytui demo", reason=reason))
        await until(lambda: awaited.render_line(0).text.strip() == f"◌ {reason}")
        backend.push(ConnectionState(status="offline", server_name="jellytui demo", reason=reason * 2))
        await until(lambda: awaited.render_line(0).text.strip() == "◌ waits for jellytui demo")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (None, "d download"),
        ({"status": "pending"}, "⇣ waiting to come down"),
        ({"status": "downloading", "progress": 0.519}, "◑ coming down, 51 %"),
        ({"status": "completed"}, "✓ on this machine"),
        ({"status": "completed", "wanted_by": (), "origin": "queue"}, "· in the cache · d keeps it"),
        ({"status": "paused"}, "⏸ paused"),
        ({"status": "failed"}, "! failed · d tries again"),
    ],
)
async def test_the_download_button_says_its_state_in_words(
    row: dict[str, Any] | None, words: str, tmp_path: Path
) -> None:
    backend = make_backend(tmp_path)
    facts = {"id": 1, "item_id": "t1", "user_id": "user", "wanted_by": ("user",)}
    backend.downloads = [] if row is None else [DownloadInfo(**{**facts, **row})]
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("3")
        await until(lambda: app.screen.query(Heading))
        await until(lambda: str(app.screen.query_one("#heading", Heading).button.render()) == words)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((0, 0, 0), "d download"),
        ((0, 0, 9), "d download"),
        ((4, 2, 11), "⇣ 4/11"),
        ((4, 0, 11), "4/11"),
        ((9, 0, 9), "✓ 9"),
    ],
)
def test_an_album_s_button_counts(counts: tuple[int, int, int], words: str) -> None:
    assert md(*counts)[0] == words


async def test_the_lyrics_follow_the_song_until_one_scrolls_and_again_with_a_key(tmp_path: Path) -> None:
    backend = make_backend(tmp_path)
    backend.answers["get_lyrics"] = lambda item_id: Lyrics(
        item_id=item_id, lines=tuple(LyricLine(text=f"line {n}", start_ms=n * 1000) for n in range(60))
    )
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("3")
        words = app.screen.query_one(LyricsView)

        def seen() -> list[str]:
            return [words.render_line(y).text.strip() for y in range(words.size.height)]

        track = backend.views.items["track"][0]

        def play_at(position_ms: int) -> None:
            backend.push(
                PlayerState(track=track, entry_id=0, status="playing", position_ms=position_ms, duration_ms=60_000)
            )

        play_at(30_000)
        await until(lambda: "▸ line 30" in seen())
        await pilot.press("j")
        play_at(50_000)
        await until(lambda: app.session is not None and app.session.player.state.position_ms == 50_000)
        await pilot.pause()
        assert "▸ line 50" not in seen()
        await pilot.press("l")
        await until(lambda: "▸ line 50" in seen())


def test_facts_break_between_facts() -> None:
    assert lines_of("FLAC 44.1 kHz 16 bit · from disk · gain −6.3 dB", 28) == [
        "FLAC 44.1 kHz 16 bit", "from disk · gain −6.3 dB",
    ]  # fmt: skip


def test_the_sung_line_is_the_last_that_has_begun() -> None:
    lyrics = Lyrics(item_id="t", lines=(LyricLine(text="a", start_ms=1000), LyricLine(text="b", start_ms=2000)))
    assert [line_at(lyrics, at) for at in (0, 1000, 1999, 2000)] == [-1, 0, 0, 1]


async def test_what_was_out_of_reach_is_asked_for_once_the_server_is_back(tmp_path: Path) -> None:
    backend = make_backend(tmp_path)
    picture = backend.answers["get_cover"]
    backend.answers["get_cover"] = None
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        backend.push(ConnectionState(status="offline", server_name="attic"))
        await pilot.press("3")
        await until(lambda: backend.called("get_lyrics"))
        backend.answers["get_cover"] = picture
        asked = len(backend.called("get_cover"))
        backend.push(ConnectionState(status="online", server_name="attic"))
        await until(lambda: len(backend.called("get_cover")) > asked)
        await until(lambda: "▀" in app.screen.query_one(Cover).render_line(0).text)


async def test_the_player_bar_goes_on_below_the_palette(tmp_path: Path) -> None:
    backend = make_backend(tmp_path)
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3", "colon")
        assert isinstance(app.screen, Palette)
        bar = app.screen_stack[-2].query_one(PlayerBar)
        track = backend.answers["get_queue"]().entries[0].track
        backend.push(PlayerState(track=track, entry_id=0, status="playing", position_ms=99_000, duration_ms=200_000))
        await until(lambda: "1:39" in bar.render_line(0).text)


@pytest.mark.parametrize("columns", [140, 60])
async def test_a_click_on_a_tab_goes_to_its_screen_also_where_only_its_number_has_room(
    columns: int, tmp_path: Path
) -> None:
    app = make_app(make_backend(tmp_path))
    async with app.run_test(size=(columns, 24)) as pilot:
        await pilot.pause()
        bar = app.screen.query_one(TopBar)
        await pilot.click(TopBar, offset=(bar.render_line(0).text.index("3"), 0))
        await until(lambda: app.current_mode == "playing")
