"""A log group as those who write into it see it."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import NamedTuple, Protocol


class LogEvent(NamedTuple):
    """One line, or several that belong together."""

    timestamp_ms: int
    message: str


class LogSink(Protocol):
    """Takes the log events of the platform's own parts."""

    def write(self, account: str, region: str, group: str, stream: str, events: Sequence[LogEvent]) -> Awaitable[None]:
        """Append events to a log stream, in this order, making group and stream where they are missing.

        The writing has begun when this returns, and reads that begin later see the events; the awaitable ends when
        they are on disk. Messages beyond the limit of an event (1 MiB with 26 bytes of overhead) are cut, empty ones
        left out.
        """
