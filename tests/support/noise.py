"""Songs of noise: large enough to break off in the middle, and no two stretches alike."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from jellytui.demo.folder import scan
from jellytui.demo.library import Library


@pytest.fixture(scope="session")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """An album of four songs of 2.6 MB each, as the demo server reads it; do not change its files."""
    folder = tmp_path_factory.mktemp("noise")
    dice = np.random.default_rng(7)
    for number in range(1, 5):
        file = folder / "Noise" / "Static" / f"{number:02d} Hiss {number}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, dice.integers(-9000, 9000, (15 * 44_100, 2), dtype=np.int16), 44_100)
    return scan(folder)
