"""The styles of the demo's albums as data: tempo, modes, progressions, instruments and the patterns they play."""

from dataclasses import dataclass

Progression = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Voice:
    """One player: instrument, the patterns (pattern.py) it may choose from, and its place in the mix.

    `gain` is linear, `pan` -1 left to 1 right, `room` the share sent to the reverb, `low` the lowest MIDI pitch,
    `above` the intensity of a section (0 to 1) from which on it plays, `echo` repeats in dotted eighths.
    """

    instrument: str
    patterns: tuple[str, ...]
    gain: float
    low: int
    pan: float = 0.0
    room: float = 0.25
    above: float = 0.0
    echo: float = 0.0


@dataclass(frozen=True, slots=True)
class Beat:
    """What one drum does in a bar, and the intensity from which on it is played."""

    drum: str
    pattern: str
    gain: float = 0.5
    above: float = 0.0
    pan: float = 0.0


@dataclass(frozen=True, slots=True)
class Style:
    """How an album is played. Tempo in beats a minute, calmest to liveliest; `loudness` is the mean level in dBFS."""

    tempo: tuple[float, float]
    modes: tuple[str, ...]
    progressions: tuple[Progression, ...]
    leads: tuple[Voice, ...]
    layers: tuple[Voice, ...]
    bass: Voice
    grooves: tuple[tuple[Beat, ...], ...]
    beats: int = 4
    phrase: int = 4
    chord_size: int = 3
    swing: float = 0.0
    loose: float = 0.005
    pump: float = 0.0
    hall_seconds: float = 1.6
    hall_gain: float = 0.5
    loudness: float = -17.0
    tail_seconds: float = 2.5


_HELD = ("c---------------",)
_SONG = ("x---x-x---x-x---", "x--x--x-x---x---", "..x-x-x-x---x-x-", "x-----x-x-x-x---", "x-x-x---..x-x---")
_LIVELY = ("x-x-x-x-x---x-x-", "x--x--x-x-x-x-x-", "xxx-x-x-x-xxx---", "x-.xx-.xx-x-x-x-")
_SLOW = ("x-------x-------", "x-----x-x-------", "..x-----x---x---")
_WALTZ = ("x---x-x-x---", "x-------x---", "x-x-x-x-x-x-", "x---x---x-x-")
_FOLK = ((0, 5, 2, 6), (0, 3, 6, 2), (0, 6, 5, 6), (0, 2, 3, 4), (5, 6, 0, 0))
_POP = ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 2, 3, 4), (3, 4, 2, 5))
_CADENCES = ((0, 6, 5, 4), (0, 1, 0, 6), (3, 2, 1, 0), (0, 1, 2, 1))

FOLK_GUITAR = Style(
    tempo=(78, 114), modes=("minor", "dorian", "major"), progressions=_FOLK,
    leads=(
        Voice("flute", _SONG, 0.24, 67, 0.15, 0.4, 0.5),
        Voice("nylon", _SONG, 0.58, 62, 0.2, 0.35, 0.5),
        Voice("clarinet", _SONG, 0.24, 60, -0.15, 0.4, 0.5),
    ),
    layers=(
        Voice(
            "nylon", ("0-2-1-2-3-2-1-2-", "0--1--2-3--2--1-", "0-1-2-3-2-1-2-1-", "0---2-1-3---2-1-"),
            0.36, 52, -0.35,
        ),
        Voice("nylon", ("..s...u...s.u...", "s---..u-s---u-u-"), 0.16, 55, 0.45, 0.2, 0.65),
        Voice("strings", _HELD, 0.10, 55, 0.0, 0.5, 0.75),
    ),
    bass=Voice("upright", ("0-----5-0---5---", "0-------5---a---", "0--0--5-0-----a-"), 0.48, 33, 0.0, 0.08, 0.35),
    grooves=(
        (Beat("cajon", "x.....x...x.....", 0.5, 0.55), Beat("slap", "....x..o....x..o", 0.45, 0.55, 0.1),
         Beat("shaker", "x.o.x.o.x.o.x.o.", 0.2, 0.45, 0.4)),
        (Beat("cajon", "x..o..x.x..o..x.", 0.45, 0.55), Beat("slap", "....x.......x...", 0.42, 0.7),
         Beat("shaker", "o.x.o.x.o.x.o.x.", 0.18, 0.45, -0.4)),
        (Beat("frame", "x.....o.x...o...", 0.4, 0.6), Beat("shaker", "..x...x...x...x.", 0.17, 0.5, 0.4)),
    ),
    hall_seconds=1.4,
)  # fmt: skip

