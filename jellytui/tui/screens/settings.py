"""Settings: what config.toml says, in words, changed in place; each change is written, and told to the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from jellytui import __version__
from jellytui.config import Settings
from jellytui.engine.backend import Backend
from jellytui.engine.errors import JellytuiError
from jellytui.settings_file import CannotEditError, Value, set_value
from jellytui.tui import format as fmt
from jellytui.tui.widgets.virtual_list import Cell, VirtualList

if TYPE_CHECKING:
    from jellytui.tui.app import JellytuiApp

_COMMANDS = {"cache": "set_cache_settings", "downloads": "set_download_settings"}
"""How the engine is told of the settings of a section; it takes those of the others when it starts."""

GB = 1_000_000_000
MB = 1_000_000


def _plain(value: Value) -> str:
    return "on" if value is True else "off" if value is False else str(value)


def _size(value: Value) -> str:
    return fmt.size(int(value)).replace(".0 ", " ") if value else "nothing is cached"


def _rate(value: Value) -> str:
    return fmt.rate(int(value)).replace(".0 ", " ") if value else "as fast as it goes"


def _bitrate(value: Value) -> str:
    return f"{int(value) // 1000} kbit/s, transcoded" if value else "the original"


@dataclass(frozen=True)
class Item:
    """One setting: where it stands in config.toml, its words, the values to step through, and how they are written."""

    section: str
    key: str
    title: str
    values: Sequence[Value]
    words: Callable[[Value], str] = _plain

    def next_value(self, value: Value, by: int) -> Value:
        """The value so many steps on; two values turn round, more stop at their ends; others go to the nearest."""
        if value not in self.values:
            larger = [at for at, other in enumerate(self.values) if isinstance(other, int) and other > int(value)]
            return self.values[max(0, (larger[0] if larger else len(self.values)) - (by < 0))]
        at = self.values.index(value) + by
        if len(self.values) == 2:
            return self.values[at % 2]
        return self.values[max(0, min(at, len(self.values) - 1))]


_SWITCH = (False, True)
ITEMS: tuple[Item | str, ...] = (
    "CACHE",
    Item("cache", "queue_precache_enabled", "Fetch the queue ahead", _SWITCH),
    Item("cache", "queue_precache_count", "Tracks ahead", range(101)),
    Item("cache", "album_affinity_enabled", "Fetch the rest of an album", _SWITCH),
    Item("cache", "album_affinity_threshold", "once so many of its tracks were played", range(1, 101)),
    Item(
        "cache",
        "storage_limit",
        "Room for the cache",
        (0, GB // 2, *(GB * number for number in (1, 2, 5, 10, 20, 30, 50, 100, 200, 500, 1000))),
        _size,
    ),
    Item("cache", "wifi_only", "Only over links that are not metered", _SWITCH),
    "DOWNLOADS",
    Item("downloads", "concurrency", "Downloads at once", range(1, 9)),
    Item(
        "downloads", "max_rate", "Not faster than", (0, MB // 2, *(MB * n for n in (1, 2, 5, 10, 20, 50, 100))), _rate
    ),
    "SOUND",
    Item("player", "replaygain", "Even loudness by", ("album", "track", "off")),
    Item("player", "stream_bitrate", "Stream", (0, *(1000 * n for n in (96, 128, 192, 256, 320))), _bitrate),
    "SCREEN",
    Item(
        "screen",
        "theme",
        "Theme",
        ("", "jellytui", "jellytui-light", "ansi-dark", "ansi-light"),
        lambda v: str(v) or "by terminal",
    ),
    Item("screen", "artwork", "Covers", ("blocks", "off")),
    Item("screen", "mouse", "Mouse", _SWITCH),
)


class SettingsList(VirtualList):
    """The settings below their headings; what differs from the default is lit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,enter,space,plus", "step(1)", show=False),
        Binding("left,h,minus", "step(-1)", show=False),
    ]

    def __init__(self, settings: Settings, change: Callable[[Item, Value], Settings]) -> None:
        super().__init__()
        self._settings = settings
        self._defaults = Settings()
        self._change = change

    def on_mount(self) -> None:
        self.set_row_count(len(ITEMS), cursor=1)

    def is_selectable(self, index: int) -> bool:
        return isinstance(ITEMS[index], Item)

    def row_cells(self, index: int, width: int) -> Sequence[Cell]:
        item = ITEMS[index]
        if isinstance(item, str):
            return [(item, "title")]
        value = value_of(self._settings, item)
        is_default = value == value_of(self._defaults, item)
        room = min(44, width * 3 // 5)
        return [
            (fmt.fit(item.title, room), ""),
            ("‹ ", "line"),
            (fmt.cut(item.words(value), width - room - 4), "dim" if is_default else "accent"),
            (" ›", "line"),
        ]

    def action_step(self, by: int) -> None:
        item = ITEMS[self.cursor]
        if isinstance(item, Item):
            value = value_of(self._settings, item)
            new = item.next_value(value, by)
            if new != value:
                self._settings = self._change(item, new)
                self.refresh_row(self.cursor)

    def on_virtual_list_chosen(self) -> None:
        self.action_step(1)


class SettingsScreen(ModalScreen[None]):
    """Shows the settings of a config.toml and writes it, a value at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,backspace,f2", "close", show=False),
        Binding("ctrl+q", "app.quit", show=False, priority=True),
    ]

    def __init__(self, settings: Settings, path: Path) -> None:
        super().__init__()
        self._settings = settings
        self._path = path

    def compose(self) -> ComposeResult:
        with Vertical(id="settings"):
            yield Static(self._facts(), id="settings-facts")
            yield SettingsList(self._settings, self._change)
            yield Static(Content.styled(f"Each change is written to {self._path}", "$text-dim"), id="settings-note")
        keys = (("← →", "change"), ("j k", "move"), ("esc", "back"))
        yield Static(
            Content.assemble(
                *(part for key, word in keys for part in ((key, "bold $foreground"), (f" {word}  ", "$text-dim")))
            ),
            id="settings-keys",
        )

    def on_mount(self) -> None:
        self.set_focus(self.query_one(SettingsList))

    def action_close(self) -> None:
        self.dismiss(None)

    def _facts(self) -> Content:
        app = cast("JellytuiApp", self.app)
        parts = [("Settings", "bold $primary"), (f"   jellytui {__version__}", "$text-dim")]
        if app.session is not None:
            account = app.session.backend.account
            parts.append((f" · {account.user_name} on {account.server_name} ({account.server_url})", "$text-dim"))
        return Content.assemble(*parts)

    def _change(self, item: Item, value: Value) -> Settings:
        note = self.query_one("#settings-note", Static)
        try:
            self._settings = set_value(self._path, item.section, item.key, value)
        except CannotEditError as error:
            note.update(Content.styled(str(error), "$error"))
            return self._settings
        app = cast("JellytuiApp", self.app)
        app.settings = self._settings
        command = _COMMANDS.get(item.section)
        if item.key == "theme":
            app.take_theme(str(value))
        elif command is not None and app.session is not None:
            self.run_worker(self._tell(app.session.backend, command, item, value))
            return self._settings
        when = "" if item.key == "theme" else " It counts from the next start on."
        note.update(Content.styled(f"Written to {self._path}.{when}", "$text-dim"))
        return self._settings

    async def _tell(self, backend: Backend, command: str, item: Item, value: Value) -> None:
        """The engine goes by it from now on, whoever's engine it is."""
        note = self.query_one("#settings-note", Static)
        try:
            await backend.call(command, **{item.key: value})
        except JellytuiError as error:
            words = f"Written to {self._path}. It counts from the next start on: {error.text}"
            note.update(Content.styled(words, "$error"))
            return
        note.update(Content.styled(f"Written to {self._path}. It counts from now on.", "$text-dim"))


def value_of(settings: Settings, item: Item) -> Value:
    """What a setting is."""
    value: Value = getattr(getattr(settings, item.section), item.key)
    return value
