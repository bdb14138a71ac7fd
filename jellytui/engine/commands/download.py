"""The verbs of downloading (seed, Download Commands): asked for by id, steered by the number of their row."""

from __future__ import annotations

from jellytui.engine.commands.account import check_user
from jellytui.engine.commands.registry import cancellable
from jellytui.engine.models import DownloadInfo, DownloadsSummary, DownloadStatus
from jellytui.engine.services import Services


async def download_item(services: Services, item_id: str, user_id: str, file_path: str | None = None) -> DownloadInfo:
    """Download a track; `file_path` puts it elsewhere inside the download folder."""
    check_user(services, user_id)
    return await services.downloads.wishes.download_item(item_id, file_path)


async def download_album(services: Services, album_id: str, user_id: str) -> list[DownloadInfo]:
    """Download all tracks of an album."""
    check_user(services, user_id)
    return await services.downloads.wishes.download_album(album_id)


async def download_artist(services: Services, artist_id: str, user_id: str) -> list[DownloadInfo]:
    """Download everything by an artist."""
    check_user(services, user_id)
    return await services.downloads.wishes.download_artist(artist_id)


async def download_playlist(services: Services, playlist_id: str, user_id: str) -> list[DownloadInfo]:
    """Download a playlist, and what is added to it later."""
    check_user(services, user_id)
    return await services.downloads.wishes.download_playlist(playlist_id)


async def download_favorites(services: Services, user_id: str) -> list[DownloadInfo]:
    """Download all favourite tracks, and those to come."""
    check_user(services, user_id)
    return await services.downloads.wishes.download_favorites()


async def unfollow_playlist(services: Services, playlist_id: str, user_id: str) -> None:
    """Let a downloaded playlist follow the server's no more; what only it wanted becomes the cache's."""
    check_user(services, user_id)
    await services.downloads.wishes.unfollow_playlist(playlist_id)


async def unfollow_favorites(services: Services, user_id: str) -> None:
    """Let downloaded favourites follow the server's no more; what only they wanted becomes the cache's."""
    check_user(services, user_id)
    await services.downloads.wishes.unfollow_favorites()


@cancellable
async def get_downloads(
    services: Services, user_id: str, status_filter: DownloadStatus | None = None
) -> list[DownloadInfo]:
    """The downloads of one status, or all: in the order of the queue, the completed ones in that of asking."""
    check_user(services, user_id)
    return await services.downloads.downloads(status_filter)


@cancellable
async def get_downloads_summary(services: Services) -> DownloadsSummary:
    """Totals over all downloads."""
    return await services.downloads.summary()


async def pause_download(services: Services, download_id: int) -> DownloadInfo:
    """Pause a download; what came stays."""
    return (await services.downloads.acts.pause([download_id]))[0]


async def pause_downloads(services: Services, download_ids: list[int]) -> list[DownloadInfo]:
    """Pause downloads."""
    return await services.downloads.acts.pause(download_ids)


async def pause_all_downloads(services: Services) -> None:
    """Pause all downloads, also those to come."""
    await services.downloads.acts.pause_all()


async def resume_download(services: Services, download_id: int) -> DownloadInfo:
    """Go on with a paused or failed download."""
    return (await services.downloads.acts.resume([download_id]))[0]


async def resume_downloads(services: Services, download_ids: list[int]) -> list[DownloadInfo]:
    """Go on with paused or failed downloads."""
    return await services.downloads.acts.resume(download_ids)


async def resume_all_downloads(services: Services) -> None:
    """Let all downloads go on."""
    await services.downloads.acts.resume_all()


async def cancel_download(services: Services, download_id: int) -> None:
    """Give a download up and delete what came of it."""
    await services.downloads.acts.cancel([download_id])


async def cancel_downloads(services: Services, download_ids: list[int]) -> None:
    """Give downloads up and delete what came of them."""
    await services.downloads.acts.cancel(download_ids)


async def delete_download(services: Services, download_id: int) -> None:
    """Delete a download with its file."""
    await services.downloads.acts.delete([download_id])


async def delete_downloads(services: Services, download_ids: list[int]) -> None:
    """Delete downloads with their files."""
    await services.downloads.acts.delete(download_ids)


async def clear_completed_downloads(services: Services) -> int:
    """Take completed downloads off the list, the files stay; returns how many."""
    return await services.downloads.acts.clear_completed()


async def retry_failed_downloads(services: Services) -> int:
    """Try all failed downloads again; returns how many."""
    return await services.downloads.acts.retry_failed()


async def prioritize_download(services: Services, download_id: int) -> DownloadInfo:
    """Put a download before all others."""
    return (await services.downloads.acts.prioritize([download_id]))[0]


async def prioritize_downloads(services: Services, download_ids: list[int]) -> list[DownloadInfo]:
    """Put downloads before all others."""
    return await services.downloads.acts.prioritize(download_ids)


async def download_anyway(services: Services, download_id: int) -> DownloadInfo:
    """Let a download go over a link that costs money."""
    return (await services.downloads.acts.download_anyway([download_id]))[0]


async def downloads_anyway(services: Services, download_ids: list[int]) -> list[DownloadInfo]:
    """Let downloads go over a link that costs money."""
    return await services.downloads.acts.download_anyway(download_ids)


COMMANDS = (
    download_item,
    download_album,
    download_artist,
    download_playlist,
    download_favorites,
    unfollow_playlist,
    unfollow_favorites,
    get_downloads,
    get_downloads_summary,
    pause_download,
    pause_downloads,
    pause_all_downloads,
    resume_download,
    resume_downloads,
    resume_all_downloads,
    cancel_download,
    cancel_downloads,
    delete_download,
    delete_downloads,
    clear_completed_downloads,
    retry_failed_downloads,
    prioritize_download,
    prioritize_downloads,
    download_anyway,
    downloads_anyway,
)
