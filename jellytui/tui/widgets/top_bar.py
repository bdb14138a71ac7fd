"""The first line: the tabs, what is coming down, and whether the server is there."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from jellytui.tui import format as fmt
from jellytui.tui.session import Session
from jellytui.tui.stores.base import Keys

TABS = (("library", "1 Library"), ("downloads", "2 Downloads"), ("playing", "3 Playing"), ("queue", "4 Queue"))
_SIGNS = {"online": "●", "connecting": "◌", "offline": "○", "starting": "◌", "signed_out": "!"}
_WORDS = {"connecting": "connecting", "offline": "offline", "starting": "starting", "signed_out": "sign in: :login"}
_STYLES = {"online": "$success", "offline": "$warning", "signed_out": "$error"}

Part = tuple[str, str]


class TopBar(Widget):
    """Tabs at the left; at the right the downloads' totals, a running sync, the server and its state in words."""

    class TabChosen(Message):
        """A tab was clicked."""

        def __init__(self, mode: str) -> None:
            super().__init__()
            self.mode = mode

    def __init__(self, session: Session, tab: str) -> None:
        super().__init__()
        self._session = session
        self._tab = tab
        self._drawn: list[Part] = []
        self._drawn_tabs: list[Part] = []

    def on_mount(self) -> None:
        from jellytui.tui.screens.base import screen_of

        for store in (self._session.connection, self._session.downloads, self._session.library):
            screen_of(self).follow(store, self._on_change)

    def _on_change(self, _keys: Keys) -> None:
        # Most events change no word of this line.
        if self._status() != self._drawn:
            self.refresh()

    def render(self) -> Content:
        self._drawn = status = self._status()
        room = self.size.width
        if sum(fmt.width(text) for text, _ in (*self._tabs(0, 0), *status)) > room:
            status = self._status(is_short=True)
        self._drawn_tabs = tabs = self._tabs(room, sum(fmt.width(text) for text, _ in status))
        used = sum(fmt.width(text) for text, _ in (*tabs, *status))
        return Content.assemble(*tabs, " " * max(1, room - used), *status)

    def on_click(self, event: events.Click) -> None:
        column = 0
        for (text, _), (mode, _) in zip(self._drawn_tabs, TABS, strict=True):
            column += fmt.width(text)
            if event.x < column:
                self.post_message(self.TabChosen(mode))
                return

    def _tabs(self, room: int, status_width: int) -> list[Part]:
        """All tabs, or where they have no room only the lit one and the others' numbers."""
        labels = self._tab_labels()
        if sum(fmt.width(text) for text, _ in labels) + status_width < room:
            return labels
        return [
            (f"{label} " if mode == self._tab else f"{label[0]} ", style)
            for (mode, label), (_, style) in zip(TABS, labels, strict=True)
        ]

    def _tab_labels(self) -> list[Part]:
        return [(f"{label}  ", "bold $primary" if mode == self._tab else "$text-dim") for mode, label in TABS]

    def _status(self, *, is_short: bool = False) -> list[Part]:
        parts = [self._downloads_part(is_short=is_short)]
        library = self._session.library
        if library.is_syncing:
            parts.append((f"↻ {fmt.percent(library.sync_share)}  ", "$text-dim"))
        elif library.sync.status == "failed":
            parts.append(("↻ failed  ", "$warning"))
        state = self._session.connection.state
        parts.append((f"{_SIGNS[state.status]} ", _STYLES.get(state.status, "$text-dim")))
        words = _WORDS.get(state.status, "")
        parts.append((fmt.cut(state.server_name or "server", 8 if is_short else 20), "$foreground"))
        if words:
            parts.append((f" {words}", _STYLES.get(state.status, "$text-dim")))
        return parts

    def _downloads_part(self, *, is_short: bool) -> Part:
        """What comes down and how fast, or in a word why nothing does; in short without its numbers."""
        summary = self._session.downloads.summary
        waiting = summary.active_count + summary.queued_count
        if summary.paused_all:
            number = f" {fmt.number(waiting)}" if waiting and not is_short else ""
            return f"⏸{number} all paused  ", "$warning"
        if not waiting:
            return "", ""
        if summary.hold_kind:
            word = "" if summary.hold_kind == "server" else f" {summary.hold_kind}"  # that it is away stands behind
            return f"⏸ {fmt.number(waiting)}{word}  ", "$warning"
        has_speed = summary.active_count and not is_short
        speed = f" · {fmt.rate(summary.bytes_per_second)}" if has_speed else ""
        return f"⇣ {fmt.number(waiting)}{speed}  ", "$text-dim"
