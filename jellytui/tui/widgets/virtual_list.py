"""VirtualList: a list of any length by Textual's Line API, one line a row; only what is seen is drawn.

DataTable needs 7 s and 160 MB for 100,000 rows, this 0.09 s and 42 MB (textual.md 3.2). At the edge the view jumps by
half a page: Textual never uses the terminal's scrolling, so each line scrolled rewrites the whole list.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from textwrap import wrap
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

Cell = tuple[str, str]
"""A stretch of text and its role: "" or one of ROLES."""

GUTTER = 2
"""Cells before each row: a sign of the row's own, else the cursor's."""

ROLES = ("dim", "accent", "title", "good", "warn", "bad", "line")
_CACHED_STRIPS = 4096


class VirtualList(ScrollView, can_focus=True):
    """Rows by index. A subclass says how a row looks (`row_cells`) and which rows the cursor skips (`is_selectable`).

    `row_cells` gets the width to fill; what it leaves is padded, what is too much is cut. Rows are cached until
    `refresh_row`, `refresh_rows`, `refresh_changed` or a change of size or theme. Without rows it shows `empty_text`.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "virtual-list--cursor",
        "virtual-list--cursor-blurred",
        *(f"virtual-list--{role}" for role in ROLES),
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False),
        Binding("ctrl+d", "half_page(1)", "Half a page down", show=False),
        Binding("ctrl+u", "half_page(-1)", "Half a page up", show=False),
        Binding("home,g", "top", "To the top", show=False),
        Binding("end,G", "bottom", "To the bottom", show=False),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)
    """Index of the row that actions are about."""

    empty_text: reactive[str] = reactive("")
    """What to say, and which key to press, when there is no row."""

    class Moved(Message):
        """The cursor stands on another row, or on another thing because the rows changed."""

        def __init__(self, source: VirtualList, index: int) -> None:
            super().__init__()
            self.source = source
            self.index = index

        @property
        def control(self) -> VirtualList:
            return self.source

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, VirtualList.Moved) and message.source is self.source

    class Chosen(Message):
        """The row under the cursor was clicked once more: do what enter does."""

        def __init__(self, source: VirtualList, index: int) -> None:
            super().__init__()
            self.source = source
            self.index = index

        @property
        def control(self) -> VirtualList:
            return self.source

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id, classes=classes)
        self._row_count = 0
        self._strips: dict[tuple[int, int], Strip] = {}
        self._drawn: dict[int, list[Cell]] = {}

    # What a subclass says

    def row_cells(self, index: int, width: int) -> Sequence[Cell]:
        """The row's text from left to right, for so many cells."""
        raise NotImplementedError

    def row_sign(self, index: int) -> Cell:  # noqa: ARG002 (for subclasses)
        """A sign of one cell before the row, such as ▶; a blank leaves the place to the cursor."""
        return " ", ""

    def is_selectable(self, index: int) -> bool:  # noqa: ARG002 (for subclasses)
        """Whether the cursor may stand on this row; False for headings between rows."""
        return True

    # What an owner does

    @property
    def row_count(self) -> int:
        """How many rows there are, headings included."""
        return self._row_count

    def set_row_count(self, count: int, *, cursor: int | None = None) -> None:
        """Takes a new number of rows, all of them possibly changed; the cursor stays, or goes to `cursor`."""
        self._row_count = count
        self._forget_drawn()
        self.virtual_size = Size(0, count)
        target = self._nearest(self.cursor if cursor is None else cursor)
        if target == self.cursor:
            self._show_cursor()
            self.refresh()
            self.post_message(self.Moved(self, target))
        else:
            self.cursor = target
            self.refresh()

    def refresh_row(self, index: int) -> None:
        """Draws one row anew."""
        for state in range(3):
            self._strips.pop((index, state), None)
        self._drawn.pop(index, None)
        if 0 <= index - self.scroll_offset.y < self.size.height:
            self.refresh_line(index)

    def refresh_rows(self) -> None:
        """Draws all rows anew."""
        self._forget_drawn()
        self.refresh()

    def refresh_changed(self) -> None:
        """Draws those visible rows anew whose text has changed; the others cost no byte."""
        width = self._room
        for index in self.visible_rows:
            # A row that is not known any more was painted all the same: its strip went, not what is seen.
            if self._drawn.get(index) != self._cells(index, width):
                self.refresh_row(index)

    @property
    def visible_rows(self) -> range:
        """The indices of the rows that are seen."""
        top = int(self.scroll_offset.y)
        return range(top, min(self._row_count, top + max(1, self.size.height)))

    # Drawing

    @property
    def _room(self) -> int:
        """Cells of a row's text: those of the scrollbar, which `size` counts, stay free also while there is none."""
        return self.size.width - GUTTER - self.styles.scrollbar_size_vertical

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        index = y + int(self.scroll_offset.y)
        if not 0 <= index < self._row_count:
            return self._blank(y, width)
        state = 0 if index != self.cursor or not self.is_selectable(index) else 2 if self.has_focus else 1
        strip = self._strips.get((index, state))
        if strip is None or strip.cell_length != width:
            if len(self._strips) > _CACHED_STRIPS:
                self._forget_drawn()
            strip = self._strips[index, state] = self._draw(index, state, width)
        return strip

    def _draw(self, index: int, state: int, width: int) -> Strip:
        base = self.rich_style
        bar = Style()
        cells = self._drawn[index] = self._cells(index, self._room)
        if state:
            name = "virtual-list--cursor" if state == 2 else "virtual-list--cursor-blurred"
            bar = self.get_component_rich_style(name, partial=True)
            if cells[0][0] == " ":
                cells = [("▌", "accent" if state == 2 else "dim"), *cells[1:]]
        # A bar in reverse (few colours) would turn each cell's colour into a patch of ground.
        segments = [Segment(text, self._style_of("" if bar.reverse else role) + bar) for text, role in cells]
        # Fewer segments are fewer bytes over SSH (textual.md 3.2).
        return Strip(segments).adjust_cell_length(width, base + bar).simplify()

    def _cells(self, index: int, width: int) -> list[Cell]:
        return [self.row_sign(index), (" ", ""), *self.row_cells(index, max(0, width))]

    def _style_of(self, role: str) -> Style:
        if not role:
            return self.rich_style
        return self.rich_style + self.get_component_rich_style(f"virtual-list--{role}", partial=True)

    def _blank(self, y: int, width: int) -> Strip:
        """A line without a row: empty, or a line of `empty_text` below the first."""
        lines = wrap(self.empty_text, max(8, width - 2 * GUTTER)) if self._row_count == 0 else []
        if not 1 <= y <= len(lines):
            return Strip.blank(width, self.rich_style)
        segments = [Segment(" " * GUTTER, self.rich_style), Segment(lines[y - 1], self._style_of("dim"))]
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _forget_drawn(self) -> None:
        self._strips.clear()
        self._drawn.clear()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._forget_drawn()

    # The cursor

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, self._row_count - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        self._show_cursor()
        self.refresh_line(old)
        self.refresh_line(new)
        self.post_message(self.Moved(self, new))

    def on_focus(self) -> None:
        self.refresh_line(self.cursor)

    def on_blur(self) -> None:
        self.refresh_line(self.cursor)

    def on_resize(self) -> None:
        # Textual has painted by now, and each strip of another width anew.
        self._show_cursor()

    def action_move(self, by: int) -> None:
        self._go(self.cursor + by, 1 if by > 0 else -1)

    def action_page(self, direction: int) -> None:
        self._go(self.cursor + direction * max(1, self.size.height - 1), direction)

    def action_half_page(self, direction: int) -> None:
        self._go(self.cursor + direction * max(1, self.size.height // 2), direction)

    def action_top(self) -> None:
        self._go(0, 1)

    def action_bottom(self) -> None:
        self._go(self._row_count - 1, -1)

    def on_click(self, event: events.Click) -> None:
        index = event.y + self.scroll_offset.y
        if not 0 <= index < self._row_count or not self.is_selectable(index):
            return
        if index == self.cursor and event.chain > 1:
            self.post_message(self.Chosen(self, index))
        self.cursor = index

    def _go(self, index: int, direction: int) -> None:
        """The cursor to a row, or to the next selectable one in that direction; stays when there is none."""
        index = max(0, min(index, self._row_count - 1))
        while 0 <= index < self._row_count and not self.is_selectable(index):
            index += direction
        if 0 <= index < self._row_count:
            self.cursor = index
        else:
            # Shows the heading above the first row, or what stands below the last one.
            self.scroll_to(y=0 if direction < 0 else self._row_count, animate=False)

    def _nearest(self, index: int) -> int:
        index = max(0, min(index, self._row_count - 1))
        candidates = chain(range(index, self._row_count), range(index - 1, -1, -1))
        return next((candidate for candidate in candidates if self.is_selectable(candidate)), 0)

    def _show_cursor(self) -> None:
        """Brings the cursor's row, with a heading right above it, into view; by half a page where it is not."""
        height = self.size.height
        if height <= 0:
            return
        top, cursor = int(self.scroll_offset.y), self.cursor
        has_heading = 0 < cursor < self._row_count and not self.is_selectable(cursor - 1)
        if top <= cursor - has_heading and cursor < top + height:
            return
        wanted = cursor - height // 2
        self.scroll_to(y=max(0, min(wanted, self._row_count - height)), animate=False, force=True)
