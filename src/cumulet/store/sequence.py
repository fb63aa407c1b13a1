"""The source of ids: numbers that only grow, also across a crash.

Numbers are handed out from a block that the table `sequences` reserves. The reservation is written by the first
transaction that needs a number of the block, so it is on disk no later than any result that holds one. When that
transaction is undone, so is the reservation: `reserved` goes back to what the table says and the next transaction
reserves again, above every number handed out so far.
"""

from __future__ import annotations

import apsw

BLOCK = 1024

SELECT_RESERVED = "SELECT reserved FROM sequences WHERE name = 'id'"
UPDATE_RESERVED = "UPDATE sequences SET reserved = ? WHERE name = 'id'"


class Sequence:
    """Hands out ids within the write transaction of `connection`."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        # Ids up to this one are reserved by the database as the running transaction sees it.
        self.reserved = int(connection.execute(SELECT_RESERVED).get)
        self._last = self.reserved

    def next_id(self) -> int:
        """Return a number greater than any before."""
        number = self._last + 1
        if number > self.reserved:
            reserved = number + BLOCK - 1
            self._connection.execute(UPDATE_RESERVED, (reserved,))
            self.reserved = reserved
        self._last = number
        return number
