"""LyricsView: a track's words; the line that is sung is marked and kept in view, unless the reader looks elsewhere."""

from __future__ import annotations

from bisect import bisect_right
from textwrap import wrap
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget

from jellytui.engine.models import Lyrics
from jellytui.tui.format import fit

_GUTTER = 2


class LyricsView(Widget, can_focus=True):
    """Synced words follow the position until the reader scrolls; `toggle_follow` goes back. Plain words just scroll."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"lyrics--sung", "lyrics--current"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_by(1)", "Down", show=False),
        Binding("up,k", "scroll_by(-1)", "Up", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._lyrics: Lyrics | None = None
        self._lines: list[tuple[int, str]] = []
        """As wrapped: which line of the lyrics each comes from, and its text."""
        self._current = -1
        self._top = 0
        self.is_following = True

    def show(self, lyrics: Lyrics | None) -> None:
        """Takes the words of another track; None while they are not known."""
        self._lyrics, self._current, self._top = lyrics, -1, 0
        self.is_following = True
        self._wrap()

    def set_position(self, position_ms: int) -> None:
        """Marks the line sung at this position; draws only when that is another one."""
        if self._lyrics is None or not self._lyrics.is_synced:
            return
        current = line_at(self._lyrics, position_ms)
        if current != self._current:
            self._current = current
            self._follow()
            self.refresh()

    def toggle_follow(self) -> bool:
        """Follows the song, or stops following; returns which."""
        self.is_following = not self.is_following
        self._follow()
        self.refresh()
        return self.is_following

    def action_scroll_by(self, by: int) -> None:
        self.is_following = False
        self._show_from(self._top + by)

    def on_mouse_scroll_down(self) -> None:
        self.action_scroll_by(2)

    def on_mouse_scroll_up(self) -> None:
        self.action_scroll_by(-2)

    def on_resize(self) -> None:
        self._wrap()

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        dim = base + self.get_component_rich_style("lyrics--sung", partial=True)
        if self._lyrics is not None and not self._lyrics.lines:
            return Strip([Segment(fit("  No words for this track." if y == 0 else "", width), dim)])
        at = self._top + y
        if not 0 <= at < len(self._lines):
            return Strip.blank(width, base)
        index, text = self._lines[at]
        sign, style = "  ", base
        if self._current >= 0 and index == self._current:
            is_first = at == 0 or self._lines[at - 1][0] != index
            sign = "▸ " if is_first else "  "
            style = base + self.get_component_rich_style("lyrics--current", partial=True)
        elif self._lyrics is not None and self._lyrics.is_synced:
            style = dim
        return Strip([Segment(fit(sign + text, width), style)])

    def _wrap(self) -> None:
        room = max(8, self.size.width - _GUTTER)
        lines = self._lyrics.lines if self._lyrics else ()
        self._lines = [(index, part) for index, line in enumerate(lines) for part in (wrap(line.text, room) or [""])]
        self._follow()
        self.refresh()

    def _follow(self) -> None:
        if not self.is_following or self._current < 0:
            return
        at = next((at for at, (index, _) in enumerate(self._lines) if index == self._current), 0)
        self._show_from(at - self.size.height // 2)

    def _show_from(self, top: int) -> None:
        top = max(0, min(top, len(self._lines) - self.size.height))
        if top != self._top:
            self._top = top
            self.refresh()


def line_at(lyrics: Lyrics, position_ms: int) -> int:
    """The index of the line that is sung at a position; -1 before the first."""
    return bisect_right([line.start_ms or 0 for line in lyrics.lines], position_ms) - 1
