"""All SQL is the part that SQLite and PostgreSQL share.

Statements are module constants in upper case; schemas are `.sql` files. PostgreSQL's own grammar parses every one, and
what it parses may call only functions and have only types that mean the same on both engines.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pgparse
import pytest

import cumulet
from cumulet.store import dialect

# As PostgreSQL calls them internally: BIGINT, DOUBLE PRECISION, TEXT, BYTEA, BOOLEAN.
TYPES = {"int8", "float8", "text", "bytea", "bool"}
FUNCTIONS = {"abs", "avg", "count", "length", "lower", "max", "min", "replace", "row_number", "substr", "sum", "upper"}

_PACKAGE = Path(cumulet.__path__[0])
_STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
_QUOTED = re.compile(r"'(?:[^']|'')*'")
# Names that only SQLite gives to every row; PostgreSQL would take them for columns.
_HIDDEN_COLUMN = re.compile(r"\b(rowid|_rowid_|oid)\b", re.IGNORECASE)


def sql_files() -> list[Path]:
    return sorted(_PACKAGE.rglob("*.sql"))


def constants() -> Iterator[tuple[str, str]]:
    """Yield name and text of each statement that is a constant of a module."""
    for module in pkgutil.walk_packages([str(_PACKAGE)], "cumulet."):
        if module.name.endswith(".__main__"):
            continue
        for constant, value in vars(importlib.import_module(module.name)).items():
            if constant.isupper() and isinstance(value, str) and _STATEMENT.match(value):
                yield f"{module.name}.{constant}", value


def numbered(statement: str) -> str:
    """Return `statement` with PostgreSQL's `$1`, `$2` for its `?`."""
    parts = _QUOTED.sub("''", statement).split("?")
    return "".join(f"{part}${number}" for number, part in enumerate(parts[:-1], 1)) + parts[-1]


def nodes(tree: Any, kind: str) -> Iterator[Any]:
    """Yield the nodes of `kind` in what PostgreSQL parsed."""
    if isinstance(tree, list):
        for item in tree:
            yield from nodes(item, kind)
    elif isinstance(tree, dict):
        for key, value in tree.items():
            if key == kind:
                yield value
            yield from nodes(value, kind)


def flaws(statement: str) -> list[str]:
    """Return why `statement` isn't portable."""
    try:
        tree = pgparse.parse(numbered(statement))
    except pgparse.PGQueryError as error:
        return [f"PostgreSQL: {error}"]
    found = [f"the hidden column {name}" for name in _HIDDEN_COLUMN.findall(_QUOTED.sub("''", statement))]
    for call in nodes(tree, "FuncCall"):
        name = call["funcname"][-1]["String"]["sval"]
        # SQLite's max(a, b) is PostgreSQL's greatest(a, b).
        if name not in FUNCTIONS or (name in ("max", "min") and len(call["args"]) != 1):
            found.append(f"the function {name}")
    for column in nodes(tree, "ColumnDef"):
        name = column["typeName"]["names"][-1]["String"]["sval"]
        if name not in TYPES:
            found.append(f"the type {name}")
    return found


@pytest.mark.parametrize("file", sql_files(), ids=lambda file: str(file.relative_to(_PACKAGE)))
def test_a_schema_is_portable(file: Path) -> None:
    for statement in dialect.statements(file.read_text("utf-8")):
        assert flaws(statement) == [], statement


def test_every_statement_is_portable() -> None:
    found = dict(constants())

    assert "cumulet.store.migrations.INSERT_APPLIED" in found
    assert {name: flaws(statement) for name, statement in found.items() if flaws(statement)} == {}


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO a (x) VALUES (?)",
        "REPLACE INTO a (x) VALUES (?)",
        "SELECT rowid FROM a",
        "SELECT ifnull(x, 1) FROM a",
        "SELECT max(x, ?) FROM a",
        "SELECT unixepoch()",
        "UPDATE a SET x = ? WHERE y IS ?",
        "SELECT x FROM a LIMIT ?, ?",
        "SELECT x FROM a WHERE `y` = 1",
        "SELECT x FROM a INDEXED BY i",
        "SELECT x FROM a WHERE x GLOB ?",
        "CREATE TABLE a (x INTEGER PRIMARY KEY AUTOINCREMENT)",
        "CREATE TABLE a (x VARCHAR(10))",
        "CREATE TABLE a (x BLOB)",
        "CREATE TABLE a (x BIGINT PRIMARY KEY) WITHOUT ROWID",
    ],
)
def test_what_one_engine_alone_understands_is_found(statement: str) -> None:
    assert flaws(statement) != []


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO a (x, y) VALUES (?, ?) ON CONFLICT (x) DO UPDATE SET y = excluded.y RETURNING y",
        "SELECT count(*), coalesce(max(x), 0) FROM a WHERE y = '?' AND z IN (?, ?) ORDER BY x LIMIT ? OFFSET ?",
        "WITH due AS (SELECT x FROM a WHERE y < ?) DELETE FROM a WHERE x IN (SELECT x FROM due)",
    ],
)
def test_what_both_engines_understand_passes(statement: str) -> None:
    assert flaws(statement) == []
