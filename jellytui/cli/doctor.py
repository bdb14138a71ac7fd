"""doctor: checks what jellytui needs on this machine, and says how to mend each thing."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

from msgspec import Struct

from jellytui.cli.output import print_json
from jellytui.cli.run import Session
from jellytui.engine.clock import SystemClock
from jellytui.engine.errors import JellytuiError, NotSignedInError

_MARKS = {"ok": "✓", "warning": "!", "failed": "✗"}
_SMALLEST_TERMINAL = (40, 12)
_LITTLE_BYTES = 1_000_000_000


class Finding(Struct, frozen=True, kw_only=True):
    """One thing looked at; `remedy` says what it takes to mend it."""

    check: str
    status: Literal["ok", "warning", "failed"]
    detail: str
    remedy: str = ""


async def run(session: Session, arguments: Namespace) -> int:
    """Checks everything; the exit code is 1 when something must be mended."""
    checks: list[Callable[[Session], Awaitable[list[Finding]]]] = [
        _python,
        _sound,
        _database,
        _terminal,
        _permissions,
        _server,
    ]
    findings = [finding for check in checks for finding in await check(session)]
    if arguments.json:
        print_json(findings)
    else:
        for finding in findings:
            print(f"{_MARKS[finding.status]} {finding.check:<12} {finding.detail}")
            if finding.remedy:
                print(f"  {'':<12} {finding.remedy}")
    return 1 if any(finding.status == "failed" for finding in findings) else 0


async def _python(_: Session) -> list[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return [Finding(check="Python", status="ok", detail=version)]


async def _sound(session: Session) -> list[Finding]:
    from jellytui.engine.errors import SoundError
    from jellytui.engine.player.devices import audio_devices
    from jellytui.engine.player.mpv import libmpv_version

    try:
        version = libmpv_version()
        devices = await audio_devices(session.settings.player)
    except SoundError as error:
        return [Finding(check="libmpv", status="failed", detail="not usable", remedy=error.text)]
    found = Finding(check="libmpv", status="ok", detail=version)
    # A name alone ("alsa") is a way to some device; a device has a name behind it ("alsa/hw:0").
    real = [device for device in devices if "/" in device]
    if not real:
        remedy = (
            "No sound card is seen. Is its sound server running (PipeWire, PulseAudio), may you use it (group audio)? "
            "Until then jellytui plays in silence."
        )
        return [found, Finding(check="audio", status="warning", detail="no device", remedy=remedy)]
    return [found, Finding(check="audio", status="ok", detail=", ".join(real))]


async def _database(_: Session) -> list[Finding]:
    version = sqlite3.sqlite_version
    try:
        with sqlite3.connect(":memory:") as connection:
            connection.execute("CREATE VIRTUAL TABLE words USING fts5(text, prefix='1 2 3', detail=none)")
    except sqlite3.OperationalError:
        remedy = (
            "Search needs SQLite with FTS5: use a Python built against a full SQLite (your system's python3 has it)."
        )
        return [Finding(check="SQLite", status="failed", detail=f"{version} without FTS5", remedy=remedy)]
    return [Finding(check="SQLite", status="ok", detail=f"{version} with FTS5")]


async def _terminal(_: Session) -> list[Finding]:
    name = os.environ.get("TERM", "")
    if not sys.stdout.isatty():
        return [Finding(check="terminal", status="ok", detail="none here; the command line needs none")]
    if name in ("", "dumb"):
        remedy = "The app needs a terminal that can place the cursor: set TERM, e.g. TERM=xterm-256color."
        return [Finding(check="terminal", status="failed", detail=f"TERM={name or '(unset)'}", remedy=remedy)]
    columns, rows = shutil.get_terminal_size()
    detail = f"{name}, {columns}x{rows}, {_colours(name)}"
    if columns < _SMALLEST_TERMINAL[0] or rows < _SMALLEST_TERMINAL[1]:
        return [Finding(check="terminal", status="warning", detail=detail, remedy="Make it 40x12 or larger.")]
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    if encoding != "utf8":
        remedy = "Signs like ✓ and ━ need UTF-8: set LANG, e.g. LANG=C.UTF-8."
        return [Finding(check="terminal", status="warning", detail=f"{detail}, {encoding}", remedy=remedy)]
    return [Finding(check="terminal", status="ok", detail=detail)]


def _colours(name: str) -> str:
    if os.environ.get("NO_COLOR"):
        return "NO_COLOR"
    if os.environ.get("COLORTERM") in ("truecolor", "24bit"):
        return "true colour"
    return "256 colours" if "256color" in name else "16 colours"


async def _permissions(session: Session) -> list[Finding]:
    findings = [_place(name, place) for name, place in _places(session)]
    for secret in (session.paths.state / "accounts").glob("*/*/token"):
        if stat.S_IMODE(secret.stat().st_mode) & 0o077:
            remedy = f"Others can read your token: chmod 600 {secret}"
            findings.append(Finding(check="token", status="failed", detail="readable by others", remedy=remedy))
    return findings


def _places(session: Session) -> list[tuple[str, Path]]:
    paths, own_root = session.paths, session.settings.downloads.folder
    return [
        ("data", paths.data),
        ("state", paths.state),
        ("cache", paths.cache),
        ("log", paths.log_file),
        ("socket", paths.runtime),
        ("downloads", Path(own_root).expanduser() if own_root else paths.downloads),
    ]


def _place(name: str, place: Path) -> Finding:
    """Whether jellytui may write there; the log's line names the file that tells what went wrong."""
    nearest = next(path for path in (place, *place.parents) if path.exists())
    if not nearest.is_dir() and not (name == "log" and nearest == place):
        detail, remedy = f"{_home_relative(nearest)} is no folder", f"It is in the way: move {nearest} elsewhere."
        return Finding(check=name, status="failed", detail=detail, remedy=remedy)
    if not os.access(nearest, os.W_OK | (os.X_OK if nearest.is_dir() else 0)):
        remedy = f"jellytui must be able to write there: chown or chmod {nearest}, or set JELLYTUI_HOME."
        return Finding(check=name, status="failed", detail=f"{_home_relative(place)} not writable", remedy=remedy)
    detail = _home_relative(place)
    if name != "downloads":
        return Finding(check=name, status="ok", detail=detail)
    free_bytes = shutil.disk_usage(nearest).free
    detail = f"{detail}, {free_bytes / 1e9:,.1f} GB free"
    if free_bytes < _LITTLE_BYTES:
        remedy = "Hardly an album fits: free some space, or move it with [downloads] folder in config.toml."
        return Finding(check=name, status="warning", detail=detail, remedy=remedy)
    return Finding(check=name, status="ok", detail=detail)


