"""The front door: HTTP in, to the right operation of the right service, and out again."""
