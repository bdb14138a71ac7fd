"""The palette: everything a person can do, found by a few letters of its name; `:login` and `:volume 40` as well.

It shows the whole registry, also what has no key, and each key beside it, so that using it teaches the keys.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.fuzzy import FuzzySearch
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from jellytui.tui.actions import ACTIONS, Action, Place
from jellytui.tui.format import fit
from jellytui.tui.screens.base import BaseScreen
from jellytui.tui.widgets.virtual_list import Cell, VirtualList

if TYPE_CHECKING:
    from jellytui.tui.app import JellytuiApp

TYPED_AHEAD_SECONDS = 0.1

Choice = Callable[[], Awaitable[None] | None]

_SHORT = {"q": "quit", "q!": "quit", "x": "quit", "h": "help", "signin": "login"}
"""Words that vim's and cmus's hands type, and the action that they mean."""

_PLACES: dict[Place, str] = {
    "everywhere": "",
    "library": "Library",
    "search": "Search",
    "downloads": "Downloads",
    "playing": "Now playing",
    "queue": "Queue",
}


@dataclass(frozen=True)
class Entry:
    """One line: the word that can be typed, what it does, its keys, the screen that it belongs to, and doing it."""

    word: str
    title: str
    keys: str
    place: str
    run: Choice


class EntryList(VirtualList):
    """The entries that match; the letters that matched are lit."""

    def __init__(self) -> None:
        super().__init__()
        self.can_focus = False
        self.empty_text = "No such command. Fewer letters find more."
        self._found: Sequence[tuple[Entry, frozenset[int]]] = ()

    @property
    def entry(self) -> Entry | None:
        """The entry under the cursor."""
        return self._found[self.cursor][0] if self.cursor < len(self._found) else None

    def show(self, found: Sequence[tuple[Entry, frozenset[int]]]) -> None:
        """Takes the entries in their order, each with the places of the matched letters in its title."""
        self._found = found
        self.set_row_count(len(found), cursor=0)

    def row_cells(self, index: int, width: int) -> Sequence[Cell]:
        entry, lit = self._found[index]
        keys = fit(entry.keys, 12, "right")
        word = fit(entry.word, 18) if width >= 68 else ""
        place = fit(entry.place, 13) if width >= 50 else ""
        title = fit(entry.title, width - len(keys) - len(word) - len(place) - 2)
        letters: list[Cell] = [(letter, "accent" if at in lit else "") for at, letter in enumerate(title)]
        return [*letters, ("  ", ""), (place, "dim"), (word, "dim"), (keys, "title")]


class Palette(ModalScreen[Choice | None]):
    """`dismiss`es with what to do, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "close", show=False),
        Binding("ctrl+q", "app.quit", show=False, priority=True),
        # First of all: a key typed right behind it is about what the command has led to.
        Binding("enter", "choose", show=False, priority=True),
        Binding("down,ctrl+n,tab", "move(1)", show=False, priority=True),
        Binding("up,ctrl+p,shift+tab", "move(-1)", show=False, priority=True),
        Binding("pagedown", "move(10)", show=False, priority=True),
        Binding("pageup", "move(-10)", show=False, priority=True),
    ]

    def __init__(self, sign: str = "›") -> None:
        """`sign` stands before what is typed: ":" where one types a command, "›" where one looks for it."""
        super().__init__()
        self._sign = sign
        self._typed = ""
        """What the entries belong to."""
        self._entries: list[Entry] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="palette") as palette:
            palette.border_subtitle = "↑ ↓ choose · enter does it · esc closes"
            with Horizontal(id="palette-line"):
                yield Static(self._sign, id="palette-sign", markup=False)
                typed = Input(placeholder="a few letters of what you want to do", compact=True)
                typed.cursor_blink = False
                yield typed
            yield EntryList()

    def on_mount(self) -> None:
        self._entries = list(entries(cast("JellytuiApp", self.app)))
        # At once: what is typed right behind the colon must not get lost.
        self.set_focus(self.query_one(Input))
        self._find("")

    def take_typed(self, letter: str) -> None:
        """Takes a letter that was typed right behind the colon, before the line had the focus."""
        self.query_one(Input).insert_text_at_cursor(letter)

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.value != self._typed:
            self._find(event.value)

    async def action_choose(self) -> None:
        """Does the entry under the cursor, which is one for all letters that are on their way into the line."""
        typed = self.query_one(Input)
        arrived = asyncio.Event()
        typed.call_later(arrived.set)
        with suppress(TimeoutError):
            async with asyncio.timeout(TYPED_AHEAD_SECONDS):
                await arrived.wait()
        if typed.value != self._typed:
            self._find(typed.value)
        entry = self.query_one(EntryList).entry
        if entry is None:
            return
        self.dismiss(None)
        done = entry.run()
        if done is not None:
            await done

    def on_input_submitted(self) -> None:
        # The key came before the line was there, in one go with the letters (pasted): it went round by way of them.
        self.on_virtual_list_chosen()

    def on_virtual_list_chosen(self) -> None:
        entry = self.query_one(EntryList).entry
        if entry is not None:
            self.dismiss(entry.run)

    def on_click(self, event: events.Click) -> None:
        if event.widget is self:
            self.dismiss(None)

    def action_move(self, by: int) -> None:
        found = self.query_one(EntryList)
        found.cursor += by

    def action_close(self) -> None:
        self.dismiss(None)

    def _find(self, typed: str) -> None:
        self._typed = typed
        query = " ".join(typed.lstrip(": ").lower().split())
        app = cast("JellytuiApp", self.app)
        spoken = spoken_entry(query, app) or folder_entry(typed.lstrip(": "), app)
        found = matches(query, self._entries)
        self.query_one(EntryList).show([(spoken, frozenset()), *found] if spoken else found)


