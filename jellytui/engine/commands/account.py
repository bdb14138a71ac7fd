"""Verbs about the account itself."""

from __future__ import annotations

from jellytui.engine.models import Account
from jellytui.engine.services import Services


async def get_account(services: Services) -> Account:
    """Who is signed in, and where."""
    return services.account


COMMANDS = (get_account,)
