"""Signing in: servers as they answer, each error at its field, Quick Connect, and never a blocked key."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from jellytui.config import Settings
from jellytui.engine.errors import (
    JellytuiError,
    NotJellyfinError,
    NotSignedInError,
    QuickConnectError,
    ServerStartingError,
    ServerTooOldError,
    ServerUnreachableError,
    TlsError,
    UserDisabledError,
    WrongPasswordError,
)
from jellytui.engine.models import Account, DiscoveredServer, ServerInfo
from jellytui.tui.app import JellytuiApp
from jellytui.tui.screens.library import LibraryScreen
from jellytui.tui.screens.login import Field, LoginScreen, Servers
from tests.support.fake_backend import ACCOUNT
from tests.support.waiting import until
from tests.tui.music import library_backend

ATTIC = DiscoveredServer(url="http://192.168.1.20:8096", name="attic", id="1")


class CodeRequest:
    """A Quick Connect that waits until `answer` is set."""

    code = "483920"

    def __init__(self) -> None:
        self.answer: asyncio.Future[Account] = asyncio.get_running_loop().create_future()

    async def wait(self) -> Account:
        return await self.answer


class FakeSignIn:
    """Answers as told: `probe_error` and `password_error` are raised, `hangs` never answers."""

    def __init__(self) -> None:
        self.servers = [ATTIC]
        self.probe_error: JellytuiError | None = None
        self.password_error: JellytuiError | None = None
        self.hangs = False
        self.signed_in: list[tuple[str, str, str]] = []
        self.request: CodeRequest | None = None
        self.last: Account | None = None

    def last_account(self) -> Account | None:
        return self.last

    async def discover(self) -> AsyncIterator[DiscoveredServer]:
        for server in self.servers:
            yield server

    async def probe(self, address: str) -> ServerInfo:
        if self.hangs:
            await asyncio.Event().wait()
        if self.probe_error is not None:
            raise self.probe_error
        return ServerInfo(url=address, id="1", name="attic", version="10.11.0")

    async def with_password(self, server: ServerInfo, user_name: str, password: str) -> Account:
        if self.password_error is not None:
            raise self.password_error
        self.signed_in.append((server.url, user_name, password))
        return ACCOUNT

    async def quick_connect(self, server: ServerInfo) -> CodeRequest:
        self.request = CodeRequest()
        return self.request


def make_app(sign_in: FakeSignIn, *, is_signed_in: bool = False) -> JellytuiApp:
    backends = [library_backend(), library_backend()]

    async def open_backend() -> object:
        if not (is_signed_in or sign_in.signed_in or (sign_in.request is not None and sign_in.request.answer.done())):
            raise NotSignedInError("Nobody is signed in yet.")
        return backends.pop()

    return JellytuiApp(backend=None, sign_in=sign_in, open_backend=open_backend, settings=Settings())  # type: ignore[arg-type]


def field(app: JellytuiApp, name: str) -> Field:
    return app.screen.query_one(f"#field-{name}", Field)


def shown(app: JellytuiApp, name: str) -> str:
    return str(field(app, name).query_one(".field-note", Static).content)


async def login(app: JellytuiApp, pilot: Pilot[None]) -> None:
    await until(lambda: isinstance(app.screen, LoginScreen) and app.screen.query_one(Servers).row_count)
    await pilot.pause()


async def test_a_server_found_on_the_network_name_and_password_lead_into_the_library() -> None:
    sign_in = FakeSignIn()
    app = make_app(sign_in)
    async with app.run_test(size=(80, 24)) as pilot:
        await login(app, pilot)
        await pilot.press("enter")
        await until(lambda: field(app, "name").input.has_focus)
        assert "attic · Jellyfin 10.11.0" in shown(app, "address")
        await pilot.press("a", "n", "a", "enter", "p", "w", "enter")
        await until(lambda: isinstance(app.screen, LibraryScreen))
        assert sign_in.signed_in == [(ATTIC.url, "ana", "pw")]


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (NotJellyfinError("That is a printer."), "address"),
        (ServerUnreachableError("attic does not answer."), "address"),
        (ServerStartingError("attic is starting."), "address"),
        (ServerTooOldError("attic is too old."), "address"),
        (TlsError("Its certificate is not trusted."), "address"),
    ],
)
async def test_what_is_wrong_with_the_server_stands_at_its_address(error: JellytuiError, name: str) -> None:
    sign_in = FakeSignIn()
    sign_in.probe_error = error
    app = make_app(sign_in)
    async with app.run_test(size=(80, 24)) as pilot:
        await login(app, pilot)
        await pilot.press("a", "t", "t", "i", "c", "enter")
        await until(lambda: error.text in shown(app, name))
        assert field(app, "address").input.value == "attic"
        await pilot.press("2")
        await pilot.pause()
        assert shown(app, name) == ""


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (WrongPasswordError("attic does not take this name and password."), "password"),
        (UserDisabledError("This user is disabled."), "name"),
    ],
)
async def test_what_is_wrong_with_the_user_stands_at_his_field(error: JellytuiError, name: str) -> None:
    sign_in = FakeSignIn()
    sign_in.password_error = error
    app = make_app(sign_in)
    async with app.run_test(size=(80, 24)) as pilot:
        await login(app, pilot)
        await pilot.press("enter")
        await until(lambda: field(app, "name").input.has_focus)
        await pilot.press("a", "enter", "enter")
        await until(lambda: error.text in shown(app, name))
        await until(lambda: field(app, name).input.has_focus)
        assert isinstance(app.screen, LoginScreen)


async def test_quick_connect_shows_its_code_in_large_letters_and_goes_on_once_it_was_entered() -> None:
    sign_in = FakeSignIn()
    app = make_app(sign_in)
    async with app.run_test(size=(80, 24)) as pilot:
        await login(app, pilot)
        await pilot.press("x", "f2")
        await until(lambda: app.screen.query_one("#login-quick").display)
        assert "483920" in str(app.screen.query_one("#quick-wait", Static).content)
        assert app.screen.query_one("#quick-code").size.height >= 3
        assert sign_in.request is not None
        sign_in.request.answer.set_result(ACCOUNT)
        await until(lambda: isinstance(app.screen, LibraryScreen))


async def test_an_expired_code_leads_back_to_the_form_in_words() -> None:
    sign_in = FakeSignIn()
    app = make_app(sign_in)
    async with app.run_test(size=(80, 24)) as pilot:
        await login(app, pilot)
        await pilot.press("x", "f2")
        await until(lambda: app.screen.query_one("#login-quick").display)
        assert sign_in.request is not None
        sign_in.request.answer.set_exception(QuickConnectError("The code has expired. F2 asks for another."))
        await until(lambda: "has expired" in shown(app, "address"))
        assert app.screen.query_one("#login-form").display


async def test_a_server_that_never_answers_blocks_no_key_and_escape_gives_it_up() -> None:
    sign_in = FakeSignIn()
    sign_in.hangs = True
    app = make_app(sign_in)
    async with app.run_test(size=(80, 24)) as pilot:
        await login(app, pilot)
        await pilot.press("x", "enter")
        await until(lambda: "Asking x" in shown(app, "address"))
        await pilot.press("tab", "a", "n", "a")
        assert field(app, "name").input.value == "ana"
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, LoginScreen)
        assert shown(app, "address") == ""
        await pilot.press("escape")
        await until(lambda: not app.is_running)


async def test_signing_in_again_begins_with_the_account_that_is_there_and_escape_goes_back_to_it() -> None:
    app = make_app(FakeSignIn(), is_signed_in=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: isinstance(app.screen, LibraryScreen))
        app.action_login()
        await login(app, pilot)
        assert field(app, "address").input.value == ACCOUNT.server_url
        assert field(app, "name").input.value == ACCOUNT.user_name
        assert field(app, "password").input.has_focus
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, LibraryScreen))


async def test_the_password_is_never_drawn() -> None:
    app = make_app(FakeSignIn())
    async with app.run_test(size=(80, 24)) as pilot:
        await login(app, pilot)
        app.screen.set_focus(field(app, "password").input)
        await pilot.press(*"geheim")
        await pilot.pause()
        assert app.screen.query_one("#field-password Input", Input).value == "geheim"
        assert "geheim" not in app.export_screenshot()
