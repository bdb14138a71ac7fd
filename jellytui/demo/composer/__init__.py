"""Composes the demo's own small library: music, covers, lyrics and tags (issue 3, point 2)."""

from jellytui.demo.composer.library import compose

__all__ = ["compose"]
