"""nginx as people put it before their Jellyfin server, with whatever else they have written into its configuration."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bench.flow.nginx import await_port, find_nginx, free_port

_CONFIGURATION = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  default_type text/html;
  {http}
  server {{
    listen 127.0.0.1:{port};
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header Connection "";
    proxy_read_timeout 600ms;
    proxy_buffering {buffering};
    proxy_buffers 4 8k;
    proxy_max_temp_file_size 64k;
    {server}
    location ~ ^/Items/(?<id>[0-9a-f]+)/Download$ {{ {download} proxy_pass {upstream}; }}
    location / {{ proxy_pass {upstream}; }}
  }}
}}
"""


class ReverseProxy:
    """One nginx; `start` and `stop` as often as one likes, its address stays."""

    def __init__(self, program: str, folder: Path, upstream: str) -> None:
        self._program = program
        self._folder = folder
        self._upstream = upstream
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self._port}"

    def start(self, *, buffering: str = "on", http: str = "", server: str = "", download: str = "") -> None:
        """Listens, with lines of configuration in its blocks (`download`: of the files). Raises RuntimeError."""
        self.stop()
        file = self._folder / "nginx.conf"
        told = {"folder": self._folder, "port": self._port, "upstream": self._upstream, "buffering": buffering}
        file.write_text(_CONFIGURATION.format(**told, http=http, server=server, download=download), encoding="utf-8")
        log = self._folder / "error.log"
        self._process = subprocess.Popen([self._program, "-e", str(log), "-c", str(file)])
        await_port(self._port, self._process, log)

    def stop(self) -> None:
        """Goes away with all its connections."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            self._process = None


@contextmanager
def reverse_proxy(folder: Path, upstream: str) -> Iterator[ReverseProxy]:
    """Not started yet. Skips the test where there is no nginx; fails it where all programs must be there."""
    program = find_nginx()
    if program is None:
        message = "nginx is not installed: downloads through a reverse proxy are not tested (Debian: nginx-light)"
        if os.environ.get("JELLYTUI_TEST_PROGRAMS") == "required":
            pytest.fail(message)
        pytest.skip(message)
    proxy = ReverseProxy(program, folder, upstream)
    try:
        yield proxy
    finally:
        proxy.stop()
