"""Names of artists, albums and tracks from a number: the same each time, and some of them nasty."""

_MASK = (1 << 64) - 1

_FIRST = (
    "Silver", "Burning", "Quiet", "Northern", "Paper", "Electric", "Velvet", "Hollow", "Golden", "Broken", "Distant",
    "Little", "Midnight", "Crystal", "Wild", "Última", "Été", "Größer", "Żółty", "Ясный",
    "青い", "붉은", "Ελληνικά", "أزرق",
)  # fmt: skip
_SECOND = (
    "Rivers", "Machine", "Garden", "Signal", "Horses", "Harbour", "Letters", "Mountain", "Parade", "Engine", "Orchard",
    "Shadows", "Telegraph", "Weather", "Window", "Mañana", "Forêt", "Straße", "Noc", "Город",
    "夜", "바다", "Θάλασσα", "ليل",
)  # fmt: skip
_WORDS = (
    "Again", "After the Rain", "on Fire", "in Blue", "at Dawn", "for Two", "(Live)", "[Remastered 2011]", "pt. 2",
    "feat. Somebody Else", "— Interlude", "No. 9", "of Glass", "Revisited", "& Friends", "/ Coda",
)  # fmt: skip
_NASTY = (
    "\x1b]0;owned\x07", "\x1b[31m", "[bold red]", "\u202e", "\u200b", "\t", "\n", "👩‍👩‍👧‍👦", "e\u0301\u0323",
    "'; DROP TABLE tracks; --",
    "%00", "../../etc/passwd", "<script>", "   ", "\ufeff", "ﷺ",
)  # fmt: skip
_NASTY_EVERY = 97
_LONG_EVERY = 1009


def mixed(seed: int, kind: int, number: int) -> int:
    """A 64-bit number that looks random and follows from its arguments: SplitMix64."""
    state = (seed * 0x9E3779B97F4A7C15 + kind * 0xD1B54A32D192ED03 + number * 0x8CB92BA72F3D8DD7) & _MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
    return state ^ (state >> 31)


def artist_name(seed: int, number: int) -> str:
    """Unique: every other artist bears his number."""
    dice = mixed(seed, 1, number)
    article = "The " if dice % 5 == 0 else ""
    return _spoiled(f"{article}{_pick(_FIRST, dice >> 8)} {_pick(_SECOND, dice >> 16)} {number + 1}", number)


def album_name(seed: int, number: int) -> str:
    """Not unique: there are some hundred `Greatest Hits` too."""
    dice = mixed(seed, 2, number)
    if dice % 40 == 0:
        return "Greatest Hits"
    return _spoiled(f"{_pick(_SECOND, dice >> 8)} {_pick(_WORDS, dice >> 16)} {_pick(_FIRST, dice >> 24)}", number)


def track_name(seed: int, number: int) -> str:
    """Not unique either."""
    dice = mixed(seed, 3, number)
    return _spoiled(f"{_pick(_FIRST, dice >> 8)} {_pick(_SECOND, dice >> 16)} {_pick(_WORDS, dice >> 24)}", number)


def _pick(words: tuple[str, ...], dice: int) -> str:
    return words[dice % len(words)]


def _spoiled(name: str, number: int) -> str:
    if number % _LONG_EVERY == _LONG_EVERY - 1:
        return f"{name} and on " * 40
    if number % _NASTY_EVERY == _NASTY_EVERY - 1:
        return name + _pick(_NASTY, number // _NASTY_EVERY)
    return name
