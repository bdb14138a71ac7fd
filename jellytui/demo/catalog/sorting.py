"""In which order a list stands, and which part of it is asked for (jellyfin-api.md 5.2)."""

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from jellytui.demo.library import NEVER, DemoAlbum, DemoItem, DemoTrack
from jellytui.demo.sources.names import cleaned
from jellytui.demo.state.userdata import UserData
from jellytui.demo.state.users import User
from jellytui.demo.wire.query import Query
from jellytui.demo.wire.replies import TextError
from jellytui.demo.world import World

SORT_KEYS = frozenset(
    {
        "Default", "AiredEpisodeOrder", "Album", "AlbumArtist", "Artist", "DateCreated", "OfficialRating", "DatePlayed",
        "PremiereDate", "StartDate", "SortName", "Name", "Random", "Runtime", "CommunityRating", "ProductionYear",
        "PlayCount", "CriticRating", "IsFolder", "IsUnplayed", "IsPlayed", "SeriesSortName", "VideoBitRate", "AirTime",
        "Studio", "IsFavoriteOrLiked", "DateLastContentAdded", "SeriesDatePlayed", "ParentIndexNumber", "IndexNumber",
    }
)  # fmt: skip
_ORDERS = frozenset({"Ascending", "Descending"})

Key = Callable[[DemoItem], Any]


_OF_THE_USER = frozenset({"DatePlayed", "PlayCount", "IsPlayed", "IsUnplayed", "IsFavoriteOrLiked"})


def group_in_order(group: str, world: World, query: Query) -> Sequence[DemoItem] | None:
    """A whole group of the library as the query wants it sorted, where the library keeps orders; else None."""
    keys, orders = _asked(query)
    if "Random" in keys or _OF_THE_USER & set(keys):
        return None
    directions = [orders[min(place, len(orders) - 1)] if orders else "Ascending" for place in range(len(keys))]
    name = ",".join(key if way == "Ascending" else f"-{key}" for key, way in zip(keys, directions, strict=True))

    def compute(items: Sequence[DemoItem]) -> list[int]:
        functions = [_key(key, world, None) for key in keys]
        rows = [((item.sort_name, item.id), *(function(item) for function in functions)) for item in items]
        numbers = sorted(range(len(items)), key=lambda number: rows[number][0])
        for place in reversed(range(len(keys))):
            values = [row[place + 1] for row in rows]
            numbers.sort(key=values.__getitem__, reverse=directions[place] != "Ascending")
        return numbers

    return world.library.in_order(group, name, compute)


def _asked(query: Query) -> tuple[list[str], list[str]]:
    """Keys and orders. Raises 400 text for more orders than keys."""
    keys, orders = query.enums("sortBy", SORT_KEYS), query.enums("sortOrder", _ORDERS)
    if len(query.listed("sortOrder")) > max(len(query.listed("sortBy")), 0):
        raise TextError(400)
    return (keys, orders) if keys else (["SortName"], [])


def sort_items(items: Iterable[DemoItem], world: World, query: Query, user: User | None) -> list[DemoItem]:
    """The items as `sortBy` and `sortOrder` say. Raises 400 text for more orders than keys."""
    keys, orders = _asked(query)
    if query.text("searchTerm") and world.emulation.is_12:
        keys, orders = ["SortName"], []
    if not query.enums("sortBy", SORT_KEYS) and query.guids("ids"):
        return list(items)
    found = sorted(items, key=lambda item: (item.sort_name, item.id))
    if "Random" in keys:
        random.shuffle(found)
        return found
    for place in reversed(range(len(keys))):
        order = orders[min(place, len(orders) - 1)] if orders else "Ascending"
        found.sort(key=_key(keys[place], world, user), reverse=order == "Descending")
    return found


def cut(items: Sequence[DemoItem], query: Query) -> tuple[list[DemoItem], int, int]:
    """The asked page, the total and the start that are told. Negative numbers mean nothing (2.2)."""
    start, limit = query.integer("startIndex", 0) or 0, query.integer("limit")
    first = max(start, 0)
    last = len(items) if limit is None or limit < 0 else first + limit
    shown = list(items[first:last])
    total = len(shown) if query.boolean("enableTotalRecordCount") is False else len(items)
    return shown, total, start


def _key(name: str, world: World, user: User | None) -> Key:
    user_id, data = user.id if user else "", world.user_data
    shown = cleaned if world.emulation.is_12 else str.lower
    simple: dict[str, Key] = {
        "SortName": lambda item: item.sort_name,
        "Name": lambda item: shown(item.name),
        "DateCreated": lambda item: item.created,
        "DateLastContentAdded": lambda item: item.created,
        "IsFolder": lambda item: isinstance(item, DemoTrack),
        "DatePlayed": lambda item: _played_at(data.get(user_id, item.id)),
        "PlayCount": lambda item: (data.has(user_id, item.id), data.get(user_id, item.id).play_count),
        "IsPlayed": lambda item: data.get(user_id, item.id).played,
        "IsUnplayed": lambda item: not data.get(user_id, item.id).played,
        "IsFavoriteOrLiked": lambda item: data.get(user_id, item.id).favorite,
        "Album": lambda item: (item.album or "") if isinstance(item, DemoTrack) else "",
        "Artist": lambda item: shown(_first(item, "artists")),
        "AlbumArtist": lambda item: shown(_first(item, "album_artists")),
        "PremiereDate": lambda item: getattr(item, "premiere", None) or NEVER,
        "ProductionYear": lambda item: getattr(item, "year", None) or 0,
        "Runtime": lambda item: getattr(item, "run_time_ticks", None) or 0,
        "ParentIndexNumber": lambda item: _number(item, "disc"),
        "IndexNumber": lambda item: _number(item, "index"),
    }
    return simple.get(name, lambda _: 0)


def _played_at(data: UserData) -> tuple[bool, datetime]:
    return data.last_played is not None, data.last_played or NEVER  # what has no date comes before the year 1


def _first(item: DemoItem, credit: str) -> str:
    names: list[str] = getattr(item, credit) if isinstance(item, DemoTrack | DemoAlbum) else []
    return names[0] if names else ""


def _number(item: DemoItem, name: str) -> int:
    number: int | None = getattr(item, name, None)
    return -1 if number is None else number
