"""Signing in: every way in, every way it can fail, and what stays on the disk."""

from __future__ import annotations

import logging
import stat
from pathlib import Path
from typing import Any

import pytest

from jellytui.config import ServerSettings, Settings
from jellytui.demo.library import Library
from jellytui.demo.server import DemoServer
from jellytui.engine.clock import SystemClock
from jellytui.engine.errors import (
    DiskError,
    JellytuiError,
    NotAllowedError,
    NotJellyfinError,
    ServerError,
    ServerStartingError,
    ServerTooOldError,
    ServerUnreachableError,
    UsageError,
    UserDisabledError,
    WrongPasswordError,
)
from jellytui.engine.jellyfin.auth import SignInService, sign_out, stored_account, stored_token
from jellytui.engine.models import Account
from jellytui.paths import Paths, paths_below

INFO = "/system/info/public"
LOGIN = "/users/authenticatebyname"


@pytest.mark.parametrize(
    "typed",
    [
        "127.0.0.1:{}",
        " http://127.0.0.1:{}/ ",
        "http://127.0.0.1:{}/web/index.html#!/home.html",
        "127.0.0.1:{}/nonsense",
    ],
)
async def test_a_careless_address_finds_the_server(sign_in: SignInService, demo_server: DemoServer, typed: str) -> None:
    found = await sign_in.probe(typed.format(demo_server.port))
    assert (found.url, found.name, found.version) == (demo_server.url, "Demo", "12.0.0")
    assert found.id == demo_server.world.server_id


@pytest.mark.parametrize("path", ["", "/jellyfin", "/jellyfin/web/index.html", "/web/"])
async def test_a_base_path_is_found_typed_or_not(
    sign_in: SignInService, small_library: Path, scanned_library: Library, path: str
) -> None:
    async with DemoServer(small_library, library=scanned_library, base_path="/jellyfin") as server:
        found = await sign_in.probe(f"http://127.0.0.1:{server.port}{path}")
        account = await sign_in.with_password(found, "demo", "demo")
    assert account.server_url == found.url == server.url
    assert found.url.endswith("/jellyfin")


async def test_a_redirect_is_followed_without_the_headers_for_ones_own_proxy(
    paths: Paths, demo_server: DemoServer, faulty_server: DemoServer
) -> None:
    settings = Settings(server=ServerSettings(headers={"X-Gate": "open sesame"}))
    service = SignInService(paths=paths, settings=settings, clock=SystemClock())
    elsewhere = f"http://localhost:{faulty_server.port}"
    demo_server.faults.add("redirect", route=INFO, status=301, location=f"{elsewhere}/System/Info/Public")

    assert (await service.probe(demo_server.url)).url == elsewhere

    assert demo_server.requests[0].headers["x-gate"] == "open sesame"
    assert [request.path for request in faulty_server.requests] == ["/System/Info/Public"]
    assert "x-gate" not in faulty_server.requests[0].headers


async def test_a_circle_of_redirects_ends(sign_in: SignInService, demo_server: DemoServer) -> None:
    demo_server.faults.add("redirect", route=INFO, location="/again/System/Info/Public")
    demo_server.faults.add("redirect", route="/again" + INFO, location="/System/Info/Public")
    with pytest.raises(NotJellyfinError):
        await sign_in.probe(demo_server.url)


@pytest.mark.parametrize(
    ("kind", "members", "error", "words"),
    [
        ("html", {}, NotJellyfinError, "login page"),
        ("status", {"status": 404}, NotJellyfinError, "not Jellyfin"),
        ("status", {"status": 200, "body": "[]", "content_type": "application/json"}, NotJellyfinError, "not Jellyfin"),
        ("status", {"status": 502, "body": "<h1>Bad Gateway</h1>"}, ServerStartingError, "starting"),
        ("status", {"status": 401, "body": "Authorization Required"}, NotAllowedError, "headers"),
        ("status", {"status": 500}, ServerError, "500"),
        ("truncate", {"after_bytes": 20}, ServerError, "damaged"),
        ("set", {"values": {"Version": "10.8.13"}}, ServerTooOldError, "10.9"),
        ("set", {"values": {"StartupWizardCompleted": False}}, ServerStartingError, "set up"),
        ("remove", {"names": ["Id"]}, NotJellyfinError, "not Jellyfin"),
    ],
)
async def test_what_is_wrong_with_an_address_is_said(
    sign_in: SignInService,
    demo_server: DemoServer,
    kind: str,
    members: dict[str, Any],
    error: type[JellytuiError],
    words: str,
) -> None:
    demo_server.faults.add(kind, route=INFO, **members)
    with pytest.raises(error, match=words) as raised:
        await sign_in.probe(demo_server.url)
    assert type(raised.value) is error
    assert "\n" not in raised.value.text


