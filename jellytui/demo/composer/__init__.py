"""Composes the demo's own small library: music, covers, lyrics and tags (issue 3, point 2)."""
