"""Our themes: calm, one accent; a dark one, a light one. Textual's own, `ansi-dark` among them, stay to be chosen."""

from __future__ import annotations

from collections.abc import Mapping

from textual.theme import Theme

DARK = Theme(
    name="jellytui",
    primary="#e3a857",
    secondary="#8fa3b0",
    accent="#e3a857",
    foreground="#d5d3cd",
    background="#14161a",
    surface="#1a1d22",
    panel="#22262d",
    success="#8db580",
    warning="#d9c077",
    error="#e07a6b",
    dark=True,
    variables={
        "text-dim": "#848994",
        "line": "#3a414b",
        "line-focus": "#7d684a",
        "cursor": "#282e37",
        "cursor-blurred": "#1f2329",
    },
)

LIGHT = Theme(
    name="jellytui-light",
    primary="#a85b00",
    secondary="#4f6475",
    accent="#a85b00",
    foreground="#2b2a27",
    background="#faf8f4",
    surface="#f2efe8",
    panel="#e8e4da",
    success="#3f7a35",
    warning="#8a6d00",
    error="#b23a2c",
    dark=False,
    variables={
        "text-dim": "#77736a",
        "line": "#d3cdc0",
        "line-focus": "#c79a62",
        "cursor": "#e6dcc8",
        "cursor-blurred": "#eeeae0",
    },
)

OURS = (DARK, LIGHT)

FALLBACKS: Mapping[str, str] = {
    "text-dim": "ansi_bright_black",
    "line": "ansi_bright_black",
    "line-focus": "ansi_bright_black",
    "cursor": "ansi_blue",
    "cursor-blurred": "ansi_bright_black",
}
"""What Textual's own themes lack of our names; those with true colours derive them (`variables_of`)."""


def variables_of(theme: Theme) -> dict[str, str]:
    """Our style variables for a theme that does not define them itself."""
    if theme.name.startswith("ansi"):
        return {**FALLBACKS, **theme.variables}
    surface, panel = theme.surface or theme.background, theme.panel or theme.surface
    return {
        "text-dim": _mix(theme),
        "line": panel or "ansi_bright_black",
        "line-focus": theme.primary,
        "cursor": panel or "ansi_blue",
        "cursor-blurred": surface or "ansi_bright_black",
        **theme.variables,
    }


def _mix(theme: Theme) -> str:
    """Foreground half way to background, for what is secondary."""
    from textual.color import Color

    background = Color.parse(theme.background or ("#101010" if theme.dark else "#f8f8f8"))
    foreground = Color.parse(theme.foreground or ("#e0e0e0" if theme.dark else "#202020"))
    return background.blend(foreground, 0.55).hex


def start_theme(wanted: str, environment: Mapping[str, str]) -> str:
    """The theme to start with: the configured one, else an ANSI one where colours are few or unwanted, else ours.

    NO_COLOR on a true-colour theme only turns to grey (textual.md 4), so it takes the ANSI theme, which is bold and
    reverse only.
    """
    if "NO_COLOR" in environment:
        return "ansi-dark"
    if wanted:
        return wanted
    if environment.get("TERM", "") in ("linux", "vt100", "vt220", "ansi", "screen", "xterm"):
        return "ansi-dark"
    return DARK.name
