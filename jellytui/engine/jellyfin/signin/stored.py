"""Who is signed in on this machine: the account's file, its token's file (0600), and this installation's device id."""

from __future__ import annotations

import logging
import re
import secrets
from pathlib import Path

import msgspec

from jellytui.engine.errors import DiskError, ServerError
from jellytui.engine.models import Account
from jellytui.paths import Paths, write_secret

log = logging.getLogger(__name__)

_NAME_OF_FOLDER = re.compile(r"[A-Za-z0-9_]{1,64}")


def stored_account(paths: Paths) -> Account | None:
    """Who signed in last; None for nobody, also where the file was damaged. Signed out, its token is gone."""
    try:
        account = msgspec.json.decode(paths.account_file.read_bytes(), type=Account)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("%s cannot be read: %s", paths.account_file, error)
        return None
    return account if are_folder_names(account.server_id, account.user_id) else None


def stored_token(paths: Paths, account: Account) -> str | None:
    """The account's token; None where it was signed out."""
    try:
        token = paths.token_file(account.server_id, account.user_id).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return token or None


def store(paths: Paths, account: Account, token: str) -> None:
    """Keeps the token and then who is signed in. Raises DiskError; ServerError for ids that no folder may have."""
    if not are_folder_names(account.server_id, account.user_id):
        raise ServerError(f"{account.server_name} has ids of a form that jellytui does not know.")
    _write(paths.token_file(account.server_id, account.user_id), token)
    _write(paths.account_file, msgspec.json.format(msgspec.json.encode(account), indent=2).decode())


def forget(paths: Paths, account: Account) -> None:
    """Removes the token. Music and database stay, and who it was: so that signing in again needs no address."""
    paths.token_file(account.server_id, account.user_id).unlink(missing_ok=True)


def device_id(paths: Paths) -> str:
    """The id of this installation, made once: a server keeps one token for each user and device (jellyfin-api.md 3.3).

    Raises DiskError.
    """
    file = paths.state / "device_id"
    try:
        found = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        found = ""
    if not _NAME_OF_FOLDER.fullmatch(found):
        found = secrets.token_hex(16)
        _write(file, found)
    return found


def are_folder_names(*ids: str) -> bool:
    """Whether ids from a server may become folders: nothing in them leads out of ours."""
    return all(_NAME_OF_FOLDER.fullmatch(value) for value in ids)


def _write(file: Path, text: str) -> None:
    try:
        write_secret(file, text)
    except OSError as error:
        raise DiskError(
            f"{file} cannot be written ({error.strerror}). `jellytui doctor` says what it takes."
        ) from error
