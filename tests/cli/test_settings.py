"""Settings as they are typed: what each may be, in words."""

from __future__ import annotations

import pytest

from jellytui.cli.settings import values_of
from jellytui.config import CacheSettings
from jellytui.engine.errors import UsageError

A_SIZE = "a number of bytes, 0 or more, or as 500MB or 1.5GB"


def test_switches_and_numbers_are_read() -> None:
    pairs = ["wifi_only=false", "storage_limit=10_000_000_000", "queue_precache_count=0"]
    assert values_of("cache", pairs) == {
        "wifi_only": False,
        "storage_limit": 10_000_000_000,
        "queue_precache_count": 0,
    }
    assert values_of("downloads", ["max_rate=5", "concurrency=8"]) == {"max_rate": 5, "concurrency": 8}


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("60MB", 60_000_000),
        ("10GB", 10_000_000_000),
        ("1.5 GB", 1_500_000_000),
        ("1.1t", 1_100_000_000_000),
        ("512 kB", 512_000),
        ("500MiB", 524_288_000),
        ("2Gi", 2_147_483_648),
    ],
)
def test_sizes_are_taken_as_people_write_them(text: str, size: int) -> None:
    assert values_of("cache", [f"storage_limit={text}"]) == {"storage_limit": size}
    assert values_of("downloads", [f"max_rate={text}/s" if size else "max_rate=0"]) == {"max_rate": size}


@pytest.mark.parametrize("text", ["on", "yes", "true", "off", "no", "false", "ON"])
def test_switches_are_taken_as_people_write_them(text: str) -> None:
    assert values_of("cache", [f"wifi_only={text}"]) == {"wifi_only": text.lower() in ("on", "yes", "true")}


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("foo=1", f"There is no setting 'foo' here. There are: {', '.join(CacheSettings.__struct_fields__)}."),
        ("wifi_only=5", "wifi_only takes on or off, not '5'."),
        ("wifi_only", "wifi_only takes on or off."),
        ("queue_precache_count=101", "queue_precache_count takes a number from 0 to 100, not '101'."),
        ("album_affinity_threshold=0", "album_affinity_threshold takes a number from 1 to 100, not '0'."),
        ("queue_precache_count=true", "queue_precache_count takes a number from 0 to 100, not 'true'."),
        ("queue_precache_count=5k", "queue_precache_count takes a number from 0 to 100, not '5k'."),
        *(
            (f"storage_limit={text}", f"storage_limit takes {A_SIZE}, not '{text}'.")
            for text in ("5XB", "-1", "1,5GB", "GB", str(2**63), "99999999TB")
        ),
    ],
)
def test_what_a_setting_may_be_is_said_where_it_is_not(pair: str, words: str) -> None:
    with pytest.raises(UsageError) as raised:
        values_of("cache", ["wifi_only=true", pair])
    assert raised.value.text == words


def test_what_no_command_can_change_is_no_setting_here() -> None:
    with pytest.raises(UsageError, match="There are: concurrency, max_rate"):
        values_of("downloads", ["folder=5"])
