"""Panes parted by one thin line: a title that sits in the line, the line between, and a list below."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.css.query import NoMatches
from textual.reactive import reactive
from textual.widget import Widget

from jellytui.tui.format import cut, width
from jellytui.tui.widgets.download_button import COLORS
from jellytui.tui.widgets.virtual_list import Cell

_CRUMB = " › "
_BUTTON_FROM = 34
"""Cells: in a narrower title the name has the room."""


class PaneTitle(Widget):
    """One line: ` ALBUMS  Alma Verde ─────`, lit while the pane has the focus; `crumbs` are the way to it."""

    title: reactive[str] = reactive("")
    detail: reactive[str] = reactive("")
    crumbs: reactive[tuple[str, ...]] = reactive(())
    button: reactive[Cell] = reactive(("", ""))
    """The download of what the pane shows, at the right end: `DownloadButton` md."""
    is_lit: reactive[bool] = reactive(False)

    def render(self) -> Content:
        rule = "$line-focus" if self.is_lit else "$line"
        if not self.title and not self.crumbs:
            return Content.styled("─" * self.size.width, rule)
        text, role = self.button
        end = f" {text} " if text and self.size.width >= _BUTTON_FROM else ""
        room = self.size.width - 3 - width(end)
        parts = self._way(room) if self.crumbs else [(cut(self.title, room), self._title_style)]
        left = room - sum(width(text) for text, _ in parts) - 2
        if detail := cut(self.detail, left):
            parts.append((f"  {detail}", "$foreground" if self.is_lit else "$text-dim"))
        used = sum(width(text) for text, _ in parts) + 2
        line = " " + "─" * (self.size.width - used - width(end))
        return Content.assemble(" ", *parts, (line, rule), (end, COLORS.get(role, "$primary")))

    @property
    def _title_style(self) -> str:
        return "bold $primary" if self.is_lit else "bold $text-dim"

    def _way(self, room: int) -> list[tuple[str, str]]:
        """The crumbs, the last one lit; the first ones give way where there is no room for all."""
        *before, last = self.crumbs
        way = _CRUMB.join(before) + _CRUMB if before else ""
        while before and width(way) + width(last) > room:
            before.pop(0)
            way = "…" + _CRUMB + "".join(crumb + _CRUMB for crumb in before)
        return [(cut(way, room), "$text-dim"), (cut(last, room - width(way)), self._title_style)]


class Pane(Vertical):
    """A title over one widget, usually a list. `line` may stand in the title's place for a while: see `show_line`."""

    def __init__(self, content: Widget, *, id: str, line: Widget | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self.heading = PaneTitle()
        self._line = line
        self._content = content

    def compose(self) -> ComposeResult:
        yield self.heading
        if self._line is not None:
            self._line.display = False
            yield self._line
        yield self._content

    def show_line(self, is_shown: bool) -> None:
        """Puts `line` in the title's place, or the title back."""
        if self._line is not None:
            self._line.display = is_shown
            self.heading.display = not is_shown

    def on_descendant_focus(self) -> None:
        self.heading.is_lit = True

    def on_descendant_blur(self) -> None:
        self.heading.is_lit = False


class Divider(Widget):
    """A vertical line that joins the title lines beside it; `joins` is a selector of the pane lower down, if any."""

    def __init__(self, *, joins: str = "", id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._joins = joins

    def render(self) -> Content:
        joint = self._joint()
        signs = ["┬" if y == 0 else "├" if y == joint else "│" for y in range(self.size.height)]
        return Content.styled("\n".join(signs), "$line")

    def _joint(self) -> int:
        if not self._joins:
            return 0
        try:
            pane = self.screen.query_one(self._joins)
        except NoMatches:
            return 0
        return int(pane.region.y - self.region.y) if pane.display else 0
