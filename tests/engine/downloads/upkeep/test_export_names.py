"""Names that every file system takes, whatever a server calls its music."""

from __future__ import annotations

import unicodedata

from hypothesis import example, given, settings
from hypothesis import strategies as st

from jellytui.engine.downloads.upkeep.export.names import (
    LONGEST_BYTES,
    album_folder,
    artist_folder,
    folded,
    safe_name,
    track_file,
)
from jellytui.engine.models import Track

RESERVED = {"con", "prn", "aux", "nul", "clock$", "conin$", "conout$"} | {
    f"{device}{number}" for device in ("com", "lpt") for number in "0123456789¹²³"
}
HOSTILE = st.one_of(
    st.text(max_size=300),
    st.text(alphabet='./\\:*?"<>| \u202e\u0000\x1b\tA\u0301', max_size=40),
    st.sampled_from(["..", ".", "", " ", "CON", "con.txt", "LPT1 ", "COM¹", "nul.", "aux .x", "𝔄" * 200, "ö" * 200]),
)


@given(text=HOSTILE, ending=st.sampled_from(["", ".flac", " (1999)", ".mp3"]), number=st.integers(1, 12_345))
@example(text="a" * 134 + "e\u0301" * 9, ending=".flac", number=1)
@example(text="con", ending=".flac", number=1)
@settings(max_examples=400, deadline=None)
def test_a_safe_name_is_one_plain_component_everywhere(text: str, ending: str, number: int) -> None:
    name = safe_name(text, ending, number=number)

    assert 0 < len(name.encode()) <= LONGEST_BYTES
    assert not set(name) & set('<>:"/\\|?*')
    assert name not in (".", "..")
    assert not name.startswith((".", " "))
    assert not name.endswith((".", " "))
    assert name.partition(".")[0].rstrip().casefold() not in RESERVED
    assert unicodedata.is_normalized("NFC", name)
    assert not [sign for sign in name if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")]
    assert name.endswith(ending)
    assert safe_name(text, ending, number=number) == name


@given(text=HOSTILE, number=st.integers(2, 1000))
@settings(max_examples=200, deadline=None)
def test_a_number_makes_another_name_however_long_it_is(text: str, number: int) -> None:
    first, other = safe_name(text, ".flac"), safe_name(text, ".flac", number=number)
    assert folded(first) != folded(other)
    assert f"({number})" in other


def test_names_that_need_no_change_have_none() -> None:
    track = Track(
        id="a", name="So What?", album="Kind of Blue", album_artist="Miles Davis", year=1959, disc=1, number=1
    )
    assert artist_folder(track) == "Miles Davis"
    assert album_folder(track) == "Kind of Blue (1959)"
    assert track_file(track, ".flac", has_discs=False) == "01 - So What_.flac"
    assert track_file(track, ".flac", has_discs=True) == "1-01 - So What_.flac"
    assert album_folder(track, 2) == "Kind of Blue (1959) (2)"


def test_what_has_no_name_gets_one() -> None:
    track = Track(id="abc", name="\u202e\x00", album="...", artists=(" ",))
    assert artist_folder(track) == "Unknown artist"
    assert album_folder(track) == "Unknown album"
    assert track_file(track, ".mp3", has_discs=True) == "abc.mp3"
