"""Every statement of the engine finds its rows by an index, and needs no sorting."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cumulet.delivery import deliveries
from cumulet.store import Tx
from cumulet.store.schema import Schema
from cumulet.store.sqlite import SqliteStore

STATEMENTS = {
    name: value
    for name, value in vars(deliveries).items()
    if name.isupper() and not name.startswith("_") and isinstance(value, str)
}


def test_statements_are_found() -> None:
    assert len(STATEMENTS) == 7


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_statement_uses_an_index_and_sorts_nothing(name: str, tmp_path: Path) -> None:
    def explain(tx: Tx) -> list[str]:
        sql = STATEMENTS[name]
        return [str(row[-1]) for row in tx.all(f"EXPLAIN QUERY PLAN {sql}", *[None] * sql.count("?"))]

    async def explained() -> list[str]:
        store = SqliteStore.open(tmp_path / "data", schemas=[Schema.of_package("cumulet.delivery")])
        try:
            return await store.transact(explain)
        finally:
            await store.close()

    plan = asyncio.run(explained())

    assert not [step for step in plan if step.startswith("SCAN") or "TEMP B-TREE" in step]
