"""HeadStarts: a Media that asks for a track while its row is still being written: the listener waits for both."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jellytui.engine.downloads.ports import Media, MediaResponse

_UNUSED_S = 5.0
"""How long a request waits for whoever it was begun for."""


class HeadStarts:
    """Passes on to another Media; what was begun with `begin` is taken by the first who asks for the whole of it."""

    def __init__(self, media: Media) -> None:
        self._media = media
        self._begun: dict[str, _Begun] = {}

    def begin(self, url: str) -> None:
        """Asks for the file, without a token."""
        if url not in self._begun:
            self._begun[url] = begun = _Begun(self._media, url)
            begun.task.add_done_callback(lambda _: self._forget(url, begun))

    async def drop(self, url: str) -> None:
        """Nobody will take it."""
        if begun := self._begun.pop(url, None):
            await begun.end()

    async def stop(self) -> None:
        """Ends all that nobody has taken."""
        for url in list(self._begun):
            await self.drop(url)

    @asynccontextmanager
    async def open(
        self, url: str, *, start: int = 0, end: int | None = None, if_range: str | None = None, authorized: bool
    ) -> AsyncIterator[MediaResponse]:
        """As Media.open."""
        is_whole = start == 0 and end is None and if_range is None and not authorized
        begun = self._begun.pop(url, None) if is_whole else None
        if begun is None:
            async with self._media.open(
                url, start=start, end=end, if_range=if_range, authorized=authorized
            ) as response:
                yield response
            return
        begun.is_taken.set()
        try:
            yield await asyncio.shield(begun.response)
        finally:
            await begun.end()

    def _forget(self, url: str, begun: _Begun) -> None:
        if self._begun.get(url) is begun:
            del self._begun[url]


class _Begun:
    """A request in a task of its own, open until `end`."""

    def __init__(self, media: Media, url: str) -> None:
        self.response: asyncio.Future[MediaResponse] = asyncio.get_running_loop().create_future()
        self.is_taken = asyncio.Event()
        self._is_over = asyncio.Event()
        self.task = asyncio.create_task(self._run(media, url), name="head start")

    async def end(self) -> None:
        """Closes the connection, whether anybody has taken it or not."""
        self.is_taken.set()
        self._is_over.set()
        if not self.response.done():
            self.task.cancel()
        await asyncio.wait([self.task])

    async def _run(self, media: Media, url: str) -> None:
        try:
            async with media.open(url, authorized=False) as response:
                self.response.set_result(response)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.is_taken.wait(), _UNUSED_S)
                    await self._is_over.wait()
        except Exception as error:
            if self.response.done():
                raise
            self.response.set_exception(error)
            self.response.exception()  # whoever takes it is told; if nobody does, nobody misses it
        finally:
            self.response.cancel()
