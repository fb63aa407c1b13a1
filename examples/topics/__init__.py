"""Claims on topics."""
