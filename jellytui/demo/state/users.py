"""Users with their policies, and the tokens of their devices (jellyfin-api.md 3.3 to 3.6)."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jellytui.demo.library import item_id
from jellytui.demo.state.store import Store


@dataclass(slots=True)
class Policy:
    """What a user may do: the members of the server's policy that mean something here."""

    administrator: bool = False
    hidden: bool = True
    disabled: bool = False
    download: bool = True
    playback: bool = True
    transcoding: bool = True
    preferences: bool = True
    lyric_management: bool = False
    content_deletion: bool = False
    all_folders: bool = True
    all_devices: bool = True
    """False: no device may sign in any more; existing tokens go on (3.3)."""
    remote_control: bool = False
    remote_access: bool = True
    """Told only: clients of this server are always local."""
    access_now: bool = True
    """False: outside of the access schedule, 403 on everything."""
    login_attempts_before_lockout: int = -1
    max_active_sessions: int = 0
    invalid_logins: int = 0


@dataclass(slots=True)
class User:
    """An account."""

    id: str
    name: str
    password: str
    policy: Policy
    last_login: datetime | None = None
    last_activity: datetime | None = None


@dataclass(slots=True)
class Device:
    """A token and the client that got it."""

    token: str
    user_id: str
    client: str
    name: str
    device_id: str
    version: str


@dataclass(slots=True)
class Accounts:
    """All users and tokens."""

    server_id: str
    store: Store
    users: dict[str, User] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    api_keys: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for token, values in self.store.items("token"):
            self.devices[token] = Device(token, *values)

    def add(self, name: str, password: str, **policy: Any) -> User:
        """Makes a user; `policy` takes the fields of Policy. Raises ValueError when the name is taken."""
        if self.named(name) is not None:
            raise ValueError(f"there is a user {name} already")
        user = User(item_id(f"user:{self.server_id}:", name.lower()), name, password, Policy(**policy))
        self.users[user.id] = user
        return user

    def named(self, name: str) -> User | None:
        """The user of that name, whatever its case."""
        return next((user for user in self.users.values() if user.name.lower() == name.lower()), None)

    def sign_in(self, user: User, client: str, device: str, device_id: str, version: str) -> Device:
        """Gives a token; the earlier one of this user and device dies (3.3)."""
        self.revoke(lambda other: other.user_id == user.id and other.device_id == device_id)
        made = Device(secrets.token_hex(16), user.id, client, device, device_id, version)
        self.devices[made.token] = made
        self.store.put("token", made.token, [user.id, client, device, device_id, version])
        return made

    def remove(self, user: User) -> list[Device]:
        """Deletes a user and his tokens; returns their devices."""
        del self.users[user.id]
        return self.revoke(lambda device: device.user_id == user.id)

    def revoke(self, which: Any) -> list[Device]:
        """Deletes the tokens for which `which(device)` holds and returns their devices."""
        gone = [device for device in self.devices.values() if which(device)]
        for device in gone:
            del self.devices[device.token]
            self.store.remove("token", device.token)
        return gone
