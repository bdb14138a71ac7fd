"""jellytui: a terminal music player for Jellyfin that keeps playing when the network does not."""

__version__ = "0.1.0"
