"""A line of a given rate: a relay in a process of its own through which every client of a measurement goes.

All connections share the rate, as on a real link. Run as a program with the port behind it and the bytes per second;
it prints its own port.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CHUNK_BYTES = 64 * 1024
_AHEAD_S = 0.004
"""How far a connection may be ahead of the rate: timers are coarser than a chunk of a fast line."""


@contextmanager
def line(url: str, bytes_per_second: int) -> Iterator[str]:
    """The same server through a line of that rate."""
    words = [sys.executable, "-m", __name__, url.rpartition(":")[2], str(bytes_per_second)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


class _Pace:
    """The moment at which the line is free again; shared by all connections."""

    def __init__(self, bytes_per_second: int) -> None:
        self._rate = bytes_per_second
        self._free_at = time.monotonic()
        self._lock = threading.Lock()

    def wait(self, count: int) -> None:
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now - _AHEAD_S) + count / self._rate
            ahead = self._free_at - now
        if ahead > _AHEAD_S:
            time.sleep(ahead - _AHEAD_S / 2)


def _pump(source: socket.socket, sink: socket.socket, pace: _Pace | None) -> None:
    buffer = memoryview(bytearray(_CHUNK_BYTES))
    with suppress(OSError):
        while count := source.recv_into(buffer):
            if pace is not None:
                pace.wait(count)
            sink.sendall(buffer[:count])
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
    if pace is not None:
        source.close()
        sink.close()


def _main(port: int, bytes_per_second: int) -> None:
    pace = _Pace(bytes_per_second)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", port))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_pump, args=(client, server, None), daemon=True).start()
            threading.Thread(target=_pump, args=(server, client, pace), daemon=True).start()


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]))
