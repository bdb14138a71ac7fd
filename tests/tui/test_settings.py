"""Settings: config.toml is changed a value at a time, and nothing else in it."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Static

from jellytui.config import load_settings
from jellytui.engine.errors import UsageError
from jellytui.settings_file import CannotEditError, Value, set_value, with_value
from jellytui.tui.screens.settings import ITEMS, Item, SettingsScreen, value_of
from tests.tui.music import library_backend, make_app

ITEMS_ONLY = [item for item in ITEMS if isinstance(item, Item)]

FILE = """# mine
[player]
audio_output = "null"   # no sound here

[cache]
# ten is not enough
storage_limit = 20_000_000_000  # bytes

[keys]
download = "ctrl+d"
"""


def test_a_value_is_changed_in_its_line_and_everything_else_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(FILE, encoding="utf-8")
    settings = set_value(path, "cache", "storage_limit", 5_000_000_000)
    assert settings.cache.storage_limit == 5_000_000_000
    assert path.read_text(encoding="utf-8") == FILE.replace("20_000_000_000 ", "5_000_000_000 ")


def test_a_value_that_is_not_there_goes_below_its_section(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(FILE, encoding="utf-8")
    set_value(path, "cache", "wifi_only", False)
    assert path.read_text(encoding="utf-8") == FILE.replace("[cache]\n", "[cache]\nwifi_only = false\n")


def test_a_missing_file_and_a_missing_section_are_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    set_value(path, "downloads", "concurrency", 4)
    set_value(path, "screen", "theme", "nord")
    assert load_settings(path).downloads.concurrency == 4
    assert load_settings(path).screen.theme == "nord"
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "text",
    [
        "cache = { wifi_only = true }\n",
        "cache.wifi_only = true\n",
        '["cache"]\nwifi_only = true\n',
        "[cache]\nwifi_only = true # a\n[cache]\n",
        "[cache\n",
    ],
)
def test_a_layout_that_is_not_understood_is_left_alone_and_says_what_to_write(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CannotEditError, match=r"wifi_only = false below \[cache\]"):
        set_value(path, "cache", "wifi_only", False)
    assert path.read_text(encoding="utf-8") == text


def test_a_link_stays_a_link_and_the_mode_stays(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text(FILE, encoding="utf-8")
    real.chmod(0o644)
    link = tmp_path / "config.toml"
    link.symlink_to(real)
    set_value(link, "cache", "wifi_only", False)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o644
    assert load_settings(link).cache.wifi_only is False


@given(
    st.lists(
        st.sampled_from(["[cache]", "[player]", "[screen]", "# [cache]", "", "x = 1", 'y = "[cache]"']), max_size=8
    ),
    st.one_of(st.booleans(), st.integers(0, 10**12), st.text(st.characters(codec="ascii", categories=["L", "P"]))),
)
def test_whatever_can_be_read_says_the_new_value_afterwards_or_is_not_touched(lines: list[str], value: Value) -> None:
    text = "\n".join(lines)
    try:
        before = tomllib.loads(text)
        after = tomllib.loads(with_value(text, "cache", "storage_limit", value))
    except tomllib.TOMLDecodeError:
        return  # `set_value` refuses it
    assert after.setdefault("cache", {}).pop("storage_limit") == value
    before.setdefault("cache", {})
    assert after == before


def test_the_six_settings_of_the_cache_are_there() -> None:
    keys = {item.key for item in ITEMS_ONLY if item.section == "cache"}
    assert keys == {
        "queue_precache_enabled",
        "queue_precache_count",
        "album_affinity_enabled",
        "album_affinity_threshold",
        "storage_limit",
        "wifi_only",
    }


def test_each_value_that_can_be_chosen_is_one_that_the_file_may_have(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    for item in ITEMS_ONLY:
        for value in item.values:
            assert value_of(set_value(path, item.section, item.key, value), item) == value


def test_a_value_between_the_steps_goes_to_the_next_one() -> None:
    limit = next(item for item in ITEMS_ONLY if item.key == "storage_limit")
    assert limit.next_value(15_000_000_000, 1) == 20_000_000_000
    assert limit.next_value(15_000_000_000, -1) == 10_000_000_000
    assert limit.next_value(limit.values[-1], 1) == limit.values[-1]


async def test_f2_shows_the_settings_and_a_key_writes_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JELLYTUI_HOME", str(tmp_path))
    backend = library_backend()
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("f2")
        assert isinstance(app.screen, SettingsScreen)
        await pilot.press("right")
        await pilot.pause()
        assert load_settings(tmp_path / "config" / "config.toml").cache.queue_precache_enabled is False
        assert app.settings.cache.queue_precache_enabled is False
        assert backend.called("set_cache_settings") == [{"queue_precache_enabled": False}]
        assert "It counts from now on" in str(app.screen.query_one("#settings-note", Static).content)
        await pilot.press("escape")
        assert app.current_mode == "library"


async def test_an_engine_that_does_not_take_a_setting_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JELLYTUI_HOME", str(tmp_path))
    backend = library_backend()
    backend.answers["set_cache_settings"] = UsageError("There is no command 'set_cache_settings'.")
    app = make_app(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("f2", "right")
        await pilot.pause()
        note = str(app.screen.query_one("#settings-note", Static).content)
        assert "It counts from the next start on: There is no command" in note
        assert app.settings.cache.queue_precache_enabled is False
