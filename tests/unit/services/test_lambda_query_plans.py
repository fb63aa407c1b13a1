"""Every statement of Lambda that runs for a request finds its rows by an index, and needs no sorting."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil

import pytest

from cumulet.services import lambda_
from cumulet.store import Tx
from cumulet.store.schema import Schema
from cumulet.store.sqlite import SqliteStore

NOT_PER_REQUEST = {
    "package_use.SELECT_PACKAGES": "runs when the platform starts, and a while after functions were changed",
    "package_use.SELECT_WITH_LAYERS": "runs when the platform starts, and a while after functions were changed",
    "functions._SELECT": "is only the beginning of others",
    "functions.SELECT_EVERY_RESERVED": "runs when the platform starts",
    "provisioned.SELECT_PROVISIONED_FUNCTIONS": "runs when the platform starts",
    "mappings.SELECT": "is only the beginning of others",
    "mappings.SELECT_EVERY": "runs when the platform starts",
}
VERBS = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ")


def statements() -> dict[str, str]:
    """Return all SQL of the service by module and name."""
    found = {}
    for module_info in pkgutil.iter_modules(lambda_.__path__):
        module = importlib.import_module(f"{lambda_.__name__}.{module_info.name}")
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
        schema = Schema.of_package("cumulet.services.lambda_")
        store = SqliteStore.open(tmp_path_factory.mktemp("plans") / "data", schemas=[schema])
        try:
            return {name: await store.transact(explain, sql) for name, sql in STATEMENTS.items()}
        finally:
            await store.close()

    return asyncio.run(explain_all())


def test_statements_are_found() -> None:
    assert len(STATEMENTS) > 15
    assert NOT_PER_REQUEST.keys() <= STATEMENTS.keys()


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - NOT_PER_REQUEST.keys()))
def test_statement_uses_an_index_and_sorts_nothing(plans: dict[str, list[str]], name: str) -> None:
    plan = plans[name]

    assert not [step for step in plan if step.startswith("SCAN") and "CONSTANT ROW" not in step]
    assert not [step for step in plan if "TEMP B-TREE" in step]
