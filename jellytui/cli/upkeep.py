"""downloads verify, downloads move and export: long work on the downloads' files; ctrl+c breaks it off."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

from jellytui.cli.output import ProgressLine, count, print_json, say
from jellytui.cli.run import Session
from jellytui.engine.backend import Backend
from jellytui.engine.events import UpkeepState
from jellytui.engine.models import ExportReport, Finding, MoveReport, UpkeepReport

T = TypeVar("T")


async def verify(session: Session, arguments: Namespace) -> int:
    """Compares downloads and disk; exits with 1 when something is left to mend."""
    backend = await session.backend()
    work = backend.call("verify_downloads", repair=arguments.repair, deep=arguments.deep)
    report: UpkeepReport = await _watched(backend, "verify", work)
    found = sum(report.counts.values())
    if arguments.json:
        print_json(report)
    else:
        for finding in report.findings:
            print(_line(finding))
        if found > len(report.findings):
            print(f"… and {found - len(report.findings):,} more")
        say(report.checked)
        say(_verdict(report, found))
    return 0 if found == report.repaired_count else 1


async def move(session: Session, arguments: Namespace) -> int:
    """Moves the downloads to another folder."""
    backend = await session.backend()
    # The engine may be another process, with another working directory.
    work = backend.call("move_downloads", folder=_whole(arguments.folder))
    report: MoveReport = await _watched(backend, "move", work)
    if arguments.json:
        print_json(report)
        return 0
    say(f"{count(report.files, 'file')} moved from {report.old_folder} to {report.folder}.")
    if report.note:
        say(report.note)
    return 0


async def export(session: Session, arguments: Namespace) -> int:
    """Copies downloaded music out by name; exits with 1 when some track was left out."""
    backend = await session.backend()
    work = backend.call(
        "export_downloads",
        folder=_whole(arguments.folder),
        album_ids=arguments.albums,
        hardlink=arguments.hardlink,
    )
    report: ExportReport = await _watched(backend, "export", work)
    if arguments.json:
        print_json(report)
    else:
        for problem in report.problems:
            print(problem)
        say(f"{count(report.written, 'file')} written to {report.folder}, {report.unchanged:,} were there already.")
        if report.note:
            say(report.note)
    return 1 if report.problems else 0


async def _watched(backend: Backend, name: str, work: Awaitable[T]) -> T:
    """Waits for the work and shows how far it is."""
    line = ProgressLine()

    async def show() -> None:
        async with backend.events([UpkeepState]) as events:
            async for event in events:
                if not isinstance(event, UpkeepState):
                    continue
                if event.work == name and event.status == "running":
                    line.show(event.done, event.total, f"{event.done:,} of {event.total:,}")
                elif event.work in ("sweep", "rescue") and event.text:
                    # What the engine has put right by itself at its start would else go unsaid.
                    line.end()
                    say(event.text)

    showing = asyncio.create_task(show())
    try:
        return await work
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
        line.end()


def _line(finding: Finding) -> str:
    done = "mended" if finding.is_repaired else finding.note or f"--repair would {finding.repair}"
    return f"{finding.kind:<11}  {finding.name or finding.item_id}  {finding.path}  ({done})"


def _verdict(report: UpkeepReport, found: int) -> str:
    if not found:
        return "Everything is as it should be."
    left = found - report.repaired_count
    if not left:
        return f"{count(found, 'finding')}, all mended."
    mended = f", {report.repaired_count:,} mended" if report.repaired_count else ""
    advice = "Those left are being played or could not be mended." if mended else "Mend them with: --repair"
    return f"{count(found, 'finding')}{mended}. {advice}"


def _whole(folder: str) -> str:
    return str(Path(folder).expanduser().absolute())
