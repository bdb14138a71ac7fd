"""Drums and noises without pitch: each is a function that returns one stroke."""

from collections.abc import Callable

import numpy as np

from jellytui.demo.composer.sound.waves import Samples, count_of, decay, noise, peak_one, ring_off, seconds_of

Drum = Callable[[np.random.Generator], Samples]


def _skin(high: float, low: float, drop: float, ring: float, click: float) -> Drum:
    """A skin whose pitch falls from `high` to `low` Hz within `drop` seconds and rings for `ring`."""

    def play(rng: np.random.Generator) -> Samples:
        count = count_of(ring)
        time = seconds_of(count)
        # the phase is the integral of a pitch that falls exponentially
        turns = low * time + (high - low) * drop * (1.0 - np.exp(-time / np.float32(drop)))
        tone = np.sin(2 * np.pi * turns) * decay(count, ring)
        size = min(count, 900)
        tone[:size] += np.float32(click) * noise(size, rng, 800, 6000) * decay(size, 0.015)
        return ring_off(peak_one(tone.astype(np.float32)), ring * 0.85, ring * 0.15)

    return play


def _rattle(low: float, high: float, ring: float, attack: float = 0.001) -> Drum:
    """Noise between two frequencies that dies within `ring` seconds."""

    def play(rng: np.random.Generator) -> Samples:
        count = count_of(ring)
        rise = np.minimum(seconds_of(count) / np.float32(attack), 1.0)
        return ring_off(peak_one(noise(count, rng, low, high) * decay(count, ring) * rise), ring * 0.8, ring * 0.2)

    return play


def _both(skin: Drum, rattle: Drum, share: float) -> Drum:
    """Two sounds of one stroke; `share` is how much of the second."""

    def play(rng: np.random.Generator) -> Samples:
        first, second = skin(rng), rattle(rng)
        mixed = np.zeros(max(first.size, second.size), dtype=np.float32)
        mixed[: first.size] += first * np.float32(1 - share)
        mixed[: second.size] += second * np.float32(share)
        return peak_one(mixed)

    return play


def _hands(claps: int, low: float, high: float) -> Drum:
    """Several hands, not quite together."""

    def play(rng: np.random.Generator) -> Samples:
        mixed = np.zeros(count_of(0.28), dtype=np.float32)
        for _ in range(claps):
            start = int(rng.integers(0, 1100))
            burst = noise(4000, rng, low, high) * decay(4000, 0.07)
            mixed[start : start + 4000] += burst
        return ring_off(peak_one(mixed), 0.2, 0.08)

    return play


def _sea(rng: np.random.Generator) -> Samples:
    """A wave that comes and goes within six seconds, wide."""
    count = count_of(6.0)
    swell = np.sin(np.pi * seconds_of(count) / 6.0) ** 2
    return np.stack([noise(count, rng, 150, 1400) * swell, noise(count, rng, 150, 1400) * swell]).astype(np.float32)


def _vinyl(rng: np.random.Generator) -> Samples:
    """The crackle of one turn of a record, and its hiss."""
    count = count_of(3.4)
    dust = np.zeros(count, dtype=np.float32)
    dust[rng.integers(100, count - 100, 40)] = rng.uniform(-1.0, 1.0, 40)
    crackle = np.convolve(dust, decay(60, 0.001) * np.cos(np.arange(60) * 0.7), "same").astype(np.float32)
    edges = np.minimum(1.0, np.minimum(seconds_of(count), seconds_of(count)[::-1]) / 0.2)
    return ((crackle + 0.10 * noise(count, rng, 500, 7000)) * edges).astype(np.float32)


DRUMS: dict[str, Drum] = {
    "brush": _rattle(1500, 7000, 0.28, 0.03),
    "cajon": _both(_skin(130, 68, 0.03, 0.30, 0.3), _rattle(200, 1200, 0.08), 0.25),
    "chip hat": _rattle(7000, 15000, 0.05),
    "chip kick": _skin(420, 50, 0.03, 0.18, 0.0),
    "chip snare": _rattle(900, 9000, 0.16),
    "clap": _hands(4, 900, 5000),
    "frame": _both(_skin(150, 84, 0.02, 0.5, 0.2), _rattle(300, 2500, 0.12), 0.2),
    "hat": _rattle(6500, 14000, 0.07),
    "kick": _skin(190, 49, 0.035, 0.36, 0.25),
    "lofi snare": _both(_skin(210, 165, 0.02, 0.16, 0.0), _rattle(600, 4200, 0.2), 0.6),
    "open hat": _rattle(6000, 13000, 0.35),
    "palmas": _hands(3, 1100, 4200),
    "rim": _both(_skin(900, 780, 0.01, 0.06, 0.2), _rattle(1500, 6000, 0.04), 0.4),
    "sea": _sea,
    "shaker": _rattle(5000, 12000, 0.11, 0.02),
    "slap": _rattle(500, 5500, 0.14),
    "snare": _both(_skin(230, 180, 0.02, 0.2, 0.1), _rattle(900, 9000, 0.24), 0.6),
    "soft kick": _skin(120, 52, 0.03, 0.34, 0.05),
    "tambourine": _rattle(5500, 15000, 0.2, 0.004),
    "vinyl": _vinyl,
}