FLAMENCO = Style(
    tempo=(104, 148), modes=("hijaz", "phrygian", "minor"), progressions=_CADENCES,
    leads=(
        Voice("steel", _LIVELY, 0.72, 62, 0.25, 0.35, 0.5),
        Voice("nylon", _LIVELY, 0.46, 60, -0.2, 0.35, 0.5),
        Voice("flute", _SONG, 0.25, 67, 0.1, 0.45, 0.5),
    ),
    layers=(
        Voice("nylon", ("s-..s.u.s-..susu", "s--us--us-u-s-us", "s-s-u-s-s-u-s-u-"), 0.21, 52, -0.4, 0.3, 0.4),
        Voice("nylon", ("0-1-2-3-2-1-0-1-", "0123210-0123210-"), 0.32, 52, 0.35, 0.3),
    ),
    bass=Voice("upright", ("0---0-5-0---a---", "0--5--0-0---8-a-"), 0.48, 33, 0.0, 0.1, 0.4),
    grooves=(
        (Beat("palmas", "..x...x...x..xx.", 0.34, 0.4, 0.5), Beat("palmas", "x..x..x.x...x...", 0.26, 0.65, -0.5),
         Beat("cajon", "x.....x..x......", 0.5, 0.5), Beat("slap", "....x.o.....x.oo", 0.42, 0.6)),
        (Beat("palmas", "x.x.x.x.x.x.x.x.", 0.24, 0.4, 0.5), Beat("palmas", "..x...x...x...x.", 0.3, 0.6, -0.5),
         Beat("cajon", "x..x..x.x..x..x.", 0.42, 0.5), Beat("slap", "....x.......x...", 0.42, 0.6)),
    ),
    hall_seconds=2.0, loudness=-16.0,
)  # fmt: skip

CHIP = Style(
    tempo=(122, 164), modes=("major", "minor", "dark pentatonic", "mixolydian"), progressions=(*_POP, *_FOLK),
    leads=(
        Voice("pulse", _LIVELY, 0.34, 69, 0.15, 0.1, 0.5, 0.35),
        Voice("square", _SONG, 0.31, 67, -0.15, 0.1, 0.5, 0.35),
    ),
    layers=(
        Voice(
            "blip", ("0123012301230123", "0.1.2.3.0.1.2.3.", "0120120120120123", "3210321032103210"),
            0.28, 60, -0.4, 0.1,
        ),
        Voice("blip", ("c...c...c...c...", "..c...c...c...c."), 0.16, 60, 0.4, 0.1, 0.7),
    ),
    bass=Voice("triangle", ("0-0-8-0-0-0-8-0-", "0-..0-5-8-..5-0-", "0.0.0.0.5.5.8.a."), 0.3, 36, 0.0, 0.0, 0.3),
    grooves=(
        (Beat("chip kick", "x.......x.......", 0.5, 0.4), Beat("chip snare", "....x.......x...", 0.36, 0.5),
         Beat("chip hat", "x.x.x.x.x.x.x.x.", 0.2, 0.4)),
        (Beat("chip kick", "x..x..x...x.....", 0.5, 0.4), Beat("chip snare", "....x.......x..x", 0.36, 0.5),
         Beat("chip hat", "xoxoxoxoxoxoxoxo", 0.18, 0.4)),
        (Beat("chip kick", "x...x...x...x...", 0.48, 0.4), Beat("chip snare", "....x..x....x.xx", 0.32, 0.6),
         Beat("chip hat", "..x...x...x...x.", 0.22, 0.4)),
    ),
    loose=0.0, hall_seconds=0.7, hall_gain=0.3, loudness=-16.5, tail_seconds=1.5,
)  # fmt: skip

