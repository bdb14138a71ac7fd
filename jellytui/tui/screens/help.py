"""Help: every key by the place where it works, as the user has set them, and what the signs in the lists mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from jellytui.tui.actions import Place, actions_at
from jellytui.tui.format import cut, fit, width
from jellytui.tui.keymap import Keymap

Line = tuple[str, str]
"""Keys and what they do; a heading has no keys."""

Row = tuple[tuple[str, str], ...]
"""Text and style, from left to right."""

_TITLES: dict[Place, str] = {
    "library": "LIBRARY",
    "search": "SEARCH",
    "downloads": "DOWNLOADS",
    "playing": "NOW PLAYING",
    "queue": "QUEUE",
    "everywhere": "EVERYWHERE",
}
_MOVING: tuple[Line, ...] = (
    ("j k ↓ ↑", "Down, up"),
    ("C-d C-u", "Half a page down, up"),
    ("C-f C-b", "A page down, up"),
    ("g G", "To the top, to the bottom"),
)
_SIGNS: tuple[Line, ...] = (
    ("▶ ⏸", "Plays now, is paused"),
    ("⇣", "Waits to come down"),
    ("○◔◑◕●", "Comes down: so much is here"),
    ("✓", "On this machine; plays without the server"),
    ("·", "Here because of the cache; d keeps it"),
    ("⏸ !", "Its download is paused, has failed"),
    ("↻", "It broke off and is tried again by itself"),
    ("⇣ 4/11", "An album: 4 of 11 tracks are here"),
    ("♥", "A favourite"),
)
_COLUMN = 37
_KEYS = 9


class HelpScreen(ModalScreen[None]):
    """One column, or as many as fit; the keys of the screen below come first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,backspace", "close", show=False),
        Binding("ctrl+q", "app.quit", show=False, priority=True),
        Binding("j,down", "scroll(1)", show=False, priority=True),
        Binding("k,up", "scroll(-1)", show=False, priority=True),
        Binding("ctrl+d,ctrl+f,pagedown,space", "scroll(10)", show=False, priority=True),
        Binding("ctrl+u,ctrl+b,pageup", "scroll(-10)", show=False, priority=True),
        Binding("g,home", "scroll(-10000)", show=False, priority=True),
        Binding("G,end", "scroll(10000)", show=False, priority=True),
    ]

    def __init__(self, keymap: Keymap, here: Place) -> None:
        super().__init__()
        self._sections = list(sections(keymap, here))

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield Static(id="help-text")
        yield Static(
            Content.assemble(
                ("esc", "bold $foreground"),
                (" back  ", "$text-dim"),
                ("j k", "bold $foreground"),
                (" scroll  ", "$text-dim"),
                (":", "bold $foreground"),
                (" finds what has no key  ", "$text-dim"),
                ("[keys] in config.toml sets them", "$text-dim"),
            ),
            id="help-keys",
        )

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def on_resize(self, event: events.Resize) -> None:
        room = event.size.width - 5
        self.query_one("#help-text", Static).update(in_columns(self._sections, room))

    def action_close(self) -> None:
        self.dismiss(None)

    def action_scroll(self, by: int) -> None:
        area = self.query_one(VerticalScroll)
        area.scroll_to(y=area.scroll_offset.y + by, animate=False)


def sections(keymap: Keymap, here: Place) -> Iterable[list[Line]]:
    """The lines of help, section by section: here, everywhere, lists, signs, and the other screens."""
    others: Sequence[Place] = [place for place in _TITLES if place not in (here, "everywhere")]
    first: Sequence[Place] = ("everywhere",) if here == "everywhere" else (here, "everywhere")
    for place in first:
        yield _section(keymap, place)
    yield [("", "IN LISTS"), *_MOVING]
    yield [("", "SIGNS"), *_SIGNS]
    for place in others:
        yield _section(keymap, place)


def in_columns(parts: Sequence[Sequence[Line]], room: int) -> Content:
    """Sections side by side in as many columns as fit, filled evenly and in their order."""
    count = max(1, min(3, room // _COLUMN))
    column_width = room // count
    wrapped = [[row for line in part for row in _rows(line, column_width - 2)] for part in parts]
    height = sum(len(part) + 1 for part in wrapped) / count
    columns: list[list[Row]] = [[] for _ in range(count)]
    at = 0
    for part in wrapped:
        # A section begins the next column where more than half of it would hang over.
        if columns[at] and len(columns[at]) + len(part) / 2 > height and at < count - 1:
            at += 1
        columns[at] += [*part, ()]
    lines = []
    for row in range(max(len(column) for column in columns)):
        lines.append(Content.assemble(*(_filled(column, row, column_width) for column in columns)))
    return Content("\n").join(lines)


def _section(keymap: Keymap, place: Place) -> list[Line]:
    lines = [(keymap.all_written(action.name), action.title) for action in actions_at(place)]
    return [("", _TITLES[place]), *((keys, title) for keys, title in lines if keys)]


def _rows(line: Line, room: int) -> list[Row]:
    """A line as rows: words that are too long go on below."""
    keys, words = line
    if not keys:
        return [((words, "bold $primary"),)]
    shown = fit(keys, max(_KEYS, width(keys) + 1))
    first, *others = wrap(words, room - width(shown)) or [""]
    rows: list[Row] = [((shown, "bold $foreground"), (cut(first, room - width(shown)), "$text-dim"))]
    return rows + [((" " * _KEYS, ""), (other, "$text-dim")) for other in others]


def _filled(column: Sequence[Row], at: int, cells: int) -> Content:
    """A row of a column, padded to its width; blank below the column's end."""
    row = column[at] if at < len(column) else ()
    used = sum(width(text) for text, _ in row)
    return Content.assemble(*row, " " * max(0, cells - used))
