"""Finds the style sheets, in a wheel as in a checkout."""

from __future__ import annotations

from pathlib import Path


def styles_dir() -> Path:
    """The folder of the `.tcss` files (textual.md 2.3). Raises FileNotFoundError where they are missing."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "styles", package.parent / "styles"):  # wheel, then checkout
        if (folder / "app.tcss").is_file():
            return folder
    raise FileNotFoundError("jellytui: the style sheets are missing from this installation. Install it again.")