@pytest.mark.parametrize("phase", ["setup", "loading"])
async def test_a_starting_server_is_called_starting(
    sign_in: SignInService, demo_server: DemoServer, phase: Any
) -> None:
    demo_server.world.phase = phase
    with pytest.raises(ServerStartingError):
        await sign_in.probe(demo_server.url)


async def test_a_bom_before_the_answer_does_no_harm(sign_in: SignInService, demo_server: DemoServer) -> None:
    demo_server.faults.add("bom", route=INFO)
    assert (await sign_in.probe(demo_server.url)).name == "Demo"


async def test_nobody_at_the_address_is_unreachable(sign_in: SignInService, demo_server: DemoServer) -> None:
    await demo_server.stop()
    with pytest.raises(ServerUnreachableError, match="cannot be reached") as raised:
        await sign_in.probe(f"127.0.0.1:{demo_server.port}")
    assert type(raised.value) is ServerUnreachableError


async def test_a_silent_server_is_given_up(paths: Paths, faulty_server: DemoServer) -> None:
    service = SignInService(paths=paths, settings=Settings(), clock=SystemClock(), timeout_s=0.2)
    faulty_server.faults.add("delay", route=INFO, seconds=30)
    with pytest.raises(ServerUnreachableError, match="in time"):
        await service.probe(faulty_server.url)


async def test_https_where_only_http_is_spoken_is_said(sign_in: SignInService, demo_server: DemoServer) -> None:
    with pytest.raises(ServerUnreachableError, match="http://"):
        await sign_in.probe(f"https://127.0.0.1:{demo_server.port}")


async def test_a_wrong_password_is_said_and_nothing_is_stored(
    sign_in: SignInService, demo_server: DemoServer, paths: Paths
) -> None:
    server = await sign_in.probe(demo_server.url)
    for name, password in (("demo", "wrong"), ("demo", ""), ("nobody", "demo")):
        with pytest.raises(WrongPasswordError):
            await sign_in.with_password(server, name, password)
    with pytest.raises(UsageError):
        await sign_in.with_password(server, "  ", "demo")
    assert stored_account(paths) is None
    assert not list(paths.state.rglob("token"))


@pytest.mark.parametrize("policy", [{"disabled": True}, {"access_now": False}])
async def test_an_account_that_may_not_come_in_is_told_so(
    sign_in: SignInService, demo_server: DemoServer, policy: dict[str, Any]
) -> None:
    demo_server.add_user("eve", "secret", **policy)
    with pytest.raises(UserDisabledError, match="eve"):
        await sign_in.with_password(await sign_in.probe(demo_server.url), "eve", "secret")


async def test_a_server_that_goes_away_before_the_password_is_unreachable(
    sign_in: SignInService, demo_server: DemoServer
) -> None:
    server = await sign_in.probe(demo_server.url)
    await demo_server.stop()
    with pytest.raises(ServerUnreachableError):
        await sign_in.with_password(server, "demo", "demo")


@pytest.mark.parametrize(
    "values",
    [
        {"ServerId": "../../.ssh"},
        {"AccessToken": ""},
        {"AccessToken": "a\r\nX-Evil: 1"},
        {"User": {"Id": "a/b"}},
        {"User": []},
    ],
)
async def test_a_hostile_answer_to_the_password_stores_nothing(
    sign_in: SignInService, demo_server: DemoServer, paths: Paths, values: dict[str, Any]
) -> None:
    demo_server.faults.add("set", route=LOGIN, values=values)
    with pytest.raises(ServerError):
        await sign_in.with_password(await sign_in.probe(demo_server.url), "demo", "demo")
    assert stored_account(paths) is None
    assert not list(paths.state.rglob("token"))


