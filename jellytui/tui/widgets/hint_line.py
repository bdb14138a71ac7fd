"""The last line: the keys that matter here, or for a moment a message in their place, so that nothing moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from jellytui.tui.actions import ACTIONS
from jellytui.tui.format import cut, width

if TYPE_CHECKING:
    from jellytui.tui.app import JellytuiApp

Severity = Literal["information", "warning", "error"]
_STYLES = {"information": "$foreground", "warning": "$warning", "error": "bold $error"}
_SIGNS = {"information": "", "warning": "! ", "error": "! "}


@dataclass(frozen=True)
class Toast:
    """A message that stays for a few seconds: one line of words, never markup."""

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
            text = _SIGNS[self.toast.severity] + self.toast.text
            return Content.styled(cut(text, room), _STYLES[self.toast.severity])
        return Content.assemble(*self._parts(room))

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
