"""The log stays short, whatever the load."""

from __future__ import annotations

import asyncio
import time

import apsw
from notes import Run, put, texts

from cumulet.store.connection import PAGE_BYTES
from cumulet.store.sqlite import SqliteStore

LOG_PAGES = 200


def test_the_log_is_bounded_under_sustained_load(run: Run) -> None:
    async def scenario(store: SqliteStore) -> int:
        largest = 0

        async def client() -> None:
            nonlocal largest
            while store.stats().checkpoints < 5:
                await store.transact(put, "x", bytes(1000))
                largest = max(largest, store.stats().wal_bytes)

        await asyncio.gather(*(client() for _ in range(32)))
        return largest

    # Four times the length at which the writer is held, and what one pass takes.
    assert run(scenario, log_pages=LOG_PAGES) < 8 * LOG_PAGES * PAGE_BYTES


def test_the_log_starts_again_after_a_checkpoint(run: Run) -> None:
    async def scenario(store: SqliteStore) -> list[int]:
        lengths = []
        while store.stats().checkpoints == 0:
            await store.transact(put, "x", bytes(1000))
            lengths.append(store.stats().wal_bytes)
        await store.transact(put, "y")
        return [*lengths, store.stats().wal_bytes]

    lengths = run(scenario, log_pages=LOG_PAGES)
    assert max(lengths) >= LOG_PAGES * PAGE_BYTES
    assert lengths[-1] < max(lengths) / 2


def test_a_foreign_reader_delays_the_checkpoint_and_breaks_nothing(run: Run) -> None:
    async def scenario(store: SqliteStore) -> int:
        await store.transact(put, "first")
        reader = apsw.Connection(str(run.folder / "cumulet.db"))
        reader.execute("BEGIN; SELECT count(*) FROM notes").fetchall()
        while store.stats().checkpoints < 2:
            await store.transact(put, "x", bytes(1000))
        reader.close()
        checkpoints = store.stats().checkpoints
        while store.stats().checkpoints == checkpoints:
            await store.transact(put, "x", bytes(1000))
        await store.transact(put, "last")
        assert store.stats().wal_bytes < LOG_PAGES * PAGE_BYTES
        return len(await store.read(texts))

    assert run(scenario, log_pages=LOG_PAGES) > LOG_PAGES


def test_the_event_loop_goes_on_while_pages_are_copied(run: Run) -> None:
    """A callback that is due every turn is never kept waiting by the copying."""

    async def scenario(store: SqliteStore) -> float:
        longest = 0.0
        writing = [asyncio.create_task(write(store)) for _ in range(8)]
        while not all(task.done() for task in writing):
            before = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - before)
        return longest

    async def write(store: SqliteStore) -> None:
        while store.stats().checkpoints < 3:
            await store.transact(put, "x", bytes(1000))

    # Processor time of the loop's own thread, so that a busy machine doesn't count: copying would take more.
    assert run(scenario, log_pages=LOG_PAGES) < 0.05
