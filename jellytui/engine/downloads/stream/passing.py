"""PassingStream: music in fewer bits, made by the server while it is sent; heard, and not kept (issue 6).

Its length is unknown and it cannot be gone on with: after a break it comes anew, and its reader waits at his place.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

from jellytui.engine.clock import Clock
from jellytui.engine.downloads.stream.feed import Feed
from jellytui.engine.downloads.stream.follower import SHORT_S
from jellytui.engine.downloads.stream.patience import after
from jellytui.engine.downloads.stream.reader import StreamReader
from jellytui.engine.downloads.transfer.part import Part
from jellytui.engine.downloads.transfer.refusal import Refusal
from jellytui.engine.downloads.transfer.resume import Body
from jellytui.engine.downloads.worker import Control, DownloadTask, DownloadWorker, Finished, Hooks, Outcome
from jellytui.engine.errors import DiskError, JellytuiError

_LINGER_S = 1.0
"""How long a stream stays without a reader: the player may open again at once what it had opened ahead."""


class PassingStreams:
    """The streams that pass, one for an item however many read it; on the loop. `url` names an item's music in no
    more than so many bytes a second; `on_short` hears when `is_anyone_short` may have changed.
    """

    def __init__(
        self,
        *,
        url: Callable[[str], str],
        bytes_per_second: float,
        worker: DownloadWorker,
        executor: Executor,
        clock: Clock,
        on_short: Callable[[], None],
    ) -> None:
        self._url = url
        self._enough_bytes = bytes_per_second * SHORT_S
        self._worker = worker
        self._executor = executor
        self._clock = clock
        self._on_short = on_short
        self._streams: list[PassingStream] = []
        self._endings: set[asyncio.Task[None]] = set()

    @property
    def is_anyone_short(self) -> bool:
        """Whether some reader has too little ahead of it, so that others shall stop reading."""
        return any(stream.is_short for stream in self._streams)

    def has(self, item_id: str) -> bool:
        """Whether the item passes already."""
        return self._find(item_id) is not None

    def open(self, item_id: str) -> StreamReader:
        """A reader of the item's stream, which begins if it does not pass already."""
        stream = self._find(item_id)
        if stream is None:
            stream = PassingStream(
                item_id,
                self._url(item_id),
                worker=self._worker,
                executor=self._executor,
                clock=self._clock,
                enough_bytes=self._enough_bytes,
                on_short=self._on_short,
                on_left=self._left,
            )
            self._streams.append(stream)
        return stream.join()

    async def stop(self) -> None:
        """Ends them all."""
        for task in self._endings:
            task.cancel()
        await asyncio.gather(*self._endings, return_exceptions=True)
        for stream in list(self._streams):
            await self._close(stream)

    def _find(self, item_id: str) -> PassingStream | None:
        return next((stream for stream in self._streams if stream.item_id == item_id and not stream.is_over), None)

    def _left(self, stream: PassingStream) -> None:
        task = asyncio.create_task(self._linger(stream), name="end of a passing stream")
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    async def _linger(self, stream: PassingStream) -> None:
        if not stream.is_over:
            await self._clock.sleep(_LINGER_S)
        if not stream.readers:
            await self._close(stream)

    async def _close(self, stream: PassingStream) -> None:
        await stream.close()
        if stream in self._streams:  # not earlier: what is broken off here, `stop` does again
            self._streams.remove(stream)