def matches(query: str, among: Sequence[Entry]) -> list[tuple[Entry, frozenset[int]]]:
    """The entries that a query finds, best first, each with the places of the letters that matched in its title."""
    if not query:
        return [(entry, frozenset()) for entry in among]
    search = FuzzySearch()
    word = _SHORT.get(query, query)
    scored: list[tuple[float, Entry, frozenset[int]]] = []
    for entry in among:
        by_title, lit = search.match(query, entry.title)
        by_word, _ = search.match(query, entry.word)
        score = max(by_title, by_word)
        if entry.word == word:
            score += 1000
        elif entry.word.startswith(query) or entry.title.lower().startswith(query):
            score *= 2
        if score > 0:
            scored.append((score, entry, frozenset(lit) if by_title > 0 else frozenset()))
    # Sorting is stable: what ties stays in the registry's order.
    return [(entry, lit) for _, entry, lit in sorted(scored, key=lambda one: -one[0])]


def entries(app: JellytuiApp) -> Iterable[Entry]:
    """Everything that can be done: what belongs to this screen, what works everywhere, then the other screens'."""
    here = place_of(app)
    order = sorted(ACTIONS.values(), key=lambda action: _rank(action, here))
    for action in order:
        if action.name in ("palette", "command_line"):
            continue
        is_here = here in action.places or "everywhere" in action.places
        if action.is_only_here and not is_here:
            continue
        yield Entry(
            word=action.name.replace("_", " "),
            title=action.title,
            keys=app.keymap.all_written(action.name),
            place="" if is_here else _PLACES[action.places[0]],
            run=partial(perform, app, action, here),
        )
    for name in sorted(app.available_themes):
        yield Entry(f"theme {name}", f"Theme: {name}", "", "", partial(_set_theme, app, name))


async def perform(app: JellytuiApp, action: Action, here: Place) -> None:
    """Does an action; one of another screen there, unless it is about a row that the user has not seen yet."""
    if here in action.places or "everywhere" in action.places:
        await app.action_perform(action.name)
        return
    place = action.places[0]
    await app.action_perform(f"show_{place}" if place != "search" else "search")
    if action.is_about_row:
        key = app.keymap.written(action.name)
        app.say(f"{action.title}: move to what you mean" + (f", then press {key}." if key else "."))
        return
    app.call_after_refresh(app.action_perform, action.name)


def place_of(app: JellytuiApp) -> Place:
    """The place that the screen below the modals is."""
    for screen in reversed(app.screen_stack):
        if isinstance(screen, BaseScreen):
            return cast("Place", screen.TAB)
    return "everywhere"


def spoken_entry(query: str, app: JellytuiApp) -> Entry | None:
    """A command with a value: `volume 40`, `seek 1:30`."""
    if match := re.fullmatch(r"vol(?:ume)? (\d{1,3})", query):
        volume = min(100, int(match[1]))
        return Entry("volume", f"Volume {volume}", "", "", lambda: _send(app, "set_volume", volume=volume))
    if match := re.fullmatch(r"seek (?:(\d+):)?(?:(\d+):)?(\d+)", query):
        hours_or_minutes, minutes, seconds = (int(part or 0) for part in match.groups())
        total = hours_or_minutes * 3600 + minutes * 60 + seconds if match[2] else hours_or_minutes * 60 + seconds
        words = query.removeprefix("seek ")
        return Entry("seek", f"Go to {words}", "", "", lambda: _send(app, "seek", position_ms=total * 1000))
    return None


def folder_entry(typed: str, app: JellytuiApp) -> Entry | None:
    """A command with a folder, whose letters keep their case: `export ~/Music`, `move downloads /media/usb`."""
    match = re.fullmatch(r"(export|move downloads)(?: to)? ([~/.].*)", typed.strip(), re.IGNORECASE)
    if match is None:
        return None
    # The engine may be another process, with another working directory.
    folder = str(Path(match[2]).expanduser().absolute())
    if match[1].lower() == "export":
        title = f"Copy the downloads, by name, to {folder}"
        return Entry("export", title, "", "", lambda: _send(app, "export_downloads", folder=folder))
    title = f"Move the downloads to {folder}"
    return Entry("move downloads", title, "", "", lambda: _send(app, "move_downloads", folder=folder))


def _send(app: JellytuiApp, command: str, **arguments: int | str) -> None:
    app.send(command, **arguments)


def _set_theme(app: JellytuiApp, name: str) -> None:
    app.theme = name
    app.say(f"Theme: {name}. To keep it: theme = {name!r} below [screen] in config.toml.".replace("'", '"'))


def _rank(action: Action, here: Place) -> int:
    if here in action.places:
        return 0
    return 1 if "everywhere" in action.places else 2
