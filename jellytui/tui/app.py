"""JellytuiApp: the modes, the way from a key to a command, messages, themes, and signing in."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine
from inspect import isawaitable
from typing import Any, ClassVar

from textual import events
from textual.app import App
from textual.screen import Screen
from textual.timer import Timer
from textual.worker import Worker, WorkerState

from jellytui.config import Settings
from jellytui.engine.backend import Backend, SignIn
from jellytui.engine.errors import JellytuiError, NotSignedInError
from jellytui.engine.events import Event, ProblemOccurred
from jellytui.engine.models import DownloadInfo, UpkeepReport
from jellytui.tui.actions import ACTIONS
from jellytui.tui.bridge import BUSY_SECONDS, CALM_SECONDS, pump
from jellytui.tui.format import count, number
from jellytui.tui.keymap import Keymap, bindings
from jellytui.tui.removals import Removals
from jellytui.tui.resources import styles_dir
from jellytui.tui.screens.base import BaseScreen
from jellytui.tui.screens.start import StartScreen
from jellytui.tui.session import Session
from jellytui.tui.stores.base import Keys
from jellytui.tui.stores.downloads import UPKEEP
from jellytui.tui.themes import OURS, start_theme, variables_of
from jellytui.tui.widgets.hint_line import HintLine, Severity, Toast
from jellytui.tui.widgets.top_bar import TopBar

log = logging.getLogger(__name__)

TOAST_SECONDS = 5.0
LETTERS_PER_SECOND = 15.0
"""How fast a message is read by somebody who looks elsewhere first."""

MODE_NAMES = ("library", "downloads", "playing", "queue", "search")


class JellytuiApp(App[None], inherit_bindings=False):
    """The terminal face of one Backend.

    Either `backend` is there already (tests), or `open_backend` opens the stored account's and raises NotSignedInError
    when there is none: then the login screen comes first. The app lets go of a backend when signing in to another;
    closing the last one is the caller's.
    """

    TITLE = "jellytui"
    ENABLE_COMMAND_PALETTE = False
    PAUSE_GC_ON_SCROLL = True
    AUTO_FOCUS = None
    MODES = {"start": StartScreen}  # noqa: RUF012 (Textual's)
    DEFAULT_MODE = "start"
    CSS_PATH: ClassVar[list[Any]] = [styles_dir() / name for name in ("app.tcss", "library.tcss", "modals.tcss")]
    BINDINGS = bindings("everywhere")
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (36, "-narrow"), (70, "-normal"), (120, "-wide")]  # noqa: RUF012 (Textual's)
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (8, "-short"), (20, "-tall")]  # noqa: RUF012

    def __init__(
        self,
        *,
        backend: Backend | None,
        sign_in: SignIn,
        open_backend: Callable[[], Awaitable[Backend]],
        settings: Settings,
    ) -> None:
        self._start_theme = start_theme(settings.screen.theme, os.environ)
        # Said here, Textual leaves all colours out; by the theme alone it would paint black on black.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.sign_in = sign_in
        self.settings = settings
        self.keymap = Keymap(settings.keys)
        self.toast: Toast | None = None
        self.session: Session | None = None
        self.removals: Removals
        """The session's; there is one as long as there is a session."""
        self._backend = backend
        self._open_backend = open_backend
        self._toast_timer: Timer | None = None
        self._before_search = "library"

    # Coming and going

    def on_mount(self) -> None:
        for theme in OURS:
            self.register_theme(theme)
        self.theme = self._start_theme if self._start_theme in self.available_themes else OURS[0].name
        self.set_keymap(self.keymap.overrides())
        self.run_worker(self._enter(), group="enter", exit_on_error=False)

    def on_ready(self) -> None:
        # What exists at the first paint stays: no later collection needs to look at it (textual.md 3.1).
        gc.collect()
        gc.freeze()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return variables_of(self.current_theme)

    async def _enter(self) -> None:
        """Opens the backend, or the login screen when nobody is signed in."""
        if self._backend is None:
            try:
                self._backend = await self._open_backend()
            except NotSignedInError:
                await self.ask_to_sign_in("")
                return
            except JellytuiError as error:
                await self.ask_to_sign_in(error.text)
                return
        await self._begin(self._backend)

    async def ask_to_sign_in(self, reason: str) -> None:
        """Shows the login screen; it ends in a new session, or where it came from."""
        from jellytui.tui.screens.login import LoginScreen

        account = self.session.backend.account if self.session else self.sign_in.last_account()
        signed_in = await self.push_screen_wait(LoginScreen(self.sign_in, account=account, reason=reason))
        if not signed_in:
            if self.session is None:
                self.exit()
            return
        old, self._backend = self._backend, None
        if old is not None:
            await self._end()
            await old.close()
        await self._enter()

    async def _begin(self, backend: Backend) -> None:
        self.session = session = Session(backend)
        session.downloads.subscribe(self._on_downloads)
        self.removals = Removals(session.downloads, self)
        for mode in MODE_NAMES:
            self.add_mode(mode, lambda mode=mode: make_screen(mode, session))  # type: ignore[misc]
        typed = self.screen.typed if isinstance(self.screen, StartScreen) else []
        await self.switch_mode("library")
        for key in typed:
            self.post_message(events.Key(key.key, key.character))
        typed.clear()
        self.run_worker(
            pump(
                backend,
                session.calm_stores,
                every_seconds=CALM_SECONDS,
                occurrences=(ProblemOccurred,),
                on_occurrence=self._on_occurrence,
            ),
            group="bridge",
            exit_on_error=False,
        )
        self.run_worker(
            pump(backend, session.busy_stores, every_seconds=BUSY_SECONDS), group="bridge", exit_on_error=False
        )

    async def _end(self) -> None:
        await self.removals.finish()
        self.workers.cancel_group(self, "bridge")
        await self.switch_mode("start")
        for mode in MODE_NAMES:
            await self.remove_mode(mode)
        self.session = None

    # Commands

    def send(self, command: str, **arguments: Any) -> Worker[Any]:
        """Sends a command to the engine without waiting; an error becomes a message."""
        return self.run_worker(self.ask(command, **arguments), group="commands", exit_on_error=False)

    async def ask(self, command: str, **arguments: Any) -> Any:
        """A command's result; None after an error, which has become a message. Only in workers, never in handlers."""
        if self.session is None:
            return None
        try:
            return await self.session.backend.call(command, **arguments)
        except JellytuiError as error:
            self.say(error.text, "error")
            return None

    async def action_perform(self, name: str) -> None:
        """Does an action of the registry: the screen's method, the app's, or the command behind it."""
        for owner in (self.screen, self):
            method = getattr(owner, f"action_{name}", None)
            if method is not None:
                result = method()
                if isawaitable(result):
                    await result
                return
        action = ACTIONS[name]
        if action.command:
            self.send(action.command, **action.arguments)
        else:
            self.say(f"{action.title}: not on this screen.")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR:
            log.error("a worker failed: %s", event.worker.name, exc_info=event.worker.error)
            self.say("Something went wrong inside jellytui; the log says what.", "error")

    # Messages

    def say(self, text: str, severity: Severity = "information", *, seconds: float = TOAST_SECONDS) -> None:
        """Shows a message in place of the key hints for so many seconds, or as long as it takes to read."""
        seconds = max(seconds, len(text) / LETTERS_PER_SECOND)
        if self._toast_timer is not None:
            self._toast_timer.stop()
        self._show_toast(Toast(text, severity))
        self._toast_timer = self.set_timer(seconds, lambda: self._show_toast(None))

    def _show_toast(self, toast: Toast | None) -> None:
        self.toast = toast
        for screen in self.screen_stack:
            if isinstance(screen, BaseScreen):
                screen.query_one(HintLine).toast = toast

    def _on_downloads(self, keys: Keys) -> None:
        if UPKEEP in keys and self.session is not None:
            news = self.session.downloads.news
            while news:
                self.say(news.pop(0))

    def _on_occurrence(self, event: Event) -> None:
        if isinstance(event, ProblemOccurred):
            self.say(event.problem.text, "error")

    # Actions of everywhere

    async def action_show_library(self) -> None:
        await self._show("library")

    async def action_show_downloads(self) -> None:
        await self._show("downloads")

    async def action_show_playing(self) -> None:
        await self._show("playing")

    async def action_show_queue(self) -> None:
        await self._show("queue")

    async def action_search(self) -> None:
        if self.current_mode != "search":
            self._before_search = self.current_mode
        await self._show("search")

    async def leave_search(self) -> None:
        """Back to the screen where the search began."""
        await self._show(self._before_search)

    async def _show(self, mode: str) -> None:
        """Waits until the screen is there: keys typed ahead are about that one."""
        if self.session is not None:
            await self.switch_mode(mode)

    async def on_top_bar_tab_chosen(self, event: TopBar.TabChosen) -> None:
        await self._show(event.mode)

    async def action_palette(self) -> None:
        await self._open_palette("›")

    async def action_command_line(self) -> None:
        await self._open_palette(":")

    def on_key(self, event: events.Key) -> None:
        # Letters come here from a screen that lost the focus while they were on their way, such as the rest of ":quit".
        take_typed = getattr(self.screen, "take_typed", None)
        if take_typed is not None and event.is_printable and event.character:
            event.prevent_default()
            take_typed(event.character)

    async def _open_palette(self, sign: str) -> None:
        from jellytui.tui.palette import Palette

        def chosen(choice: Callable[[], Awaitable[None] | None] | None) -> None:
            if choice is not None:
                self.call_next(choice)

        await self.push_screen(Palette(sign), chosen)

    def action_help(self) -> None:
        from jellytui.tui.palette import place_of
        from jellytui.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.keymap, place_of(self)))

    def action_login(self) -> None:
        self.run_worker(self.ask_to_sign_in(""), group="login", exclusive=True, exit_on_error=False)

    def action_download_favorites(self) -> None:
        self.run_worker(self._download_favorites(), group="commands", exit_on_error=False)

    async def _download_favorites(self) -> None:
        if self.session is None:
            return
        rows: list[DownloadInfo] | None = await self.ask(
            "download_favorites", user_id=self.session.backend.account.user_id
        )
        if rows is not None:
            coming = sum(row.status != "completed" for row in rows)
            self.say(f"Favourites: {count(coming, 'track')} to download. Those to come follow by themselves.")

    def action_unfollow_favorites(self) -> None:
        if self.session is not None:
            self.send("unfollow_favorites", user_id=self.session.backend.account.user_id)
            self.say("Favourites are downloaded no more by themselves. What is here goes when the cache needs room.")

    def action_verify_downloads(self) -> None:
        self.run_worker(self._verify_downloads(is_repairing=False), group="commands", exit_on_error=False)

    def action_repair_downloads(self) -> None:
        self.run_worker(self._verify_downloads(is_repairing=True), group="commands", exit_on_error=False)

    async def _verify_downloads(self, *, is_repairing: bool) -> None:
        """The result is said here: of a short check the store sees nothing but its end."""
        report: UpkeepReport | None = await self.ask("verify_downloads", repair=is_repairing)
        if report is None:
            return
        found = sum(report.counts.values())
        if not found:
            self.say(f"{count(report.rows, 'download')} looked at: everything is as it should be.")
        elif is_repairing:
            self.say(f"{count(found, 'finding')}, {number(report.repaired_count)} mended.")
        else:
            self.say(f"{count(found, 'finding')}. :repair downloads mends them.")

    def action_settings(self) -> None:
        from jellytui.paths import default_paths
        from jellytui.tui.screens.settings import SettingsScreen

        self.push_screen(SettingsScreen(self.settings, default_paths().config_file))

    def take_theme(self, name: str) -> None:
        """Shows another theme; an empty name is the one that suits the terminal."""
        self.theme = start_theme(name, os.environ)

    def action_next_theme(self) -> None:
        names = ["jellytui", "jellytui-light", "ansi-dark", "ansi-light"]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]
        self.say(f"Theme: {self.theme}")

    # Deleting and cancelling, see Removals

    def action_undo(self) -> None:
        if self.session is not None:
            self.removals.take_back()

    def later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Does something after so many seconds, whichever screen is seen then."""
        return self.set_timer(seconds, action)

    def do(self, action: Coroutine[Any, Any, None]) -> None:
        """Runs a coroutine beside all else."""
        self.run_worker(action, group="commands", exit_on_error=False)

    def undo_key(self) -> str:
        """The key that takes a removal back."""
        return self.keymap.written("undo")

    async def action_quit(self) -> None:
        if self.session is not None:
            await self.removals.finish()
        self.exit()

    async def on_unmount(self) -> None:
        # At an end by a key nothing waits any more: this is for a terminal that is gone, or a signal.
        if self.session is not None:
            await self.removals.keep()


def make_screen(mode: str, session: Session) -> Screen[None]:
    """A mode's screen; its module is loaded only now (textual.md 3.1)."""
    match mode:
        case "library":
            from jellytui.tui.screens.library import LibraryScreen

            return LibraryScreen(session)
        case "downloads":
            from jellytui.tui.screens.downloads import DownloadsScreen

            return DownloadsScreen(session)
        case "playing":
            from jellytui.tui.screens.now_playing import NowPlayingScreen

            return NowPlayingScreen(session)
        case "queue":
            from jellytui.tui.screens.queue import QueueScreen

            return QueueScreen(session)
    from jellytui.tui.screens.search import SearchScreen

    return SearchScreen(session)
