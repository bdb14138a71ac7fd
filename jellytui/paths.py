"""Where things live on this machine: config, state, data, cache, logs and the runtime folder.

The platform's folders (platformdirs); JELLYTUI_HOME=DIR moves all of them below DIR. Folders are made 0700, secrets
are files of mode 0600.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

APP = "jellytui"
_SOCKET_PATH_LIMIT = 100
"""Bytes; a Unix socket's path may have 108 on Linux, 104 on macOS."""


@dataclass(frozen=True)
class Paths:
    """The folders of one installation; nothing is made before it is asked for with `ensure`."""

    config: Path
    state: Path
    data: Path
    cache: Path
    logs: Path
    runtime: Path

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"

    @property
    def account_file(self) -> Path:
        """Who is signed in (no secret in it)."""
        return self.state / "account.json"

    @property
    def log_file(self) -> Path:
        return self.logs / "jellytui.log"

    def account_state(self, server_id: str, user_id: str) -> Path:
        """State of one account: its token."""
        return self.state / "accounts" / server_id / user_id

    def token_file(self, server_id: str, user_id: str) -> Path:
        """The account's token, 0600."""
        return self.account_state(server_id, user_id) / "token"

    def account_data(self, server_id: str, user_id: str) -> Path:
        """Data of one account: its database and its lock."""
        return self.data / "accounts" / server_id / user_id

    def database_file(self, server_id: str, user_id: str) -> Path:
        return self.account_data(server_id, user_id) / "jellytui.db"

    def lock_file(self, server_id: str, user_id: str) -> Path:
        """Who holds this lock is the account's engine."""
        return self.account_data(server_id, user_id) / "engine.lock"

    def socket_file(self, server_id: str, user_id: str) -> Path:
        """The engine's Unix socket; its name is short however long the ids and folders are."""
        digest = hashlib.sha256(f"{self.data}\0{server_id}\0{user_id}".encode()).hexdigest()[:16]
        socket = self.runtime / f"{digest}.sock"
        if len(os.fsencode(socket)) <= _SOCKET_PATH_LIMIT:
            return socket
        return Path(tempfile.gettempdir()) / f"{APP}-{os.getuid()}" / f"{digest}.sock"

    @property
    def downloads(self) -> Path:
        """The default download root."""
        return self.data / "downloads"

    @property
    def covers(self) -> Path:
        return self.cache / "covers"


def default_paths() -> Paths:
    """The folders of this user, or those below JELLYTUI_HOME."""
    home = os.environ.get("JELLYTUI_HOME")
    if home:
        return paths_below(Path(home).expanduser())
    from platformdirs import PlatformDirs

    dirs = PlatformDirs(APP, appauthor=False)
    with warnings.catch_warnings():
        # There is no login session: nothing that the user must know, since `_runtime_folder` finds a place.
        warnings.simplefilter("ignore", UserWarning)
        runtime = _runtime_folder(dirs.user_runtime_path)
    return Paths(
        config=dirs.user_config_path,
        state=dirs.user_state_path,
        data=dirs.user_data_path,
        cache=dirs.user_cache_path,
        logs=dirs.user_log_path,
        runtime=runtime,
    )


def paths_below(home: Path) -> Paths:
    """All folders below one."""
    home = home.absolute()
    return Paths(
        config=home / "config",
        state=home / "state",
        data=home / "data",
        cache=home / "cache",
        logs=home / "logs",
        runtime=home / "run",
    )


def ensure_folder(folder: Path) -> Path:
    """Makes the folder and its parents, 0700 for those that were not there."""
    missing = [folder, *folder.parents]
    for path in reversed([path for path in missing if not path.exists()]):
        path.mkdir(mode=0o700, exist_ok=True)
    return folder


def ensure_private_folder(folder: Path) -> Path:
    """As `ensure_folder`; raises PermissionError when others may look into it (a prepared folder in /tmp)."""
    ensure_folder(folder)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else; remove it or set JELLYTUI_HOME.")
    if facts.st_mode & 0o077:
        folder.chmod(0o700)
    return folder


def write_secret(path: Path, text: str) -> None:
    """Replaces a file of mode 0600 in one step, so that no other user ever sees it and no crash halves it."""
    ensure_folder(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _runtime_folder(folder: Path) -> Path:
    """The runtime folder; one in the temporary folder where there is none that we can use (no login session)."""
    if os.access(folder.parent, os.W_OK):
        return folder
    return Path(tempfile.gettempdir()) / f"{APP}-{os.getuid()}"
