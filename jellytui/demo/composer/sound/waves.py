"""Raw material of sound: single-cycle tables, envelopes and shaped noise, as arrays of samples."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

SAMPLE_RATE = 44100
_TABLE_BITS = 12


def seconds_of(count: int) -> Samples:
    """The time of each of so many samples."""
    return np.arange(count, dtype=np.float32) / np.float32(SAMPLE_RATE)


def count_of(seconds: float) -> int:
    """How many samples so many seconds are; at least one."""
    return max(1, round(seconds * SAMPLE_RATE))


@lru_cache(maxsize=512)
def table(harmonics: tuple[float, ...]) -> Samples:
    """One cycle made of sine harmonics of these amplitudes, the first being the fundamental; peak 1."""
    size = 1 << _TABLE_BITS
    spectrum = np.zeros(size // 2 + 1, dtype=np.complex128)
    count = min(len(harmonics), size // 2 - 1)
    spectrum[1 : count + 1] = -0.5j * np.array(harmonics[:count]) * size
    cycle = np.fft.irfft(spectrum, size)
    return np.asarray(cycle / np.max(np.abs(cycle)), dtype=np.float32)


def saw(frequency: float, cutoff: float) -> Samples:
    """A cycle of a sawtooth behind a low-pass at `cutoff` Hz, without any harmonic above 16 kHz."""
    return table(_low_passed(frequency, cutoff, lambda k: 1.0 / k))


def square(frequency: float, cutoff: float, width: float = 0.5) -> Samples:
    """A cycle of a pulse of this width (0 to 1) behind a low-pass at `cutoff` Hz."""
    return table(_low_passed(frequency, cutoff, lambda k: float(np.sin(np.pi * k * width)) / k))


def _low_passed(frequency: float, cutoff: float, amplitude: Callable[[int], float]) -> tuple[float, ...]:
    count = int(np.clip(16000.0 / frequency, 1, 120))
    return tuple(
        round(amplitude(k) / float(np.sqrt(1.0 + (k * frequency / cutoff) ** 4)), 4) for k in range(1, count + 1)
    )


def oscillate(cycle: Samples, frequency: float, count: int, *, phase: float = 0.0, vibrato: float = 0.0) -> Samples:
    """So many samples of a cycle at a frequency in Hz. `phase` in turns, `vibrato` (5.4 Hz) in semitones."""
    turn = 2.0**32
    step = np.uint32(round(frequency / SAMPLE_RATE * turn))
    # unsigned numbers wrap at a whole turn: exact phase for as long as one likes
    place = np.arange(count, dtype=np.uint32) * step + np.uint32(int(phase % 1.0 * (turn - 1)))
    if vibrato:
        time = seconds_of(count)
        swing = frequency * (2.0 ** (vibrato / 12.0) - 1.0) / 5.4 / (2 * np.pi)
        grown = np.minimum(time / 0.5, 1.0)  # a player begins straight, then lets the note sing
        place += (grown * np.sin(time * (2 * np.pi * 5.4)) * swing * turn).astype(np.int64).astype(np.uint32)
    wave: Samples = cycle[place >> np.uint32(32 - _TABLE_BITS)]
    return wave


def decay(count: int, seconds: float) -> Samples:
    """An exponential fall that is down to a thousandth after so many seconds."""
    fall: Samples = np.exp(seconds_of(count) * np.float32(-6.9 / seconds))
    return fall


def contour(
    count: int, held: float, *, attack: float, release: float, sustain: float = 1.0, fall: float = 0.3
) -> Samples:
    """Rises for `attack` seconds, falls towards `sustain`, and after `held` seconds fades out for `release` seconds."""
    time = seconds_of(count)
    shape = np.minimum(time / np.float32(attack), 1.0)
    shape *= sustain + (1.0 - sustain) * np.exp(-np.maximum(time - attack, 0.0) / np.float32(fall))
    fade = np.clip(1.0 - (time - np.float32(held)) / np.float32(release), 0.0, 1.0)
    return np.asarray(shape * fade * fade, dtype=np.float32)


def ring_off(tone: Samples, held: float, release: float) -> Samples:
    """Fades a tone of its own decay out after `held` seconds, so that it ends in silence."""
    time = seconds_of(tone.shape[-1])
    fade = np.clip(1.0 - (time - np.float32(held)) / np.float32(release), 0.0, 1.0)
    return np.asarray(tone * fade * fade, dtype=np.float32)


def noise(count: int, rng: np.random.Generator, low: float, high: float) -> Samples:
    """Noise between two frequencies in Hz with soft edges, peak 1 and no DC."""
    size = _fast_length(count)
    spectrum = np.fft.rfft(rng.standard_normal(size, dtype=np.float32))
    frequencies = np.fft.rfftfreq(size, 1.0 / SAMPLE_RATE).astype(np.float32)
    with np.errstate(divide="ignore"):
        spectrum *= 1.0 / np.sqrt(
            (1.0 + (low / np.maximum(frequencies, 1e-3)) ** 4) * (1.0 + (frequencies / high) ** 4)
        )
    return peak_one(np.fft.irfft(spectrum, size)[:count].astype(np.float32))


def peak_one(tone: Samples) -> Samples:
    """The same tone with a peak of 1."""
    return np.asarray(tone / max(float(np.max(np.abs(tone))), 1e-9), dtype=np.float32)


def convolve(sound: Samples, tails: Samples) -> Samples:
    """A sound heard through each of some tails, shape (tails, samples); by blocks, so that all stays in the cache."""
    size = _fast_length(4 * tails.shape[1])
    step = size - tails.shape[1]
    responses = np.fft.rfft(tails, size)
    out = np.zeros((len(tails), sound.size + size), dtype=np.float32)
    for start in range(0, sound.size, step):
        out[:, start : start + size] += np.fft.irfft(np.fft.rfft(sound[start : start + step], size) * responses, size)
    return out[:, : sound.size]


def _fast_length(wanted: int) -> int:
    """The next length of the form 2^n or 3*2^n, which transforms quickly."""
    power = 1 << (wanted - 1).bit_length()
    return power * 3 // 4 if power * 3 // 4 >= wanted else power
