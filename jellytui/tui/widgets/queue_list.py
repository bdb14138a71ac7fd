"""QueueList: the queue, read a page at a time; the cursor stays on its entry while entries move."""

from __future__ import annotations

from collections.abc import Sequence

from jellytui.engine.errors import JellytuiError
from jellytui.engine.models import QueueEntry
from jellytui.tui.format import duration, fit
from jellytui.tui.library.rows import download_sign
from jellytui.tui.session import Session
from jellytui.tui.widgets.virtual_list import Cell, VirtualList

PAGE_ENTRIES = 100


class QueueList(VirtualList):
    """Entries in the order in which they play, the playing one marked; what is not read yet is drawn as "…"."""

    def __init__(self, session: Session, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._session = session
        self._pages: dict[int, tuple[QueueEntry, ...]] = {}
        self._wanted: set[int] = set()
        self._version = -1
        self.empty_text = "The queue is empty. Press enter on an album or a playlist, or a to add to it."

    @property
    def entry(self) -> QueueEntry | None:
        """The entry under the cursor, once it is read."""
        return self.entry_at(self.cursor)

    def entry_at(self, index: int) -> QueueEntry | None:
        """The entry of a line, once it is read."""
        page = self._pages.get(index // PAGE_ENTRIES, ())
        return page[index % PAGE_ENTRIES] if index % PAGE_ENTRIES < len(page) else None

    async def update(self) -> None:
        """Takes the queue's new shape: reads the page of the cursor anew when entries changed."""
        queue = self._session.player.queue
        if queue.version == self._version:
            self.refresh_rows()
            return
        is_first = self._version < 0
        kept = self.entry
        cursor = (queue.current_index or 0) if is_first else min(self.cursor, max(0, queue.length - 1))
        self._version = queue.version
        self._pages.clear()
        self._wanted.clear()
        for page in {max(0, cursor - 1) // PAGE_ENTRIES, cursor // PAGE_ENTRIES, (cursor + 1) // PAGE_ENTRIES}:
            await self._read(page)
        if kept is not None:
            for near in (cursor - 1, cursor, cursor + 1):
                entry = self.entry_at(near) if near >= 0 else None
                if entry is not None and entry.entry_id == kept.entry_id:
                    cursor = near
        self.set_row_count(queue.length, cursor=cursor)

    def row_sign(self, index: int) -> Cell:
        if index != self._session.player.queue.current_index:
            return " ", ""
        return ("⏸" if self._session.player.state.status == "paused" else "▶"), "accent"

    def row_cells(self, index: int, width: int) -> Sequence[Cell]:
        entry = self.entry_at(index)
        if entry is None:
            self._want(index // PAGE_ENTRIES)
            return [("…", "dim")]
        track = entry.track
        role = "accent" if index == self._session.player.queue.current_index else ""
        room = width - 15
        artist = ", ".join(track.artists)
        name = room if room < 40 else room * 3 // 5
        return [
            (f"{index + 1:>4} ", "dim"),
            download_sign(self._session, track.id),
            (f" {fit(track.name, name)}", role),
            (fit(artist, room - name), "dim"),
            (f"{duration(track.duration_ms):>8}", role or "dim"),
        ]

    def _want(self, page: int) -> None:
        if page in self._wanted:
            return
        self._wanted.add(page)
        self.run_worker(self._read_and_draw(page), group="pages", exit_on_error=False)

    async def _read_and_draw(self, page: int) -> None:
        await self._read(page)
        self.refresh_rows()

    async def _read(self, page: int) -> None:
        self._wanted.add(page)
        try:
            found = await self._session.player.page(page * PAGE_ENTRIES, PAGE_ENTRIES)
        except JellytuiError:
            # The engine went away: the connection's own words stand in the top bar; the lines stay "…".
            return
        self._pages[page] = found.entries
