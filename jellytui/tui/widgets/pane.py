"""Panes parted by one thin line: a title that sits in the line, the line between, and a list below."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.css.query import NoMatches
from textual.reactive import reactive
from textual.widget import Widget

from jellytui.tui.format import cut, width


class PaneTitle(Widget):
    """One line: ` ALBUMS  Alma Verde ─────`, lit while the pane has the focus."""

    title: reactive[str] = reactive("")
    detail: reactive[str] = reactive("")
    is_lit: reactive[bool] = reactive(False)

    def render(self) -> Content:
        room = self.size.width - 3
        title = cut(self.title, room)
        detail = cut(self.detail, room - width(title) - 2)
        parts = [(f" {title}", "bold $primary" if self.is_lit else "bold $text-dim")]
        if detail:
            parts.append((f"  {detail}", "$foreground" if self.is_lit else "$text-dim"))
        used = sum(width(text) for text, _ in parts) + 1
        parts.append((" " + "─" * (self.size.width - used), "$line-focus" if self.is_lit else "$line"))
        return Content.assemble(*parts)


class Pane(Vertical):
    """A title over one widget, usually a list."""

    def __init__(self, content: Widget, *, id: str) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self.heading = PaneTitle()
        self._content = content

    def compose(self) -> ComposeResult:
        yield self.heading
        yield self._content

    def on_descendant_focus(self) -> None:
        self.heading.is_lit = True

    def on_descendant_blur(self) -> None:
        self.heading.is_lit = False


class Divider(Widget):
    """A vertical line that joins the title lines beside it; `joins` is a selector of the pane lower down, if any."""

    def __init__(self, *, joins: str = "", classes: str | None = None) -> None:
        super().__init__(classes=classes)
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
