"""The verbs of playing: what keys, palette, command line, media keys and phones call."""

from __future__ import annotations

from collections.abc import Sequence

from jellytui.engine.commands.registry import cancellable
from jellytui.engine.errors import NotFoundError
from jellytui.engine.events import PlayerState
from jellytui.engine.models import QueuePage, RepeatMode, Track
from jellytui.engine.services import Services


async def play_items(services: Services, item_ids: list[str], start_index: int = 0) -> None:
    """Play these tracks instead of the queue, from one of them on."""
    await services.player.play_tracks(await _tracks(services, item_ids), start_index)


async def play_album(services: Services, album_id: str, start_track_id: str | None = None) -> None:
    """Play an album, from one of its tracks on."""
    tracks = await services.catalogue.tracks_of_album(album_id)
    await services.player.play_tracks(_some(tracks, "album", album_id), _index_of(tracks, start_track_id))


async def play_playlist(services: Services, playlist_id: str, start_index: int = 0) -> None:
    """Play a playlist, from one of its entries on."""
    tracks = await services.catalogue.tracks_of_playlist(playlist_id)
    await services.player.play_tracks(_some(tracks, "playlist", playlist_id), start_index)


async def play_artist(services: Services, artist_id: str) -> None:
    """Play everything by an artist, album by album."""
    tracks = await services.catalogue.tracks_of_artist(artist_id)
    await services.player.play_tracks(_some(tracks, "artist", artist_id))


async def enqueue_items(services: Services, item_ids: list[str], play_next: bool = False) -> int:
    """Put tracks at the queue's end, or right behind the current one; returns how many."""
    return await services.player.enqueue(await _tracks(services, item_ids), play_next=play_next)


async def play(services: Services) -> None:
    """Go on playing, or begin with the queue."""
    await services.player.play()


async def pause(services: Services) -> None:
    """Pause."""
    await services.player.pause()


async def toggle_pause(services: Services) -> None:
    """Pause, or go on."""
    await services.player.toggle_pause()


async def stop(services: Services) -> None:
    """Stop at the track's beginning; the queue stays."""
    await services.player.halt()


async def next_track(services: Services) -> None:
    """Go to the next track of the queue."""
    await services.player.next_track()


async def previous_track(services: Services) -> None:
    """Go to the track's beginning, or to the previous one."""
    await services.player.previous_track()


async def seek(services: Services, position_ms: int) -> None:
    """Go to a place in the track."""
    await services.player.seek(position_ms)


async def seek_by(services: Services, offset_ms: int) -> None:
    """Go on or back in the track."""
    await services.player.seek_by(offset_ms)


async def set_volume(services: Services, volume: int) -> None:
    """Set the volume, 0 to 100."""
    await services.player.set_volume(volume)


async def change_volume(services: Services, by: int) -> None:
    """Make it louder or quieter."""
    await services.player.change_volume(by)


async def toggle_mute(services: Services) -> None:
    """Mute, or let sound again."""
    await services.player.toggle_mute()


async def set_repeat(services: Services, mode: RepeatMode) -> None:
    """Repeat nothing, the queue, or the track."""
    await services.player.set_repeat(mode)


async def cycle_repeat(services: Services) -> None:
    """Repeat off, all, one in turn."""
    await services.player.cycle_repeat()


async def toggle_shuffle(services: Services) -> None:
    """Shuffle what comes, or go back to the order of the queue."""
    await services.player.toggle_shuffle()


async def play_queue_entry(services: Services, entry_id: int) -> None:
    """Play an entry of the queue."""
    await services.player.play_entry(entry_id)


async def remove_queue_entries(services: Services, entry_ids: list[int]) -> None:
    """Take entries off the queue."""
    await services.player.remove_entries(entry_ids)


async def move_queue_entry(services: Services, entry_id: int, to_index: int) -> None:
    """Move an entry to another place in play order."""
    await services.player.move_entry(entry_id, to_index)


async def clear_queue(services: Services) -> None:
    """Stop and empty the queue."""
    await services.player.clear()


@cancellable
async def get_queue(services: Services, start: int = 0, limit: int = 200) -> QueuePage:
    """A stretch of the queue in play order."""
    return services.player.queue_page(start, limit)


@cancellable
async def get_player(services: Services) -> PlayerState:
    """What plays now."""
    return services.player.state


@cancellable
async def get_audio_devices(services: Services) -> list[str]:
    """The audio devices by the names that [player] audio_device takes."""
    return await services.player.audio_devices()


@cancellable
async def await_end_of_queue(services: Services) -> None:
    """Wait until nothing plays any more."""
    await services.player.wait_until_stopped()


async def _tracks(services: Services, item_ids: Sequence[str]) -> list[Track]:
    """Each track that is meant. Raises NotFoundError when one is unknown."""
    tracks: list[Track] = await services.catalogue.tracks(item_ids)
    missing = set(item_ids) - {track.id for track in tracks}
    if missing:
        raise NotFoundError(f"There is no track {', '.join(sorted(missing))} in the library.")
    return tracks


def _some(tracks: list[Track], kind: str, item_id: str) -> list[Track]:
    if not tracks:
        raise NotFoundError(f"There is no {kind} {item_id} with tracks in the library.")
    return tracks


def _index_of(tracks: Sequence[Track], track_id: str | None) -> int:
    if track_id is None:
        return 0
    for index, track in enumerate(tracks):
        if track.id == track_id:
            return index
    raise NotFoundError(f"There is no track {track_id} in this album.")


COMMANDS = (
    play_items,
    play_album,
    play_playlist,
    play_artist,
    enqueue_items,
    play,
    pause,
    toggle_pause,
    stop,
    next_track,
    previous_track,
    seek,
    seek_by,
    set_volume,
    change_volume,
    toggle_mute,
    set_repeat,
    cycle_repeat,
    toggle_shuffle,
    play_queue_entry,
    remove_queue_entries,
    move_queue_entry,
    clear_queue,
    get_queue,
    get_player,
    get_audio_devices,
    await_end_of_queue,
)
