"""The last line: the keys that matter here, or for a moment a message in their place, so that nothing moves.

A message that is too long for the line covers as many lines above it as it needs: what must be read is never clipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from jellytui.tui.actions import ACTIONS
from jellytui.tui.format import width, wrap

if TYPE_CHECKING:
    from jellytui.tui.app import JellytuiApp

Severity = Literal["information", "warning", "error"]
_STYLES = {"information": "$foreground", "warning": "$warning", "error": "bold $error"}
_SIGNS = {"information": "", "warning": "! ", "error": "! "}


@dataclass(frozen=True)
class Toast:
    """A message that stays for a few seconds: words, never markup."""

    text: str
    severity: Severity = "information"


class HintLine(Widget):
    """Key hints; whole hints only, help always the last."""

    toast: reactive[Toast | None] = reactive(None)
    hints: reactive[tuple[str, ...]] = reactive((), init=False)

    def __init__(self, hints: tuple[str, ...]) -> None:
        super().__init__()
        self.set_reactive(HintLine.hints, hints)

    def render(self) -> Content:
        room = self.size.width
        if self.toast is not None:
            return Content.styled("\n".join(self._message(room)), _STYLES[self.toast.severity])
        return Content.assemble(*self._parts(room))

    def watch_toast(self) -> None:
        self._take_room()

    def on_resize(self) -> None:
        self._take_room()

    def _take_room(self) -> None:
        """Stands as high as the message is, up to half of the screen."""
        lines = len(self._message(self.size.width)) if self.size.width else 1
        if self.styles.height is None or self.styles.height.value != lines:
            self.styles.height = lines

    def _message(self, room: int) -> list[str]:
        if self.toast is None:
            return [""]
        return wrap(_SIGNS[self.toast.severity] + self.toast.text, room, at_most=max(1, self.screen.size.height // 2))

    def _parts(self, room: int) -> list[tuple[str, str]]:
        keymap = cast("JellytuiApp", self.app).keymap
        written = [(keymap.written(name), ACTIONS[name].hint) for name in (*self.hints, "help")]
        pairs: list[tuple[str, str]] = []
        for key, hint in written:
            if key and pairs and pairs[-1][1] == hint:
                pairs[-1] = (f"{pairs[-1][0]} {key}", hint)  # "← → seek"
            elif key:
                pairs.append((key, hint))
        while len(pairs) > 1 and sum(width(key) + width(hint) + 3 for key, hint in pairs) - 2 > room:
            del pairs[-2]  # the last one is help
        parts: list[tuple[str, str]] = []
        for key, hint in pairs:
            parts += [(key, "bold $text-key"), (f" {hint}  ", "$text-dim")]
        return parts
