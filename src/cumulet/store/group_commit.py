"""Group commit: the operations that arrive while a commit is on its way to the disk share the next one.

Operations run on the event loop in one transaction; only COMMIT, which waits for the disk, runs in a thread. When one
fails after it has written, the batch runs again with a savepoint for each: an operation may run twice.
Nothing leaves before the disk has confirmed it, not even an exception: it may rest on what another operation of the
same batch wrote. A failed commit therefore fails every operation of its batch.
A batch that wrote nothing is committed on the spot.

While the disk is full the store refuses writes and tries again with each batch. After an I/O error nobody knows what
the disk holds of the last commit (the kernel drops pages that it could not write), so no write is taken any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import apsw

from cumulet.kernel.clock import MACHINE
from cumulet.kernel.errors import ServiceUnavailable
from cumulet.store import Tx, errors
from cumulet.store.sequence import Sequence
from cumulet.store.stats import Meter
from cumulet.store.tx import WriteTx
from cumulet.store.worker import Worker

P = ParamSpec("P")
T = TypeVar("T")

_LOG = logging.getLogger(__name__)

# A batch ends here although more operations wait, so that the loop can serve connections.
BATCH_OPERATIONS = 512
BATCH_SECONDS = 0.004

_Operation = tuple["asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...], dict[str, Any]]
_Outcome = tuple["asyncio.Future[Any]", Any, "Exception | None"]


class GroupCommit:
    """The one writer of a database."""

    def __init__(
        self,
        connection: apsw.Connection,
        folder: Path,
        loop: asyncio.AbstractEventLoop,
        meter: Meter,
        *,
        worker: Worker | None,
        on_commit: Callable[[], None],
    ) -> None:
        """Write to `connection`; without `worker`, COMMIT runs on the loop. `on_commit` is called after each."""
        self._connection = connection
        self._folder = folder
        self._loop = loop
        self._meter = meter
        self._worker = worker
        self._on_commit = on_commit
        self._sequence = Sequence(connection)
        self._tx = WriteTx(connection, self._sequence)
        self._waiting: deque[_Operation] = deque()
        self._outcomes: list[_Outcome] = []
        self._reserved_before = self._sequence.reserved
        # True from the moment a batch is due until no operation waits.
        self._busy = False
        self._is_committing = False
        self._held = False
        self._when_held: Callable[[], None] | None = None
        self._drained: list[asyncio.Future[None]] = []
        # Why no operation is taken any more: the store is closed, or `failure`.
        self._refusal: str | None = None
        # Why the disk is not trusted any more, until a restart.
        self.failure: str | None = None
        # What went wrong with the last batch and may be gone with the next one.
        self.trouble: str | None = None

    def transact(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Have `fn` run in the next batch. One that is cancelled before it began is not run."""
        future: asyncio.Future[T] = self._loop.create_future()
        if self._refusal is not None:
            future.set_exception(ServiceUnavailable(self._refusal))
            return future
        self._waiting.append((future, fn, args, kwargs))
        if not self._busy:
            # Not at once: all requests that this turn of the loop parses are to share the commit.
            self._busy = True
            self._loop.call_soon(self._run_batch)
        return future

    def give_up(self, reason: str) -> None:
        """Write nothing any more, because of `reason`, not even what waits."""
        _LOG.critical(reason)
        self.failure = self._refusal = reason

    def close(self) -> None:
        """Take no more operations; those that wait are finished."""
        self._refusal = self._refusal or "the store is shutting down"

    def hold(self, then: Callable[[], None]) -> None:
        """Call `then` as soon as no commit is on its way, and begin no batch before `resume`."""
        self._when_held = then
        if not self._is_committing:
            self._busy = True
            self._go_on()

    def resume(self) -> None:
        """Go on with the operations that arrived meanwhile."""
        self._held = False
        self._go_on()

    async def drain(self) -> None:
        """Return when no operation waits or runs."""
        if self._busy:
            drained = self._loop.create_future()
            self._drained.append(drained)
            await drained

    def _run_batch(self) -> None:
        if self._held or self._is_committing:
            # A pause came between; whoever ends it, or the commit, goes on.
            return
        if self.failure is not None:
            self._refuse_waiting(self.failure)
            return
        self._reserved_before = self._sequence.reserved
        try:
            self._connection.execute("BEGIN")
            self._run_operations()
            wrote = self._connection.txn_state("main") == apsw.SQLITE_TXN_WRITE
            if not wrote or self._worker is None:
                seconds = self._commit()
        except Exception as error:
            self._committed(0.0, error)
        except BaseException as error:
            self._committed(0.0, RuntimeError(f"interrupted by {error!r}"))
            raise
        else:
            if not wrote:
                self._acknowledge()
            elif self._worker is None:
                self._committed(seconds, None)
            else:
                self._is_committing = True
                self._worker.start(self._commit, self._committed)

    def _run_operations(self) -> None:
        """Run what waits, without savepoints: they cost as much as an insert, and hardly any operation needs one."""
        connection, tx, callbacks = self._connection, self._tx, self._tx.callbacks
        waiting, outcomes = self._waiting, self._outcomes
        taken: list[_Operation] = []
        now = MACHINE.monotonic
        end = now() + BATCH_SECONDS
        while waiting:
            operation = waiting.popleft()
            future, fn, args, kwargs = operation
            if future.cancelled():
                continue
            taken.append(operation)
            changes, callbacks_before = connection.total_changes(), len(callbacks)
            # Before anything can fail: whatever happens, this future gets an answer.
            outcomes.append((future, None, None))
            try:
                outcomes[-1] = (future, fn(tx, *args, **kwargs), None)
            except Exception as error:
                refusal = self._refusal_of(error)
                if connection.total_changes() != changes:
                    self._start_over(taken)
                    return
                del callbacks[callbacks_before:]
                outcomes[-1] = (future, None, refusal)
            if len(outcomes) >= BATCH_OPERATIONS or now() >= end:
                return

    def _start_over(self, operations: list[_Operation]) -> None:
        """Run the batch again, each operation in its own savepoint: one of them failed after it had written."""
        execute, sequence, callbacks, outcomes = (
            self._connection.execute,
            self._sequence,
            self._tx.callbacks,
            self._outcomes,
        )
        execute("ROLLBACK")
        execute("BEGIN")
        sequence.reserved = self._reserved_before
        callbacks.clear()
        outcomes[:] = [(future, None, None) for future, *_ in operations]
        for number, (future, fn, args, kwargs) in enumerate(operations):
            reserved, callbacks_before = sequence.reserved, len(callbacks)
            execute("SAVEPOINT operation")
            try:
                outcomes[number] = (future, fn(self._tx, *args, **kwargs), None)
            except Exception as error:
                outcomes[number] = (future, None, self._refusal_of(error))
                execute("ROLLBACK TO operation")
                del callbacks[callbacks_before:]
                sequence.reserved = reserved
            execute("RELEASE operation")

    def _refusal_of(self, error: Exception) -> Exception:
        """Return what the caller of a failed operation sees; raise what ends the whole batch."""
        if (
            isinstance(error, apsw.IOError | apsw.CorruptError | apsw.NotADBError)
            or not self._connection.in_transaction
        ):
            raise error
        if isinstance(error, StopIteration):
            # A future refuses it, as it would end the generator that awaits.
            return RuntimeError(f"a transaction function raised {error!r}")
        if isinstance(error, apsw.FullError):
            return ServiceUnavailable(errors.disk_full(self._folder))
        if isinstance(error, apsw.BusyError):
            return ServiceUnavailable(errors.busy(self._folder))
        return error

    def _commit(self) -> float:
        started = MACHINE.monotonic()
        self._connection.execute("COMMIT")
        return MACHINE.monotonic() - started

    def _committed(self, seconds: float, error: Exception | None) -> None:
        self._is_committing = False
        if error is not None:
            self._fail(error)
            return
        self.trouble = None
        self._meter.commits += 1
        self._meter.commit_seconds.append(seconds)
        self._on_commit()
        self._acknowledge()

    def _acknowledge(self) -> None:
        outcomes, self._outcomes = self._outcomes, []
        callbacks = self._tx.callbacks[:]
        self._tx.callbacks.clear()
        self._meter.operations += len(outcomes)
        for callback, args in callbacks:
            try:
                callback(*args)
            except Exception as error:
                self._loop.call_exception_handler(
                    {"message": f"{callback!r} failed after a commit", "exception": error}
                )
        for future, value, raised in outcomes:
            if future.done():
                continue
            if raised is None:
                future.set_result(value)
            else:
                future.set_exception(raised)
        self._go_on()

    def _fail(self, error: Exception) -> None:
        """Undo the batch and fail all its operations."""
        self._meter.failed_commits += 1
        self._roll_back()
        self._sequence.reserved = self._reserved_before
        self._tx.callbacks.clear()
        reason = self._explain(error)
        outcomes, self._outcomes = self._outcomes, []
        for future, _, _ in outcomes:
            if not future.done():
                failure = ServiceUnavailable(reason)
                failure.__cause__ = error
                future.set_exception(failure)
        self._go_on()

    def _refuse_waiting(self, reason: str) -> None:
        waiting, self._waiting = self._waiting, deque()
        for future, *_ in waiting:
            if not future.done():
                future.set_exception(ServiceUnavailable(reason))
        self._go_on()

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except apsw.Error as error:
            self.give_up(errors.disk_failed(self._folder, error))

    def _explain(self, error: Exception) -> str:
        """Return what the callers read, and remember what it means for the next batches."""
        if isinstance(error, apsw.FullError):
            reason = errors.disk_full(self._folder)
            if self.trouble is None:
                _LOG.error(reason)
            self.trouble = reason
            return reason
        if isinstance(error, apsw.BusyError):
            return errors.busy(self._folder)
        if isinstance(error, apsw.CorruptError | apsw.NotADBError):
            self.give_up(errors.found_damage(self._folder, error))
        elif isinstance(error, apsw.IOError):
            self.give_up(errors.disk_failed(self._folder, error))
        else:
            self._loop.call_exception_handler({"message": "a commit failed", "exception": error})
        return self.failure or f"the store failed to commit ({error}); nothing was written"

    def _go_on(self) -> None:
        """Begin what comes after a batch or a pause."""
        if self._when_held is not None:
            then, self._when_held = self._when_held, None
            self._held = True
            then()
        elif self._waiting:
            self._loop.call_soon(self._run_batch)
        else:
            self._busy = False
            for drained in self._drained:
                if not drained.done():
                    drained.set_result(None)
            self._drained.clear()
