"""Brings a database to the schemas of this version, and refuses one that it can't bring there.

Which blocks have been applied is recorded with their checksums. The check writes nothing and comes first, so a
database that is refused stays as it is. All that is missing is applied in one transaction: a start waits for the disk
once, however many services there are, and a crash or a block that fails leaves the database as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import apsw

from cumulet.store import dialect
from cumulet.store.errors import StoreError
from cumulet.store.schema import Block, Schema

SELECT_APPLIED = "SELECT schema_name, number, checksum FROM migrations"
INSERT_APPLIED = "INSERT INTO migrations (schema_name, number, description, checksum) VALUES (?, ?, ?, ?)"


def check(connection: apsw.Connection, schemas: Sequence[Schema], folder: Path) -> None:
    """Raise StoreError when the database of `folder` was written by other schemas than `schemas`; write nothing."""
    known = {(schema.name, block.number): block.checksum for schema in schemas for block in schema.blocks}
    for (name, number), checksum in sorted(_applied(connection).items()):
        if (name, number) not in known:
            raise StoreError(
                f"the data folder {folder} was written by a newer version of Cumulet (schema {name}, step {number}); "
                "nothing was changed. Install that version, or choose another folder."
            )
        if known[name, number] != checksum:
            raise StoreError(
                f"step {number} of the schema {name} is not the one that was applied to the data folder {folder}; "
                "nothing was changed. Install the version that wrote it, or choose another folder."
            )


def migrate(connection: apsw.Connection, schemas: Sequence[Schema]) -> None:
    """Apply the blocks that are missing."""
    applied = _applied(connection)
    missing = [
        (schema, block) for schema in schemas for block in schema.blocks if (schema.name, block.number) not in applied
    ]
    if missing:
        with connection:
            for schema, block in missing:
                _apply(connection, schema, block)


def _applied(connection: apsw.Connection) -> dict[tuple[str, int], str]:
    if not connection.table_exists(None, "migrations"):
        return {}
    return {(str(row[0]), int(row[1])): str(row[2]) for row in connection.execute(SELECT_APPLIED)}


def _apply(connection: apsw.Connection, schema: Schema, block: Block) -> None:
    for statement in block.statements:
        connection.execute(dialect.sqlite_definition(statement))
    connection.execute(INSERT_APPLIED, (schema.name, block.number, block.description, block.checksum))