class PassingStream:
    """One item's stream, in a temporary file that goes with it, and who reads it; on the loop."""

    def __init__(
        self,
        item_id: str,
        url: str,
        *,
        worker: DownloadWorker,
        executor: Executor,
        clock: Clock,
        enough_bytes: float,
        on_short: Callable[[], None],
        on_left: Callable[[PassingStream], object],
    ) -> None:
        self.item_id = item_id
        self.readers: list[StreamReader] = []
        self.is_short = False
        """Whether bytes are on their way of which some reader has too few."""
        self._url = url
        self._worker = worker
        self._executor = executor
        self._clock = clock
        self._enough_bytes = enough_bytes
        self._on_short = on_short
        self._on_left = on_left
        self._folder = tempfile.TemporaryDirectory(prefix="jellytui-", ignore_cleanup_errors=True)
        self._path = Path(self._folder.name) / "stream"
        self._feed = Feed(self._path)
        self._feed.on_growth = self._nudge
        self._is_coming = False
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._run(), name=f"passing stream {item_id}")

    @property
    def is_over(self) -> bool:
        """Whether another reader needs another stream."""
        return self._feed.error is not None

    def join(self) -> StreamReader:
        """Another reader, from its beginning."""
        reader = StreamReader(
            self._feed,
            on_move=self._nudge,
            on_starve=lambda _: None,
            on_close=lambda reader: self._on_loop(self._closed, reader),
        )
        self.readers.append(reader)
        self._review()
        return reader

    async def close(self) -> None:
        """Ends it, and removes what came."""
        self._feed.fail(JellytuiError("it was closed."))
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self._folder.cleanup)

    def _closed(self, reader: StreamReader) -> None:
        self.readers.remove(reader)
        self._review()
        if not self.readers:
            self._on_left(self)

    def _nudge(self) -> None:
        """Has `_review` called soon where it would change something; from any thread."""
        if self._is_anyone_short() != self.is_short:
            self._on_loop(self._review)

    def _review(self) -> None:
        if (is_short := self._is_anyone_short()) != self.is_short:
            self.is_short = is_short
            self._on_short()

    def _is_anyone_short(self) -> bool:
        return self._is_coming and any(reader.ahead_bytes() < self._enough_bytes for reader in tuple(self.readers))

    async def _run(self) -> None:
        try:
            part = await Part.open(self._path, self._executor)
        except OSError as error:
            self._feed.fail(DiskError(f"{self._path} cannot be written ({error.strerror or error})."))
            return
        self._feed.attach(part, None)
        try:
            await self._fetch(part)
        except OSError as error:
            self._feed.fail(DiskError(f"{self._path} cannot be written ({error.strerror or error})."))
        except JellytuiError as error:
            self._feed.fail(error)
        finally:
            self._feed.detach()
            with contextlib.suppress(OSError):
                await part.close()

    async def _fetch(self, part: Part) -> None:
        """Tries until all has come. Raises JellytuiError when it will not, OSError for the disk."""
        failures = 0
        task = DownloadTask(
            id=0, item_id=self.item_id, user_id="", priority=0, url=self._url, target_path=self._path, authorized=True
        )
        while True:
            before = part.size
            outcome = await self._ask(task, part)
            if isinstance(outcome, Finished):
                self._feed.complete(self._path, outcome.size)
                return
            failures = 0 if part.size > before else failures + 1
            if isinstance(outcome, Refusal):
                step = after(outcome, failures=failures)
                if isinstance(step, JellytuiError):
                    raise step
                if step.away is not None:
                    self._feed.stay_away(step.away)
                await self._clock.sleep(step.delay_s)

    async def _ask(self, task: DownloadTask, part: Part) -> Outcome:
        """One attempt; others need not stop for a server that is away, nor once all is here."""
        self._is_coming = True
        self._review()
        try:
            return await self._worker.fetch(task, part, Control(), self._hooks())
        finally:
            self._is_coming = False
            self._review()

    def _hooks(self) -> Hooks:
        async def began(body: Body) -> None:
            self._feed.began(body)

        async def admit(_: int) -> bool:
            return False

        async def ask_size() -> int | None:
            return None

        async def has_room(_: int) -> None:
            return

        return Hooks(began=began, progress=lambda _: None, admit=admit, ask_size=ask_size, has_room=has_room)

    def _on_loop(self, function: Callable[..., object], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(function, *arguments)
