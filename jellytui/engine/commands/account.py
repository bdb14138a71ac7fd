"""Verbs about the account itself."""

from __future__ import annotations

from jellytui.engine.commands.registry import cancellable
from jellytui.engine.errors import UsageError
from jellytui.engine.models import Account
from jellytui.engine.services import Services


@cancellable
async def get_account(services: Services) -> Account:
    """Who is signed in, and where."""
    return services.account


def check_user(services: Services, user_id: str) -> None:
    """One engine, one account: raises UsageError for a user whose engine this is not."""
    if user_id != services.account.user_id:
        raise UsageError(f"User {user_id!r} is not signed in here; {services.account.user_name} is.")


COMMANDS = (get_account,)
