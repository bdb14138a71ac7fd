"""Signing in: servers found on this network, address, name and password, or Quick Connect; each error at its field."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, ClassVar, Literal

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Digits, Input, Static

from jellytui.engine.backend import SignIn
from jellytui.engine.errors import (
    JellytuiError,
    NotJellyfinError,
    QuickConnectError,
    ServerTooOldError,
    ServerUnreachableError,
    UserDisabledError,
    WrongPasswordError,
)
from jellytui.engine.models import Account, DiscoveredServer, ServerInfo
from jellytui.tui.format import fit, width
from jellytui.tui.widgets.virtual_list import Cell, VirtualList

FieldName = Literal["address", "name", "password"]
_LABELS: dict[FieldName, str] = {"address": "Server", "name": "Name", "password": "Password"}


class Servers(VirtualList, inherit_bindings=False):
    """The servers that answered; enter takes one. Letters are not its keys: they begin an address."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("enter", "screen.take_server", show=False),
    ]

    class Typed(Message):
        """A letter was typed on the list: an address begins."""

        def __init__(self, letter: str) -> None:
            super().__init__()
            self.letter = letter

    def __init__(self) -> None:
        super().__init__(id="servers")
        self._servers: list[DiscoveredServer] = []
        self.empty_text = "Looking for servers on this network…"

    @property
    def server(self) -> DiscoveredServer | None:
        """The server under the cursor."""
        return self._servers[self.cursor] if self.cursor < len(self._servers) else None

    def add(self, server: DiscoveredServer) -> None:
        """Takes one more, once."""
        if server not in self._servers:
            self._servers.append(server)
            self.set_row_count(len(self._servers))

    def on_key(self, event: events.Key) -> None:
        if event.is_printable and event.character:
            event.stop()
            self.post_message(self.Typed(event.character))

    def row_cells(self, index: int, width: int) -> Sequence[Cell]:
        server = self._servers[index]
        name = width * 2 // 5
        return [(fit(server.name, name), ""), (fit(server.url, width - name), "dim")]


class Field(Vertical):
    """A labelled line to type in, with a line below it for what is wrong or what was found."""

    note: reactive[tuple[str, str]] = reactive(("", ""))
    """Words and their style."""

    def __init__(self, name: FieldName, value: str, hint: str) -> None:
        super().__init__(id=f"field-{name}")
        self.field = name
        self.input = Input(value, placeholder=hint, password=name == "password", compact=True, select_on_focus=False)
        self.input.cursor_blink = False

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field-line"):
            yield Static(_LABELS[self.field], classes="field-label")
            yield self.input
        yield Static("", classes="field-note")

    def watch_note(self, note: tuple[str, str]) -> None:
        if not self.is_mounted:
            return
        self.query_one(".field-note", Static).update(Content.styled(note[0], note[1] or "$text-dim"))


class Choice(Widget, can_focus=True):
    """A word to choose with enter, space or a click."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "choose", show=False)]

    class Chosen(Message):
        """This word was chosen."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

    def __init__(self, label: str, *, id: str) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._label = label
        self.styles.width = width(label) + 4

    def render(self) -> Content:
        return Content(f"[ {self._label} ]")

    def action_choose(self) -> None:
        self.post_message(self.Chosen(self))

    def on_click(self) -> None:
        self.action_choose()


