"""config.toml: defaults, values, and errors that name the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from jellytui.config import ConfigFileError, Settings, load_settings


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_a_file_the_seeds_defaults_hold(tmp_path: Path) -> None:
    cache = load_settings(tmp_path / "none.toml").cache
    assert (cache.queue_precache_enabled, cache.queue_precache_count) == (True, 5)
    assert (cache.album_affinity_enabled, cache.album_affinity_threshold) == (True, 3)
    assert (cache.storage_limit, cache.wifi_only) == (10_000_000_000, True)


def test_values_are_taken(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, '[downloads]\nconcurrency = 4\n[server]\nca_file = "/x.pem"\n'))
    assert (settings.downloads.concurrency, settings.server.ca_file) == (4, "/x.pem")
    assert settings.cache == Settings().cache


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[downloads]\nconcurency = 4\n", ["concurency", "[downloads] knows: folder, concurrency, max_rate"]),
        ("[downloads]\nconcurrency = 40\n", ["$.downloads.concurrency", "<= 8"]),
        ("[cache]\nwifi_only = 1\n", ["$.cache.wifi_only", "bool"]),
        ("[nonsense]\n", ["nonsense", "Sections: server, downloads, cache, player, screen, keys"]),
        ('[server.headers]\nX-Key = "schlüssel"\n', ["the value of X-Key", "ASCII", "$.server.headers"]),
        ('[server.headers]\nX-Key = "a\\nb"\n', ["the value of X-Key", "line breaks"]),
        ('[server.headers]\n"X Key" = "a"\n', ["'X Key' is no name of a header"]),
        ("[server.headers]\nX-Key = 4\n", ["$.server.headers", "[server] knows: ca_file, verify, headers"]),
        ("[player]\nreplaygain = 'loud'\n", ["$.player.replaygain", "album, track, off"]),
        ("[downloads\n", ["is not TOML", "line 1"]),
    ],
)
def test_a_bad_value_names_file_key_and_what_is_allowed(tmp_path: Path, text: str, words: list[str]) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigFileError) as caught:
        load_settings(file)
    assert all(word in str(caught.value) for word in [str(file), *words])
