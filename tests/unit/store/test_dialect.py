from __future__ import annotations

import apsw
import pytest

from cumulet.store import dialect


def test_statements_are_split_at_semicolons_outside_of_quotes_and_comments() -> None:
    script = """
    -- a comment; with a semicolon
    CREATE TABLE a (x TEXT DEFAULT ';''--');  /* b; */
    INSERT INTO a (x)
        VALUES ('1  2');
    """

    assert list(dialect.statements(script)) == [
        "CREATE TABLE a (x TEXT DEFAULT ';''--')",
        "INSERT INTO a (x) VALUES ('1  2')",
    ]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("CREATE TABLE a (id BIGINT PRIMARY KEY)", "CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT"),
        (
            "CREATE TABLE a (b BYTEA, d DOUBLE PRECISION, o BOOLEAN, t TEXT)",
            "CREATE TABLE a (b BLOB, d REAL, o INTEGER, t TEXT) STRICT",
        ),
        (
            "CREATE TABLE a (x TEXT, y BIGINT, PRIMARY KEY (x, y))",
            "CREATE TABLE a (x TEXT, y INTEGER, PRIMARY KEY (x, y)) STRICT, WITHOUT ROWID",
        ),
        ("ALTER TABLE a ADD COLUMN z BIGINT", "ALTER TABLE a ADD COLUMN z INTEGER"),
        ("CREATE TABLE a (x TEXT DEFAULT 'BIGINT')", "CREATE TABLE a (x TEXT DEFAULT 'BIGINT') STRICT"),
        ("CREATE INDEX i ON a (x)", "CREATE INDEX i ON a (x)"),
        ("INSERT INTO a (x) VALUES ('BIGINT')", "INSERT INTO a (x) VALUES ('BIGINT')"),
    ],
)
def test_definitions_of_tables_are_translated(statement: str, expected: str) -> None:
    assert dialect.sqlite_definition(statement) == expected


def test_a_value_of_another_type_is_refused_as_on_postgresql() -> None:
    connection = apsw.Connection(":memory:")
    connection.execute(dialect.sqlite_definition("CREATE TABLE a (x BIGINT)"))

    with pytest.raises(apsw.ConstraintError):
        connection.execute("INSERT INTO a (x) VALUES ('text')")


def test_a_bigint_primary_key_is_the_key_of_the_row() -> None:
    connection = apsw.Connection(":memory:")
    connection.execute(dialect.sqlite_definition("CREATE TABLE a (id BIGINT PRIMARY KEY)"))

    assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE type = 'index'").get == 0