async def test_ids_are_kept_in_the_form_that_the_mirror_compares(
    sign_in: SignInService, demo_server: DemoServer, paths: Paths
) -> None:
    demo_server.faults.add("dashed_ids")
    account = await sign_in.with_password(await sign_in.probe(demo_server.url), "demo", "demo")
    assert account.server_id == demo_server.world.server_id
    assert account.user_id in demo_server.world.accounts.users
    assert stored_account(paths) == account


async def test_the_token_is_in_its_private_file_and_nowhere_else(
    account: Account, paths: Paths, demo_server: DemoServer
) -> None:
    token = stored_token(paths, account)
    assert token in demo_server.world.accounts.devices
    file = paths.token_file(account.server_id, account.user_id)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    others = [path for path in paths.state.rglob("*") if path.is_file() and path != file]
    assert others
    assert not [path for path in others if token.encode() in path.read_bytes()]


async def test_neither_password_nor_token_is_logged_or_in_a_url(
    sign_in: SignInService, demo_server: DemoServer, paths: Paths, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    demo_server.add_user("ana", "open-sesame-42")
    server = await sign_in.probe(demo_server.url)
    account = await sign_in.with_password(server, "ana", "open-sesame-42")
    token = stored_token(paths, account)
    assert token
    await sign_out(paths, Settings(), account)
    for secret in ("open-sesame-42", token):
        assert secret not in caplog.text
        assert not [request for request in demo_server.requests if secret in request.path + request.query]


async def test_an_installation_keeps_its_device_id_and_another_has_its_own(
    sign_in: SignInService, demo_server: DemoServer, paths: Paths, tmp_path: Path
) -> None:
    server = await sign_in.probe(demo_server.url)
    first = await sign_in.with_password(server, "demo", "demo")
    second = await sign_in.with_password(server, "demo", "demo")
    other = SignInService(paths=paths_below(tmp_path / "other"), settings=Settings(), clock=SystemClock())
    third = await other.with_password(server, "demo", "demo")
    assert first.device_id == second.device_id != third.device_id
    assert len(demo_server.world.accounts.devices) == 2


async def test_signing_out_ends_the_token_and_keeps_the_music(
    account: Account, paths: Paths, demo_server: DemoServer
) -> None:
    music = paths.downloads / account.server_id / account.user_id / "ab" / "abc.flac"
    music.parent.mkdir(parents=True)
    music.write_bytes(b"fLaC")
    await sign_out(paths, Settings(), account)
    assert not demo_server.world.accounts.devices
    assert (stored_account(paths), stored_token(paths, account)) == (account, None)
    assert music.exists()


async def test_signing_out_forgets_the_token_also_with_the_server_gone(
    account: Account, paths: Paths, demo_server: DemoServer
) -> None:
    await demo_server.stop()
    await sign_out(paths, Settings(), account)
    assert (stored_account(paths), stored_token(paths, account)) == (account, None)


async def test_a_disk_that_takes_no_token_is_said(
    sign_in: SignInService, demo_server: DemoServer, paths: Paths
) -> None:
    server = await sign_in.probe(demo_server.url)
    paths.state.parent.mkdir(parents=True)
    paths.state.write_text("in the way", encoding="utf-8")
    with pytest.raises(DiskError, match="doctor"):
        await sign_in.with_password(server, "demo", "demo")


async def test_a_damaged_account_file_means_nobody(account: Account, paths: Paths) -> None:
    paths.account_file.write_text("{", encoding="utf-8")
    assert stored_account(paths) is None
    stolen = f'{{"server_url":"http://x","server_id":"../..","server_name":"","server_version":"","user_id":"{account.user_id}","user_name":"","device_id":""}}'
    paths.account_file.write_text(stolen, encoding="utf-8")
    assert stored_account(paths) is None
