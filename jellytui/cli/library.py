"""sync, search and favorite; show, lyrics and cover of one item."""

from __future__ import annotations

import asyncio
from argparse import Namespace

from jellytui.cli.output import ProgressLine, clock_time, count, describe, print_items, print_json, say
from jellytui.cli.run import Session
from jellytui.engine.backend import Backend
from jellytui.engine.errors import NotFoundError, error_types
from jellytui.engine.events import SyncState
from jellytui.engine.models import Item, Lyrics, SearchResults, Track


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


async def show(session: Session, arguments: Namespace) -> int:
    """Shows an item, and the tracks of an album, artist or playlist."""
    backend = await session.backend()
    item: Item = await backend.call("get_item", item_id=arguments.id)
    tracks: list[Track] = []
    if not isinstance(item, Track):
        scope = type(item).__name__.lower()
        tracks = await backend.call("get_tracks", scope=scope, item_id=item.id)
    if arguments.json:
        print_json([item, *tracks])
        return 0
    print(f"{item.id}  {describe(item)}")
    for track in tracks:
        print(f"{track.id}  {describe(track)}  {clock_time(track.duration_ms)}")
    return 0


async def lyrics(session: Session, arguments: Namespace) -> int:
    """Prints the words of a track; exits with 5 when it has none."""
    backend = await session.backend()
    track: Item = await backend.call("get_item", item_id=arguments.id)
    words: Lyrics = await backend.call("get_lyrics", item_id=track.id)
    if arguments.json:
        print_json(words)
    else:
        for line in words.lines:
            print(line.text)
    if not words.lines:
        say(f"{track.name} has no lyrics.")
        return NotFoundError.exit_code
    return 0


async def cover(session: Session, arguments: Namespace) -> int:
    """Prints the path of an item's cover; exits with 5 when there is none."""
    backend = await session.backend()
    item: Item = await backend.call("get_item", item_id=arguments.id)
    path: str | None = await backend.call("get_cover", item_id=item.image_item_id, tag=item.image_tag)
    if path is None:
        raise NotFoundError(f"{item.name} has no cover, or the server is away.")
    print(path)
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
