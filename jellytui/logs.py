"""The log file: rotating, without secrets; and native libraries kept from writing over the screen."""

from __future__ import annotations

import logging
import os
import re
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from jellytui.paths import ensure_folder

_SECRETS = re.compile(
    r"""(?ix)
    ( (?: Token | ApiKey | api_key ) \s*=\s*"?
    | ["']? (?: Pw | Password | AccessToken | Secret ) ["']? \s*[:=]\s*["']? )
    [^\s"'&,;]+
    """
)


class _Redaction(logging.Formatter):
    """Formats as usual, then blots out every secret, also those inside tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        return _SECRETS.sub(r"\1[hidden]", super().format(record))


def set_up_logging(path: Path, *, is_verbose: bool = False) -> None:
    """Sends all logging to a file of at most 1 MB and three older ones; mode 0600."""
    ensure_folder(path.parent)
    handler = RotatingFileHandler(path, maxBytes=1_000_000, backupCount=3, encoding="utf-8", delay=True)
    handler.setFormatter(_Redaction("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    path.touch(mode=0o600)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if is_verbose else logging.INFO)
    # httpx writes a line for each request, progress reports included.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def keep_screen_for_the_app(path: Path, *, screen: int = 2) -> None:
    """Points file descriptor 2 at the log, and Python's stderr at what `screen` was: where our own words go.

    ALSA, PipeWire and ffmpeg write straight to descriptor 2; Textual draws on `sys.__stderr__` (textual.md,
    pitfall 12). Call before Textual is imported.
    """
    ensure_folder(path.parent)
    terminal = os.dup(screen)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 2)
    os.close(log)
    # Textual's driver takes the stream by this name and no other way is offered.
    sys.__stderr__ = sys.stderr = os.fdopen(terminal, "w", 1, encoding="utf-8", errors="backslashreplace")  # type: ignore[misc]
