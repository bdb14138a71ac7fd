"""The ways to cache that are compared: none, a plain LRU, ours, and those who know the future."""

from __future__ import annotations

import time
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

from jellytui.engine.downloads.cache.policy import TUNING, CacheConfig, Tuning, WindowMoved
from tests.bench.cache_simulation.listening import Edit, Listener, Play
from tests.support.cache_world import CacheWorld

SKIPPED_SHARE = 0.2
"""How much of a skipped track has come when it is skipped."""
LINK_BYTES_PER_SECOND = 2_500_000


@dataclass
class Outcome:
    """Sums over histories; bytes."""

    plays: int = 0
    hits: int = 0
    ahead: int = 0
    ahead_here: int = 0
    fetched: int = 0
    again: int = 0
    evicted: int = 0
    rounds: int = 0
    decisions: int = 0
    dropped: int = 0
    """What came of downloads that were stopped, since nobody wanted them any more."""
    seconds: float = 0.0

    def stream(self, play: Play, size: int, seen: set[str]) -> None:
        """Fetches a play's track, as far as it is heard."""
        came = int(size * SKIPPED_SHARE) if play.is_skipped else size
        self.fetched += came
        self.again += came if play.track.id in seen else 0
        seen.add(play.track.id)

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(*(one + another for one, another in zip(astuple(self), astuple(other), strict=True)))


def nothing(plays: Sequence[Play], sizes: Mapping[str, int]) -> Outcome:
    """Each play is streamed."""
    outcome = Outcome(plays=len(plays))
    seen: set[str] = set()
    for play in plays:
        outcome.stream(play, sizes[play.track.id], seen)
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
        outcome.stream(play, size, seen)
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
            outcome.stream(play, size, seen)
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
    for play, following in zip(plays, [*plays[1:], None], strict=True):
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
        if following is not None:
            _pass_until_next(world, play, following.pause_s)
    outcome.seconds = time.perf_counter() - begin
    tally = world.tally
    outcome.decisions, outcome.dropped = tally.decisions, tally.dropped
    outcome.fetched, outcome.again = tally.fetched, tally.fetched_again
    outcome.evicted, outcome.rounds = tally.evicted, tally.rounds
    return outcome


def _pass_until_next(world: CacheWorld, play: Play, pause_s: float) -> None:
    """The time until the next start: the link brings bytes, the cache follows the queue, the track counts as played."""
    passed_s = 0.0
    for moment_s, edit in _moments(play, pause_s, world.tuning.debounce_s):
        world.transfer(int((moment_s - passed_s) * LINK_BYTES_PER_SECOND))
        world.pass_time(moment_s - passed_s)
        passed_s = moment_s
        if edit is None:
            world.play(play.track)
        else:
            world.move(play.track, edit.upcoming, play.previous)
            world.decide(WindowMoved())
    world.transfer(int((pause_s - passed_s) * LINK_BYTES_PER_SECOND))
    world.pass_time(pause_s - passed_s)


def _moments(play: Play, pause_s: float, debounce_s: float) -> list[tuple[float, Edit | None]]:
    """When the cache hears of something, in order: an edit that stood still for the debounce, and None for a play."""
    moments: list[tuple[float, Edit | None]] = [] if play.is_skipped else [(pause_s / 2, None)]
    for place, edit in enumerate(play.edits):
        later = play.edits[place + 1 :]
        if edit.after_s + debounce_s < (later[0].after_s if later else pause_s):  # a start is followed at once
            moments.append((edit.after_s + debounce_s, edit))
    return sorted(moments, key=lambda moment: moment[0])
