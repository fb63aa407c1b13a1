"""A bound for what looking at one message may cost.

A policy's own expressions can be made so that each of their matches costs as much as reading hundreds of characters
with hundreds of states. So whoever has to answer for a message says how long it may take.
"""

from cumulet.kernel.clock import MACHINE


class TooExpensive(Exception):
    """A message was not looked at to its end; nobody knows what is in it."""


class Work:
    """What may still be done for one message, in one thread."""

    __slots__ = ("_ends",)

    def __init__(self, cpu_seconds: float) -> None:
        """Begin now."""
        self._ends = MACHINE.cpu_seconds() + cpu_seconds

    def check(self) -> None:
        """Raise TooExpensive when the time is over."""
        if MACHINE.cpu_seconds() > self._ends:
            raise TooExpensive
