"""Fixtures of what must survive a bad network."""

from tests.engine.downloads.stream.conftest import listening, long_songs, real_time, song_server  # noqa: F401