TECHNO = Style(
    tempo=(116, 132), modes=("minor", "phrygian", "dorian", "dark pentatonic"),
    progressions=((0, 0, 5, 6), (0, 0, 3, 3), (0, 5, 3, 6), (0, 2, 5, 6), (5, 6, 0, 0)),
    leads=(
        Voice("saw lead", ("x-.xx-.x..x-x...", "x..x..x..x..x.x.", "x-x-..x-x-..x-x-"), 0.27, 64, 0.1, 0.35, 0.5, 0.5),
        Voice("bell", ("x.....x...x.....", "x..x..x.x..x..x."), 0.45, 69, -0.2, 0.5, 0.5, 0.5),
    ),
    layers=(
        Voice("supersaw", _HELD, 0.2, 52, 0.0, 0.4),
        Voice("stab", ("..c...c...c...c.", "...c..c....c..c.", "c..c..c..c..c.c."), 0.18, 57, 0.2, 0.4, 0.55, 0.35),
        Voice("blip", ("0213021302130213", "0.2.1.3.0.2.3.1."), 0.16, 64, -0.5, 0.3, 0.6),
    ),
    bass=Voice(
        "acid", ("..0...0...0...0.", ".000.000.000.00a", "0.0.8.0.0.5.8.a.", "0--0--0-0--0--8-"),
        0.42, 33, 0.0, 0.05, 0.35,
    ),
    grooves=(
        (Beat("kick", "x...x...x...x...", 0.95, 0.4), Beat("clap", "....x.......x...", 0.6, 0.6),
         Beat("hat", "..x...x...x...x.", 0.42, 0.5, 0.15), Beat("hat", "o.o.o.o.o.o.o.oo", 0.2, 0.7, -0.3)),
        (Beat("kick", "x...x...x...x..o", 0.95, 0.4), Beat("snare", "....x.......x...", 0.42, 0.6),
         Beat("open hat", "..x...x...x...x.", 0.3, 0.65, 0.15), Beat("hat", "xoxoxoxoxoxoxoxo", 0.22, 0.5, -0.2)),
    ),
    loose=0.0, pump=0.6, hall_seconds=1.8, hall_gain=0.45, loudness=-13.5, tail_seconds=2.0,
)  # fmt: skip

AMBIENT = Style(
    tempo=(56, 72), modes=("lydian", "major", "dorian", "minor", "bright pentatonic"),
    progressions=((0, 4, 3, 0), (0, 3, 5, 4), (0, 1, 3, 0), (5, 3, 0, 4), (0, 2, 5, 3)), chord_size=4,
    leads=(
        Voice("glass", _SLOW, 0.40, 69, 0.25, 0.8, 0.4, 0.45),
        Voice("choir", _SLOW, 0.25, 62, -0.1, 0.8, 0.5),
        Voice("flute", _SLOW, 0.2, 67, 0.1, 0.8, 0.5, 0.3),
    ),
    layers=(
        Voice("pad", _HELD, 0.26, 48, 0.0, 0.5),
        Voice("strings", _HELD, 0.16, 57, 0.2, 0.6, 0.7),
        Voice("glass", ("0-------2-------", "0---2---1---3---", "0-----1-----2---"), 0.22, 64, -0.4, 0.8, 0.5, 0.4),
        Voice("harp", ("0-1-2-3-4-5-....", "0--2--4-..3-..1-"), 0.3, 57, 0.4, 0.7, 0.75),
    ),
    bass=Voice("sub", ("0---------------",), 0.42, 33, 0.0, 0.1, 0.2),
    grooves=(
        (Beat("sea", "x...............", 0.09),),
        (Beat("sea", "x...............", 0.09), Beat("soft kick", "x.......o.......", 0.28, 0.8)),
        (Beat("soft kick", "x..x............", 0.25, 0.7), Beat("rim", "..........o.....", 0.06, 0.7, 0.4)),
    ),
    loose=0.02, hall_seconds=3.4, hall_gain=0.9, loudness=-20.0, tail_seconds=5.0,
)  # fmt: skip

