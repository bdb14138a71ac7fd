"""What can go wrong, each with words for the user and what to do next.

An error crosses the socket as `Problem` (models.py): its `code` names the class, so that every face raises
the same type again. The exit codes are those of the command line (issue 3).
"""

from __future__ import annotations

from typing import ClassVar


class JellytuiError(Exception):
    """Base of all errors that reach a user; `str(error)` is one line: what happened, then what to do."""

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class UsageError(JellytuiError):
    """The caller asked for something that makes no sense: a bad id, a bad range, a path outside the root."""

    code = "usage"
    exit_code = 2


class ConfigError(JellytuiError):
    """config.toml has an unknown key or a bad value; the text names file, key and allowed values."""

    code = "config"
    exit_code = 2


class NotSignedInError(JellytuiError):
    """No account is known on this machine, or its token is no longer taken by the server."""

    code = "not_signed_in"
    exit_code = 3


class SignInError(JellytuiError):
    """Signing in failed; the subclasses say which way."""

    code = "sign_in"


class WrongPasswordError(SignInError):
    """The server does not take this name and password."""

    code = "wrong_password"


class UserDisabledError(SignInError):
    """The account is disabled, locked or not allowed from here or now (403 at login)."""

    code = "user_disabled"


class ServerTooOldError(SignInError):
    """The server is older than 10.9, the oldest one with the routes we use (jellyfin-api.md 1)."""

    code = "server_too_old"


class QuickConnectError(SignInError):
    """Quick Connect is switched off, or its code has expired."""

    code = "quick_connect"


class NotJellyfinError(SignInError):
    """Something answers at that address, but it is not a Jellyfin server."""

    code = "not_jellyfin"


class ServerUnreachableError(JellytuiError):
    """No answer: refused, no such host, timeout."""

    code = "server_unreachable"
    exit_code = 4


class ServerStartingError(ServerUnreachableError):
    """The server answers 503: it is starting, migrating or shutting down (jellyfin-api.md 4.4)."""

    code = "server_starting"


class TlsError(ServerUnreachableError):
    """The server's certificate is not trusted by this machine."""

    code = "tls"


class BodyBrokenError(JellytuiError):
    """The connection broke, or fell silent, while a file was coming."""

    code = "body_broken"


class FileChangedError(JellytuiError):
    """The server has another file now than the one whose beginning was read; it must be opened again."""

    code = "file_changed"


class ServerError(JellytuiError):
    """The server answered with an error that we cannot do anything about."""

    code = "server"


class NotAllowedError(JellytuiError):
    """The server refuses this account (403)."""

    code = "not_allowed"


class NotFoundError(JellytuiError):
    """There is no such item, download or queue entry."""

    code = "not_found"
    exit_code = 5


class DiskError(JellytuiError):
    """The disk is full, read-only or gone."""

    code = "disk"


class DatabaseError(JellytuiError):
    """The database is of a newer version of jellytui, or cannot be read."""

    code = "database"


class SoundError(JellytuiError):
    """There is no sound: libmpv is missing or no audio device can be opened."""

    code = "sound"


class EngineGoneError(JellytuiError):
    """The process that held the engine has ended while this one was attached to it."""

    code = "engine_gone"


def error_types() -> dict[str, type[JellytuiError]]:
    """Every error type by its code, for decoding one that came over the socket."""
    found: dict[str, type[JellytuiError]] = {}
    open_types: list[type[JellytuiError]] = [JellytuiError]
    while open_types:
        error_type = open_types.pop()
        found[error_type.code] = error_type
        open_types.extend(error_type.__subclasses__())
    return found
