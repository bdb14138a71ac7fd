"""DownloadWorker: fetches one file over HTTP into its `.part`, resuming what is here (seed, Download Worker).

One call of `fetch` is one attempt. What comes out says what to do next; waiting 5, 15, 45 s is the manager's, so that
a row that waits holds no slot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from jellytui.engine.clock import Clock
from jellytui.engine.downloads.ports import Media, MediaResponse
from jellytui.engine.downloads.transfer.part import Part
from jellytui.engine.downloads.transfer.refusal import Refusal, refusal_of
from jellytui.engine.downloads.transfer.resume import Anew, Body, Held, NotMusic, Request, judge, request_for
from jellytui.engine.downloads.transfer.retry import RetryDecision, after_failure
from jellytui.engine.errors import BodyBrokenError, NotSignedInError, ServerError, ServerUnreachableError

PROGRESS_EVERY_BYTES = 1_000_000
"""A progress event each 1 MB (seed, Retry Strategy)."""
ROOM_CHECK_BYTES = 64 * 1024 * 1024
"""How often the disk is asked for room."""
MAX_ANEW = 2
"""How often one attempt begins anew because the file has changed."""
TRICKLE_BYTES_PER_SECOND = 1024
TRICKLE_SECONDS = 30.0
"""Less than 1 KiB/s over 30 s counts as broken off (downloads-playback.md 1.4)."""


@dataclass(frozen=True, kw_only=True)
class DownloadTask:
    """One file to fetch: the seed's fields, then which claim this is and what the `.part` is of."""

    id: int
    item_id: str
    user_id: str
    priority: int
    url: str
    target_path: Path
    mime_type: str | None = None
    expected_size: int | None = None
    generation: int = 0
    authorized: bool = True
    """Whether the request carries the token (the user's downloads do, streams are anonymous)."""
    held: Held = field(default_factory=Held)
    """Validators and total of the body whose bytes are in the `.part`; its size is the file's own."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """All bytes are in the `.part`, and as many as the server says."""

    size: int
    mime_type: str | None


@dataclass(frozen=True)
class Stopped:
    """The control said stop; what had come is in the `.part`."""


Outcome = Finished | Stopped | Refusal


class Control:
    """How others steer a running fetch: they set, the worker looks between two chunks."""

    GRACE_S = 0.2
    """A read that the network leaves hanging is cancelled after that; its client is the attempt's own."""

    def __init__(self) -> None:
        self.is_stopped = False
        self.response: MediaResponse | None = None
        """What is being read."""
        self._attempt: asyncio.Task[Outcome] | None = None
        self._is_timed = False

    def hurry(self) -> None:
        """Has what was left to gather read now."""
        if self.response is not None:
            self.response.hurry()

    def stop(self) -> None:
        """Asks the fetch to end soon, with all that has come kept."""
        self.is_stopped = True
        self.hurry()
        if self._attempt is not None and not self._is_timed:
            self._is_timed = True
            asyncio.get_running_loop().call_later(self.GRACE_S, self._attempt.cancel)

    async def run(self, attempt: asyncio.Task[Outcome]) -> Outcome:
        """Waits for the attempt; a cancelled one that was told to stop has stopped."""
        self._attempt = attempt
        if self.is_stopped:
            self.stop()
        try:
            return await attempt
        except asyncio.CancelledError:
            if attempt.cancelled() and self.is_stopped:
                return Stopped()
            attempt.cancel()
            await asyncio.wait([attempt])
            raise
        finally:
            self._attempt = None


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """What the worker tells and asks while it fetches."""

    began: Callable[[Body], Awaitable[None]]
    """A body begins at byte 0: its validators must be stored before its first byte."""
    progress: Callable[[int], None]
    """That many bytes are here; each 1 MB and at the last byte."""
    admit: Callable[[int], Awaitable[bool]]
    """Called for each chunk: waits for the rate limit and until listeners have enough; whether it has waited."""
    ask_size: Callable[[], Awaitable[int | None]]
    """The item's size, asked from the server anew."""
    has_room: Callable[[int], Awaitable[None]]
    """Raises OSError when the disk has no room for that many more bytes."""
    patience_s: Callable[[], float] | None = None
    """How many seconds what comes may be left to gather; without it nothing waits."""


class DownloadWorker:
    """Streams files; holds nothing between two fetches."""

    def __init__(self, *, media: Media, clock: Clock, max_retries: int = 3) -> None:
        self._media = media
        self._clock = clock
        self.max_retries = max_retries

    def decide(
        self, *, retry_count: int, furthest_bytes: int, held_bytes: int, retry_after_s: float | None
    ) -> RetryDecision:
        """What a failed attempt means for the row's counters and for when it goes on."""
        return after_failure(
            retry_count=retry_count,
            furthest_bytes=furthest_bytes,
            held_bytes=held_bytes,
            max_retries=self.max_retries,
            retry_after_s=retry_after_s,
        )

    async def fetch(self, task: DownloadTask, part: Part, control: Control, hooks: Hooks) -> Outcome:
        """One attempt. Raises OSError for the disk, JellytuiError for what no retry helps; bytes that came are kept."""
        running = _Attempt(task, part, control, hooks, media=self._media, clock=self._clock)
        attempt = asyncio.create_task(running.run(), name=f"download {task.id}")
        try:
            return await control.run(attempt)
        finally:
            await part.flush()


