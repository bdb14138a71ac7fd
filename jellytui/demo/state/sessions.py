"""Sessions of clients, what they play, and their sockets (jellyfin-api.md 11.2, 11.4, 12)."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from jellytui.demo.state.users import Device

_OUTBOX_MESSAGES = 1000


def session_id(client: str, device_id: str) -> str:
    """MD5 of client and device (11.5)."""
    return hashlib.md5((client + device_id).encode(), usedforsecurity=False).hexdigest()


class Socket:
    """One WebSocket of a session; messages wait in order until they are sent."""

    def __init__(self, websocket: WebSocket, device: Device | None) -> None:
        self.websocket = websocket
        self.device = device
        self.wants_sessions = False
        self._outbox: asyncio.Queue[dict[str, Any] | bytes | tuple[int, str]] = asyncio.Queue(_OUTBOX_MESSAGES)

    def send(self, kind: str, data: Any = None, *, has_data: bool = True) -> None:
        """Queues a message in the server's envelope."""
        message = {"MessageId": secrets.token_hex(16)} | ({"Data": data} if has_data else {}) | {"MessageType": kind}
        self._outbox.put_nowait(message)

    def send_raw(self, frame: bytes) -> None:
        """Queues bytes as a binary frame, for tests of odd servers."""
        self._outbox.put_nowait(frame)

    def close(self, code: int = 1000, reason: str = "System Shutdown") -> None:
        """Closes after what is queued."""
        self._outbox.put_nowait((code, reason))

    async def pump(self) -> None:
        """Sends what is queued until the socket closes."""
        try:
            while True:
                message = await self._outbox.get()
                if isinstance(message, tuple):
                    await self.websocket.close(*message)
                    return
                if isinstance(message, bytes):
                    await self.websocket.send_bytes(message)
                else:
                    await self.websocket.send_text(json.dumps(message, separators=(",", ":")))
        except (WebSocketDisconnect, RuntimeError):
            return


@dataclass(slots=True)
class Session:
    """One client on one device."""

    id: str
    device: Device
    last_activity: datetime
    play_state: dict[str, Any] = field(default_factory=dict)
    item_id: str | None = None
    playlist_item_id: str | None = None
    queue: list[dict[str, Any]] = field(default_factory=list)
    capabilities: dict[str, Any] = field(default_factory=dict)
    last_check_in: datetime | None = None
    sockets: list[Socket] = field(default_factory=list)

    @property
    def controllable(self) -> bool:
        """Offered as a target: told that it supports control, and a socket is open (11.4)."""
        return bool(self.capabilities.get("SupportsMediaControl")) and bool(self.sockets)


class Sessions:
    """All sessions; capabilities outlive a session, as they are kept per device."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._capabilities: dict[str, dict[str, Any]] = {}

    def all(self) -> list[Session]:
        """Every session, the last active first."""
        return sorted(self._sessions.values(), key=lambda session: session.last_activity, reverse=True)

    def get(self, session_id: str) -> Session | None:
        """The session of that id."""
        return self._sessions.get(session_id)

    def of(self, device: Device, now: datetime, client: str | None = None, device_id: str | None = None) -> Session:
        """The session of a device, made if need be; another DeviceId in the header is another session (3.1)."""
        name, device_id = client or device.client, device_id or device.device_id
        wanted = session_id(name, device_id)
        session = self._sessions.get(wanted)
        if session is None:
            seen = Device(device.token, device.user_id, name, device.name, device_id, device.version)
            session = Session(wanted, seen, now, capabilities=self._capabilities.get(wanted, {}))
            self._sessions[wanted] = session
        session.last_activity = now
        return session

    def set_capabilities(self, session: Session, capabilities: dict[str, Any]) -> None:
        """Keeps what a client says that it can do."""
        session.capabilities = capabilities
        self._capabilities[session.id] = capabilities

    def end(self, session: Session) -> None:
        """Forgets a session and closes its sockets."""
        self._sessions.pop(session.id, None)
        for socket in session.sockets:
            socket.close()

    def end_tokens(self, devices: Iterable[Device]) -> None:
        """Ends the sessions of deleted tokens (3.3)."""
        tokens = {device.token for device in devices}
        for session in self.all():
            if session.device.token in tokens:
                self.end(session)

    def sockets(self) -> list[Socket]:
        """Every open socket."""
        return [socket for session in self._sessions.values() for socket in session.sockets]

    def broadcast(self, kind: str, data: Any, user_id: str | None = None) -> None:
        """Sends to each session of all users or one; of several sockets only the last active one gets it (12)."""
        for session in self._sessions.values():
            if session.sockets and (user_id is None or session.device.user_id == user_id):
                session.sockets[-1].send(kind, data)
