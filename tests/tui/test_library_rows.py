"""Rows of the library fill their room to the cell, whatever the names and however little room there is."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from jellytui.engine.events import ConnectionState, DownloadEvent, PlayerState
from jellytui.engine.models import Album, Artist, Playlist, Track
from jellytui.tui.library.rows import album_track_row, download_sign, row, track_row
from jellytui.tui.session import Session
from jellytui.tui.widgets.download_button import md
from jellytui.tui.widgets.virtual_list import Cell
from tests.support.fake_backend import FakeBackend
from tests.tui.music import HOSTILE, download

NAMES = (*HOSTILE, "", "A name that is far longer than any list of any terminal could ever show " * 3)


def text(cells: list[Cell]) -> str:
    return "".join(words for words, _ in cells)


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_exactly_as_wide_as_its_room(name: str) -> None:
    session = Session(FakeBackend())
    session.downloads.apply(DownloadEvent(type="queued", download=download("al/t", "pending")))
    items = (
        Artist(id="a", name=name, album_count=1234, is_favorite=True),
        Playlist(id="p", name=name, track_count=12),
        Album(id="al", name=name, artists=(name, name), year=2021, track_count=100, duration_ms=36_000_000),
        Track(id="al/t", name=name, album=name, artists=(name,), number=123, duration_ms=36_000_000),
    )
    for room in range(24, 140):
        for item in items:
            assert cell_len(text(row(session, item, room))) == room, (item, room)
        assert cell_len(text(track_row(session, items[3], room, show_download=False))) == room


@pytest.mark.parametrize("shows_download", [True, False])
def test_an_album_s_track_names_a_guest_but_not_the_album_s_own_artist(shows_download: bool) -> None:
    session = Session(FakeBackend())
    own = Track(id="1", name="Alba", artists=("Alma Verde",), album_artist="Alma Verde", number=1)
    guest = Track(id="2", name="Río", artists=("Niña",), album_artist="Alma Verde", number=2)
    rows = [text(album_track_row(session, track, 50, show_download=shows_download)) for track in (own, guest)]
    assert ("Alma" in rows[0], "Niña" in rows[1]) == (False, True)
    assert [cell_len(line) for line in rows] == [50, 50]


@pytest.mark.parametrize(
    ("wanted_by", "sign"),
    [("user", "✓"), ("favorites", "✓"), ("playlist:p", "✓"), ("stream", "·"), ("queue", "·"), ("album", "·")],
)
def test_what_the_cache_alone_keeps_looks_different_from_what_somebody_wants(wanted_by: str, sign: str) -> None:
    session = Session(FakeBackend())
    session.downloads.apply(DownloadEvent(type="completed", download=download("t", "completed", wanted_by=wanted_by)))
    assert download_sign(session, "t")[0] == sign


def test_what_a_followed_list_let_go_is_the_cache_s_whoever_asked_for_it_first() -> None:
    session = Session(FakeBackend())
    let_go = replace(download("t", "completed"), origin="user", wanted_by=())
    session.downloads.apply(DownloadEvent(type="completed", download=let_go))
    assert download_sign(session, "t")[0] == "·"


@pytest.mark.parametrize(
    ("wants", "words"),
    [
        (("user", "user"), "✓ 2"),
        (("user", "queue"), "· 2"),
        (("queue", "stream"), "· 2"),
        (("user",), "  1/2"),
        (("queue",), "  1/2"),
    ],
)
def test_an_album_says_like_its_tracks_whether_the_cache_may_take_some_of_it(wants: Sequence[str], words: str) -> None:
    session = Session(FakeBackend())
    for number, wanted_by in enumerate(wants):
        session.downloads.apply(
            DownloadEvent(type="completed", download=download(f"al/{number}", "completed", wanted_by=wanted_by))
        )
    assert words in text(row(session, Album(id="al", name="Raíces", track_count=2), 60))
    button = md(*session.downloads.album_counts("al"), is_cached=session.downloads.is_album_cached("al"))[0]
    assert button == (words.strip() if len(wants) == 2 else "✓ 1" if wants == ("user",) else "· 1")


def test_a_track_is_lit_while_it_plays_and_dim_while_it_cannot() -> None:
    session = Session(FakeBackend())
    track = Track(id="t", name="Alba")

    def role() -> str:
        return next(role for words, role in track_row(session, track, 40) if "Alba" in words)

    assert role() == ""
    session.connection.apply(ConnectionState(status="offline"))
    assert role() == "dim"
    session.player.apply(PlayerState(track=track, status="playing"))
    assert role() == "accent"