LOFI = Style(
    tempo=(70, 86), modes=("dorian", "hirajoshi", "minor", "bright pentatonic"),
    progressions=((1, 4, 0, 5), (3, 2, 1, 0), (0, 5, 1, 4), (5, 1, 4, 0), (0, 3, 1, 4)), chord_size=4, swing=0.18,
    leads=(
        Voice("koto", _SONG, 0.85, 64, 0.2, 0.35, 0.5),
        Voice("vibraphone", _SONG, 0.38, 65, -0.2, 0.4, 0.5),
        Voice("clarinet", _SLOW, 0.2, 60, 0.1, 0.35, 0.5),
    ),
    layers=(
        Voice("epiano", ("c-----..c-----..", "c---..c---..c-..", "c-------..c-----"), 0.24, 53, -0.15, 0.25),
        Voice("koto", ("....0-2-....3-1-", "0-1-2-3-........"), 0.3, 62, 0.5, 0.4, 0.75),
    ),
    bass=Voice("upright", ("0-----5-0---a---", "0---..0-5-----a-", "0-5-8-5-0-..a-.."), 0.52, 33, 0.0, 0.05, 0.4),
    grooves=(
        (Beat("vinyl", "x...............", 0.12), Beat("soft kick", "x.....x...x.....", 0.7, 0.4),
         Beat("lofi snare", "....x.......x...", 0.36, 0.4), Beat("hat", "x.o.x.o.x.o.x.oo", 0.18, 0.45, 0.2)),
        (Beat("vinyl", "x...............", 0.12), Beat("soft kick", "x..o......x..o..", 0.7, 0.4),
         Beat("lofi snare", "....x..o....x...", 0.36, 0.4), Beat("shaker", "o.x.o.x.o.x.o.x.", 0.16, 0.45, 0.3)),
        (Beat("vinyl", "x...............", 0.12), Beat("brush", "..o.x.o...o.x.oo", 0.3, 0.4, 0.2),
         Beat("soft kick", "x.......x.x.....", 0.6, 0.5)),
    ),
    loose=0.012, hall_seconds=1.0, hall_gain=0.4, loudness=-17.5,
)  # fmt: skip

WALTZ = Style(
    tempo=(96, 152), modes=("harmonic minor", "minor", "major"), beats=3, phrase=8,
    progressions=(
        (0, 0, 3, 4, 0, 5, 4, 0), (0, 3, 4, 0, 5, 3, 4, 4), (3, 3, 0, 0, 4, 4, 0, 0), (0, 5, 3, 4, 2, 5, 4, 4),
    ),
    leads=(
        Voice("accordion", _WALTZ, 0.26, 64, 0.15, 0.35, 0.5),
        Voice("clarinet", _WALTZ, 0.18, 60, -0.2, 0.4, 0.5),
        Voice("piano", _WALTZ, 0.36, 67, 0.1, 0.35, 0.5),
        Voice("music box", _WALTZ, 0.30, 72, 0.2, 0.5, 0.5),
    ),
    layers=(
        Voice("piano", ("....c-..c-..", "....c---c---", "....2-..c-.."), 0.22, 55, -0.3, 0.3),
        Voice("strings", ("c-----------",), 0.1, 57, 0.3, 0.5, 0.7),
        Voice("harp", ("0-1-2-3-2-1-",), 0.18, 57, 0.5, 0.4, 0.8),
    ),
    bass=Voice("piano", ("0-------....", "0---..5-....", "0-----......"), 0.42, 33, -0.1, 0.2),
    grooves=(
        (Beat("brush", "....o...o...", 0.25, 0.55, 0.2), Beat("soft kick", "x...........", 0.3, 0.6)),
        (Beat("hat", "....x...x...", 0.14, 0.6, 0.2), Beat("soft kick", "x...........", 0.3, 0.5),
         Beat("tambourine", "x...o...o...", 0.14, 0.8, -0.3)),
        (Beat("frame", "x...o...o...", 0.16, 0.6),),
    ),
    loose=0.01, hall_seconds=2.2, loudness=-18.0, tail_seconds=3.0,
)  # fmt: skip

