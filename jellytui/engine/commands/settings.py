"""The verbs of settings that count at once. They hold until the engine ends: config.toml is written by whoever asks."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from jellytui.config import Settings
from jellytui.engine.services import Services


async def set_cache_settings(
    services: Services,
    queue_precache_enabled: bool | None = None,
    queue_precache_count: Annotated[int, Meta(ge=0, le=100)] | None = None,
    album_affinity_enabled: bool | None = None,
    album_affinity_threshold: Annotated[int, Meta(ge=1, le=100)] | None = None,
    storage_limit: Annotated[int, Meta(ge=0)] | None = None,
    wifi_only: bool | None = None,
) -> None:
    """Let the cache go by other settings from now on; what is not given stays."""
    given = {
        "queue_precache_enabled": queue_precache_enabled,
        "queue_precache_count": queue_precache_count,
        "album_affinity_enabled": album_affinity_enabled,
        "album_affinity_threshold": album_affinity_threshold,
        "storage_limit": storage_limit,
        "wifi_only": wifi_only,
    }
    settings = services.downloads.settings
    await _take(services, replace(settings, cache=replace(settings.cache, **_without_none(given))))


async def set_download_settings(
    services: Services,
    concurrency: Annotated[int, Meta(ge=1, le=8)] | None = None,
    max_rate: Annotated[int, Meta(ge=0)] | None = None,
) -> None:
    """Download so many files at once, or not faster, from now on; what is not given stays."""
    given = _without_none({"concurrency": concurrency, "max_rate": max_rate})
    settings = services.downloads.settings
    await _take(services, replace(settings, downloads=replace(settings.downloads, **given)))


async def _take(services: Services, settings: Settings) -> None:
    services.player.take_settings(settings)
    services.cache.take_settings(settings)
    await services.downloads.take_settings(settings)
    services.cache.on_queue_changed(services.player.window)


def _without_none(given: dict[str, int | None]) -> dict[str, int]:
    return {name: value for name, value in given.items() if value is not None}


COMMANDS = (set_cache_settings, set_download_settings)
