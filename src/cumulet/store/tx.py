"""What a transaction function gets to touch: one for writing, one for reading."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import apsw

from cumulet.store import Row, Value
from cumulet.store.sequence import Sequence


class Statements:
    """Runs statements on a connection, which keeps them prepared."""

    __slots__ = ("_changes", "_execute")

    def __init__(self, connection: apsw.Connection) -> None:
        self._execute = connection.execute
        self._changes = connection.changes

    def run(self, sql: str, *values: Value) -> int:
        """Execute a statement and return how many rows it changed."""
        self._execute(sql, values)
        return self._changes()

    def one(self, sql: str, *values: Value) -> Row | None:
        """Return the first row, or None."""
        return self._execute(sql, values).fetchone()

    def all(self, sql: str, *values: Value) -> list[Row]:
        """Return all rows."""
        return self._execute(sql, values).fetchall()


class WriteTx(Statements):
    """The transaction that all operations of a batch share."""

    __slots__ = ("callbacks", "next_id")

    def __init__(self, connection: apsw.Connection, sequence: Sequence) -> None:
        super().__init__(connection)
        self.next_id = sequence.next_id
        self.callbacks: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def after_commit(self, callback: Callable[..., None], *args: Any) -> None:
        """Call `callback(*args)` once the batch is on disk; never if the operation is undone."""
        self.callbacks.append((callback, args))


class ReadTx(Statements):
    """A snapshot of what is committed. Whatever would change something raises."""

    __slots__ = ()

    def next_id(self) -> int:
        """Refuse: an id would have to be reserved."""
        raise TypeError("a read can't take an id; use transact")

    def after_commit(self, callback: Callable[..., None], *args: Any) -> None:
        """Refuse: a read commits nothing."""
        raise TypeError("a read commits nothing; use transact")
