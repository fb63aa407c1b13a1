"""How many messages of a queue are in flight, at most: known without counting them for each receive.

A receive adds what it took; deletes and timeouts subtract nothing. Only when the sum could pass the limit are the
messages counted, in the transaction of that receive, and the sum begins anew from there.
"""

from __future__ import annotations

import msgspec


class _Level(msgspec.Struct):
    bound: int
    """At most so many are in flight after the receives that have ended."""
    under_way: int = 0
    """How many the receives that have not ended may take."""


class InFlight:
    """The levels of all queues."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._levels: dict[int, _Level] = {}

    def begin(self, queue_id: int, most: int) -> int:
        """Note a receive of up to `most` messages, which must `end`; return the limit that it has to look after
        itself, 0 when it can't get there."""
        level = self._levels.get(queue_id)
        if level is None:  # what an earlier process has left in flight is not known
            level = self._levels[queue_id] = _Level(self._limit)
        level.under_way += most
        return self._limit if level.bound + level.under_way > self._limit else 0

    def end(self, queue_id: int, most: int, taken: int, counted: int | None) -> None:
        """Note that a receive took `taken` messages, having counted how many were in flight before, or not."""
        level = self._levels[queue_id]
        level.under_way -= most
        level.bound = (level.bound if counted is None else counted) + taken