class LoginScreen(ModalScreen[bool]):
    """Ends in True once the new account is stored, in False when the user goes back.

    `account` fills in what is known when signing in again; `reason` says why the screen is here.
    """

    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False, priority=True),
        Binding("ctrl+q,ctrl+c", "app.quit", show=False, priority=True),
        Binding("f2", "quick_connect", show=False, priority=True),
        Binding("tab,down", "app.focus_next", show=False),
        Binding("shift+tab,up", "app.focus_previous", show=False),
    ]

    def __init__(self, sign_in: SignIn, *, account: Account | None, reason: str) -> None:
        super().__init__()
        self._sign_in = sign_in
        self._account = account
        self._reason = reason
        self._server: tuple[str, ServerInfo] | None = None
        """The address as typed, and the server that it turned out to be."""

    def compose(self) -> ComposeResult:
        known = self._account
        with Vertical(id="login"):
            yield Static("Sign in to your Jellyfin server", id="login-title")
            yield Static(self._reason, id="login-reason", markup=False)
            with Vertical(id="login-form"):
                yield Static("SERVERS ON THIS NETWORK", classes="login-heading")
                yield Servers()
                yield Field("address", known.server_url if known else "", "http://attic:8096, or just attic")
                yield Field("name", known.user_name if known else "", "your user on that server")
                yield Field("password", "", "empty if you have none")
                with Horizontal(id="login-choices"):
                    yield Choice("Sign in", id="sign-in")
                    yield Choice("Quick Connect", id="quick-connect")
            with Vertical(id="login-quick"):
                yield Static("", id="quick-where", markup=False)
                yield Digits("", id="quick-code")
                yield Static("", id="quick-wait", markup=False)
        yield Static(_keys_line(), id="login-keys")

    def on_mount(self) -> None:
        self.query_one("#login-reason").display = bool(self._reason)
        self._show_form()
        self.set_focus(self._field("password").input if self._account else self.query_one(Servers))
        self.run_worker(self._discover(), group="discover", exit_on_error=False)

    # What the user does

    def on_input_submitted(self, event: Input.Submitted) -> None:
        field = event.input.parent.parent if event.input.parent is not None else None
        if not isinstance(field, Field):
            return
        match field.field:
            case "address":
                self._ask_server()
            case "name":
                self._field("password").input.focus()
            case "password":
                self._enter()

    def on_input_changed(self, event: Input.Changed) -> None:
        for field in self.query(Field):
            if field.input is event.input:
                field.note = ("", "")

    def on_choice_chosen(self, event: Choice.Chosen) -> None:
        if event.choice.id == "sign-in":
            self._enter()
        else:
            self.action_quick_connect()

    def on_servers_typed(self, event: Servers.Typed) -> None:
        address = self._field("address").input
        self.set_focus(address)
        address.insert_text_at_cursor(event.letter)

    def on_virtual_list_chosen(self) -> None:
        self.action_take_server()

    def action_back(self) -> None:
        """Gives up what is under way; with nothing under way, the signing in."""
        is_busy = self.query_one("#login-quick").display or any(
            worker.group == "sign-in" and worker.is_running for worker in self.workers
        )
        self.workers.cancel_group(self, "sign-in")
        if not is_busy:
            self.dismiss(False)
            return
        self._show_form()
        for field in self.query(Field):
            field.note = ("", "")
        self._field("password").input.focus()

    def action_quick_connect(self) -> None:
        self._run(self._quick_connect())

    def action_take_server(self) -> None:
        server = self.query_one(Servers).server
        if server is not None:
            address = self._field("address").input
            with address.prevent(Input.Changed):
                address.value = server.url
            self._ask_server()

    def _ask_server(self) -> None:
        self._run(self._find_server_and_go_on())

    def _enter(self) -> None:
        self._run(self._with_password())

    # The work, in workers: nothing here ever blocks a key

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self.run_worker(work, group="sign-in", exclusive=True, exit_on_error=False)

    async def _discover(self) -> None:
        servers = self.query_one(Servers)
        try:
            async for server in self._sign_in.discover():
                servers.add(server)
        except JellytuiError as error:
            servers.empty_text = error.text
        else:
            servers.empty_text = "No server answered here. Type its address below."
        servers.refresh()

    async def _find_server(self) -> ServerInfo | None:
        """The server at the address typed; None after saying at the field what is wrong."""
        field = self._field("address")
        address = field.input.value.strip()
        if not address:
            field.note = ("Type the address of your server first, such as http://attic:8096.", "$error")
            field.input.focus()
            return None
        if self._server is not None and self._server[0] == address:
            return self._server[1]
        field.note = (f"Asking {address}…", "$text-dim")
        try:
            server = await self._sign_in.probe(address)
        except JellytuiError as error:
            self._tell(error)
            return None
        self._server = (address, server)
        field.note = (f"✓ {server.name} · Jellyfin {server.version}", "$success")
        return server

    async def _find_server_and_go_on(self) -> None:
        if await self._find_server() is not None:
            name = self._field("name")
            (self._field("password") if name.input.value else name).input.focus()

    async def _with_password(self) -> None:
        server = await self._find_server()
        if server is None:
            return
        name, password = self._field("name"), self._field("password")
        if not name.input.value.strip():
            name.note = ("Type your user name on that server.", "$error")
            name.input.focus()
            return
        password.note = ("Signing in…", "$text-dim")
        try:
            await self._sign_in.with_password(server, name.input.value.strip(), password.input.value)
        except JellytuiError as error:
            password.note = ("", "")
            self._tell(error)
            return
        self.dismiss(True)

    async def _quick_connect(self) -> None:
        server = await self._find_server()
        if server is None:
            return
        try:
            request = await self._sign_in.quick_connect(server)
            self._show_code(server, request.code)
            await request.wait()
        except JellytuiError as error:
            self._show_form()
            self._tell(error)
            return
        self.dismiss(True)

    # What is shown

    def _show_code(self, server: ServerInfo, code: str) -> None:
        self.query_one("#login-form").display = False
        self.query_one("#login-quick").display = True
        self.query_one("#quick-where", Static).update(
            Content(
                f"Enter this code where you are signed in to {server.name} already:\n"
                "in its web page or an app, below your user, Quick Connect."
            )
        )
        self.query_one("#quick-code", Digits).update(" ".join(code))
        self.query_one("#quick-wait", Static).update(Content(f"{code} · waiting for you to enter it; esc goes back"))

    def _show_form(self) -> None:
        self.query_one("#login-quick").display = False
        self.query_one("#login-form").display = True

    def _tell(self, error: JellytuiError) -> None:
        field = self._field(field_of(error))
        field.note = (error.text, "$error")
        field.input.focus()

    def _field(self, name: FieldName) -> Field:
        return self.query_one(f"#field-{name}", Field)


def field_of(error: JellytuiError) -> FieldName:
    """At which field an error is to be read."""
    match error:
        case NotJellyfinError() | ServerTooOldError() | ServerUnreachableError() | QuickConnectError():
            return "address"
        case UserDisabledError():
            return "name"
        case WrongPasswordError():
            return "password"
    return "address"


def _keys_line() -> Content:
    pairs = (("enter", "go on"), ("tab", "next field"), ("F2", "Quick Connect"), ("esc", "back"), ("C-q", "quit"))
    return Content.assemble(
        *(part for key, word in pairs for part in ((key, "bold $foreground"), (f" {word}  ", "$text-dim")))
    )
