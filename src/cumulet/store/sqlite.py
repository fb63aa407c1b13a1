"""The store of one machine: SQLite in WAL mode, one writer with group commit, snapshot reads beside it.

One folder holds everything. The parts: `group_commit` writes, `checkpoint` keeps the log short, `migrations` brings
the tables up to date, `inspection` refuses a damaged database before anything is touched, `lock` keeps others out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Concatenate, Literal, ParamSpec, Self, TypeVar

import apsw

from cumulet.kernel.errors import ServiceUnavailable
from cumulet.store import Tx, errors, folders
from cumulet.store.checkpoint import LOG_PAGES, Checkpoints
from cumulet.store.connection import PAGE_BYTES, connect, connect_reader
from cumulet.store.group_commit import GroupCommit
from cumulet.store.inspection import inspect
from cumulet.store.lock import FolderLock
from cumulet.store.migrations import migrate
from cumulet.store.schema import Schema
from cumulet.store.stats import Meter, StoreStats
from cumulet.store.tx import ReadTx
from cumulet.store.worker import Worker

P = ParamSpec("P")
T = TypeVar("T")

DATABASE = "cumulet.db"

Durability = Literal["full", "relaxed"]

_WRITER_CACHE_KIB = 24 * 1024
_READER_CACHE_KIB = 4 * 1024
_CHECKPOINT_CACHE_KIB = 256


class SqliteStore:
    """A `Store` in a folder of this machine. Use it on the event loop on which it was opened."""

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        schemas: Sequence[Schema],
        durability: Durability = "full",
        log_pages: int = LOG_PAGES,
        vfs: str | None = None,
    ) -> Self:
        """Open the store in `folder`, making it if it is missing, and apply what its schemas lack.

        `durability="relaxed"` survives a killed process, but not a power cut. The log is copied into the database
        when it has `log_pages` of 8 KiB. Raises StoreError, with nothing changed, when another process has the
        folder, a file is damaged or a newer version wrote it.
        """
        try:
            with ExitStack() as undo:
                folders.make(folder)
                lock = FolderLock(folder)
                undo.callback(lock.release)
                file = folder / DATABASE
                schemas = [Schema.of_package("cumulet.store"), *schemas]
                inspect(file, schemas)
                is_new = not file.exists()
                # SQLite gives the files beside it the same mode.
                file.touch(mode=0o600)
                writer = connect(file, durability=durability, cache_kib=_WRITER_CACHE_KIB, vfs=vfs)
                undo.callback(writer.close)
                migrate(writer, schemas)
                reader = connect_reader(file, cache_kib=_READER_CACHE_KIB, vfs=vfs)
                undo.callback(reader.close)
                copier = connect(file, durability=durability, cache_kib=_CHECKPOINT_CACHE_KIB, vfs=vfs)
                undo.callback(copier.close)
                if is_new:
                    folders.sync(folder)
                is_relaxed = durability == "relaxed"
                store = cls(folder, lock, writer, reader, copier, is_relaxed=is_relaxed, log_pages=log_pages)
                undo.pop_all()
                return store
        except apsw.Error as error:
            raise errors.refused(error, folder) from error
        except OSError as error:
            raise errors.StoreError(
                f"the data folder {folder} can't be used ({error.strerror}); choose another"
            ) from error

    def __init__(
        self,
        folder: Path,
        lock: FolderLock,
        writer: apsw.Connection,
        reader: apsw.Connection,
        copier: apsw.Connection,
        *,
        is_relaxed: bool,
        log_pages: int,
    ) -> None:
        """Take over what `open` opened."""
        self._folder = folder
        self._lock = lock
        self._connections = (copier, reader, writer)
        self._writer_connection = writer
        self._read_connection = reader
        self._read_tx = ReadTx(reader)
        self._meter = Meter()
        self._loop = asyncio.get_running_loop()
        self._commit_worker = None if is_relaxed else Worker("cumulet-commit", self._loop)
        self._copy_worker = Worker("cumulet-checkpoint", self._loop)
        self._writer = GroupCommit(
            writer, folder, self._loop, self._meter, worker=self._commit_worker, on_commit=self._measure_log
        )
        self._checkpoints = Checkpoints(
            copier, folder, self._copy_worker, self._writer, self._meter, log_pages=log_pages
        )
        self._closing: asyncio.Task[None] | None = None
        # Not a method of ours that calls it: a send pays for every call on its way.
        self.transact = self._writer.transact
        """Run `fn(tx, *args)` as `Store.transact` says."""

    def read(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Run `fn(tx, *args)` now on a snapshot of what is committed; the answer is there already."""
        answer: asyncio.Future[T] = self._loop.create_future()
        try:
            answer.set_result(self._read(fn, *args, **kwargs))
        except StopIteration as error:
            answer.set_exception(RuntimeError(f"a transaction function raised {error!r}"))
        except Exception as error:
            answer.set_exception(error)
        return answer

    def _read(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        execute = self._read_connection.execute
        try:
            execute("BEGIN")
            try:
                return fn(self._read_tx, *args, **kwargs)
            finally:
                execute("COMMIT")
        except (apsw.CorruptError, apsw.NotADBError) as error:
            self._writer.give_up(errors.found_damage(self._folder, error))
            raise ServiceUnavailable(errors.found_damage(self._folder, error)) from error
        except apsw.ConnectionClosedError:
            raise ServiceUnavailable("the store is shutting down") from None
        except apsw.IOError as error:
            raise ServiceUnavailable(errors.unreadable(self._folder, error)) from error

    @property
    def degraded(self) -> str | None:
        """Return why the store takes no writes, or None while it does."""
        return self._writer.failure or self._writer.trouble

    def stats(self) -> StoreStats:
        """Return counters for the health page and benchmarks."""
        return self._meter.stats()

    async def close(self) -> None:
        """Finish what was begun, refuse what comes, and leave a folder that another process may open."""
        if self._closing is None:
            self._writer.close()
            self._closing = self._loop.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self._writer.drain()
        await self._checkpoints.drain()
        disconnected = self._loop.create_future()
        self._copy_worker.start(self._disconnect, lambda _, error: disconnected.set_result(error))
        error = await disconnected
        self._copy_worker.stop()
        if self._commit_worker is not None:
            self._commit_worker.stop()
        self._lock.release()
        if error is not None:
            raise error

    def _disconnect(self) -> None:
        if self._writer.failure is None:
            # The last connection to close copies the log and removes it.
            self._writer_connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
        for connection in self._connections:
            connection.close()

    def _measure_log(self) -> None:
        pages, _ = self._writer_connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
        self._meter.wal_bytes = pages * PAGE_BYTES
        self._checkpoints.notice(pages)
