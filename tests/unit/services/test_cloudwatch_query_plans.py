"""Every statement of CloudWatch that runs for a request finds its rows by an index, and needs no sorting."""

from __future__ import annotations

import asyncio

import pytest

from cumulet.services.cloudwatch import metrics
from cumulet.store import Tx
from cumulet.store.schema import Schema
from cumulet.store.sqlite import SqliteStore

FOR_PEOPLE = {"SELECT_SUMS"}
"""The page with all metrics' sums reads everything."""
STATEMENTS = {
    name: value
    for name, value in vars(metrics).items()
    if name.isupper()
    and isinstance(value, str)
    and value.strip().startswith(("SELECT ", "INSERT ", "UPDATE ", "DELETE "))
}


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return the plan of every statement on an empty store."""

    def explain(tx: Tx, sql: str) -> list[str]:
        return [str(row[-1]) for row in tx.all(f"EXPLAIN QUERY PLAN {sql}", *[None] * sql.count("?"))]

    async def explain_all() -> dict[str, list[str]]:
        schema = Schema.of_package("cumulet.services.cloudwatch")
        store = SqliteStore.open(tmp_path_factory.mktemp("plans") / "data", schemas=[schema])
        try:
            return {name: await store.transact(explain, sql) for name, sql in STATEMENTS.items()}
        finally:
            await store.close()

    return asyncio.run(explain_all())


def test_statements_are_found() -> None:
    assert len(STATEMENTS) > 8
    assert STATEMENTS.keys() >= FOR_PEOPLE


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - FOR_PEOPLE))
def test_statement_uses_an_index_and_sorts_nothing(plans: dict[str, list[str]], name: str) -> None:
    plan = plans[name]

    assert not [step for step in plan if step.startswith("SCAN") and "CONSTANT ROW" not in step]
    assert not [step for step in plan if "TEMP B-TREE" in step]
