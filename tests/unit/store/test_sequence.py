"""Ids only grow: over undone operations, restarts and killed processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from notes import Run, put

from cumulet.store import Tx
from cumulet.store.sequence import BLOCK
from cumulet.store.sqlite import SqliteStore

CRASH = """
import asyncio, os, sys
from pathlib import Path
from cumulet.store.sqlite import SqliteStore

async def main():
    store = SqliteStore.open(Path(sys.argv[1]), schemas=[])
    for _ in range(int(sys.argv[2])):
        last = await store.transact(lambda tx: tx.next_id())
    print(last, flush=True)
    os._exit(1)

asyncio.run(main())
"""


def take(tx: Tx, count: int) -> list[int]:
    return [tx.next_id() for _ in range(count)]


def test_ids_are_positive_unique_and_grow_across_blocks(run: Run) -> None:
    ids = run(lambda store: store.transact(take, 3 * BLOCK))

    assert ids[0] > 0
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("count", [1, BLOCK, BLOCK + 1])
def test_ids_grow_after_a_crash(tmp_path: Path, count: int) -> None:
    folder = tmp_path / "data"
    last = 0
    for _ in range(2):
        crashed = subprocess.run(
            [sys.executable, "-c", CRASH, str(folder), str(count)], capture_output=True, text=True, check=False
        )
        assert crashed.stderr == ""
        assert int(crashed.stdout) > last
        last = int(crashed.stdout)


def test_an_undone_operation_takes_its_reservation_with_it(run: Run) -> None:
    """The block is reserved again by the next operation, so that a restart can't hand out an id twice."""

    def take_and_fail(tx: Tx) -> None:
        take(tx, 2)
        raise LookupError

    async def scenario(store: SqliteStore) -> int:
        with pytest.raises(LookupError):
            await store.transact(take_and_fail)
        await store.transact(take, BLOCK // 2)
        return max(await store.transact(take, 1))

    before = run(scenario)

    assert run(lambda store: store.transact(take, 1)) > [before]


def test_an_undone_operation_beside_others_does_not_lose_their_reservation(run: Run) -> None:
    def take_and_fail(tx: Tx) -> None:
        take(tx, BLOCK)
        raise LookupError

    async def scenario(store: SqliteStore) -> list[int]:
        results = await asyncio.gather(
            store.transact(put, "a"),
            store.transact(take_and_fail),
            store.transact(put, "b"),
            return_exceptions=True,
        )
        return [result for result in results if isinstance(result, int)]

    before = run(scenario)

    assert before == sorted(set(before))
    assert run(lambda store: store.transact(put, "c")) > max(before)
