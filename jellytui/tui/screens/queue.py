"""The queue: what plays next, and putting it in order."""

from __future__ import annotations

from textual.app import ComposeResult

from jellytui.engine.models import Item
from jellytui.tui import format as fmt
from jellytui.tui.keymap import bindings
from jellytui.tui.screens.item_screen import ItemScreen
from jellytui.tui.stores.base import Keys
from jellytui.tui.widgets.pane import Pane
from jellytui.tui.widgets.queue_list import QueueList

_REPEAT = {"off": "", "all": "↻ all", "one": "↻ one"}


class QueueScreen(ItemScreen):
    """One list under a title with what is left of it."""

    TAB = "queue"
    HINTS = ("play", "remove_entry", "move_down", "move_up", "shuffle", "repeat", "clear_queue")
    BINDINGS = bindings("queue")

    def compose_middle(self) -> ComposeResult:
        yield Pane(QueueList(self.session), id="queue")

    def on_mount(self) -> None:
        self.follow(self.session.player, self._on_change)
        self.follow(self.session.downloads, lambda _keys: self._list.refresh_changed())
        self._list.focus()
        self._update()

    @property
    def _list(self) -> QueueList:
        return self.query_one(QueueList)

    def current_item(self) -> Item | None:
        entry = self._list.entry
        return entry.track if entry else None

    def play_current(self) -> None:
        if entry := self._list.entry:
            self.send("play_queue_entry", entry_id=entry.entry_id)

    def on_virtual_list_chosen(self) -> None:
        self.play_current()

    def _on_change(self, keys: Keys) -> None:
        if keys & {"queue", "track"}:
            self._update()
        else:
            self._list.refresh_changed()
        self._draw_title()

    def _update(self) -> None:
        self._draw_title()
        self.run_worker(self._list.update(), group="queue", exclusive=True, exit_on_error=False)

    def _draw_title(self) -> None:
        queue, state = self.session.player.queue, self.session.player.state
        heading = self.query_one(Pane).heading
        heading.title = f"QUEUE  {fmt.number(queue.length)}" if queue.length else "QUEUE"
        parts = [
            f"{fmt.duration(queue.remaining_ms)} left" if queue.length else "",
            "⇄ shuffled" if state.is_shuffled else "",
            _REPEAT[state.repeat],
        ]
        heading.detail = " · ".join(part for part in parts if part)

    # Actions

    def action_remove_entry(self) -> None:
        if entry := self._list.entry:
            self.send("remove_queue_entries", entry_ids=[entry.entry_id])

    def action_move_down(self) -> None:
        self._move(1)

    def action_move_up(self) -> None:
        self._move(-1)

    def action_clear_queue(self) -> None:
        if self.session.player.queue.length:
            self.run_worker(self._clear(), group="queue-clear", exit_on_error=False)

    def _move(self, by: int) -> None:
        to_index = self._list.cursor + by
        entry = self._list.entry
        if entry is not None and 0 <= to_index < self._list.row_count:
            self.send("move_queue_entry", entry_id=entry.entry_id, to_index=to_index)

    async def _clear(self) -> None:
        from jellytui.tui.screens.confirm import Confirm

        length = self.session.player.queue.length
        if await self.jellytui.push_screen_wait(Confirm(f"Take {fmt.count(length, 'track')} off the queue?", "clear")):
            self.send("clear_queue")
