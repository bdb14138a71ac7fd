"""sync, search and favorite."""

from __future__ import annotations

import asyncio
from argparse import Namespace

from jellytui.cli.output import ProgressLine, count, print_items, print_json, say
from jellytui.cli.run import Session
from jellytui.engine.backend import Backend
from jellytui.engine.errors import error_types
from jellytui.engine.events import SyncState
from jellytui.engine.models import Item, SearchResults


async def sync(session: Session, arguments: Namespace) -> int:
    """Brings the mirror up to date and waits for it."""
    backend = await session.backend()
    await backend.call("sync_library", full=arguments.full)
    watching = asyncio.create_task(_show_progress(backend))
    try:
        state: SyncState = await backend.call("await_sync")
    except asyncio.CancelledError:
        await backend.call("cancel_sync")
        raise
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    if arguments.json:
        print_json(state)
    if state.problem is not None:
        say(state.problem.text)
        return error_types()[state.problem.code].exit_code
    if not arguments.json:
        print(f"The library is up to date: {count(state.total, 'track')}.")
    return 0


async def search(session: Session, arguments: Namespace) -> int:
    """Searches the mirror; needs no server."""
    backend = await session.backend()
    query = " ".join(arguments.words)
    results: SearchResults = await backend.call("search_library", query=query, limit=arguments.limit)
    items: list[Item] = [*results.artists, *results.albums, *results.playlists, *results.tracks]
    if arguments.json:
        print_json(items)
    else:
        print_items(items)
    if not items:
        say(f"Nothing is called {query!r} here. `jellytui sync` brings the library up to date.")
    return 0


async def favorite(session: Session, arguments: Namespace) -> int:
    """Makes items favourites, or none any more; offline the server hears of it later."""
    backend = await session.backend()
    for item_id in arguments.ids:
        await backend.call("set_favorite", item_id=item_id, is_favorite=not arguments.remove)
    return 0


async def _show_progress(backend: Backend) -> None:
    line = ProgressLine()
    try:
        async with backend.events([SyncState]) as events:
            async for event in events:
                if isinstance(event, SyncState) and event.status == "running":
                    line.show(event.done, event.total, event.phase)
    finally:
        line.end()
