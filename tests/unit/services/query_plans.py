"""The SQL of services, and how SQLite would run it."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType

from cumulet.store import Tx
from cumulet.store.schema import Schema
from cumulet.store.sqlite import SqliteStore

VERBS = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ")


def statements(service: ModuleType) -> dict[str, str]:
    """Return all SQL of a service by module and name; one that modules import from each other once."""
    found: dict[str, str] = {}
    for module_info in pkgutil.iter_modules(service.__path__):
        module = importlib.import_module(f"{service.__name__}.{module_info.name}")
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, str) and value.strip().startswith(VERBS):
                found.setdefault(value, f"{module_info.name}.{name}")
    return {name: sql for sql, name in found.items()}


def plans_of(packages: Iterable[str], statements: Mapping[str, str], folder: Path) -> dict[str, list[str]]:
    """Return the steps of every statement on an empty store in a new folder, with the tables of these packages."""

    def explain(tx: Tx, sql: str) -> list[str]:
        return [str(row[-1]) for row in tx.all(f"EXPLAIN QUERY PLAN {sql}", *[None] * sql.count("?"))]

    async def explain_all() -> dict[str, list[str]]:
        store = SqliteStore.open(folder, schemas=[Schema.of_package(package) for package in packages])
        try:
            return {name: await store.transact(explain, sql) for name, sql in statements.items()}
        finally:
            await store.close()

    return asyncio.run(explain_all())


def slow_steps(plan: list[str]) -> list[str]:
    """Return the steps that read all rows of a table, or sort."""
    return [step for step in plan if (step.startswith("SCAN") and "CONSTANT ROW" not in step) or "TEMP B-TREE" in step]
