"""Settings as they are typed: what each may be, in words."""

from __future__ import annotations

import pytest

from jellytui.cli.settings import values_of
from jellytui.config import CacheSettings
from jellytui.engine.errors import UsageError


def test_switches_and_numbers_are_read() -> None:
    pairs = ["wifi_only=false", "storage_limit=10_000_000_000", "queue_precache_count=0"]
    assert values_of("cache", pairs) == {
        "wifi_only": False,
        "storage_limit": 10_000_000_000,
        "queue_precache_count": 0,
    }
    assert values_of("downloads", ["max_rate=5", "concurrency=8"]) == {"max_rate": 5, "concurrency": 8}


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("foo=1", f"There is no setting 'foo' here. There are: {', '.join(CacheSettings.__struct_fields__)}."),
        ("wifi_only=5", "wifi_only takes true or false, not '5'."),
        ("wifi_only", "wifi_only takes true or false."),
        ("queue_precache_count=101", "queue_precache_count takes a number from 0 to 100, not '101'."),
        ("album_affinity_threshold=0", "album_affinity_threshold takes a number from 1 to 100, not '0'."),
        ("queue_precache_count=true", "queue_precache_count takes a number from 0 to 100, not 'true'."),
        ("storage_limit=5GB", "storage_limit takes a number of bytes, 0 or more, not '5GB'."),
        ("storage_limit=-1", "storage_limit takes a number of bytes, 0 or more, not '-1'."),
        (f"storage_limit={2**63}", f"storage_limit takes a number of bytes, 0 or more, not '{2**63}'."),
    ],
)
def test_what_a_setting_may_be_is_said_where_it_is_not(pair: str, words: str) -> None:
    with pytest.raises(UsageError) as raised:
        values_of("cache", ["wifi_only=true", pair])
    assert raised.value.text == words


def test_what_no_command_can_change_is_no_setting_here() -> None:
    with pytest.raises(UsageError, match="There are: concurrency, max_rate"):
        values_of("downloads", ["folder=5"])
