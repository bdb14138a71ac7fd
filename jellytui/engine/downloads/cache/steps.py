"""The cache's decisions as a person reads them (`cache plan`)."""

from __future__ import annotations

from typing import Literal

from jellytui.engine.downloads.cache.policy import Decisions
from jellytui.engine.downloads.rows.cached import CachedRow
from jellytui.engine.models import CacheStep


def steps_of(decisions: Decisions) -> list[CacheStep]:
    """What would be done, in the order of doing, and what would be left."""
    return [
        *(_removal("withdraw", one.row, one.reason) for one in decisions.withdraw),
        *(_removal("evict", one.row, one.reason) for one in decisions.evict),
        *(
            CacheStep(
                act="fetch", item_id=one.track.id, name=one.track.name, bytes=one.bytes_expected, reason=one.reason
            )
            for one in decisions.fetch
        ),
        *(
            CacheStep(act="leave", item_id=one.track.id, name=one.track.name, bytes=0, reason=one.reason)
            for one in decisions.leave
        ),
    ]


def _removal(act: Literal["withdraw", "evict"], row: CachedRow, reason: str) -> CacheStep:
    return CacheStep(act=act, item_id=row.item_id, name=row.name, bytes=row.bytes_here, reason=reason)