class _Attempt:
    """One attempt's state: what is here, what the server has answered so far."""

    def __init__(
        self, task: DownloadTask, part: Part, control: Control, hooks: Hooks, *, media: Media, clock: Clock
    ) -> None:
        self._task = task
        self._part = part
        self._control = control
        self._hooks = hooks
        self._media = media
        self._clock = clock
        self._held = task.held
        self._expected_size = task.expected_size
        self._answered_sizes: set[int] = set()

    async def run(self) -> Outcome:
        times_anew = 0
        while True:
            try:
                step = await self._ask_once()
                if isinstance(step, Finished) and not await self._is_believable(step.size):
                    continue
            except NotSignedInError as error:
                return Refusal(kind="sign_in", text=error.text)
            except ServerUnreachableError as error:
                return Refusal(kind="server", text=error.text)
            except (BodyBrokenError, ServerError) as error:
                return Refusal(kind="retry", text=error.text)
            if isinstance(step, Anew):
                times_anew += 1
                if times_anew > MAX_ANEW:
                    return Refusal(kind="retry", text=f"Again and again {step.reason}.")
                await self._part.begin_anew()
                continue
            return step

    async def _ask_once(self) -> Outcome | Anew:
        """One request and its answer. Raises what the server and its body raise."""
        await self._part.flush()
        held = replace(self._held, size=self._part.size)
        request = request_for(held)
        async with self._media.open(
            self._task.url, start=request.start, if_range=request.if_range, authorized=self._task.authorized
        ) as response:
            return await self._take(response, request, held)

    async def _take(self, response: MediaResponse, request: Request, held: Held) -> Outcome | Anew:
        if self._control.is_stopped:
            return Stopped()  # before anything that is here could go
        if response.status not in (200, 206, 416):
            return refusal_of(response.status, response.headers, self._clock.now())
        verdict = judge(request, held, response.status, response.headers)
        if isinstance(verdict, NotMusic):
            return Refusal(kind="permanent", text=verdict.reason)
        if isinstance(verdict, Anew):
            return verdict
        overlap = b""
        if verdict.start == 0:
            if self._part.size:
                await self._part.begin_anew()
            self._held = verdict.held
            await self._hooks.began(verdict)
        else:
            overlap = await self._part.read(verdict.start, held.size - verdict.start)
        self._control.response = response
        try:
            stop = await self._receive(response, overlap, verdict.total)
        finally:
            self._control.response = None
        return stop if stop is not None else await self._ended(verdict)

    async def _receive(self, response: MediaResponse, overlap: bytes, total: int | None) -> Stopped | Anew | None:
        """Takes the body's bytes; None when it ended by itself. The overlap is compared, not written."""
        part, control, hooks = self._part, self._control, self._hooks
        told = part.size
        next_room_check = part.size
        watch = _TrickleWatch(self._clock)
        async for received in response.chunks(hooks.patience_s):
            watch.saw(len(received))
            chunk = received
            if overlap:
                common = min(len(overlap), len(chunk))
                if chunk[:common] != overlap[:common]:
                    return Anew("what was here differs from the server's file")
                overlap, chunk = overlap[common:], chunk[common:]
            if part.size >= next_room_check:
                await hooks.has_room((total or part.size) - part.size)
                next_room_check = part.size + ROOM_CHECK_BYTES
            if chunk:
                await part.write(chunk)
            if control.is_stopped:
                return Stopped()
            if part.size - told >= PROGRESS_EVERY_BYTES:
                told = part.size
                hooks.progress(told)
            if await hooks.admit(len(received)):
                watch.forget()
        return None

    async def _ended(self, body: Body) -> Outcome | Anew:
        """The body has ended: is it all there? The answer's own length binds; the item's only where none came."""
        size = self._part.size
        total = body.total
        if total is None and self._expected_size != size:
            self._expected_size = await self._hooks.ask_size()
            total = self._expected_size
        if total is not None and size < total:
            return Refusal(kind="retry", text=f"The connection ended early: {size:,} of {total:,} bytes are here.")
        if total is not None and size > total:
            return Anew("more came than the file is long")
        await self._part.flush()
        self._hooks.progress(size)
        return Finished(size=size, mime_type=body.mime_type or self._task.mime_type)

    async def _is_believable(self, size: int) -> bool:
        """Whether the item's size agrees, or the server said the same length twice (a file retagged since its scan)."""
        if self._expected_size in (None, size) or size in self._answered_sizes:
            return True
        self._answered_sizes.add(size)
        self._expected_size = await self._hooks.ask_size()
        return self._expected_size in (None, size)


class _TrickleWatch:
    """Notices a server that keeps the connection alive with next to nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.forget()

    def forget(self) -> None:
        """Begins to watch anew: the waiting was our own."""
        self._since = self._clock.monotonic()
        self._bytes = 0

    def saw(self, count: int) -> None:
        """Counts bytes. Raises BodyBrokenError when too few came in 30 s."""
        self._bytes += count
        elapsed = self._clock.monotonic() - self._since
        if elapsed < TRICKLE_SECONDS:
            return
        if self._bytes < TRICKLE_BYTES_PER_SECOND * elapsed:
            raise BodyBrokenError("The server sends next to nothing; the connection was closed.")
        self.forget()
