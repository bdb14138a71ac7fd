"""Hooks of an attempt: what the worker tells and asks while it fetches for a row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor

from jellytui.engine.downloads.announce import Announcer
from jellytui.engine.downloads.disk import Disk
from jellytui.engine.downloads.ports import Server
from jellytui.engine.downloads.rows.queue import QueueRows
from jellytui.engine.downloads.transfer.attempt import RowListener, Transfer
from jellytui.engine.downloads.transfer.endings import Endings
from jellytui.engine.downloads.transfer.rate import Breath, Gate
from jellytui.engine.downloads.transfer.resume import Body
from jellytui.engine.downloads.worker import Hooks

_HEAD_BYTES = 256 * 1024
"""What of a stream comes as fast as it can; then it lets others run, those who decode it and the screen."""


def hooks_of(
    transfer: Transfer,
    *,
    rows: QueueRows,
    endings: Endings,
    announcer: Announcer,
    gate: Gate,
    disk: Disk,
    server: Server,
    executor: Executor,
    listener: Callable[[], RowListener | None],
) -> Hooks:
    """The hooks of one attempt; `listener` is whoever listens to its row just then."""
    claim, loop, breath = transfer.claim, asyncio.get_running_loop(), Breath()

    async def began(body: Body) -> None:
        transfer.total = body.total or claim.expected_size
        transfer.held = body.held
        await rows.began(claim, body)
        endings.answered(claim)
        if hearing := listener():
            hearing.began(body)

    def progress(_: int) -> None:
        announcer.one("progress", transfer.live())

    def is_exempt() -> bool:
        hearing = listener()
        return transfer.is_stream and not transfer.is_left and not (hearing and hearing.stands_back)

    async def admit(count: int) -> bool:
        transfer.speed.add(count)
        if transfer.is_stream and transfer.bytes_here > _HEAD_BYTES and (breath_s := breath.needed_s(count)):
            await asyncio.sleep(breath_s)
        return await gate.admit(count, is_exempt=is_exempt)

    async def ask_size() -> int | None:
        facts = await server.media_facts([claim.item_id])
        return facts[0].size_bytes if facts else None

    async def has_room(count: int) -> None:
        await loop.run_in_executor(executor, disk.check_room, count)

    def patience_s() -> float:
        hearing = listener()
        return hearing.patience_s if hearing else 0.0

    return Hooks(
        began=began,
        progress=progress,
        admit=admit,
        ask_size=ask_size,
        has_room=has_room,
        patience_s=patience_s,
    )
