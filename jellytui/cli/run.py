"""Runs one command of the command line: finds the account and its engine, turns errors into words and exit codes."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from jellytui.cli.output import say
from jellytui.config import ConfigFileError, Settings, load_settings
from jellytui.engine.errors import JellytuiError, NotSignedInError
from jellytui.logs import keep_screen_for_the_app, set_up_logging
from jellytui.paths import Paths, default_paths

if TYPE_CHECKING:
    from jellytui.engine.backend import Backend

Handler = Callable[["Session", Namespace], Awaitable[int]]

INTERRUPTED = 130


class Session:
    """What a command may need: folders, settings, and the engine once it asks for it."""

    def __init__(self, paths: Paths, settings: Settings) -> None:
        self.paths = paths
        self.settings = settings
        self._backend: Backend | None = None

    async def backend(self) -> Backend:
        """The signed-in account's engine. Raises NotSignedInError."""
        if self._backend is None:
            from jellytui.engine.jellyfin.auth import stored_account, stored_token
            from jellytui.remote.attached import AttachedBackend

            account = stored_account(self.paths)
            token = account and stored_token(self.paths, account)
            if account is None or not token:
                raise NotSignedInError("Nobody is signed in. Sign in with: jellytui login URL")
            self._backend = await AttachedBackend.open(self.paths, self.settings, account, token)
        return self._backend

    async def close(self) -> None:
        """Lets go of the engine."""
        if self._backend is not None:
            await self._backend.close()


def run(arguments: Namespace) -> int:
    """Runs the command that the arguments name; returns the exit code."""
    paths = default_paths()
    try:
        settings = load_settings(paths.config_file)
    except ConfigFileError as error:
        say(str(error))
        return 2
    try:
        set_up_logging(paths.log_file)
        # What native libraries complain of is no message of ours, nor part of a result.
        keep_screen_for_the_app(paths.log_file)
    except OSError as error:
        say(f"No log is kept ({error}). `jellytui doctor` says what it takes.")
    module, _, function = arguments.handler.partition(":")
    handler: Handler = getattr(importlib.import_module(f"jellytui.cli.{module}"), function)
    try:
        exit_code = asyncio.run(_run(Session(paths, settings), handler, arguments))
        sys.stdout.flush()
        return exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has enough (`| head`). What is still to be written at the exit goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


async def _run(session: Session, handler: Handler, arguments: Namespace) -> int:
    try:
        return await handler(session, arguments)
    except JellytuiError as error:
        say(error.text)
        return error.exit_code
    finally:
        await session.close()
