"""Keys: bindings made from the registry, the user's own keys laid over them, and how a key is written for people."""

from __future__ import annotations

from collections.abc import Mapping

from textual.binding import Binding
from textual.keys import format_key

from jellytui.tui.actions import ACTIONS, Place, actions_at

UNBOUND = "unbound"
"""Bound to what the user switched off; no terminal sends a key of this name."""

_WRITTEN = {
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "greater_than_sign": ">",
    "less_than_sign": "<",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "full_stop": ".",
    "comma": ",",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "escape": "esc",
    "shift+tab": "S-tab",
    "enter": "enter",
    "tab": "tab",
    "space": "space",
    "backspace": "backspace",
    "delete": "del",
}
_NAMED = {sign: name for name, sign in _WRITTEN.items()}


class KeyClashError(Exception):
    """The user's keys cannot be used; the text names the action, the key and what is in the way."""


class Keymap:
    """Which keys start which action: the registry's, unless the `[keys]` of config.toml say otherwise.

    A value there is one key or several with commas between, as people write them ("ctrl+d", "?"); an empty string
    unbinds. Raises KeyClashError for an unknown action or a key given twice in one place.
    """

    def __init__(self, own: Mapping[str, str | None]) -> None:
        unknown = sorted(set(own) - set(ACTIONS))
        if unknown:
            raise KeyClashError(f"[keys] knows no action {unknown[0]!r}. They are: {', '.join(ACTIONS)}.")
        self._own = {name: _split(keys) for name, keys in own.items()}
        self._check()

    def keys(self, name: str) -> tuple[str, ...]:
        """The keys of an action, by Textual's names."""
        return self._own.get(name, ACTIONS[name].keys)

    def written(self, name: str) -> str:
        """The first key of an action as people write it; empty without a key."""
        keys = self.keys(name)
        return write_key(keys[0]) if keys else ""

    def all_written(self, name: str) -> str:
        """All keys of an action as people write them: "a e"."""
        return " ".join(write_key(key) for key in self.keys(name))

    def overrides(self) -> dict[str, str]:
        """What Textual's `App.set_keymap` wants: the user's keys by binding id."""
        return {name: ",".join(keys) or UNBOUND for name, keys in self._own.items()}

    def _check(self) -> None:
        for place in ("everywhere", "library", "search", "downloads", "playing", "queue"):
            taken: dict[str, str] = {}
            for action in actions_at(place):
                for key in self.keys(action.name):
                    if other := taken.get(key):
                        raise KeyClashError(
                            f"[keys] {action.name}: {write_key(key)} is already {other}. "
                            f'Give one of them another key, or "" for none.'
                        )
                    taken[key] = action.name


def bindings(place: Place) -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """The bindings of one place; their ids are the actions' names."""
    return [
        Binding(
            ",".join(action.keys) or UNBOUND, f"app.perform('{action.name}')", action.title, show=False, id=action.name
        )
        for action in actions_at(place)
    ]


def write_key(key: str) -> str:
    """A key by Textual's name as people write it: "/" for "slash", "C-d" for "ctrl+d"."""
    if written := _WRITTEN.get(key):
        return written
    if key.startswith("ctrl+"):
        return f"C-{key.removeprefix('ctrl+')}"
    return key if len(key) == 1 else format_key(key)


def _split(keys: str | None) -> tuple[str, ...]:
    """Textual's names of the keys in a line of config.toml."""
    words = [word.strip() for word in (keys or "").split(",")]
    return tuple(_NAMED.get(word, word) for word in words if word)