HARBOUR = Style(
    tempo=(92, 126), modes=("hijaz", "harmonic minor"), progressions=_CADENCES,
    leads=(Voice("bouzouki", _LIVELY, 0.65, 64, 0.2, 0.35, 0.45), Voice("clarinet", _SONG, 0.19, 62, -0.2, 0.4, 0.5)),
    layers=(
        Voice("steel", ("..s-..s-..s-s-s-", "s-..s-..s-s-s-..", "..s-s-..s-..s-.."), 0.3, 53, -0.35),
        Voice("bouzouki", ("0-1-2-1-0-1-2-3-",), 0.35, 57, 0.5, 0.3, 0.75),
    ),
    bass=Voice("upright", ("0-----0-5-----a-", "0---5---0---5-a-"), 0.4, 33, 0.0, 0.08, 0.3),
    grooves=((Beat("frame", "x..x..x.x..x..x.", 0.34, 0.4), Beat("tambourine", "..x...x...x...x.", 0.24, 0.6, 0.3)),),
    hall_seconds=1.5,
)  # fmt: skip

ROCK = Style(
    tempo=(112, 138), modes=("mixolydian", "dark pentatonic"), progressions=((0, 0, 6, 3), (0, 3, 6, 0), (0, 6, 3, 4)),
    leads=(Voice("overdriven", _LIVELY, 0.30, 64, 0.15, 0.25, 0.5, 0.25),),
    layers=(
        Voice("crunch", ("c-c-..c-c-..c-c-", "c---..c-..c-c---"), 0.24, 40, -0.7, 0.1),
        Voice("crunch", ("c-c-..c-c-..c-c-", "c-......c-..c-c-"), 0.24, 45, 0.7, 0.1, 0.5),
        Voice("organ", _HELD, 0.10, 57, 0.2, 0.3, 0.8),
    ),
    bass=Voice("acid", ("0-0-0-0-0-0-0-0-", "0-0-..0-0-..5-a-"), 0.40, 33, 0.0, 0.0, 0.3), chord_size=3,
    grooves=(
        (Beat("kick", "x.......x.x.....", 0.8, 0.3), Beat("snare", "....x.......x...", 0.8, 0.3),
         Beat("hat", "x.x.x.x.x.x.x.x.", 0.35, 0.3, 0.2), Beat("open hat", "x...x...x...x...", 0.1, 0.85, 0.3)),
    ),
    hall_seconds=0.9, hall_gain=0.35, loudness=-14.0,
)  # fmt: skip

DUB = Style(
    tempo=(68, 76), modes=("minor", "dorian"), progressions=((0, 3, 0, 4), (0, 6, 0, 6), (0, 5, 3, 4)), swing=0.1,
    leads=(
        Voice("melodica", _SONG, 0.28, 64, 0.1, 0.4, 0.5, 0.55),
        Voice("clarinet", _SLOW, 0.26, 60, -0.1, 0.4, 0.5, 0.5),
    ),
    layers=(
        Voice("organ", ("..c...c...c...c.", "..cc..cc..cc..cc"), 0.20, 57, -0.25, 0.4, 0.0, 0.3),
        Voice("nylon", ("..s...s...s...s.",), 0.34, 60, 0.4, 0.3, 0.5, 0.4),
    ),
    bass=Voice("sub", ("0---..0-5---8-..", "0-..0-3-5-..0---"), 0.48, 33, 0.0, 0.0, 0.2),
    grooves=(
        (Beat("kick", "........x.......", 0.8, 0.4), Beat("rim", "........x.....o.", 0.55, 0.4),
         Beat("hat", "x.oxx.oxx.oxx.ox", 0.22, 0.4, 0.2)),
    ),
    hall_seconds=2.6, hall_gain=0.6, loudness=-16.0,
)  # fmt: skip
