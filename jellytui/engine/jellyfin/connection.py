"""Connection: the one circuit breaker. Whoever finds the server away says so here; all wait until it is back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Literal, Protocol

from jellytui.engine.bus import EventBus
from jellytui.engine.clock import Clock, first_of, timestamp
from jellytui.engine.errors import (
    JellytuiError,
    NotJellyfinError,
    NotSignedInError,
    ServerStartingError,
    ServerUnreachableError,
)
from jellytui.engine.events import ConnectionState
from jellytui.engine.jellyfin.publicinfo import PublicInfo
from jellytui.engine.jellyfin.records import UserInfo
from jellytui.engine.models import Account

log = logging.getLogger(__name__)

DELAYS_S = (5.0, 10.0, 20.0, 40.0, 60.0)
"""From one probe to the next; the last one again and again."""
JITTER = 0.2
"""Up to this share of a delay is left out, so that many clients do not come at once to a server that starts."""
HEARTBEAT_S = 60.0
"""How long nothing needs to be heard of a server that is there: its death is noticed that late while nobody asks it."""
TOKEN_WATCH_S = 2.0
"""How soon a sign-in of another process, or of the app's login screen, is noticed."""


class Server(Protocol):
    """The part of JellyfinClient that the connection needs."""

    @property
    def account(self) -> Account: ...

    def on_refused(self, callback: Callable[[NotSignedInError], None]) -> None:
        """Calls back when no token that we have is taken any more."""

    async def take_newer_token(self) -> bool:
        """Whether another process has signed in meanwhile."""

    async def public_info(self) -> PublicInfo:
        """Who answers at the address."""

    async def user(self) -> UserInfo:
        """Raises NotSignedInError when the token is refused."""


class Connection:
    """Whether the account's server is there and takes the token; publishes each change as ConnectionState.

    Starts as "connecting" and probes at once. A failure that somebody reports opens the breaker; then only probes
    close it again: the right server has answered, and it takes the token.
    """

    def __init__(
        self, *, client: Server, bus: EventBus, clock: Clock, dice: Callable[[], float] = random.random
    ) -> None:
        self._client = client
        self._bus = bus
        self._clock = clock
        self._dice = dice
        self._state = ConnectionState(server_name=client.account.server_name)
        self._online = asyncio.Event()
        self._lost = asyncio.Event()
        self._heard = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self._delay_s = 0.0
        self._heard_at = clock.monotonic()
        client.on_refused(self.report_failure)

    @property
    def state(self) -> ConnectionState:
        """What was published last."""
        return self._state

    @property
    def is_online(self) -> bool:
        """Whether the server is there and takes the token, as far as anybody knows."""
        return self._online.is_set()

    async def wait_online(self) -> None:
        """Returns once the server is there."""
        await self._online.wait()

    async def start(self) -> None:
        """Publishes "connecting" and begins to look after the server; returns at once."""
        self._bus.publish(self._state)
        self._task = asyncio.create_task(self._serve(), name="connection")

    async def stop(self) -> None:
        """Ends looking after the server."""
        if self._task is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None

    def report_failure(self, error: JellytuiError) -> None:
        """Tells that the server was not there, or did not take the token. Other errors say nothing about it."""
        if not self.is_online:
            return
        if isinstance(error, NotSignedInError):
            # One answer proves nothing (jellyfin-api.md 3.6): a probe will tell, at once.
            self._leave(ConnectionState(status="connecting", server_name=self._state.server_name), delay_s=0.0)
        elif isinstance(error, ServerUnreachableError):
            self._lose(error)

    def report_success(self) -> None:
        """Tells that the server answered; while it counts as away it is probed at once."""
        self._heard_at = self._clock.monotonic()
        if not self.is_online:
            self._heard.set()

    # The loop

    async def _serve(self) -> None:
        while True:
            error = await self._ask()
            if error is not None:
                self._lose(error)
            else:
                self._gain()
                await self._until_doubt()
            if not self.is_online:
                await self._pause()

    async def _ask(self) -> JellytuiError | None:
        """What is wrong with the server, if anything."""
        account = self._client.account
        try:
            found = await self._client.public_info()
            if found.id != account.server_id:
                # Its users and ids mean nothing to ours, and it must not see the token (jellyfin-api.md 15).
                return NotJellyfinError(
                    f"Another server ({found.name}) answers at {account.server_url}. "
                    "Is the address still right? If so: jellytui login"
                )
            await self._client.take_newer_token()
            await self._client.user()
        except JellytuiError as error:
            return error
        self._heard_at = self._clock.monotonic()
        return None

    async def _until_doubt(self) -> None:
        """Until somebody reports a failure, or nothing was heard for long."""
        while self.is_online and (silent_s := self._clock.monotonic() - self._heard_at) < HEARTBEAT_S:
            await self._sleep(HEARTBEAT_S - silent_s, unless=self._lost)

    async def _pause(self) -> None:
        """Until the next probe is due, or somebody says that the server has answered."""
        if self._state.status != "signed_out":
            await self._sleep(self._delay_s, unless=self._heard)
            return
        # The server is there, and asking again would change nothing: only a new token does.
        while not await self._client.take_newer_token():
            if await self._sleep(TOKEN_WATCH_S, unless=self._heard):
                return

    async def _sleep(self, seconds: float, *, unless: asyncio.Event) -> bool:
        """Sleeps unless, or until, something happens; whether it did."""
        await first_of(self._clock.sleep(seconds), unless.wait())
        return unless.is_set()

    # Changes

    def _gain(self) -> None:
        self._failures = 0
        self._lost.clear()
        if not self.is_online:
            self._online.set()
            self._tell(ConnectionState(status="online", server_name=self._state.server_name))

    def _lose(self, error: JellytuiError) -> None:
        """Notes what is wrong and when the next probe is due."""
        name = self._state.server_name
        if isinstance(error, NotSignedInError):
            self._leave(ConnectionState(status="signed_out", server_name=name, reason=error.text), delay_s=0.0)
            return
        delay_s = DELAYS_S[min(self._failures, len(DELAYS_S) - 1)] * (1 - JITTER * self._dice())
        self._failures += 1
        status: Literal["starting", "offline"] = "starting" if isinstance(error, ServerStartingError) else "offline"
        retry_at = timestamp(self._clock.now() + timedelta(seconds=delay_s))
        state = ConnectionState(status=status, server_name=name, reason=error.text, retry_at=retry_at)
        self._leave(state, delay_s=delay_s)

    def _leave(self, state: ConnectionState, *, delay_s: float) -> None:
        self._online.clear()
        self._lost.set()
        self._heard.clear()
        self._delay_s = delay_s
        self._tell(state)

    def _tell(self, state: ConnectionState) -> None:
        if state.status != self._state.status:
            log.info("%s: %s %s", state.server_name, state.status, state.reason)
        self._state = state
        self._bus.publish(state)
