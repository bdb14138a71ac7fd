"""What goes wrong inside a command reaches its caller in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from jellytui.engine.commands import registry
from jellytui.engine.commands.registry import Registry
from jellytui.engine.errors import DatabaseError, UsageError
from jellytui.engine.storage.database import Database


@dataclass
class Services:
    database: Database


async def note(services: Services, *, name: str) -> int:
    """Writes a fact."""
    return await services.database.execute("INSERT INTO sync_state (name, value) VALUES (?, '')", (name,))


async def test_a_database_that_is_full_is_an_error_in_words(tmp_path: Path) -> None:
    services = Services(await Database.open(tmp_path / "a.db"))
    command = Registry([note])["note"]
    assert await command.run(services, {"name": "one"}) == 1
    await services.database.execute(
        "CREATE TRIGGER full BEFORE INSERT ON sync_state BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
    )
    with pytest.raises(DatabaseError, match=r"cannot be used \(database or disk is full\)\. Look whether its disk"):
        await command.run(services, {"name": "two"})
    await services.database.close()


async def test_arguments_that_do_not_fit_name_the_command(tmp_path: Path) -> None:
    services = Services(await Database.open(tmp_path / "a.db"))
    with pytest.raises(UsageError, match="note"):
        await Registry([note])["note"].run(services, {"name": 1})
    with pytest.raises(UsageError, match="no command 'forget'"):
        Registry([note])["forget"]
    await services.database.close()


def test_only_commands_that_read_or_wait_or_take_long_end_with_their_caller() -> None:
    commands = {command.name for command in registry() if command.is_cancellable}
    reading = {command.name for command in registry() if command.name.startswith(("get_", "offline_", "search_"))}
    assert commands - reading == {
        "await_end_of_queue",
        "await_sync",
        "plan_cache",
        "verify_downloads",
        "move_downloads",
        "export_downloads",
    }
    assert reading <= commands
