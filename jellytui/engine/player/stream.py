"""libmpv's stream callbacks over growing files: mpv reads what the download worker writes (issue 6, one fetch).

stream_cb.h is bound here by ctypes through a library object of its own: python-mpv's binding copies byte by byte,
loses streams of the same URI, and would be disturbed by our argument types (downloads-playback.md 8). mpv calls on its
own threads; `open` must not wait, because only after it has returned can mpv cancel.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import itertools
import logging
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import Any

from jellytui.engine.errors import DiskError, JellytuiError
from jellytui.engine.player.sound import STREAM_SCHEME, OpenStream
from jellytui.engine.player.source import GrowingFile

log = logging.getLogger(__name__)

_LOADING_FAILED = -13
_UNSUPPORTED = -18
_FAILED = -1
_FAILURES_KEPT = 8
_WRITABLE = 0x200

_ReadFunction = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint64)
_SeekFunction = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64)
_SizeFunction = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)
_CloseFunction = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_CancelFunction = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class _Info(ctypes.Structure):
    """mpv_stream_cb_info."""

    _fields_ = (
        ("cookie", ctypes.c_void_p),
        ("read", _ReadFunction),
        ("seek", _SeekFunction),
        ("size", _SizeFunction),
        ("close", _CloseFunction),
        ("cancel", _CancelFunction),
    )


_OpenFunction = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(_Info))
_view_of_memory = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int)(
    ("PyMemoryView_FromMemory", ctypes.pythonapi)
)


class Stream:
    """One opening of an item by mpv: a place in a growing file that may itself still be on its way."""

    def __init__(self, ahead_s: Callable[[], float]) -> None:
        self.offset = 0
        self._ahead_s = ahead_s
        self._ready: Future[GrowingFile] = Future()
        self._bringing: Future[None] | None = None

    def bring(self, item_id: str, open_stream: OpenStream, loop: asyncio.AbstractEventLoop) -> None:
        """Has the file opened on the loop; from any thread. Raises RuntimeError when the loop has ended."""
        self._bringing = asyncio.run_coroutine_threadsafe(self._bring(item_id, open_stream), loop)

    def size(self) -> int | None:
        """The length, once known. Raises JellytuiError, OSError, CancelledError."""
        return self._ready.result().size()

    def read(self, buffer: memoryview) -> int:
        """Reads on from the offset; waits for at least one byte; 0 at the end. Raises as `size` does."""
        number = self._ready.result().readinto(self.offset, buffer)
        self.offset += number
        return number

    def cancel(self) -> None:
        """Ends each wait."""
        if self._ready.cancel():
            return
        if self._ready.exception() is None:
            self._ready.result().cancel()

    def close(self) -> None:
        """Lets the file go, also one that comes later."""
        self.cancel()
        if not self._ready.cancelled() and self._ready.exception() is None:
            self._ready.result().close()

    async def _bring(self, item_id: str, open_stream: OpenStream) -> None:
        try:
            file = await open_stream(item_id)
        except Exception as error:
            if not isinstance(error, JellytuiError):
                log.exception("a stream could not be opened")
            if self._ready.set_running_or_notify_cancel():
                self._ready.set_exception(error)
            return
        file.ahead_s = self._ahead_s
        if self._ready.set_running_or_notify_cancel():
            self._ready.set_result(file)
        else:
            file.close()


class Streams:
    """The protocol `jellytui://<item>/<n>` of one mpv handle; lives as long as the handle. `ahead_s` tells on the loop
    how many seconds of music the player has of a URI.
    """

    def __init__(
        self,
        library: str,
        handle: Any,
        open_stream: OpenStream,
        loop: asyncio.AbstractEventLoop,
        ahead_s: Callable[[str], float],
    ) -> None:
        self._ahead_s = ahead_s
        self._open_stream = open_stream
        self._loop = loop
        self._numbers = itertools.count(1)
        self._streams: dict[int, Stream] = {}
        self._names: dict[int, str] = {}
        self._failures: dict[str, JellytuiError] = {}
        self._functions = (
            _ReadFunction(self._read),
            _SeekFunction(self._seek),
            _SizeFunction(self._size),
            _CloseFunction(self._close),
            _CancelFunction(self._cancel),
        )
        self._open_function = _OpenFunction(self._open)
        self._library = ctypes.CDLL(library)
        add = self._library.mpv_stream_cb_add_ro
        add.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, _OpenFunction]
        add.restype = ctypes.c_int
        if (code := add(handle, STREAM_SCHEME.encode(), None, self._open_function)) < 0:
            raise OSError(errno.EINVAL, f"libmpv refused the stream protocol ({code})")

    def failure(self, uri: str) -> JellytuiError | None:
        """Why the stream of that URI broke off, if it did; told once."""
        return self._failures.pop(uri, None)

    def close_all(self) -> None:
        """Lets all files go: a halted mpv keeps what it has opened ahead until it plays something else."""
        for stream in list(self._streams.values()):
            stream.close()

    def _open(self, _data: int | None, raw_uri: bytes, info: Any) -> int:
        number = next(self._numbers)
        try:
            uri = raw_uri.decode()
            item_id = uri.removeprefix(f"{STREAM_SCHEME}://").partition("/")[0]
            # Known before it is brought: whoever halts meanwhile has to find it.
            self._streams[number] = stream = Stream(partial(self._ahead_s, uri))
            self._names[number] = uri
            self._failures.pop(uri, None)  # mpv tries again what it could not open ahead
            stream.bring(item_id, self._open_stream, self._loop)
        except Exception:
            log.exception("mpv asked for a stream that cannot be")
            self._close(number)
            return _LOADING_FAILED
        info.contents.cookie = number
        info.contents.read, info.contents.seek, info.contents.size = self._functions[:3]
        info.contents.close, info.contents.cancel = self._functions[3:]
        return 0

    def _read(self, number: int, address: int, length: int) -> int:
        stream = self._streams.get(number)
        if stream is None:
            return _FAILED
        try:
            return stream.read(_view_of_memory(address, length, _WRITABLE))
        except (JellytuiError, OSError, CancelledError) as error:
            return self._fail(number, error)
        except Exception:
            log.exception("reading a stream failed")
            return _FAILED

    def _size(self, number: int) -> int:
        stream = self._streams.get(number)
        if stream is None:
            return _UNSUPPORTED
        try:
            size = stream.size()
        except (JellytuiError, OSError, CancelledError) as error:
            self._fail(number, error)
            return _UNSUPPORTED
        except Exception:
            log.exception("a stream cannot tell its size")
            return _UNSUPPORTED
        return _UNSUPPORTED if size is None else size

    def _seek(self, number: int, offset: int) -> int:
        stream = self._streams.get(number)
        if stream is None:
            return _UNSUPPORTED
        stream.offset = offset
        return offset

    def _cancel(self, number: int) -> None:
        """May come after close (downloads-playback.md 8)."""
        if stream := self._streams.get(number):
            stream.cancel()

    def _close(self, number: int) -> None:
        self._names.pop(number, None)
        if stream := self._streams.pop(number, None):
            stream.close()

    def _fail(self, number: int, error: Exception) -> int:
        """Keeps the reason for `failure`."""
        uri = self._names.get(number, "")
        if isinstance(error, JellytuiError):
            self._failures[uri] = error
        elif isinstance(error, OSError):
            self._failures[uri] = DiskError(f"its file cannot be read ({error.strerror or error}).")
        while len(self._failures) > _FAILURES_KEPT:
            self._failures.pop(next(iter(self._failures)))
        return _FAILED
