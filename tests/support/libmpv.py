"""Tests of real sound need libmpv: skipped without it, failing in CI."""

from __future__ import annotations

import ctypes.util
import os

import pytest

needs_libmpv = pytest.mark.skipif(
    ctypes.util.find_library("mpv") is None and not os.environ.get("CI"), reason="libmpv is not installed"
)
