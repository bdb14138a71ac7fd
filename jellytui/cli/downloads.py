"""download and downloads."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from jellytui.cli.output import (
    ProgressLine,
    count,
    print_downloads,
    print_json,
    say,
)
from jellytui.cli.run import Session
from jellytui.engine.backend import Backend
from jellytui.engine.errors import UsageError
from jellytui.engine.events import DownloadEvent, DownloadsState
from jellytui.engine.models import DownloadInfo, DownloadsSummary, HoldKind

_ENDED = ("completed", "failed", "paused")
_WAYS_OUT: dict[HoldKind, str] = {
    "paused": "`jellytui downloads resume-all` lets it go on.",
    "metered": "`jellytui downloads anyway ID` lets one go.",
}


async def download(session: Session, arguments: Namespace) -> int:
    """Queues tracks or the whole of albums, artists, playlists; with --wait stays until they are here."""
    if not arguments.ids and arguments.kind != "favorites":
        raise UsageError("What to download? Give at least one ID (`jellytui search WORDS` lists them).")
    backend = await session.backend()
    async with backend.events([DownloadEvent, DownloadsState]) as events:
        rows = await _queue(backend, arguments.kind, arguments.ids)
        if arguments.wait:
            rows = await _wait(events, rows)
    if arguments.json:
        print_json(rows)
    else:
        print_downloads(rows)
    if not arguments.wait and any(row.status == "pending" for row in rows):
        say("Queued. It comes down while jellytui runs; --wait stays until it is here.")
    return 1 if any(row.status == "failed" for row in rows) else 0


async def show(session: Session, arguments: Namespace) -> int:
    """Lists the downloads; says why they wait, if they do."""
    backend = await session.backend()
    rows = await backend.call("get_downloads", user_id=backend.account.user_id, status_filter=arguments.status)
    summary: DownloadsSummary = await backend.call("get_downloads_summary")
    if arguments.json:
        print_json(rows)
    else:
        print_downloads(rows)
    if summary.hold_reason:
        say(" ".join(filter(None, (summary.hold_reason, _WAYS_OUT.get(summary.hold_kind)))))
    return 0


async def pause(session: Session, arguments: Namespace) -> int:
    """Pauses downloads."""
    return await _all(session, "pause_downloads", arguments.ids)


async def resume(session: Session, arguments: Namespace) -> int:
    """Resumes downloads."""
    return await _all(session, "resume_downloads", arguments.ids)


async def cancel(session: Session, arguments: Namespace) -> int:
    """Cancels downloads and deletes their parts."""
    return await _all(session, "cancel_downloads", arguments.ids)


async def delete(session: Session, arguments: Namespace) -> int:
    """Deletes completed downloads."""
    return await _all(session, "delete_downloads", arguments.ids)


async def first(session: Session, arguments: Namespace) -> int:
    """Puts downloads before all others."""
    return await _all(session, "prioritize_downloads", arguments.ids)


async def anyway(session: Session, arguments: Namespace) -> int:
    """Lets downloads go over a link that costs money."""
    return await _all(session, "downloads_anyway", arguments.ids)


async def unfollow(session: Session, arguments: Namespace) -> int:
    """Lets downloaded playlists, or favourites, follow the server's no more."""
    backend = await session.backend()
    user_id = backend.account.user_id
    if arguments.favorites:
        await backend.call("unfollow_favorites", user_id=user_id)
    for playlist_id in arguments.ids:
        await backend.call("unfollow_playlist", playlist_id=playlist_id, user_id=user_id)
    if not arguments.ids and not arguments.favorites:
        raise UsageError("What to unfollow? Give the ID of a playlist, or --favorites.")
    return 0


async def pause_all(session: Session, _: Namespace) -> int:
    """Pauses all, also those to come."""
    await (await session.backend()).call("pause_all_downloads")
    return 0


async def resume_all(session: Session, _: Namespace) -> int:
    """Lets all go on."""
    await (await session.backend()).call("resume_all_downloads")
    return 0


async def clear(session: Session, _: Namespace) -> int:
    """Takes completed downloads off the list."""
    number: int = await (await session.backend()).call("clear_completed_downloads")
    say(f"{count(number, 'download')} taken off the list; the files stay.")
    return 0


async def retry(session: Session, _: Namespace) -> int:
    """Tries failed downloads again."""
    number: int = await (await session.backend()).call("retry_failed_downloads")
    say(f"{count(number, 'download')} will be tried again.")
    return 0


async def _all(session: Session, command: str, ids: Sequence[int]) -> int:
    await (await session.backend()).call(command, download_ids=ids)
    return 0


async def _queue(backend: Backend, kind: str, ids: Sequence[str]) -> list[DownloadInfo]:
    user_id = backend.account.user_id
    if kind == "favorites":
        favorites: list[DownloadInfo] = await backend.call("download_favorites", user_id=user_id)
        return favorites
    rows: list[DownloadInfo] = []
    for item_id in ids:
        answer: Any = await backend.call(f"download_{kind}", **{f"{kind}_id": item_id}, user_id=user_id)
        rows.extend(answer if isinstance(answer, list) else [answer])
    return rows


async def _wait(events: Any, rows: list[DownloadInfo]) -> list[DownloadInfo]:
    """Follows the rows until each has ended; shows how far they all are."""
    newest = {row.id: row for row in rows}
    summary = DownloadsSummary()
    line = ProgressLine()
    try:
        while any(row.status not in _ENDED for row in newest.values()):
            for event in await events.batch():
                if isinstance(event, DownloadsState):
                    summary = event.summary
                elif isinstance(event, DownloadEvent) and event.download.id in newest:
                    newest[event.download.id] = event.download
                    if event.type == "removed":
                        del newest[event.download.id]
            here = sum(row.progress for row in newest.values())
            speed = f"{summary.bytes_per_second / 1e6:.1f} MB/s"
            line.show(round(here * 1000), max(1, len(newest)) * 1000, summary.hold_reason or speed)
    finally:
        line.end()
    return list(newest.values())