async def _server(session: Session) -> list[Finding]:
    from jellytui.engine.jellyfin.auth import SignInService, stored_account, stored_token
    from jellytui.engine.jellyfin.client import JellyfinClient

    account = stored_account(session.paths)
    token = account and stored_token(session.paths, account)
    if account is None or not token:
        address = account.server_url if account else "URL"
        remedy = f"Sign in: jellytui login {address} (or try it without a server: jellytui demo)"
        return [Finding(check="server", status="warning", detail="nobody is signed in", remedy=remedy)]
    service = SignInService(paths=session.paths, settings=session.settings, clock=SystemClock())
    try:
        server = await service.probe(account.server_url)
    except JellytuiError as error:
        return [Finding(check="server", status="failed", detail=account.server_url, remedy=error.text)]
    found = Finding(check="server", status="ok", detail=f"{server.name}, Jellyfin {server.version}, {server.url}")
    remedy = f"Sign in again: jellytui login {account.server_url}"
    client = JellyfinClient(account=account, token=token, server=session.settings.server, clock=SystemClock())
    try:
        user = await client.user()
    except NotSignedInError:
        return [found, Finding(check="account", status="failed", detail="the token is not taken", remedy=remedy)]
    except JellytuiError as error:
        return [found, Finding(check="account", status="failed", detail=account.user_name, remedy=error.text)]
    finally:
        await client.close()
    if not user.can_download:
        remedy = "This account may stream but not download. Ask the server's administrator for the permission."
        return [found, Finding(check="account", status="warning", detail=user.name, remedy=remedy)]
    return [found, Finding(check="account", status="ok", detail=user.name)]


def _home_relative(folder: Path) -> str:
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)
