"""The three bands that every screen has: where am I; the screen itself; what plays and which keys matter here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import ModalScreen, Screen

from jellytui.tui.session import Session
from jellytui.tui.stores.base import Keys, Store
from jellytui.tui.widgets.hint_line import HintLine
from jellytui.tui.widgets.player_bar import PlayerBar
from jellytui.tui.widgets.too_small import TooSmall
from jellytui.tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from jellytui.tui.app import JellytuiApp


class BaseScreen(Screen[None]):
    """A mode's screen. A subclass names its HINTS (actions of the key line) and composes its middle.

    Its BINDINGS are `keymap.bindings("<place>")`. Widgets of a mode live as long as its screen.
    """

    HINTS: ClassVar[tuple[str, ...]] = ()
    TAB: ClassVar[str] = ""
    """The mode whose tab is lit."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._ends: list[Callable[[], None]] = []
        self._held: dict[Callable[[Keys], None], set[str]] = {}

    @property
    def jellytui(self) -> JellytuiApp:
        """The app, by its own type."""
        return cast("JellytuiApp", self.app)

    def compose(self) -> ComposeResult:
        yield TopBar(self.session, self.TAB)
        with Container(id="middle"):
            yield from self.compose_middle()
        yield PlayerBar(self.session.player)
        yield HintLine(self.HINTS)
        yield TooSmall()

    def compose_middle(self) -> ComposeResult:
        """The widgets of this screen."""
        raise NotImplementedError

    def follow(self, store: Store, callback: Callable[[Keys], None]) -> None:
        """Calls back with a store's changed keys while this screen is seen; what changes meanwhile comes when it is
        seen again."""
        held = self._held.setdefault(callback, set())

        def deliver(keys: Keys) -> None:
            if self.is_seen:
                callback(keys)
            else:
                held.update(keys)

        self._ends.append(store.subscribe(deliver))

    @property
    def is_seen(self) -> bool:
        """Whether it is on the terminal now; a question or the palette above it leaves it in sight."""
        stack = self.app.screen_stack
        return self in stack and all(isinstance(above, ModalScreen) for above in stack[stack.index(self) + 1 :])

    def on_screen_resume(self) -> None:
        self.query_one(HintLine).toast = self.jellytui.toast
        for callback, keys in self._held.items():
            if keys:
                changed = frozenset(keys)
                keys.clear()
                callback(changed)

    def on_unmount(self) -> None:
        for end in self._ends:
            end()

    def send(self, command: str, **arguments: Any) -> None:
        """Sends a command to the engine; an error is shown in the key line."""
        self.jellytui.send(command, **arguments)


def screen_of(widget: Any) -> BaseScreen:
    """The screen that a mounted widget of a mode stands on."""
    return cast("BaseScreen", widget.screen)
