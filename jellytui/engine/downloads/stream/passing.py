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
from jellytui.engine.downloads.stream.patience import after
from jellytui.engine.downloads.stream.reader import StreamReader
from jellytui.engine.downloads.transfer.part import Part
from jellytui.engine.downloads.transfer.refusal import Refusal
from jellytui.engine.downloads.transfer.resume import Body
from jellytui.engine.downloads.worker import Control, DownloadTask, DownloadWorker, Finished, Hooks
from jellytui.engine.errors import DiskError, JellytuiError


class PassingStream:
    """One reader's stream, in a temporary file that goes with it; on the loop."""

    def __init__(
        self,
        item_id: str,
        url: str,
        *,
        worker: DownloadWorker,
        executor: Executor,
        clock: Clock,
        on_close: Callable[[PassingStream], object],
    ) -> None:
        self._item_id = item_id
        self._url = url
        self._worker = worker
        self._executor = executor
        self._clock = clock
        self._on_close = on_close
        self._folder = tempfile.TemporaryDirectory(prefix="jellytui-", ignore_cleanup_errors=True)
        self._path = Path(self._folder.name) / "stream"
        self._feed = Feed(self._path)
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._run(), name=f"passing stream {item_id}")
        self.reader = StreamReader(
            self._feed,
            on_move=lambda: None,
            on_starve=lambda _: None,
            on_close=lambda _: self._on_loop(self._on_close, self),
        )

    async def close(self) -> None:
        """Ends it, and removes what came."""
        self._feed.fail(JellytuiError("it was closed."))
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self._folder.cleanup)

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
            id=0, item_id=self._item_id, user_id="", priority=0, url=self._url, target_path=self._path, authorized=True
        )
        while True:
            before = part.size
            outcome = await self._worker.fetch(task, part, Control(), self._hooks())
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
