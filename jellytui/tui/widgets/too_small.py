"""What stands there when the terminal has no room for the screens."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

MIN_COLUMNS = 36
MIN_ROWS = 8


class TooSmall(Widget):
    """Shown by the style sheet below 36 columns or 8 rows."""

    def render(self) -> Content:
        return Content(f"Too small: {self.size.width}x{self.size.height}.\nFrom {MIN_COLUMNS}x{MIN_ROWS} on it fits.")
