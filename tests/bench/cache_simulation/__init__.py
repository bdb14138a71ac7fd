"""What the cache is worth: seeded histories of listening, played against no cache, a plain LRU, ours and a clairvoyant.

Ninety days each of three people with 24,000 tracks and 10 GB: whole albums, the same few albums again and again,
shuffles of favourites, radio over everything, skips. Between two starts the link brings 20 Mbit/s. A play counts as a
hit when its file is complete on the disk as it starts; "next 5" is the share of the five entries to come that are, so
what would still play if the network went away now. Bytes and rounds are those of one person's ninety days.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import reduce
from operator import add

import msgspec

from jellytui.engine.downloads.cache.policy import TUNING, CacheConfig, Tuning
from tests.bench.cache_simulation.listening import DAYS, Listener, Play
from tests.bench.cache_simulation.ways import (
    Outcome,
    clairvoyant,
    clairvoyant_ahead,
    least_recently_used,
    nothing,
    ours,
)

SEEDS = (6, 7, 8)
DAY = timedelta(days=1)

Way = Callable[[list[Play], Listener], Outcome]


def run() -> None:
    """Prints a line for each way, then what the policy's own choices change."""
    people = [(list(listener.history()), listener) for listener in map(Listener, SEEDS)]
    config = CacheConfig()
    limit = config.storage_limit
    plays = sum(len(plays) for plays, _ in people)
    print(f"{len(people)} people, {plays} plays in {DAYS} days, {limit / 1e9:.0f} GB of cache each")

    def show(name: str, way: Way) -> Outcome:
        outcome = reduce(add, (way(plays, listener) for plays, listener in people))
        print(_line(outcome, name))
        return outcome

    show("no cache", lambda plays, listener: nothing(plays, listener.sizes))
    show("plain LRU of what was streamed", lambda plays, listener: least_recently_used(plays, listener.sizes, limit))
    outcome = show("ours", _ours(config))
    show("clairvoyant, fetching nothing ahead", lambda plays, listener: clairvoyant(plays, listener.sizes, limit))
    show("clairvoyant, fetching ahead", lambda plays, listener: clairvoyant_ahead(plays, listener.sizes, limit))
    print(f"ours decided {outcome.decisions / outcome.seconds:,.0f} times a second, the world included")

    small = msgspec.structs.replace(config, storage_limit=limit // 10)
    for name, changed in (
        ("queue only", msgspec.structs.replace(config, album_affinity_enabled=False)),
        ("album only", msgspec.structs.replace(config, queue_precache_enabled=False)),
        ("1 GB", small),
        ("300 MB", msgspec.structs.replace(config, storage_limit=300_000_000)),
    ):
        show(f"  {name}", _ours(changed))
    show("  1 GB, albums of any size", _ours(small, replace(TUNING, largest_album=1.0)))
    for name, tuning in (
        ("down to 100 %", replace(TUNING, low_water=1.0)),
        ("down to 95 %", replace(TUNING, low_water=0.95)),
        ("down to 80 %", replace(TUNING, low_water=0.8)),
        ("not again for an hour", replace(TUNING, not_again_for=DAY / 24)),
        ("not again for a week", replace(TUNING, not_again_for=7 * DAY)),
        ("album plays count for 1 day", replace(TUNING, album_memory=DAY)),
        ("album plays count for 30 days", replace(TUNING, album_memory=30 * DAY)),
        ("album plays count for ever", replace(TUNING, album_memory=9999 * DAY)),
    ):
        show(f"  {name}", _ours(config, tuning))
    print("with work on the queue during one of seven plays, followed once it stood still for")
    for wait_s in (0.0, 0.5, 1.0, 2.0, 4.0, 8.0):
        show(f"  {wait_s:g} s", _ours(config, replace(TUNING, debounce_s=wait_s), is_edited=True))


def _ours(config: CacheConfig, tuning: Tuning = TUNING, *, is_edited: bool = False) -> Way:
    """Ours, by these settings, by people who leave the queue alone or who edit it."""

    def way(plays: list[Play], listener: Listener) -> Outcome:
        return ours(listener.edited(plays) if is_edited else plays, listener, config, tuning)

    return way


def _line(outcome: Outcome, name: str) -> str:
    ahead = f"{outcome.ahead_here / outcome.ahead:6.1%}" if outcome.ahead_here else "     -"
    one = len(SEEDS)
    line = (
        f"{name:<36} hits {outcome.hits / outcome.plays:6.1%}  next 5 {ahead}"
        f"  fetched {outcome.fetched / one / 1e9:6.1f} GB  twice {outcome.again / one / 1e9:6.1f}"
        f"  evicted {outcome.evicted / one / 1e9:6.1f} in {outcome.rounds // one:5d} rounds"
    )
    if outcome.decisions:
        line += f"  stopped after {outcome.dropped / one / 1e9:5.2f}, {outcome.decisions // one:6d} decisions"
    return line
