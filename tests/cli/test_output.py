"""Words and numbers on the command line."""

from __future__ import annotations

import json

import pytest

from jellytui.cli.output import clock_time, count, describe, print_downloads, print_items, print_json
from jellytui.engine.models import Album, DownloadInfo, Track


@pytest.mark.parametrize(("number", "words"), [(0, "0 tracks"), (1, "1 track"), (1204, "1,204 tracks")])
def test_numbers_agree_with_their_nouns(number: int, words: str) -> None:
    assert count(number, "track") == words


@pytest.mark.parametrize(
    ("milliseconds", "words"), [(0, "0:00"), (59_999, "0:59"), (222_000, "3:42"), (4_180_000, "1:09:40")]
)
def test_times_are_minutes_and_seconds(milliseconds: int, words: str) -> None:
    assert clock_time(milliseconds) == words


def test_an_item_is_told_by_what_one_knows_it_by() -> None:
    track = Track(id="t", name="Alba", album="Raíces", artists=("Alma Verde", "Guest"))
    album = Album(id="a", name="Raíces", artists=("Alma Verde",), year=2021, track_count=11)
    assert describe(track) == "Alba · Alma Verde, Guest · Raíces"
    assert describe(album) == "Raíces (2021) · Alma Verde · 11 tracks"


def test_a_listing_is_one_json_document_with_the_names_scripts_need(capsys: pytest.CaptureFixture[str]) -> None:
    print_json([Track(id="t", name="Alba"), DownloadInfo(id=7, item_id="t", user_id="u")])
    track, row = json.loads(capsys.readouterr().out)
    assert {"id", "type", "name", "album", "artists"} <= track.keys()
    assert track["type"] == "track"
    assert list(row)[:15] == [
        "id",
        "item_id",
        "user_id",
        "file_path",
        "file_size",
        "mime_type",
        "status",
        "progress",
        "bytes_downloaded",
        "priority",
        "error_message",
        "retry_count",
        "queued_at",
        "started_at",
        "completed_at",
    ]


def test_lines_begin_with_the_id(capsys: pytest.CaptureFixture[str]) -> None:
    print_items([Track(id="t1", name="Alba")])
    row = DownloadInfo(id=7, item_id="t", user_id="u", status="failed", name="Alba", error_message="gone")
    print_downloads([row])
    first, second = capsys.readouterr().out.splitlines()
    assert first == "t1  Alba"
    assert second.split() == ["7", "failed", "Alba", "·", "gone"]
