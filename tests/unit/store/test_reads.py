from __future__ import annotations

import asyncio

import apsw
import pytest
from notes import Run, put, texts

from cumulet.store.sqlite import SqliteStore


def test_a_read_sees_everything_that_was_acknowledged(run: Run) -> None:
    async def scenario(store: SqliteStore) -> None:
        for number in range(20):
            await store.transact(put, str(number))
            assert len(await store.read(texts)) == number + 1

    run(scenario)


def test_a_read_does_not_wait_for_a_commit_and_sees_nothing_of_it(run: Run) -> None:
    async def scenario(store: SqliteStore) -> None:
        seen: list[list[str]] = []

        def put_and_look(tx: object) -> None:
            put(tx, "new")  # type: ignore[arg-type]
            answer = store.read(texts)
            assert answer.done()
            seen.append(answer.result())

        await store.transact(put_and_look)
        assert seen == [[]]

    run(scenario)


def test_a_read_cannot_write(run: Run) -> None:
    async def scenario(store: SqliteStore) -> None:
        with pytest.raises(apsw.ReadOnlyError):
            await store.read(lambda tx: tx.run("DELETE FROM notes"))
        with pytest.raises(TypeError, match="transact"):
            await store.read(lambda tx: tx.next_id())
        with pytest.raises(TypeError, match="transact"):
            await store.read(lambda tx: tx.after_commit(print))

    run(scenario)


def test_a_read_that_fails_leaves_the_store_usable(run: Run) -> None:
    async def scenario(store: SqliteStore) -> list[str]:
        with pytest.raises(ZeroDivisionError):
            await store.read(lambda tx: 1 // 0)
        await asyncio.gather(store.transact(put, "a"))
        return await store.read(texts)

    assert run(scenario) == ["a"]
