"""Every statement of CloudWatch Logs that runs for a request finds its rows by an index, and needs no sorting."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil

import pytest

from cumulet.services import logs
from cumulet.store import Tx
from cumulet.store.schema import Schema
from cumulet.store.sqlite import SqliteStore

NOT_PER_REQUEST = {
    "groups.SELECT_KEEPING": "runs when the platform starts",
    "removals.SELECT_REMOVALS": "runs when the platform starts, and after a deletion on the few that are left",
}
VERBS = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ")


def statements() -> dict[str, str]:
    """Return all SQL of the service by module and name."""
    found: dict[str, str] = {}
    for module_info in pkgutil.iter_modules(logs.__path__):
        module = importlib.import_module(f"{logs.__name__}.{module_info.name}")
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, str) and value.strip().startswith(VERBS):
                found.setdefault(value, f"{module_info.name}.{name}")
    return {name: sql for sql, name in found.items()}


STATEMENTS = statements()


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return the plan of every statement on an empty store."""

    def explain(tx: Tx, sql: str) -> list[str]:
        return [str(row[-1]) for row in tx.all(f"EXPLAIN QUERY PLAN {sql}", *[None] * sql.count("?"))]

    async def explain_all() -> dict[str, list[str]]:
        schema = Schema.of_package("cumulet.services.logs")
        store = SqliteStore.open(tmp_path_factory.mktemp("plans") / "data", schemas=[schema])
        try:
            return {name: await store.transact(explain, sql) for name, sql in STATEMENTS.items()}
        finally:
            await store.close()

    return asyncio.run(explain_all())


def test_statements_are_found() -> None:
    assert len(STATEMENTS) > 30
    assert NOT_PER_REQUEST.keys() <= STATEMENTS.keys()


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - NOT_PER_REQUEST.keys()))
def test_statement_uses_an_index_and_sorts_nothing(plans: dict[str, list[str]], name: str) -> None:
    plan = plans[name]

    assert not [step for step in plan if step.startswith("SCAN") and "CONSTANT ROW" not in step]
    assert not [step for step in plan if "TEMP B-TREE" in step]


@pytest.mark.parametrize(
    "name", ["events.SELECT_OF_GROUP", "events.SELECT_OF_STREAM", "events.SELECT_OF_STREAM_BACKWARDS"]
)
def test_page_begins_where_the_one_before_ended(plans: dict[str, list[str]], name: str) -> None:
    assert "(occurred_at,id)" in plans[name][0]
