"""The state of one demo server: what all its routes share."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from jellytui.demo.changes import LibraryChange
from jellytui.demo.library import DemoItem, Library
from jellytui.demo.state.playlists import Playlists
from jellytui.demo.state.sessions import Session, Sessions
from jellytui.demo.state.userdata import UserDataStore
from jellytui.demo.state.users import Accounts, Policy, User
from jellytui.demo.wire.emulation import Emulation

Phase = Literal["ready", "setup", "loading"]

_COALESCE_SECONDS = 0.5  # UserDataChanged, jellyfin-api.md 12


@dataclass(slots=True)
class QuickConnectRequest:
    """A sign-in that waits for approval."""

    secret: str
    code: str
    client: str
    device: str
    device_id: str
    version: str
    added: datetime
    user_id: str | None = None
    token: str | None = None


@dataclass(slots=True, kw_only=True)
class World:
    """Everything that lives behind the routes. `phase` is one of the start-up modes (jellyfin-api.md 4.4)."""

    emulation: Emulation
    server_id: str
    server_name: str
    library: Library
    accounts: Accounts
    user_data: UserDataStore
    playlists: Playlists
    sessions: Sessions = field(default_factory=Sessions)
    base_path: str = ""
    phase: Phase = "ready"
    address: str = ""
    quick_connect_enabled: bool = True
    quick_connect: dict[str, QuickConnectRequest] = field(default_factory=dict)
    activity: list[dict[str, Any]] = field(default_factory=list)
    uploaded_lyrics: dict[str, tuple[str, str]] = field(default_factory=dict)
    """File name and text of lyrics that a client has sent, by track."""
    keep_alive_seconds: int = 60
    idle_seconds: float = 450.0
    """After so long without a report nothing plays any more: 302 to 602 s were measured (jellyfin-api.md 11.2)."""
    rescan: Callable[[], None] | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _changed: dict[str, dict[str, DemoItem]] = field(default_factory=dict)
    _timers: set[asyncio.TimerHandle] = field(default_factory=set)

    def user_data_changed(self, user_id: str, items: Iterable[DemoItem]) -> None:
        """Tells the user's sockets within half a second, changes of that time in one message."""
        waiting = self._changed.setdefault(user_id, {})
        if not waiting:
            timer = asyncio.get_running_loop().call_later(_COALESCE_SECONDS, self._send_user_data, user_id)
            self._timers = {each for each in self._timers if not each.cancelled()} | {timer}
        waiting.update((item.id, item) for item in items)

    def library_changed(self, change: LibraryChange) -> None:
        """Sends LibraryChanged to everybody (jellyfin-api.md 12)."""
        self.sessions.broadcast("LibraryChanged", change.data(self.library.view.id))

    def set_policy(self, user: User, policy: Policy) -> None:
        """Gives a user other rights; disabling deletes his tokens and closes his sockets (jellyfin-api.md 3.3)."""
        user.policy = policy
        if policy.disabled:
            self.sessions.end_tokens(self.accounts.revoke(lambda device: device.user_id == user.id))

    def stop_if_idle(self, session: Session, now: datetime) -> None:
        """Ends what plays when no report came for minutes, without a word to the client (jellyfin-api.md 11.2)."""
        if session.last_check_in is not None and (now - session.last_check_in).total_seconds() > self.idle_seconds:
            session.item_id, session.playlist_item_id, session.play_state, session.queue = None, None, {}, []

    def cancel_timers(self) -> None:
        """Drops what would still be sent."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._changed.clear()

    def _send_user_data(self, user_id: str) -> None:
        items = self._changed.pop(user_id, {})
        rows = [self.user_data.dto(user_id, item) for item in items.values()]
        self.sessions.broadcast("UserDataChanged", {"UserId": user_id, "UserDataList": rows}, user_id)
