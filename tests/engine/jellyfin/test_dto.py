"""Decoding what no server should send: nothing raises, nothing dangerous gets through."""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jellytui.engine.jellyfin import dto

UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
# fmt: off
KEYS = [
    "Id", "Name", "Album", "AlbumId", "AlbumArtist", "AlbumArtists", "Artists", "ArtistItems", "ParentIndexNumber",
    "IndexNumber", "RunTimeTicks", "ProductionYear", "Genres", "Container", "UserData", "HasLyrics", "ImageTags",
    "AlbumPrimaryImageTag", "NormalizationGain", "AlbumNormalizationGain", "DateCreated", "SortName", "Etag",
    "MediaType", "Type", "PlaylistItemId", "MediaSources", "Policy", "CollectionType", "Lyrics", "PlayCount",
    "LastPlayedDate", "IsFavorite", "Played",
]
# fmt: on
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**30, -(10**30), 10**400])
    | st.floats()
    | st.text("aé \x1b\u202e\ud800", max_size=8)
    | st.sampled_from(["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00Z", "2024-02-30", "\x1b]0;x\x07", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=12,
)
DECODERS = [dto.track, dto.album, dto.artist, dto.playlist, dto.playlist_entry, dto.media_facts, dto.music_library]


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    return [text for inner in value for text in texts(inner)] if isinstance(value, list | tuple) else []


def numbers(value: Any) -> list[float]:
    if isinstance(value, int | float):
        return [value]
    if isinstance(value, dict):
        return [number for inner in value.values() for number in numbers(inner)]
    return []


@given(st.dictionaries(st.sampled_from(KEYS), ODD, max_size=12))
def test_no_item_can_fail_its_page_or_steer_a_terminal(item: dict[str, Any]) -> None:
    for decode in DECODERS:
        found = dto.items({"Items": [item, {"Id": "a"}, None, 3]}, decode)
        for each in found:
            plain = msgspec.structs.asdict(each)
            assert not [text for text in texts(plain) if UNSAFE.search(text)]
            # What SQLite and JSON can hold.
            assert all(math.isfinite(number) and abs(number) < 2**63 for number in numbers(plain))


@given(ODD)
def test_no_answer_can_fail_its_reader(answer: Any) -> None:
    assert dto.items(answer, dto.track) is not None
    assert dto.lyrics(answer, "id").item_id == "id"
    assert dto.user_data(answer, "id").item_id == "id"
    assert dto.user_info(dto.record(answer)).can_download in (True, False)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-02T18:04:11.0000000Z", "2024-03-02T18:04:11.000000Z"),
        ("2024-03-02T18:04:11.1234567Z", "2024-03-02T18:04:11.123456Z"),
        ("2024-03-02T18:04:11", "2024-03-02T18:04:11.000000Z"),
        ("2024-03-02T18:04:11+02:00", "2024-03-02T16:04:11.000000Z"),
        ("0001-01-01T00:00:00.0000000Z", None),
        ("9999-12-31T23:59:59-23:59", None),
        ("yesterday", None),
        (1709402651, None),
    ],
)
def test_dates_become_text_whose_order_is_time(text: object, moment: str | None) -> None:
    assert dto.date(text) == moment
