"""The smart cache (seed, Smart Caching Engine): what a person is about to want is already here."""

from jellytui.engine.downloads.cache.asks import CacheDownloads
from jellytui.engine.downloads.cache.policy import CacheConfig
from jellytui.engine.downloads.cache.smart import SmartCache

__all__ = ["CacheConfig", "CacheDownloads", "SmartCache"]
