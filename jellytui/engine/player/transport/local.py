"""With no network the queue goes on with what is here."""

from __future__ import annotations

from itertools import islice

from jellytui.engine.models import QueueEntry
from jellytui.engine.player.queue import Queue
from jellytui.engine.player.source import LocalFiles

_LOOKED_UP_AT_ONCE = 500
"""Entries of a long queue of which the table of downloads is asked together."""


async def next_local(queue: Queue, files: LocalFiles) -> QueueEntry | None:
    """What plays after the current entry, of all that is on the disk; None where nothing is."""
    if queue.repeat == "one" and queue.current is not None:
        return queue.current
    following = queue.following()
    while entries := list(islice(following, _LOOKED_UP_AT_ONCE)):
        item_id = await files.first_local([entry.track.id for entry in entries])
        if item_id is not None:
            return next(entry for entry in entries if entry.track.id == item_id)
    return None
