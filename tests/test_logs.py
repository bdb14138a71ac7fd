"""The log never holds a secret."""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from jellytui.logs import set_up_logging


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    before = list(root.handlers), root.level
    set_up_logging(tmp_path / "logs" / "jellytui.log")
    yield tmp_path / "logs" / "jellytui.log"
    for handler in set(root.handlers) - set(before[0]):
        handler.close()
        root.removeHandler(handler)
    root.setLevel(before[1])


@pytest.mark.parametrize(
    "line",
    [
        'Authorization: MediaBrowser Client="jellytui", Token="s3cr3t"',
        "GET /Audio/1/stream?static=true&ApiKey=s3cr3t&x=1",
        '{"Username":"alice","Pw":"s3cr3t"}',
        '{"AccessToken":"s3cr3t","ServerId":"1"}',
        '{"Secret": "s3cr3t"}',
        "{'Pw': 's3cr3t'}",
    ],
)
def test_secrets_are_blotted_out(log_file: Path, line: str) -> None:
    logging.getLogger("x").warning("saw %s", line)
    try:
        raise ValueError(line)
    except ValueError:
        logging.getLogger("x").exception("broke")
    text = log_file.read_text(encoding="utf-8")
    assert "saw" in text
    assert "s3cr3t" not in text


def test_the_log_is_private(log_file: Path) -> None:
    logging.getLogger("x").warning("hello")
    assert stat.S_IMODE(log_file.stat().st_mode) == 0o600
