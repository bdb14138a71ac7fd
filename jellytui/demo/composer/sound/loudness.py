"""How loud music is, for its ReplayGain tags: integrated loudness after ITU-R BS.1770, with its two gates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jellytui.demo.composer.sound.waves import SAMPLE_RATE, Samples

_REFERENCE_LUFS = -18.0  # ReplayGain 2.0
_BLOCK = round(0.4 * SAMPLE_RATE)
# the two filters of BS.1770-4, tables 1 and 2, given there for 48 kHz; only their response is used
_SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))


@dataclass(frozen=True, slots=True)
class Measured:
    """The power of each block of 0.4 s of a piece after the ear's weighting, and its peak (1 is full scale)."""

    powers: tuple[float, ...]
    peak: float


def measure(samples: Samples) -> Measured:
    """Measures a stereo piece of shape (2, samples)."""
    blocks = max(1, samples.shape[1] // _BLOCK)
    cut = samples[:, : blocks * _BLOCK].reshape(2, blocks, -1)
    spectrum = np.fft.rfft(cut, axis=2)
    energy = (spectrum.real**2 + spectrum.imag**2).sum(axis=0)
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(cut.shape[2], 1 / SAMPLE_RATE) / 48000)
    weight = np.ones(turn.size)
    for above, below in (_SHELF, _HIGH_PASS):
        weight *= np.abs(np.polyval(above[::-1], turn) / np.polyval(below[::-1], turn)) ** 2
    powers = 2.0 * (energy @ weight) / cut.shape[2] ** 2
    return Measured(tuple(float(power) for power in powers), float(np.max(np.abs(samples))))


def gain_db(parts: Sequence[Measured]) -> float:
    """The ReplayGain of a track, or of an album by all its tracks, in dB."""
    powers = np.array([power for part in parts for power in part.powers])
    powers = powers[powers > 10 ** ((-70 + 0.691) / 10)]
    if powers.size == 0:
        return 0.0
    powers = powers[powers > powers.mean() / 10]
    return _REFERENCE_LUFS - float(-0.691 + 10 * np.log10(powers.mean()))
