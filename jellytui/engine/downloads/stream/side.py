"""Side requests: ranges of a file fetched into memory, beside the download that goes on (downloads-playback.md 8)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Set

from jellytui.engine.clock import Clock
from jellytui.engine.downloads.ports import Media, MediaResponse
from jellytui.engine.downloads.stream.feed import Feed
from jellytui.engine.downloads.stream.patience import after
from jellytui.engine.downloads.stream.window import Window
from jellytui.engine.downloads.transfer.refusal import Refusal, refusal_of
from jellytui.engine.downloads.transfer.resume import Held
from jellytui.engine.errors import JellytuiError

TAIL_BYTES = 64 * 1024
"""What containers are read from at their end when they are opened."""

_TAIL_CONTAINERS = frozenset(["aif", "aiff", "m4a", "m4b", "mp4", "oga", "ogg", "opus"])
_TAIL_TYPES = frozenset(["audio/aiff", "audio/x-aiff", "audio/mp4", "audio/x-m4a", "audio/ogg", "audio/opus"])
_FAILURES_COUNTED = 3
"""In a row; more make no pause longer, and never end the asking."""
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


def reads_tail(container: str, mime_type: str | None) -> bool:
    """Whether opening such a file reads its last bytes."""
    kind = (mime_type or "").partition(";")[0].strip().lower()
    return kind in _TAIL_TYPES or not _TAIL_CONTAINERS.isdisjoint(container.lower().split(","))


class SideRequests:
    """The side requests of one feed; each is a task that ends by itself or by `stop`. On the loop."""

    def __init__(self, *, feed: Feed, media: Media, url: str, clock: Clock) -> None:
        self._feed = feed
        self._media = media
        self._url = url
        self._clock = clock
        self._tasks: dict[Window, asyncio.Task[None]] = {}
        self._refused: Held | None = None
        """The body of which the server gives no ranges."""

    @property
    def is_refused(self) -> bool:
        """Whether the server gives no ranges of this file."""
        return self._refused is not None and self._refused == self._feed.held

    def fetch(self, window: Window, *, last: int | None = None, is_over: Callable[[], bool]) -> None:
        """Fills the window from its start (to byte `last`), until `is_over`."""
        task = asyncio.create_task(self._fill(window, last, is_over), name="side window")
        self._tasks[window] = task
        task.add_done_callback(lambda _: self._tasks.pop(window, None))

    def drop(self, window: Window) -> None:
        """Stops filling a window; what is in it stays."""
        if (task := self._tasks.get(window)) and not task.cancelling():
            task.cancel()

    def beside(self, windows: Set[Window | None]) -> list[Window]:
        """What is being filled though it is none of these; from any thread."""
        tasks = tuple(self._tasks.items())
        return [window for window, task in tasks if window not in windows and not task.cancelling()]

    async def stop(self) -> None:
        """Ends all requests."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fill(self, window: Window, last: int | None, is_over: Callable[[], bool]) -> None:
        """Asks until something comes; whoever still lacks bytes after that asks for a window of its own."""
        failures = 0
        try:
            while not is_over() and (refusal := await self._ask(window, last, is_over)):
                failures = min(failures + 1, _FAILURES_COUNTED)
                step = after(refusal, failures=failures)
                if isinstance(step, JellytuiError):
                    self._refused = self._feed.held
                    return
                await self._clock.sleep(step.delay_s)
        finally:
            with self._feed.condition:
                window.is_open = False
                self._feed.condition.notify_all()
            self._feed.on_growth()

    async def _ask(self, window: Window, last: int | None, is_over: Callable[[], bool]) -> Refusal | None:
        """One request; why nothing came, where another may bring something."""
        held = self._feed.held
        try:
            async with self._media.open(self._url, start=window.start, end=last, authorized=False) as response:
                if response.status not in (200, 206, 416):
                    return refusal_of(response.status, response.headers, self._clock.now())
                if not _continues(response, window.start, self._feed.held):
                    self._refused = held
                    return None
                async for chunk in response.chunks():
                    if is_over():
                        return None
                    with self._feed.condition:
                        window.add(chunk)
                        self._feed.condition.notify_all()
                    self._feed.on_growth()
                    await window.room()
        except JellytuiError as error:
            return Refusal(kind="server", text=error.text) if window.is_empty else None
        return None


def _continues(response: MediaResponse, start: int, held: Held | None) -> bool:
    """Whether the answer is that part of the very file that is being downloaded."""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
    if held is None or response.status != 206 or match is None:
        return False
    validators = (response.headers.get("etag"), response.headers.get("last-modified"))
    return (int(match[1]), int(match[3])) == (start, held.total) and validators == (held.etag, held.last_modified)
