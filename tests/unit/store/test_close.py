from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from notes import NOTES, Run, put, texts

from cumulet.kernel.errors import ServiceUnavailable
from cumulet.store.sqlite import SqliteStore


def test_operations_that_wait_are_finished_by_close(run: Run) -> None:
    async def scenario(store: SqliteStore) -> None:
        waiting = [store.transact(put, str(number)) for number in range(3)]
        closing = asyncio.create_task(store.close())
        assert sorted(await asyncio.gather(*waiting)) == await asyncio.gather(*waiting)
        await closing

    run(scenario)

    assert run(lambda store: store.read(texts)) == ["0", "1", "2"]


def test_a_closed_store_refuses_operations_and_may_be_closed_again(run: Run) -> None:
    async def scenario(store: SqliteStore) -> None:
        await store.close()
        with pytest.raises(ServiceUnavailable, match="shutting down"):
            await store.transact(put, "late")
        with pytest.raises(ServiceUnavailable, match="shutting down"):
            await store.read(texts)
        await store.close()

    run(scenario)


def test_a_closed_store_leaves_one_file_and_no_thread(run: Run) -> None:
    threads = threading.active_count()

    run(lambda store: store.transact(put, "a"))

    assert sorted(path.name for path in run.folder.iterdir()) == ["cumulet.db", "lock"]
    assert threading.active_count() == threads


def test_close_waits_for_a_checkpoint(run: Run) -> None:
    async def scenario(store: SqliteStore) -> None:
        for _ in range(4):
            await store.transact(put, "x", bytes(40_000))

    run(scenario, log_pages=20)

    assert len(run(lambda store: store.read(texts))) == 4


def test_a_store_that_fails_to_open_leaves_no_thread_and_no_lock(tmp_path: Path) -> None:
    threads = threading.active_count()
    (tmp_path / "cumulet.db").write_bytes(b"x" * 100)

    async def opened() -> None:
        with pytest.raises(Exception, match="damaged"):
            SqliteStore.open(tmp_path, schemas=[NOTES])

    asyncio.run(opened())
    (tmp_path / "cumulet.db").unlink()

    assert threading.active_count() == threads
    assert Run(tmp_path)(lambda store: store.read(texts)) == []
