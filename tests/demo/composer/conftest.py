"""Fixtures of the demo's tests."""

from pathlib import Path

import pytest

from jellytui.demo.composer import compose


@pytest.fixture(scope="session")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The composed library with tracks of one second; tests that change it copy it."""
    return compose(tmp_path_factory.mktemp("composed") / "music", seconds=1.0)
