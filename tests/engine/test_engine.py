"""The engine as a whole: what it leaves behind when it cannot start."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from jellytui.config import Settings
from jellytui.engine.engine import Engine
from jellytui.engine.models import Account
from jellytui.engine.storage.database import Database
from jellytui.paths import paths_below

ACCOUNT = Account(
    server_url="http://127.0.0.1:9",
    server_id="s1",
    server_name="attic",
    server_version="12.0.0",
    user_id="u1",
    user_name="demo",
    device_id="d1",
)


async def test_an_engine_that_cannot_start_lets_go_of_everything(tmp_path: Path) -> None:
    paths = paths_below(tmp_path)
    file = paths.database_file(ACCOUNT.server_id, ACCOUNT.user_id)
    file.parent.mkdir(parents=True)
    await (await Database.open(file)).close()
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE queue_entries")  # the last part, the player, finds nothing to read
    threads, tasks = set(threading.enumerate()), asyncio.all_tasks()
    with pytest.raises(sqlite3.OperationalError, match="queue_entries"):
        await Engine.start(account=ACCOUNT, token="t", paths=paths, settings=Settings())
    assert asyncio.all_tasks() == tasks
    left = [thread for thread in set(threading.enumerate()) - threads if not thread.name.startswith("asyncio_")]
    for thread in left:
        await asyncio.to_thread(thread.join, 5)
    assert not [thread.name for thread in left if thread.is_alive()]
