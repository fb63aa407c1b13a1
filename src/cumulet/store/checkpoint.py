"""Checkpoints: the log's pages go into the database file, in a thread, before the log grows large.

The log starts again from its beginning only when a transaction finds all of it copied. Under load that moment never
comes by itself: commits append while pages are copied. So most is copied beside the running writer, and for the small
rest the writer is held for a few milliseconds. Operations that arrive meanwhile wait for the next batch.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import apsw

from cumulet.kernel.clock import MACHINE
from cumulet.store import errors
from cumulet.store.group_commit import GroupCommit
from cumulet.store.stats import Meter
from cumulet.store.worker import Worker

# 32 MiB: large enough that pages written often are copied once, small enough to recover in a moment after a crash.
LOG_PAGES = 4096
# The rest for which the writer is held is at most this part of the log: copied within a few milliseconds.
_SMALL_REST = 1 / 16
# A disk that can't keep up with the writer meets a held one when the log has grown to this many times its length.
_HOLD_AT = 4


class Checkpoints:
    """Keeps the log of one database short. Everything but the copying happens on the event loop."""

    def __init__(
        self,
        connection: apsw.Connection,
        folder: Path,
        worker: Worker,
        writer: GroupCommit,
        meter: Meter,
        *,
        log_pages: int,
    ) -> None:
        """Copy with `connection`, which nobody else uses, in `worker`, when the log has `log_pages`."""
        self._connection = connection
        self._folder = folder
        self._worker = worker
        self._writer = writer
        self._meter = meter
        self._log_pages = log_pages
        self._start_at_pages = log_pages
        self._pages = 0
        self._is_running = False
        self._held_at: float | None = None
        self._drained: list[asyncio.Future[None]] = []

    def notice(self, log_pages: int) -> None:
        """Take note of the log's length after a commit and start a checkpoint when it is due."""
        self._pages = log_pages
        if log_pages >= self._start_at_pages and not self._is_running:
            self._is_running = True
            self._copy()

    async def drain(self) -> None:
        """Return when no checkpoint runs; nobody must commit meanwhile."""
        if self._is_running:
            drained = asyncio.get_running_loop().create_future()
            self._drained.append(drained)
            await drained

    def _copy(self) -> None:
        self._worker.start(self._connection.wal_checkpoint, self._copied)

    def _copied(self, progress: tuple[int, int], error: Exception | None) -> None:
        if error is not None:
            self._failed(error)
            return
        _, copied = progress
        if self._held_at is not None:
            self._meter.checkpoints += 1
            # A foreign reader keeps the log from starting again: try when it has grown by as much again.
            self._end(self._log_pages if copied >= self._pages else self._pages + self._log_pages)
        elif self._pages - copied <= self._log_pages * _SMALL_REST or self._pages >= self._log_pages * _HOLD_AT:
            self._writer.hold(self._copy_rest)
        else:
            self._copy()

    def _copy_rest(self) -> None:
        self._held_at = MACHINE.monotonic()
        self._copy()

    def _failed(self, error: Exception) -> None:
        """Nothing is lost: the log still has the pages. But a disk that failed is not trusted with more."""
        if isinstance(error, apsw.CorruptError | apsw.NotADBError):
            self._writer.give_up(errors.found_damage(self._folder, error))
        elif isinstance(error, apsw.IOError):
            self._writer.give_up(errors.disk_failed(self._folder, error))
        elif not isinstance(error, apsw.FullError | apsw.BusyError | apsw.LockedError):
            asyncio.get_running_loop().call_exception_handler({"message": "a checkpoint failed", "exception": error})
        self._end(self._pages + self._log_pages)

    def _end(self, start_again_at_pages: int) -> None:
        self._start_at_pages = start_again_at_pages
        self._is_running = False
        if self._held_at is not None:
            pause_seconds = MACHINE.monotonic() - self._held_at
            self._meter.checkpoint_pause_seconds_max = max(self._meter.checkpoint_pause_seconds_max, pause_seconds)
            self._held_at = None
            self._writer.resume()
        for drained in self._drained:
            if not drained.done():
                drained.set_result(None)
        self._drained.clear()
