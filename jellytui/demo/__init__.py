"""A Jellyfin-compatible server over a folder of music: to try the app on, and to test it against."""
