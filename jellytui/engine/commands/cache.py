"""The verbs of the smart cache: seen and steered."""

from __future__ import annotations

from jellytui.engine.commands.registry import cancellable
from jellytui.engine.models import CacheStep, CacheUse
from jellytui.engine.services import Services


@cancellable
async def get_cache(services: Services) -> CacheUse:
    """What the cache holds by origin, its limit, and what it was good for."""
    return await services.cache.use()


@cancellable
async def plan_cache(services: Services) -> list[CacheStep]:
    """What the cache would fetch, stop or remove now, what it leaves, and why; does nothing."""
    return await services.cache.plan()


async def clear_cache(services: Services) -> int:
    """Remove what only the cache wants, but for what is being read; returns how many bytes went."""
    return await services.cache.clear()


async def keep_cached(services: Services, item_ids: list[str]) -> list[int]:
    """Make cached tracks one's own, so that they never go by themselves; returns the numbers of their downloads."""
    return await services.cache.keep(item_ids)


COMMANDS = (get_cache, plan_cache, clear_cache, keep_cached)
