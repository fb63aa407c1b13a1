"""The tables of one service, as numbered blocks of SQL that are applied once each, in order.

A block begins with a line `-- 1: words that describe it`. A block that a released version has applied somewhere is
never edited; a change is a further block.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pkgutil import get_data
from typing import Self

from cumulet.store import dialect

_HEADING = re.compile(r"^-- (\d+): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One step of a schema."""

    number: int
    description: str
    statements: tuple[str, ...]

    @property
    def checksum(self) -> str:
        """Return a digest of the statements; comments and layout don't count."""
        return hashlib.sha256(";\n".join(self.statements).encode()).hexdigest()


@dataclass(frozen=True)
class Schema:
    """All blocks of one service; `sql` is the text of its `schema.sql`."""

    name: str
    sql: str

    @classmethod
    def of_package(cls, package: str) -> Self:
        """Read `schema.sql` of `package`; the schema has the package's last name."""
        sql = get_data(package, "schema.sql") or b""
        return cls(package.rpartition(".")[2], sql.decode())

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Return the blocks in order. Raises ValueError when they are not numbered 1, 2, 3, ..."""
        before, *parts = _HEADING.split(self.sql)
        blocks = tuple(
            Block(int(number), description.strip(), tuple(dialect.statements(text)))
            for number, description, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
        )
        if [block.number for block in blocks] != list(range(1, len(blocks) + 1)) or list(dialect.statements(before)):
            raise ValueError(
                f"the blocks of the schema {self.name} must be numbered 1, 2, 3, ... and hold all statements"
            )
        return blocks
