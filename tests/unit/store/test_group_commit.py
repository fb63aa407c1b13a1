from __future__ import annotations

import asyncio
from typing import Any

import pytest
from notes import Run, put, texts

from cumulet.store import Tx
from cumulet.store.group_commit import BATCH_OPERATIONS
from cumulet.store.sqlite import SqliteStore


def put_and_fail(tx: Tx, text: str) -> None:
    put(tx, text)
    raise LookupError(text)


def test_operations_of_one_turn_of_the_loop_share_a_commit(run: Run) -> None:
    async def scenario(store: SqliteStore) -> int:
        before = store.stats().commits
        await asyncio.gather(*(store.transact(put, str(number)) for number in range(50)))
        return store.stats().commits - before

    assert run(scenario) == 1


def test_operations_that_arrive_during_a_commit_are_the_next_batch(run: Run) -> None:
    async def scenario(store: SqliteStore) -> list[str]:
        first = store.transact(put, "first")
        await asyncio.sleep(0)
        second = store.transact(put, "second")
        await asyncio.gather(first, second)
        assert store.stats().commits == 2
        return await store.read(texts)

    assert run(scenario) == ["first", "second"]


def test_a_batch_ends_so_that_the_loop_can_breathe(run: Run) -> None:
    async def scenario(store: SqliteStore) -> int:
        await asyncio.gather(*(store.transact(put, "x") for _ in range(BATCH_OPERATIONS + 1)))
        return store.stats().commits

    assert run(scenario) >= 2


def test_an_exception_undoes_its_operation_alone(run: Run) -> None:
    async def scenario(store: SqliteStore) -> list[str]:
        results = await asyncio.gather(
            store.transact(put, "before"),
            store.transact(put_and_fail, "failed"),
            store.transact(put, "after"),
            return_exceptions=True,
        )
        assert isinstance(results[1], LookupError)
        return await store.read(texts)

    assert run(scenario) == ["before", "after"]


def test_an_operation_sees_what_the_ones_before_it_in_the_batch_wrote(run: Run) -> None:
    async def scenario(store: SqliteStore) -> Any:
        return await asyncio.gather(store.transact(put, "a"), store.transact(texts))

    assert run(scenario)[1] == ["a"]


def test_a_batch_that_wrote_nothing_is_answered_without_a_commit(run: Run) -> None:
    async def scenario(store: SqliteStore) -> int:
        assert await store.transact(texts) == []
        return store.stats().commits

    assert run(scenario) == 0


@pytest.mark.parametrize("durability", ["full", "relaxed"])
def test_what_was_acknowledged_is_read_after_a_restart(run: Run, durability: str) -> None:
    async def write(store: SqliteStore) -> None:
        await store.transact(put, "kept", b"\x00\xff")

    run(write, durability=durability)

    assert run(lambda store: store.read(texts)) == ["kept"]


def test_keyword_arguments_reach_the_function(run: Run) -> None:
    async def scenario(store: SqliteStore) -> list[str]:
        await store.transact(put, text="named")
        return await store.read(texts)

    assert run(scenario) == ["named"]


def test_after_commit_runs_in_order_and_before_the_caller_goes_on(run: Run) -> None:
    seen: list[str] = []

    def noted(tx: Tx, text: str) -> None:
        put(tx, text)
        tx.after_commit(seen.append, text)
        assert seen == []

    async def scenario(store: SqliteStore) -> None:
        await asyncio.gather(store.transact(noted, "a"), store.transact(noted, "b"))
        assert seen == ["a", "b"]

    run(scenario)


def test_after_commit_is_dropped_with_its_operation(run: Run) -> None:
    seen: list[str] = []

    def noted(tx: Tx, text: str, *, fails: bool) -> None:
        tx.after_commit(seen.append, text)
        if fails:
            raise LookupError

    async def scenario(store: SqliteStore) -> None:
        await asyncio.gather(
            store.transact(noted, "good", fails=False), store.transact(noted, "bad", fails=True), return_exceptions=True
        )

    run(scenario)

    assert seen == ["good"]


def test_a_callback_that_fails_is_reported_and_harms_nobody(run: Run) -> None:
    reported: list[dict[str, Any]] = []

    def fail() -> None:
        raise ValueError

    def noted(tx: Tx) -> str:
        tx.after_commit(fail)
        return "done"

    async def scenario(store: SqliteStore) -> str:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        return await store.transact(noted)

    assert run(scenario) == "done"
    assert [type(context["exception"]) for context in reported] == [ValueError]


def test_a_cancelled_caller_does_not_disturb_the_batch(run: Run) -> None:
    async def scenario(store: SqliteStore) -> list[str]:
        async def write(text: str) -> None:
            await store.transact(put, text)

        tasks = [asyncio.create_task(write(text)) for text in ("a", "b", "c")]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert [task.cancelled() for task in tasks] == [True, True, False]
        return await store.read(texts)

    assert "c" in run(scenario)


def test_an_operation_that_is_cancelled_before_its_batch_is_not_run(run: Run) -> None:
    async def scenario(store: SqliteStore) -> list[str]:
        store.transact(put, "cancelled").cancel()
        await store.transact(put, "kept")
        return await store.read(texts)

    assert run(scenario) == ["kept"]


def test_stop_iteration_reaches_the_caller_as_a_runtime_error(run: Run) -> None:
    async def scenario(store: SqliteStore) -> None:
        with pytest.raises(RuntimeError, match="StopIteration"):
            await store.transact(lambda tx: next(iter(())))
        with pytest.raises(RuntimeError, match="StopIteration"):
            await store.read(lambda tx: next(iter(())))

    run(scenario)


def test_run_returns_the_number_of_changed_rows_and_one_the_first(run: Run) -> None:
    def scenario_tx(tx: Tx) -> None:
        put(tx, "a")
        put(tx, "b")
        assert tx.run("UPDATE notes SET body = ? WHERE text = ?", b"x", "a") == 1
        assert tx.run("DELETE FROM notes WHERE text = ?", "none") == 0
        assert tx.one("SELECT text FROM notes ORDER BY id") == ("a",)
        assert tx.one("SELECT text FROM notes WHERE text = ?", "none") is None
        assert tx.one("UPDATE notes SET body = ? RETURNING text", b"y") is not None
        assert tx.all("SELECT body FROM notes") == [(b"y",), (b"y",)]

    async def scenario(store: SqliteStore) -> None:
        await store.transact(scenario_tx)

    run(scenario)


def test_stats_count_commits_and_operations(run: Run) -> None:
    async def scenario(store: SqliteStore) -> None:
        await asyncio.gather(*(store.transact(put, str(number)) for number in range(3)))
        stats = store.stats()
        assert (stats.commits, stats.operations, stats.failed_commits) == (1, 3, 0)
        assert stats.wal_bytes > 0
        assert 0 < stats.commit_ms_last == stats.commit_ms_p99

    run(scenario)
