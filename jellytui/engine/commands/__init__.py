"""The verbs by subject, and the registry that holds them all."""

from jellytui.engine.commands import account, cache, download, library, offline, player, settings, upkeep
from jellytui.engine.commands.registry import Registry


def registry() -> Registry:
    """All verbs."""
    modules = (account, cache, download, library, offline, player, settings, upkeep)
    return Registry(function for module in modules for function in module.COMMANDS)
