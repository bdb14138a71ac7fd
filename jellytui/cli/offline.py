"""offline items, offline search and offline has."""

from __future__ import annotations

from argparse import Namespace

from jellytui.cli.output import print_items, print_json
from jellytui.cli.run import Session
from jellytui.engine.errors import NotFoundError


async def items(session: Session, arguments: Namespace) -> int:
    """Lists the tracks that play without the server."""
    backend = await session.backend()
    tracks = await backend.call("offline_get_items", user_id=backend.account.user_id)
    print_json(tracks) if arguments.json else print_items(tracks)
    return 0


async def search(session: Session, arguments: Namespace) -> int:
    """Searches the tracks that play without the server."""
    backend = await session.backend()
    query = " ".join(arguments.words)
    tracks = await backend.call("offline_search", user_id=backend.account.user_id, query=query)
    print_json(tracks) if arguments.json else print_items(tracks)
    return 0


async def has(session: Session, arguments: Namespace) -> int:
    """Whether a track plays without the server; also as the exit code, for scripts."""
    backend = await session.backend()
    is_here: bool = await backend.call("offline_is_available", item_id=arguments.id)
    if arguments.json:
        print_json({"id": arguments.id, "available": is_here})
    elif is_here:
        print("yes")
    return 0 if is_here else NotFoundError.exit_code
