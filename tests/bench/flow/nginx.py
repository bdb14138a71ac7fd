"""nginx in front of the demo server: it sends the music itself, as fast as it can, and passes the API on."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    etag off;
    default_type audio/wav;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location ~ ^/Items/(?<id>[0-9a-f]+)/Download$ {{ alias {media}/$id; }}
        location ~ ^/Audio/(?<id>[0-9a-f]+)/stream$ {{ alias {media}/$id; }}
        location / {{ proxy_pass http://127.0.0.1:{api_port}; proxy_set_header Host $http_host; }}
    }}
}}
"""


def find_nginx() -> str | None:
    """The program; it lies in sbin, which is in few people's path."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")


@contextmanager
def nginx(program: str, folder: Path, media: Path, api_port: int) -> Iterator[str]:
    """Its address; `media` holds a file for each item, named by its id. Raises RuntimeError when it does not start."""
    folder.mkdir(parents=True)
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, media=media, port=port, api_port=api_port), encoding="utf-8")
    with subprocess.Popen([program, "-e", str(folder / "error.log"), "-c", str(config)]) as process:
        try:
            await_port(port, process, folder / "error.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has just now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until the program listens. Raises RuntimeError, with its log, when it does not."""
    end = time.monotonic() + 10
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"nginx did not start: {log.read_text(encoding='utf-8') if log.exists() else ''}")
