"""Keeps user data, playlists and tokens in a small SQLite file, so that a restart forgets nothing (issue 4)."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key))
  WITHOUT ROWID;
"""


class Store:
    """JSON values by kind and key, written through at once. Without a file they live as long as the process."""

    def __init__(self, file: Path | None) -> None:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(file or ":memory:", isolation_level=None, check_same_thread=False)
        if file is not None:
            file.chmod(0o600)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)

    def items(self, kind: str) -> Iterator[tuple[str, Any]]:
        """All values of a kind, in the order of their keys."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT key, value FROM entry WHERE kind = ? ORDER BY key", (kind,)
            ).fetchall()
        for key, value in rows:
            yield key, json.loads(value)

    def put(self, kind: str, key: str, value: Any) -> None:
        """Writes one value."""
        with self._lock:
            self._connection.execute("INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", (kind, key, json.dumps(value)))

    def remove(self, kind: str, key: str) -> None:
        """Forgets one value."""
        with self._lock:
            self._connection.execute("DELETE FROM entry WHERE kind = ? AND key = ?", (kind, key))

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._connection.close()
