"""`jellytui`: reads the command line and opens the right face; imports everything late."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jellytui.config import Settings
    from jellytui.engine.backend import Backend
    from jellytui.paths import Paths


def main(argv: Sequence[str] | None = None) -> int:
    """Runs jellytui; returns the exit code (issue 3, point 7)."""
    from jellytui.cli.arguments import parser

    arguments = parser().parse_args(argv)
    if arguments.handler == "":
        return _with_settings(open_app)
    if arguments.handler == "demo":
        return _demo(arguments)
    from jellytui.cli.run import run

    return run(arguments)


def open_app(paths: Paths, settings: Settings) -> int:
    """Opens the terminal UI on the account signed in below these paths; returns its exit code."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM", "dumb") == "dumb":
        return _refuse("The app needs a terminal. For scripts there are commands: jellytui --help", 2)
    for name in ("COLUMNS", "LINES"):
        # Readline leaves them in the environment; Textual believes them before the terminal, and would see no resize.
        os.environ.pop(name, None)
    import asyncio

    from jellytui.logs import keep_screen_for_the_app, set_up_logging

    try:
        set_up_logging(paths.log_file)
        # Textual draws on stderr, which may lead elsewhere (`2> errors.txt`).
        keep_screen_for_the_app(paths.log_file, screen=2 if os.isatty(2) else 1)
    except OSError as error:
        return _refuse(f"The log cannot be written ({error}). `jellytui doctor` says what it takes.", 1)
    return asyncio.run(_run_app(paths, settings))


async def _run_app(paths: Paths, settings: Settings) -> int:
    import asyncio
    import signal

    from jellytui.engine.clock import SystemClock
    from jellytui.tui.app import JellytuiApp
    from jellytui.tui.keymap import KeyClashError

    opened: list[Backend] = []

    async def open_backend() -> Backend:
        from jellytui.engine.errors import NotSignedInError
        from jellytui.engine.jellyfin.auth import stored_account, stored_token
        from jellytui.remote.attached import AttachedBackend

        account = stored_account(paths)
        token = account and stored_token(paths, account)
        if account is None or not token:
            raise NotSignedInError("Nobody is signed in yet.")
        opened.append(await AttachedBackend.open(paths, settings, account, token))
        return opened[-1]

    from jellytui.engine.jellyfin.auth import SignInService

    sign_in = SignInService(paths=paths, settings=settings, clock=SystemClock())
    try:
        app = JellytuiApp(backend=None, sign_in=sign_in, open_backend=open_backend, settings=settings)
    except KeyClashError as error:
        return _refuse(f"{paths.config_file}: {error}", 2)
    for number in (signal.SIGTERM, signal.SIGHUP):
        # A dropped SSH session must leave the engine's parts time to write what they hold.
        asyncio.get_running_loop().add_signal_handler(number, app.exit)
    try:
        await app.run_async(mouse=settings.screen.mouse)
    finally:
        for backend in opened:
            await backend.close()
    return app.return_code or 0


def _with_settings(face: Callable[[Paths, Settings], int]) -> int:
    from jellytui.config import ConfigFileError, load_settings
    from jellytui.paths import default_paths

    paths = default_paths()
    try:
        settings = load_settings(paths.config_file)
    except ConfigFileError as error:
        return _refuse(str(error), 2)
    return face(paths, settings)


def _refuse(text: str, exit_code: int) -> int:
    sys.stderr.write(f"{text}\n")
    return exit_code


def _demo(arguments: Namespace) -> int:
    """`jellytui demo`: the server alone, or the app signed in to one in a process of its own."""
    from importlib.util import find_spec

    if not all(find_spec(name) for name in ("mutagen", "numpy", "soundfile", "starlette", "uvicorn")):
        words = "The demo server is not installed. Install it from jellytui's checkout: pipx install --force '.[demo]'"
        return _refuse(words, 1)
    if arguments.serve_only:
        return _serve(arguments)
    return _with_settings(lambda paths, settings: _open_demo_app(arguments, paths, settings))


def _serve(arguments: Namespace) -> int:
    from pathlib import Path

    from jellytui.demo.cli import ServeOptions, serve
    from jellytui.paths import default_paths

    return serve(
        ServeOptions(
            cache=default_paths().cache / "demo",
            folder=Path(arguments.folder).expanduser() if arguments.folder else None,
            port=arguments.port,
            emulate=arguments.emulate,
            json_output=arguments.json,
            synthetic=arguments.synthetic,
            seed=arguments.seed,
            faults=Path(arguments.faults).expanduser() if arguments.faults else None,
            rate=arguments.rate * 1000,
            delay=arguments.delay / 1000,
            discovery=arguments.discovery,
            with_parent=arguments.with_parent,
        )
    )


def _open_demo_app(arguments: Namespace, paths: Paths, settings: Settings) -> int:
    """The app on a demo server of its own, with data of its own: never the user's account."""
    import asyncio
    import json
    import subprocess

    from jellytui.engine.clock import SystemClock
    from jellytui.engine.jellyfin.auth import SignInService
    from jellytui.paths import paths_below

    words = [sys.executable, "-m", "jellytui", "demo", "--serve-only", "--json", "--with-parent"]
    for name in ("port", "emulate", "synthetic", "seed", "faults", "rate", "delay"):
        if getattr(arguments, name) is not None:
            words += [f"--{name}", str(getattr(arguments, name))]
    if arguments.discovery:
        words.append("--discovery")
    if arguments.folder:
        words.append(arguments.folder)
    # A session of its own: ctrl+c in the terminal is the app's. The server ends when the app has, even if that was
    # killed: then the server's standard input closes.
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, start_new_session=True) as server:
        try:
            line = server.stdout.readline() if server.stdout else ""
            if not line:
                return server.wait() or 1
            access = json.loads(line)
            home = paths_below(paths.cache / "demo" / "home")
            sign_in = SignInService(paths=home, settings=settings, clock=SystemClock())

            async def enter() -> None:
                found = await sign_in.probe(access["url"])
                await sign_in.with_password(found, access["user"], access["password"])

            asyncio.run(enter())
            return open_app(home, settings)
        finally:
            server.terminate()


if __name__ == "__main__":
    sys.exit(main())
