"""What the cache is worth: seeded histories of listening, played against no cache, a plain LRU, ours and a clairvoyant.

Ninety days of somebody with 24,000 tracks and 10 GB: whole albums, the same few albums again and again, shuffles of
favourites, radio over everything, skips. Between two starts the link brings 20 Mbit/s. A play counts as a hit when its
file is complete on the disk as it starts; "next 5" is the share of the five entries to come that are, so what would
still play if the network went away now.
"""

from __future__ import annotations

import random
import time
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import msgspec

from jellytui.engine.downloads.cache.policy import TUNING, CacheConfig, Tuning
from jellytui.engine.models import Track
from tests.support.cache_world import CacheWorld

ALBUMS = 2000
DAYS = 90
SKIPPED_SHARE = 0.2
"""How much of a skipped track has come when it is skipped."""
LINK_BYTES_PER_SECOND = 2_500_000
SKIPPED_AFTER_S = 12.0


@dataclass(frozen=True)
class Play:
    """One start: of which track, what follows in the queue, how long after the last start, and is it skipped?"""

    track: Track
    upcoming: tuple[Track, ...]
    previous: str
    pause_s: float
    is_skipped: bool


@dataclass
class Listener:
    """A library, and somebody with habits."""

    seed: int
    albums: dict[str, list[Track]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        for number in range(ALBUMS):
            album_id = f"a{number}"
            # Half of it lossless, as such libraries are.
            bits_per_ms = self._random.choice([256, 320, 850, 950])
            tracks = [
                Track(
                    id=f"{album_id}t{place}",
                    name="",
                    album_id=album_id,
                    duration_ms=int(self._random.lognormvariate(12.3, 0.35)),
                )
                for place in range(self._random.randint(6, 18))
            ]
            self.albums[album_id] = tracks
            self.sizes |= {track.id: track.duration_ms * bits_per_ms // 8 for track in tracks}
        self._all = [track for tracks in self.albums.values() for track in tracks]
        self._favorites = self._random.sample(self._all, 300)

    def history(self) -> Iterator[Play]:
        """Sessions, two to five a day; what is loved drifts."""
        loved = self._random.sample(sorted(self.albums), 12)
        for _ in range(DAYS):
            if self._random.random() < 0.15:
                loved[self._random.randrange(len(loved))] = self._random.choice(sorted(self.albums))
            for _ in range(self._random.randint(2, 5)):
                yield from self._session(loved)

    def _session(self, loved: Sequence[str]) -> Iterator[Play]:
        kind = self._random.choices(["album", "again", "favorites", "radio", "track"], [25, 30, 20, 15, 10])[0]
        skips = 0.05
        if kind == "album":
            queue = self.albums[self._random.choice(sorted(self.albums))]
        elif kind == "again":
            queue = self.albums[self._random.choice(loved)]
        elif kind == "favorites":
            queue, skips = self._random.sample(self._favorites, 30), 0.25
        elif kind == "radio":
            queue, skips = self._random.sample(self._all, 40), 0.35
        else:
            queue = [self._random.choice(self.albums[self._random.choice(loved)])] * self._random.randint(1, 4)
        length = self._random.randint(max(1, len(queue) // 3), len(queue))
        pause_s = self._random.uniform(3, 8) * 3600
        for place, track in enumerate(queue[:length]):
            is_skipped = self._random.random() < skips
            previous = queue[place - 1].id if place else ""
            yield Play(track, tuple(queue[place + 1 : place + 6]), previous, pause_s, is_skipped)
            pause_s = SKIPPED_AFTER_S if is_skipped else track.duration_ms / 1000


@dataclass
class Outcome:
    """Sums over one history; bytes."""

    plays: int = 0
    hits: int = 0
    ahead: int = 0
    ahead_here: int = 0
    fetched: int = 0
    again: int = 0
    evicted: int = 0
    rounds: int = 0
    seconds: float = 0.0

    def line(self, name: str) -> str:
        ahead = f"{self.ahead_here / self.ahead:6.1%}" if self.ahead_here else "     -"
        return (
            f"{name:<34} hits {self.hits / self.plays:6.1%}  next 5 {ahead}  fetched {self.fetched / 1e9:6.1f} GB"
            f"  twice {self.again / 1e9:6.1f}  evicted {self.evicted / 1e9:6.1f} in {self.rounds:5d} rounds"
        )


def nothing(plays: Sequence[Play], sizes: Mapping[str, int]) -> Outcome:
    """Each play is streamed."""
    outcome = Outcome(plays=len(plays))
    seen: set[str] = set()
    for play in plays:
        size = int(sizes[play.track.id] * (SKIPPED_SHARE if play.is_skipped else 1))
        outcome.fetched += size
        outcome.again += size if play.track.id in seen else 0
        seen.add(play.track.id)
    return outcome


def least_recently_used(plays: Sequence[Play], sizes: Mapping[str, int], limit: int) -> Outcome:
    """What was streamed stays, until it is the longest unplayed."""
    outcome = Outcome(plays=len(plays))
    here: OrderedDict[str, int] = OrderedDict()
    seen: set[str] = set()
    used = 0
    for play in plays:
        item_id, size = play.track.id, sizes[play.track.id]
        outcome.ahead += len(play.upcoming)
        outcome.ahead_here += sum(track.id in here for track in play.upcoming)
        if item_id in here:
            outcome.hits += 1
            here.move_to_end(item_id)
            continue
        came = int(size * SKIPPED_SHARE) if play.is_skipped else size
        outcome.fetched += came
        outcome.again += came if item_id in seen else 0
        seen.add(item_id)
        if play.is_skipped:
            continue
        here[item_id] = size
        used += size
        outcome.rounds += used > limit
        while used > limit:
            gone = here.popitem(last=False)[1]
            used -= gone
            outcome.evicted += gone
    return outcome


def clairvoyant(plays: Sequence[Play], sizes: Mapping[str, int], limit: int) -> Outcome:
    """Keeps what is played again the soonest (Belady); fetches nothing ahead: with its knowledge all could be here."""
    outcome = Outcome(plays=len(plays))
    places: dict[str, list[int]] = defaultdict(list)
    for place, play in enumerate(plays):
        places[play.track.id].append(place)
    here: dict[str, int] = {}
    seen: set[str] = set()
    used = 0
    for play in plays:
        item_id, size = play.track.id, sizes[play.track.id]
        places[item_id].pop(0)
        following = places[item_id][0] if places[item_id] else len(plays)
        if item_id in here:
            outcome.hits += 1
        else:
            came = int(size * SKIPPED_SHARE) if play.is_skipped else size
            outcome.fetched += came
            outcome.again += came if item_id in seen else 0
            seen.add(item_id)
            if play.is_skipped:
                continue
            used += size
        here[item_id] = following
        outcome.rounds += used > limit
        while used > limit:
            farthest = max(here, key=lambda one: here[one])
            used -= sizes[farthest]
            outcome.evicted += sizes[farthest]
            del here[farthest]
    return outcome


def clairvoyant_ahead(plays: Sequence[Play], sizes: Mapping[str, int], limit: int) -> Outcome:
    """The optimum: it knows the future, and fetches what comes next over the same link while nothing else does."""
    outcome = Outcome(plays=len(plays))
    following = _following(plays)
    here: dict[str, int] = {}
    """When each file is played next."""
    parts: dict[str, int] = defaultdict(int)
    seen: set[str] = set()
    used = 0
    for place, play in enumerate(plays):
        budget = int(play.pause_s * LINK_BYTES_PER_SECOND)
        for ahead in range(place, len(plays)):
            item_id = plays[ahead].track.id
            if item_id in here:
                continue
            size = sizes[item_id]
            while used + size > limit and here and here[farthest := max(here, key=lambda one: here[one])] > ahead:
                used -= sizes[farthest]
                outcome.evicted += sizes[farthest]
                del here[farthest]
            came = min(budget, size - parts[item_id])
            if used + size > limit or not came:
                break
            budget -= came
            parts[item_id] += came
            outcome.fetched += came
            outcome.again += came if item_id in seen else 0
            if parts[item_id] < size:
                break
            del parts[item_id]
            seen.add(item_id)
            here[item_id] = ahead
            used += size
        outcome.ahead += len(play.upcoming)
        outcome.ahead_here += sum(track.id in here for track in play.upcoming)
        if play.track.id in here:
            outcome.hits += 1
            here[play.track.id] = following[place]
        elif not play.is_skipped:  # the rest is streamed, and comes for the next time if there is one
            outcome.fetched += sizes[play.track.id] - parts[play.track.id]
    return outcome


def _following(plays: Sequence[Play]) -> list[int]:
    """For each play, when its track is played next; the number of plays where it is not."""
    following, last = [len(plays)] * len(plays), dict[str, int]()
    for place in range(len(plays) - 1, -1, -1):
        following[place] = last.get(plays[place].track.id, len(plays))
        last[plays[place].track.id] = place
    return following


def ours(plays: Sequence[Play], listener: Listener, config: CacheConfig, tuning: Tuning = TUNING) -> Outcome:
    """The policy, with a link of so many bytes a second between two starts."""
    world = CacheWorld(sizes=listener.sizes, albums=listener.albums, config=config, tuning=tuning)
    outcome = Outcome(plays=len(plays))
    begin = time.perf_counter()
    before: Play | None = None
    for play in plays:
        world.pass_time(play.pause_s)
        world.transfer(int(play.pause_s * LINK_BYTES_PER_SECOND))
        if before is not None and not before.is_skipped:
            world.play(before.track)
            world.transfer(int(play.pause_s * LINK_BYTES_PER_SECOND / 2))
        outcome.hits += world.is_here(play.track.id)
        outcome.ahead += len(play.upcoming)
        outcome.ahead_here += sum(world.is_here(track.id) for track in play.upcoming)
        world.start(play.track, play.upcoming, play.previous)
        if play.is_skipped and not world.is_here(play.track.id):
            share = int(world.sizes[play.track.id] * SKIPPED_SHARE)
            row = world.rows[play.track.id]
            if row.bytes_here < share:
                world.receive(play.track.id, share - row.bytes_here)
            # Nobody listens any more, so nobody fetches the rest (issue 6: it stays as a part).
            world.pause(play.track.id)
        before = play
    outcome.seconds = time.perf_counter() - begin
    tally = world.tally
    outcome.fetched, outcome.again = tally.fetched, tally.fetched_again
    outcome.evicted, outcome.rounds = tally.evicted, tally.rounds
    return outcome


def run() -> None:
    """Prints a line for each way, then what the policy's own choices change."""
    listener = Listener(seed=6)
    plays = list(listener.history())
    config = CacheConfig()
    limit = config.storage_limit
    played = sum(listener.sizes[play.track.id] for play in plays)
    print(f"{len(plays)} plays in {DAYS} days, {played / 1e9:.0f} GB played, {limit / 1e9:.0f} GB of cache")
    print(nothing(plays, listener.sizes).line("no cache"))
    print(least_recently_used(plays, listener.sizes, limit).line("plain LRU of what was streamed"))
    outcome = ours(plays, listener, config)
    print(outcome.line("ours"))
    print(clairvoyant(plays, listener.sizes, limit).line("clairvoyant, without fetching ahead"))
    print(clairvoyant_ahead(plays, listener.sizes, limit).line("clairvoyant, fetching ahead"))
    print(f"ours decided {len(plays) * 3 / outcome.seconds:,.0f} times a second, the world included")
    day = timedelta(days=1)
    for name, changed in (
        ("queue only", msgspec.structs.replace(config, album_affinity_enabled=False)),
        ("album only", msgspec.structs.replace(config, queue_precache_enabled=False)),
        ("1 GB", msgspec.structs.replace(config, storage_limit=limit // 10)),
        ("300 MB", msgspec.structs.replace(config, storage_limit=300_000_000)),
    ):
        print(ours(plays, listener, changed).line(f"  {name}"))
    small = msgspec.structs.replace(config, storage_limit=limit // 10)
    any_album = replace(TUNING, largest_album=1.0)
    print(ours(plays, listener, small, any_album).line("  1 GB, albums of any size"))
    for name, tuning in (
        ("down to 100 %", replace(TUNING, low_water=1.0)),
        ("down to 95 %", replace(TUNING, low_water=0.95)),
        ("down to 80 %", replace(TUNING, low_water=0.8)),
        ("not again for an hour", replace(TUNING, not_again_for=day / 24)),
        ("not again for a week", replace(TUNING, not_again_for=7 * day)),
        ("album plays count for 1 day", replace(TUNING, album_memory=day)),
        ("album plays count for 30 days", replace(TUNING, album_memory=30 * day)),
        ("album plays count for ever", replace(TUNING, album_memory=9999 * day)),
    ):
        print(ours(plays, listener, config, tuning).line(f"  {name}"))
