"""The transactional store: all state of the platform, on disk when `transact` returns.

Services use `Store` and `Tx` alone and never ask which engine is behind them. SQL is the part that SQLite and
PostgreSQL share, with `?` for parameters: no rowid, no INSERT OR REPLACE, no functions of one engine.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Value = int | float | str | bytes | None
Row = tuple[Any, ...]


class Tx(Protocol):
    """What a transaction function may touch. It may run twice and must touch nothing else."""

    def run(self, sql: str, *values: Value) -> int:
        """Execute a statement and return how many rows it changed."""

    def one(self, sql: str, *values: Value) -> Row | None:
        """Return the first row, or None."""

    def all(self, sql: str, *values: Value) -> list[Row]:
        """Return all rows."""

    def next_id(self) -> int:
        """Return a positive number greater than any returned before, also before a crash; gaps occur."""

    def after_commit(self, callback: Callable[..., None], *args: Any) -> None:
        """Call `callback(*args)` on the event loop once this transaction is on disk; never if it is undone."""


class Store(Protocol):
    """The store of one platform."""

    def transact(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Run `fn(tx, *args)` all or nothing; its value is there once the transaction is on disk.

        An exception of `fn` undoes its writes and is raised here. Raises `ServiceUnavailable` when the disk
        refuses: then nothing was written.
        """

    def read(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Run `fn(tx, *args)` on a snapshot of what is committed, waiting for no commit; it can't write."""
