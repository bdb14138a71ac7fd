"""The audio devices, for somebody who does not play (`jellytui doctor`)."""

from __future__ import annotations

from typing import Any

from jellytui.config import PlayerSettings, ServerSettings
from jellytui.engine.errors import NotFoundError
from jellytui.engine.player.mpv import MpvSound


async def audio_devices(settings: PlayerSettings) -> list[str]:
    """The audio devices that libmpv sees. Raises SoundError."""

    async def no_stream(item_id: str) -> Any:
        raise NotFoundError(f"{item_id} is not played here.")

    sound = MpvSound(settings, ServerSettings())
    try:
        await sound.open(lambda _: None, no_stream)
        return sound.devices()
    finally:
        await sound.close()
