"""The engine: server, library, downloads and sound, without a screen."""
