"""A move that is killed at any instant loses nothing, and the same command brings it to its end."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jellytui.engine.downloads.upkeep.root import choose_root
from jellytui.engine.storage.database import Database
from tests.engine.downloads.upkeep.conftest import House

CHILD = """
import asyncio, sys
from pathlib import Path
from jellytui.engine.downloads.upkeep import move
from jellytui.engine.storage.database import Database
from tests.engine.downloads.upkeep.conftest import House

async def main(folder, root, new):
    move.link = lambda source, target: False  # as on another disk
    house = House(await Database.open(folder / "jellytui.db"), root)
    print("begins", flush=True)
    await house.caretaker.move(new)
    print("done", flush=True)
    await asyncio.Event().wait()

asyncio.run(main(*map(Path, sys.argv[1:])))
"""
FILES = 60


@pytest.mark.parametrize("seed", range(4))
async def test_a_killed_move_loses_nothing_and_goes_on(tmp_path: Path, seed: int) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    database = await Database.open(tmp_path / "jellytui.db")
    house = House(database, old)
    content = {f"{number:02x}aa": bytes([number]) * 50_000 for number in range(FILES)}
    for item_id, music in content.items():
        await house.add_row(item_id, file_size=len(music), bytes_downloaded=len(music))
        house.add_file(item_id, music)
    await database.close()

    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path), str(old), str(new)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "begins\n"
    time.sleep(random.Random(seed).uniform(0.0, 0.5))  # the instant is the point
    child.kill()
    child.wait()
    child.stdout.close()

    database = await Database.open(tmp_path / "jellytui.db")
    root = await choose_root(database, configured=None, default=old, account=house.files.account)
    assert root.folder in (old, new)
    house = House(database, root.folder)
    report = await house.caretaker.verify(is_repairing=False, is_deep=False)
    assert (report.counts, report.files) == ({}, FILES)
    house.caretaker.start()
    await house.caretaker.swept()
    if root.folder == old:
        await house.caretaker.move(new)
    here = {item_id: (new / house.files.path_of(item_id, "flac")).read_bytes() for item_id in content}
    assert here == content
    assert not old.exists()
    assert not [path for path in new.rglob(".jellytui-*") if path.name != ".jellytui-downloads"]
    await database.close()
