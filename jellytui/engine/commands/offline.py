"""The verbs of being offline (seed, Offline Commands): what plays without the server."""

from __future__ import annotations

from jellytui.engine.commands.account import check_user
from jellytui.engine.commands.registry import cancellable
from jellytui.engine.models import Track
from jellytui.engine.services import Services


@cancellable
async def offline_is_available(services: Services, item_id: str) -> bool:
    """Whether a track plays without the server."""
    return await services.downloads.offline.is_available(item_id)


@cancellable
async def offline_get_items(services: Services, user_id: str) -> list[Track]:
    """All tracks that play without the server, by artist and album."""
    check_user(services, user_id)
    return await services.downloads.offline.items()


@cancellable
async def offline_search(services: Services, user_id: str, query: str) -> list[Track]:
    """The tracks that play without the server of which some word begins with each word of the query."""
    check_user(services, user_id)
    return await services.downloads.offline.search(query)


COMMANDS = (offline_is_available, offline_get_items, offline_search)
