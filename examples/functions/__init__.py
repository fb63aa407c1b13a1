"""Orders that run a function."""
