"""login and logout."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace

from jellytui.cli.output import say
from jellytui.cli.run import Session
from jellytui.engine.clock import SystemClock
from jellytui.engine.errors import NotSignedInError, UsageError


async def login(session: Session, arguments: Namespace) -> int:
    """Signs in by password or Quick Connect; the token goes into a file of mode 0600."""
    from jellytui.engine.jellyfin.auth import SignInService

    service = SignInService(paths=session.paths, settings=session.settings, clock=SystemClock())
    server = await service.probe(arguments.url)
    if arguments.quick_connect:
        request = await service.quick_connect(server)
        say(f"Enter this code where you are signed in to {server.name} (Settings, Quick Connect): {request.code}")
        account = await request.wait()
    else:
        name = arguments.user or _ask_for_name()
        account = await service.with_password(server, name, _password(arguments))
    say(f"Signed in to {account.server_name} as {account.user_name}.")
    return 0


async def logout(session: Session, _: Namespace) -> int:
    """Signs out at the server, as far as it answers, and forgets the token; music stays."""
    from jellytui.engine.jellyfin.auth import sign_out, stored_account, stored_token

    account = stored_account(session.paths)
    if account is None or stored_token(session.paths, account) is None:
        raise NotSignedInError("Nobody is signed in.")
    await sign_out(session.paths, session.settings, account)
    say(f"Signed out of {account.server_name}. What was downloaded stays on this machine.")
    return 0


def _ask_for_name() -> str:
    if not sys.stdin.isatty():
        raise UsageError("Who signs in? Give --user NAME.")
    say("User name:")
    try:
        return input().strip()
    except EOFError as error:
        raise UsageError("Who signs in? Give --user NAME.") from error


def _password(arguments: Namespace) -> str:
    if arguments.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask for the password: use --password-stdin or --quick-connect.")
    try:
        return getpass.getpass("Password: ", stream=sys.stderr)
    except EOFError as error:
        raise UsageError("No password was given.") from error
