"""What is played: keys, chords, melodies and the form of a piece, as notes."""
