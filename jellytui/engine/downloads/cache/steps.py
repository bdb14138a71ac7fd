"""The cache's decisions as a person reads them (`cache plan`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from jellytui.engine.downloads.cache.policy import Decisions, Leave
from jellytui.engine.downloads.rows.cached import CachedRow
from jellytui.engine.models import CacheStep, Track


def steps_of(decisions: Sequence[Decisions]) -> list[CacheStep]:
    """What would be done, each thing once, and what would be left of what is not fetched for another reason."""
    steps: dict[tuple[str, str], CacheStep] = {}
    for step in (step for each in decisions for step in _done(each)):
        steps.setdefault((step.act, step.item_id), step)
    fetched = {step.item_id for step in steps.values() if step.act == "fetch"}
    return [*steps.values(), *_left(one for each in decisions for one in each.leave if one.track.id not in fetched)]


def _done(decisions: Decisions) -> Iterable[CacheStep]:
    """In the order of doing."""
    for withdraw in decisions.withdraw:
        yield _removal("withdraw", withdraw.row, withdraw.reason)
    for evict in decisions.evict:
        yield _removal("evict", evict.row, evict.reason)
    for fetch in decisions.fetch:
        yield CacheStep(
            act="fetch", item_id=fetch.track.id, name=fetch.track.name, bytes=fetch.bytes_expected, reason=fetch.reason
        )


def _left(leaves: Iterable[Leave]) -> list[CacheStep]:
    """Each track once; those of one album that are left for the same reason in one step."""
    seen: set[str] = set()
    groups: dict[tuple[str, str], list[Track]] = {}
    for leave in leaves:
        track = leave.track
        if track.id not in seen:
            seen.add(track.id)
            groups.setdefault((leave.reason, track.album_id or track.id), []).append(track)
    return [
        CacheStep(act="leave", item_id=tracks[0].id, name=tracks[0].name, bytes=0, reason=reason)
        if len(tracks) == 1
        else CacheStep(
            act="leave",
            item_id=album_id,
            name=f"{len(tracks)} tracks of {tracks[0].album or 'an album'}",
            bytes=0,
            reason=reason,
        )
        for (reason, album_id), tracks in groups.items()
    ]


def _removal(act: Literal["withdraw", "evict"], row: CachedRow, reason: str) -> CacheStep:
    return CacheStep(act=act, item_id=row.item_id, name=row.name, bytes=row.bytes_here, reason=reason)
