"""A full disk is waited out; a failed one ends all writing until a restart."""

from __future__ import annotations

import asyncio

import apsw
import pytest
from faulty_disk import FaultyDisk, failed, faulty_disk
from notes import Run, put, texts

from cumulet.kernel.errors import ServiceUnavailable
from cumulet.store import Tx
from cumulet.store.sqlite import SqliteStore

FULL = failed(apsw.FullError, apsw.SQLITE_FULL)
FSYNC_FAILED = failed(apsw.IOError, apsw.SQLITE_IOERR_FSYNC)
WRITE_FAILED = failed(apsw.IOError, apsw.SQLITE_IOERR_WRITE)


def heal(disk: FaultyDisk) -> None:
    disk.write_error = disk.sync_error = None


def test_a_full_disk_fails_the_batch_and_recovers_when_there_is_space(run: Run) -> None:
    async def scenario(store: SqliteStore) -> list[str]:
        await store.transact(put, "before")
        disk.write_error = FULL
        results = await asyncio.gather(
            store.transact(put, "lost 1"), store.transact(put, "lost 2"), return_exceptions=True
        )
        assert [type(result) for result in results] == [ServiceUnavailable, ServiceUnavailable]
        assert str(run.folder) in str(results[0])
        assert "Free some space" in (store.degraded or "")
        assert await store.read(texts) == ["before"]
        heal(disk)
        await store.transact(put, "after")
        assert store.degraded is None
        return await store.read(texts)

    with faulty_disk() as disk:
        assert run(scenario, vfs=disk.name) == ["before", "after"]

    assert run(lambda store: store.read(texts)) == ["before", "after"]


def test_ids_of_a_failed_batch_are_not_used_again(run: Run) -> None:
    async def scenario(store: SqliteStore) -> None:
        first = await store.transact(put, "before")
        disk.write_error = FULL
        with pytest.raises(ServiceUnavailable):
            await store.transact(lambda tx: [tx.next_id() for _ in range(5000)])
        heal(disk)
        assert await store.transact(put, "after") > first + 5000

    with faulty_disk() as disk:
        run(scenario, vfs=disk.name)


def test_an_operation_that_finds_no_room_fails_its_batch(run: Run) -> None:
    """SQLite takes back the whole transaction when a statement finds the disk full."""

    async def scenario(store: SqliteStore) -> list[str]:
        pages = store._writer_connection.pragma("page_count")
        store._writer_connection.pragma("max_page_count", pages + 1)
        results = await asyncio.gather(
            store.transact(put, "small"), store.transact(put, "large", bytes(100_000)), return_exceptions=True
        )
        assert [type(result) for result in results] == [ServiceUnavailable, ServiceUnavailable]
        await store.transact(put, "small")
        return await store.read(texts)

    assert run(scenario) == ["small"]


@pytest.mark.parametrize("fault", ["sync", "write"])
def test_after_an_io_error_nothing_is_written_until_a_restart(run: Run, fault: str) -> None:
    async def scenario(store: SqliteStore) -> None:
        await store.transact(put, "before")
        if fault == "sync":
            disk.sync_error = FSYNC_FAILED
        else:
            disk.write_error = WRITE_FAILED
        failing = store.transact(put, "unknown")
        await asyncio.sleep(0)
        waiting = store.transact(put, "never")
        for future in (failing, waiting):
            with pytest.raises(ServiceUnavailable, match="restart"):
                await future
        heal(disk)
        with pytest.raises(ServiceUnavailable, match="restart"):
            await store.transact(put, "never")
        assert "restart" in (store.degraded or "")
        assert await store.read(texts) == ["before"]

    with faulty_disk() as disk:
        run(scenario, vfs=disk.name)

    kept = run(lambda store: store.read(texts))
    assert kept[0] == "before"
    assert "never" not in kept


def test_a_checkpoint_that_finds_the_disk_full_is_tried_again(run: Run) -> None:
    async def scenario(store: SqliteStore) -> None:
        disk.ending, disk.write_error = ".db", FULL
        for _ in range(4):
            await store.transact(put, "x", bytes(40_000))
        await store._checkpoints.drain()
        assert store.stats().checkpoints == 0
        heal(disk)
        while store.stats().checkpoints == 0:
            await store.transact(put, "x", bytes(40_000))
        assert store.degraded is None

    with faulty_disk() as disk:
        run(scenario, vfs=disk.name, log_pages=20)


def test_a_checkpoint_that_fails_ends_all_writing(run: Run) -> None:
    async def scenario(store: SqliteStore) -> None:
        disk.ending, disk.sync_error = ".db", FSYNC_FAILED
        with pytest.raises(ServiceUnavailable, match="restart"):
            for _ in range(1000):
                await store.transact(put, "x", bytes(40_000))
        heal(disk)

    with faulty_disk() as disk:
        run(scenario, vfs=disk.name, log_pages=20)
    assert run(lambda store: store.transact(put, "again")) > 0


def test_what_waits_when_the_disk_is_given_up_is_refused(run: Run) -> None:
    async def scenario(store: SqliteStore) -> None:
        waiting = store.transact(put, "waits")
        with pytest.raises(ServiceUnavailable, match="damaged"):
            await store.read(meet_damage)
        with pytest.raises(ServiceUnavailable, match="damaged"):
            await waiting

    def meet_damage(tx: Tx) -> None:
        raise apsw.CorruptError("on purpose")

    run(scenario)


def test_a_failure_is_logged_once(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(store: SqliteStore) -> None:
        disk.write_error = FULL
        for _ in range(3):
            with pytest.raises(ServiceUnavailable):
                await store.transact(put, "lost")
        heal(disk)

    with faulty_disk() as disk:
        run(scenario, vfs=disk.name)

    assert [record.levelname for record in caplog.records if record.name.startswith("cumulet.store")] == ["ERROR"]
