"""What is left in the database of a server that does not run."""

from __future__ import annotations

from pathlib import Path

import apsw


def rows_left(folder: Path, *prefixes: str, suffixes: tuple[str, ...] = ("",)) -> dict[str, int]:
    """Return the tables that are not empty, of those whose names begin and end so, and how many rows they have."""
    connection = apsw.Connection(str(folder / "cumulet.db"), flags=apsw.SQLITE_OPEN_READONLY)
    tables = [str(name) for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    counts = {
        table: int(connection.execute(f"SELECT COUNT(*) FROM {table}").get)
        for table in tables
        if table.startswith(prefixes) and table.endswith(suffixes)
    }
    connection.close()
    assert all(any(table.startswith(prefix) for table in counts) for prefix in prefixes), f"no such tables in {tables}"
    return {table: count for table, count in counts.items() if count}
