"""Reads a long list of the server page by page, in pages that are neither slow nor many (big-library.md a).

Every page sorts the whole table again, so few big pages beat many small ones; a page that fails is asked for again in
half the size, after a pause, since a query given up goes on in the server.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

from msgspec import Struct

from jellytui.engine.clock import Clock
from jellytui.engine.errors import JellytuiError, ServerError, ServerStartingError, ServerUnreachableError, TlsError
from jellytui.engine.jellyfin.records import Page

log = logging.getLogger(__name__)

T = TypeVar("T")
Fetch = Callable[[int, int, bool], Awaitable[Page[T]]]
"""(start, limit, with_total) -> page."""

FIRST_LIMIT = 500
_MOST, _LEAST = 2000, 50
_QUICK_S, _SLOW_S = 1.0, 3.0
_PATIENCE = 20
"""How many failures in a row end the listing; halving 2000 down to 1 takes 11."""
_ANSWERLESS_PATIENCE = 3


class Stretch(Struct, Generic[T], frozen=True):
    """A page as it came: `next_index` is where the next one begins, `total` what the first one said."""

    items: tuple[T, ...]
    next_index: int
    total: int
    server_date: str | None


class Pages(Generic[T]):
    """One list from `start` on; with `total` None the first page asks for it. `skipped` counts what always failed."""

    def __init__(self, fetch: Fetch[T], clock: Clock, *, start: int = 0, total: int | None = None) -> None:
        self.skipped = 0
        self._fetch = fetch
        self._clock = clock
        self._start = start
        self._total = total
        self._limit = FIRST_LIMIT
        self._failures = 0

    async def __aiter__(self) -> AsyncIterator[Stretch[T]]:
        """The pages until the list's end. Raises JellytuiError when the server is away or gives up."""
        while self._total is None or self._start < self._total:
            page = await self._page()
            if page is None:
                continue
            if self._total is None:
                self._total = len(page.items) if page.total is None else page.total
            yield Stretch(page.items, min(self._start, self._total), self._total, page.server_date)
            if not page.items:
                return

    async def _page(self) -> Page[T] | None:
        """The next page; None when it has to be asked for again."""
        begun = self._clock.monotonic()
        try:
            page = await self._fetch(self._start, self._limit, self._total is None)
        except (ServerStartingError, TlsError):
            raise
        except ServerUnreachableError as error:
            await self._fail(error, _ANSWERLESS_PATIENCE, pause_s=5.0)
            return None
        except ServerError as error:
            if self._limit == 1:
                log.warning("item %d of a list always fails and is left out", self._start)
                self.skipped += 1
                self._start += 1
            await self._fail(error, _PATIENCE, pause_s=0.5)
            return None
        self._failures = 0
        self._start += self._limit
        self._adapt(self._clock.monotonic() - begun)
        return page

    async def _fail(self, error: JellytuiError, patience: int, *, pause_s: float) -> None:
        """Halves the page and pauses; raises the error when patience ends."""
        self._failures += 1
        if self._failures >= patience:
            raise error
        self._limit = max(1, self._limit // 2)
        await self._clock.sleep(pause_s * self._failures)

    def _adapt(self, took_s: float) -> None:
        if took_s < _QUICK_S:
            self._limit = min(_MOST, self._limit * 2)
        elif took_s > _SLOW_S:
            self._limit = max(_LEAST, self._limit // 2)
