"""Queue: what plays, in which order; immutable, without I/O.

A queue has two orders of the same entries: `order`, as they were put in, and `play_order`, in which they play. They
are the same until it is shuffled; un-shuffling goes back to `order`. Each operation returns the changed queue. Making
one costs one pass over the entries; asking for the current, next and upcoming ones does not depend on their number.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from types import MappingProxyType

from jellytui.engine.errors import NotFoundError, UsageError
from jellytui.engine.models import QueueEntry, RepeatMode, Track


@dataclass(frozen=True, kw_only=True)
class Queue:
    """The tracks by entry id, their two orders, and the place in `play_order` that plays (None: none yet)."""

    tracks: Mapping[int, Track] = field(default_factory=lambda: MappingProxyType({}))
    order: tuple[int, ...] = ()
    play_order: tuple[int, ...] = ()
    index: int | None = None
    repeat: RepeatMode = "off"
    is_shuffled: bool = False
    next_entry_id: int = 1

    def __len__(self) -> int:
        return len(self.play_order)

    # What stands in it

    @property
    def current(self) -> QueueEntry | None:
        """The entry that plays."""
        return None if self.index is None else self.at(self.index)

    @property
    def next(self) -> QueueEntry | None:
        """What plays when the current one ends by itself; None at the end. From no current one: the first."""
        if self.repeat == "one" and self.index is not None:
            return self.current
        return self.after(0)

    def after(self, step: int) -> QueueEntry | None:
        """The entry `step` places behind the one after the current, round the end with repeat all; None beyond."""
        place = (-1 if self.index is None else self.index) + 1 + step
        if place >= len(self):
            if self.repeat != "all" or step >= len(self):
                return None
            place %= len(self)
        return self.at(place)

    @property
    def previous(self) -> QueueEntry | None:
        """The entry before the current one, round the beginning with repeat all."""
        if self.index is None or not self.play_order:
            return None
        if self.index == 0 and self.repeat != "all":
            return None
        return self.at(self.index - 1)

    def following(self) -> Iterator[QueueEntry]:
        """The entries behind the current one in play order, each once, round the end with repeat all."""
        for step in range(len(self) - (0 if self.index is None else 1)):
            entry = self.after(step)
            if entry is None:
                return
            yield entry

    def upcoming(self, count: int) -> tuple[QueueEntry, ...]:
        """The next `count` entries that will play by themselves; none with repeat one, the current one never."""
        return () if self.repeat == "one" else tuple(islice(self.following(), count))

    def at(self, place: int) -> QueueEntry:
        """The entry at a place in play order."""
        entry_id = self.play_order[place]
        return QueueEntry(entry_id=entry_id, track=self.tracks[entry_id])

    def page(self, start: int, limit: int) -> tuple[QueueEntry, ...]:
        """A stretch in play order."""
        return tuple(self.at(place) for place in range(start, min(start + limit, len(self))))

    def remaining_ms(self) -> int:
        """How long what follows the current entry plays, without repeats."""
        first = 0 if self.index is None else self.index + 1
        return sum(self.tracks[entry_id].duration_ms for entry_id in self.play_order[first:])

    # Changes

    def filled(self, tracks: Sequence[Track], start_index: int = 0, *, seed: int = 0) -> Queue:
        """These tracks instead of all, the one at `start_index` current; shuffled by `seed` where shuffle is on.

        Raises UsageError for an index outside.
        """
        if not 0 <= start_index < len(tracks):
            raise UsageError(f"There is no track {start_index + 1} among these {len(tracks)}.")
        ids = range(self.next_entry_id, self.next_entry_id + len(tracks))
        fresh = replace(
            self,
            tracks=MappingProxyType(dict(zip(ids, tracks, strict=True))),
            order=tuple(ids),
            play_order=tuple(ids),
            index=start_index,
            is_shuffled=False,
            next_entry_id=ids.stop,
        )
        return fresh.shuffled(seed) if self.is_shuffled else fresh

    def appended(self, tracks: Sequence[Track]) -> Queue:
        """With these tracks at the end."""
        return self._inserted(tracks, len(self.order), len(self.play_order))

    def played_next(self, tracks: Sequence[Track]) -> Queue:
        """With these tracks right behind the current one."""
        current = self.current
        if current is None:
            return self._inserted(tracks, 0, 0)
        return self._inserted(tracks, self.order.index(current.entry_id) + 1, self._index + 1)

    def moved(self, entry_id: int, to_index: int) -> Queue:
        """With that entry at that place of the play order. Raises NotFoundError, UsageError."""
        place = self.place_of(entry_id)
        if not 0 <= to_index < len(self):
            raise UsageError(f"There is no place {to_index + 1} in a queue of {len(self)}.")
        ids = list(self.play_order)
        ids.insert(to_index, ids.pop(place))
        current = self.current
        moved = replace(self, play_order=tuple(ids), order=self.order if self.is_shuffled else tuple(ids))
        return moved if current is None else moved.turned_to(current.entry_id)

    def removed(self, entry_ids: Iterable[int]) -> Queue:
        """Without these entries. Where the current one goes, the next that stays is current; None at the end."""
        gone = set(entry_ids) & self.tracks.keys()
        kept = {entry_id: track for entry_id, track in self.tracks.items() if entry_id not in gone}
        play_order = tuple(entry_id for entry_id in self.play_order if entry_id not in gone)
        index = self.index
        if index is not None:
            index -= sum(1 for entry_id in self.play_order[:index] if entry_id in gone)
        return replace(
            self,
            tracks=MappingProxyType(kept),
            order=tuple(entry_id for entry_id in self.order if entry_id not in gone),
            play_order=play_order,
            index=None if index is None or index >= len(play_order) else index,
        )

    def cleared(self) -> Queue:
        """Without any entry."""
        return replace(self, tracks=MappingProxyType({}), order=(), play_order=(), index=None)

    def shuffled(self, seed: int) -> Queue:
        """In an order drawn by `seed`, the current one first."""
        current = self.current
        rest = [entry_id for entry_id in self.order if current is None or entry_id != current.entry_id]
        random.Random(seed).shuffle(rest)  # noqa: S311 - an order of songs, no secret
        play_order = tuple(rest) if current is None else (current.entry_id, *rest)
        return replace(self, play_order=play_order, index=None if current is None else 0, is_shuffled=True)

    def unshuffled(self) -> Queue:
        """In the order in which they were put in, the current one still current."""
        current = self.current
        index = None if current is None else self.order.index(current.entry_id)
        return replace(self, play_order=self.order, index=index, is_shuffled=False)

    def repeating(self, mode: RepeatMode) -> Queue:
        """With another repeat."""
        return replace(self, repeat=mode)

    def turned_to(self, entry_id: int | None) -> Queue:
        """With that entry current; None: none. Raises NotFoundError."""
        return replace(self, index=None if entry_id is None else self.place_of(entry_id))

    def place_of(self, entry_id: int) -> int:
        """An entry's place in play order. Raises NotFoundError."""
        if entry_id not in self.tracks:
            raise NotFoundError(f"The queue has no entry {entry_id} any more.")
        return self.play_order.index(entry_id)

    @property
    def _index(self) -> int:
        return -1 if self.index is None else self.index

    def _inserted(self, tracks: Sequence[Track], place: int, play_place: int) -> Queue:
        ids = tuple(range(self.next_entry_id, self.next_entry_id + len(tracks)))
        index = self.index
        if index is not None and play_place <= index:
            index += len(ids)
        return replace(
            self,
            tracks=MappingProxyType({**self.tracks, **dict(zip(ids, tracks, strict=True))}),
            order=self.order[:place] + ids + self.order[place:],
            play_order=self.play_order[:play_place] + ids + self.play_order[play_place:],
            index=index,
            next_entry_id=self.next_entry_id + len(ids),
        )
