"""Reading: reads a file to its last byte and follows its container's structure (verify --deep)."""

from __future__ import annotations

from jellytui.engine.downloads.files import DownloadFiles
from jellytui.engine.downloads.upkeep.content.containers import problem_of
from jellytui.engine.downloads.upkeep.threads import Stop, stoppable

_CHUNK_BYTES = 1024 * 1024


class Reading:
    """Reads files; `bytes_read` of them so far."""

    words = (
        "Read every byte of each file, and followed the structure of FLAC, MP3, Ogg, MP4, WAV, AIFF, WavPack and "
        "Matroska to its end; the music itself was not decoded."
    )

    def __init__(self, files: DownloadFiles) -> None:
        self._files = files
        self.bytes_read = 0

    async def problem_of(self, path: str) -> str:
        """What is broken about the file, in words; empty when nothing is."""
        return await stoppable(self._read, path)

    def _read(self, stop: Stop, path: str) -> str:
        file = self._files.absolute(path)
        try:
            with file.open("rb", buffering=0) as stream:
                size = 0
                while chunk := stream.read(_CHUNK_BYTES):
                    stop.check()
                    size += len(chunk)
                    self.bytes_read += len(chunk)
            stop.check()
            with file.open("rb") as buffered:
                return problem_of(buffered, size)
        except OSError as error:
            return f"It cannot be read ({error.strerror or error})."
