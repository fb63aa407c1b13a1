"""A bound for what a policy's own expressions may cost.

Some are made so that each of their matches costs as much as reading hundreds of characters with hundreds of states. So
their searches are counted, as bytes times instructions of RE2, before they are made. Where they would cost too much,
everything from there on counts as found: data is rather hidden that isn't sensitive than shown that is.
"""

LEAST = 16_000_000
"""For small payloads; 60 ms at worst."""
PER_BYTE = 4_096
"""For large payloads; three seconds at worst for one of 256 KiB."""
SEARCH = 5_000
"""What a search costs however little it reads."""


class Work:
    """What may still be done for one message."""

    __slots__ = ("left",)

    def __init__(self, size_bytes: int) -> None:
        self.left = max(LEAST, PER_BYTE * size_bytes)

    def is_over(self, size_bytes: int, instructions: int) -> bool:
        """Count a search that reads so many bytes at most; return whether it may not be made any more."""
        self.left -= SEARCH + size_bytes * instructions
        return self.left < 0
