"""Seeded histories of listening: a library, and somebody with habits."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from jellytui.engine.models import Track

ALBUMS = 2000
DAYS = 90
SKIPPED_AFTER_S = 12.0
EDITED_SHARE = 0.15
"""How many of the starts are followed by work on the queue."""


@dataclass(frozen=True)
class Edit:
    """The queue is changed, so many seconds after a track's start: what follows then."""

    after_s: float
    upcoming: tuple[Track, ...]


@dataclass(frozen=True)
class Play:
    """One start: of which track, what follows in the queue, how long after the last start, is it skipped, and how is
    the queue edited before the next start?"""

    track: Track
    upcoming: tuple[Track, ...]
    previous: str
    pause_s: float
    is_skipped: bool
    edits: tuple[Edit, ...] = ()


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

    def edited(self, plays: Sequence[Play]) -> list[Play]:
        """The same plays by somebody who works on the queue meanwhile: some changes, a few seconds apart, with tracks
        of other albums among the next ones, until the queue is as it was meant to be."""
        chance = random.Random(self.seed)
        edited = []
        for play, following in zip(plays, [*plays[1:], None], strict=True):
            if following is None or chance.random() > EDITED_SHARE:
                edited.append(play)
                continue
            after_s = chance.uniform(0.02, 0.6) * min(following.pause_s, play.track.duration_ms / 1000)
            moments = [after_s]
            for _ in range(chance.randint(1, 11)):
                after_s += chance.lognormvariate(0.4, 0.9)  # 1.5 s, most between 0.5 and 6 s
                if after_s < following.pause_s:
                    moments.append(after_s)
            edits = [Edit(moment, self._mixed(play.upcoming, chance)) for moment in moments[:-1]]
            edits.append(Edit(moments[-1], play.upcoming))
            edited.append(replace(play, upcoming=self._mixed(play.upcoming, chance), edits=tuple(edits)))
        return edited

    def _mixed(self, upcoming: Sequence[Track], chance: random.Random) -> tuple[Track, ...]:
        album = self.albums[chance.choice(sorted(self.albums))]
        return tuple([*album[: chance.randint(1, 4)], *upcoming][:5])
