"""Fixtures that every room's tests share."""

import os
from pathlib import Path

import pytest

from tests.support.demo import demo_server, faulty_server, scanned_library, small_library  # noqa: F401 - fixtures for every room
from tests.support.noise import noise  # noqa: F401
from tests.support.recorded_music import recorded_music  # noqa: F401


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of exchanges recorded from real servers, beside the checkout; skips without it, fails in CI.

    JELLYTUI_RECORDINGS=DIR names another one, which must then be there.
    """
    default = Path(__file__).resolve().parents[2] / "shared" / "recordings"
    folder = Path(os.environ.get("JELLYTUI_RECORDINGS", default))
    if folder.is_dir():
        return folder
    message = f"recordings of real servers not found at {folder} (JELLYTUI_RECORDINGS=DIR names them)"
    if "JELLYTUI_RECORDINGS" in os.environ or os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
