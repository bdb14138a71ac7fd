"""Verbs of upkeep: look through the downloads, move them, copy them out by name. All may take long and be cancelled."""

from __future__ import annotations

from pathlib import Path

import msgspec

from jellytui.engine.commands.registry import cancellable
from jellytui.engine.downloads.upkeep.export.export import Export
from jellytui.engine.models import ExportReport, MoveReport, UpkeepReport
from jellytui.engine.services import Services


@cancellable
async def verify_downloads(services: Services, repair: bool = False, deep: bool = False) -> UpkeepReport:
    """Compare the downloads with what is on the disk; mend what differs, read every file on request."""
    return await services.downloads.caretaker.verify(is_repairing=repair, is_deep=deep)


@cancellable
async def move_downloads(services: Services, folder: str) -> MoveReport:
    """Move all downloads to another folder, named by its whole path."""
    new = _folder(folder)
    report = await services.downloads.caretaker.move(new)
    configured = services.settings.downloads.folder
    if configured and _folder(configured) != new:
        note = f'config.toml still names {configured}: write folder = "{new}" below [downloads], or take the line out.'
        report = msgspec.structs.replace(report, note=" ".join(filter(None, (report.note, note))))
    return report


@cancellable
async def export_downloads(
    services: Services, folder: str, album_ids: list[str] | None = None, hardlink: bool = False
) -> ExportReport:
    """Copy downloaded music to a folder by artist, album and title, as any player likes it."""
    export = Export(
        database=services.database,
        files=services.downloads.files,
        leases=services.downloads.leases,
        covers=services.covers,
        bus=services.bus,
    )
    return await export.run(_folder(folder), album_ids=album_ids, is_linking=hardlink)


def _folder(text: str) -> Path:
    return Path(text).expanduser()


COMMANDS = (verify_downloads, move_downloads, export_downloads)
