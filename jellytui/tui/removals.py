"""Removals: deleting and cancelling downloads the same way on every screen: off all lists at once, done a little later.

Until then one key takes it back, and asking for a track again takes it out of what goes. Who quits meant it, so that
quitting does what waits; a session that is dropped keeps the files.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from textual.timer import Timer

from jellytui.engine.errors import JellytuiError
from jellytui.engine.models import DownloadInfo
from jellytui.tui.format import count, cut
from jellytui.tui.stores.downloads import DownloadsStore
from jellytui.tui.widgets.hint_line import Severity

log = logging.getLogger(__name__)

UNDO_SECONDS = 6.0
"""How long a removal can be taken back: so long it is not done."""

END_SECONDS = 2.0
"""How long the end of the app waits for a removal."""

_TITLE = 40
"""Cells for the name of what goes; the key that takes it back stands behind it."""

Kind = Literal["deleted", "cancelled"]


class Face(Protocol):
    """What a removal needs of the app."""

    def say(self, text: str, severity: Severity = "information", *, seconds: float = ...) -> None:
        """Shows a message."""

    def later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Does something after so many seconds."""

    def do(self, action: Coroutine[Any, Any, None]) -> None:
        """Runs a coroutine beside all else."""

    def undo_key(self) -> str:
        """The key that takes back, as people write it; empty without one."""


@dataclass(frozen=True)
class Removal:
    """What goes as soon as it can no longer be taken back."""

    kind: Kind
    download_ids: frozenset[int]
    stopped: frozenset[int] = frozenset()
    """Those cancelled that came down or waited: they stand still meanwhile, and go on when it is taken back."""
    playlist_id: str = ""
    """The playlist that is not followed any more, else the next sync would bring it all down again."""


class Removals:
    """At most one removal at a time can be taken back; the next one is the end of that."""

    def __init__(self, store: DownloadsStore, face: Face) -> None:
        self._store = store
        self._face = face
        self._waiting: Removal | None = None
        self._timer: Timer | None = None

    def delete(self, rows: Sequence[DownloadInfo], title: str, *, playlist_id: str = "") -> None:
        """Deletes downloads with their files."""
        self._begin(Removal("deleted", _ids(rows), playlist_id=playlist_id), title)

    def cancel(self, rows: Sequence[DownloadInfo], title: str) -> None:
        """Gives unfinished downloads up, with what came of them."""
        stopped = _ids([row for row in rows if row.status in ("downloading", "pending")])
        self._begin(Removal("cancelled", _ids(rows), stopped), title)
        if stopped:
            self._face.do(self._try(self._store.pause_many(sorted(stopped))))

    def take_back(self) -> None:
        """Puts what waits to go back on the lists."""
        removal = self._take()
        if removal is None:
            self._face.say("There is nothing to undo.")
            return
        many = count(len(removal.download_ids), "download")
        self._face.say(f"{many} back: nothing was {removal.kind}.")
        self._face.do(self._try(self._spare(removal)))

    async def spare(self, item_ids: Collection[str]) -> int:
        """Takes those tracks, which are asked for again, out of what waits to go; returns how many that were."""
        removal = self._waiting
        if removal is None:
            return 0
        rows = (self._store.downloads.get(download_id) for download_id in removal.download_ids)
        spared = frozenset(row.id for row in rows if row is not None and row.item_id in item_ids)
        if not spared:
            return 0
        left = removal.download_ids - spared
        self._waiting = replace(removal, download_ids=left, stopped=removal.stopped - spared)
        if not left:
            self._take()
        await self._spare(replace(removal, download_ids=spared, stopped=removal.stopped & spared))
        return len(spared)

    @property
    def is_waiting(self) -> bool:
        """Whether something can be taken back now."""
        return self._waiting is not None

    async def finish(self) -> None:
        """Does what waits, at the end of the app; not for longer than a moment."""
        await self._end("done", self._carry_out)

    async def keep(self) -> None:
        """Takes back what waits, at an end that nobody asked for; not for longer than a moment."""
        await self._end("taken back", self._spare)

    # Within

    def _begin(self, removal: Removal, title: str) -> None:
        self._carry_out_waiting()
        self._waiting = removal
        self._store.doom(removal.download_ids)
        self._timer = self._face.later(UNDO_SECONDS, self._carry_out_waiting)
        number = len(removal.download_ids)
        what = cut(title, _TITLE) if number == 1 else f"{cut(title, _TITLE)}: {count(number, 'download')}"
        key = self._face.undo_key()
        way_back = f" Undo with {key}." if key else ""
        self._face.say(f"{what} {removal.kind}.{way_back}", seconds=UNDO_SECONDS)

    def _take(self) -> Removal | None:
        """What waits, which from now on the caller answers for."""
        if self._timer is not None:
            self._timer.stop()
        removal, self._waiting = self._waiting, None
        return removal

    def _carry_out_waiting(self) -> None:
        removal = self._take()
        if removal is not None:
            self._face.do(self._try(self._carry_out(removal)))

    async def _carry_out(self, removal: Removal) -> None:
        if removal.playlist_id:
            await self._store.unfollow_playlist(removal.playlist_id)
        if removal.kind == "deleted":
            await self._store.delete_doomed(removal.download_ids)
        else:
            await self._store.cancel_doomed(removal.download_ids)

    async def _spare(self, removal: Removal) -> None:
        self._store.spare(removal.download_ids)
        if removal.stopped:
            await self._store.resume_many(sorted(removal.stopped))

    async def _end(self, word: str, act: Callable[[Removal], Coroutine[Any, Any, None]]) -> None:
        removal = self._take()
        if removal is None:
            return
        try:
            async with asyncio.timeout(END_SECONDS):
                await act(removal)
        except (JellytuiError, TimeoutError) as error:
            log.warning("a removal was not %s before the end: %s", word, error)

    async def _try(self, action: Coroutine[Any, Any, None]) -> None:
        try:
            await action
        except JellytuiError as error:
            self._face.say(error.text, "error")


def _ids(rows: Sequence[DownloadInfo]) -> frozenset[int]:
    return frozenset(row.id for row in rows)
