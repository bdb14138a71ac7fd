"""A catalogue of any size that is computed instead of stored (issue 4 point 3, big-library.md)."""
