"""How it sounds: instruments, drums and the mixing of notes into samples."""
