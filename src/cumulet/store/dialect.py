"""How SQLite reads our SQL, which is written in the part that it shares with PostgreSQL.

Statements run as they are. Only the definition of a table is translated:

- the five types BIGINT, DOUBLE PRECISION, TEXT, BYTEA and BOOLEAN become SQLite's, in a STRICT table, so that a value
  of another type is refused here as PostgreSQL refuses it;
- `id BIGINT PRIMARY KEY` thereby becomes INTEGER PRIMARY KEY, the key under which SQLite stores the row itself;
- a table with a composite PRIMARY KEY is stored in that key's order (WITHOUT ROWID): one tree instead of two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?\*/)
      | (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<space>\s+)
      | (?P<end>;)
      | (?P<other>\w+|.)""",
    re.VERBOSE | re.DOTALL,
)
_TABLE_DEFINITION = re.compile(r"(CREATE|ALTER) TABLE\b", re.IGNORECASE)
_COMPOSITE_KEY = re.compile(r"[(,] ?PRIMARY KEY ?\(", re.IGNORECASE)
_TYPE = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\b(?:BIGINT|DOUBLE PRECISION|BYTEA|BOOLEAN)\b""", re.IGNORECASE)
_TYPES = {"BIGINT": "INTEGER", "DOUBLE PRECISION": "REAL", "BYTEA": "BLOB", "BOOLEAN": "INTEGER"}


def statements(script: str) -> Iterator[str]:
    """Yield the statements of `script` without comments and spaces that mean nothing, so that layout doesn't count."""
    statement = ""
    for token in _TOKEN.finditer(script):
        kind, text = token.lastgroup, token.group()
        if kind == "end":
            yield from filter(None, [statement.rstrip()])
            statement = ""
        elif kind in ("comment", "space"):
            statement += "" if not statement or statement[-1] in " (" else " "
        else:
            statement = (statement.rstrip() if text in ")," else statement) + text
    yield from filter(None, [statement.rstrip()])


def sqlite_definition(statement: str) -> str:
    """Return one statement of a schema, as `statements` yields it, in SQLite's words."""
    if not (definition := _TABLE_DEFINITION.match(statement)):
        return statement
    translated = _TYPE.sub(lambda found: _TYPES.get(found.group().upper(), found.group()), statement)
    if definition.group(1).upper() == "ALTER":
        return translated
    options = "STRICT, WITHOUT ROWID" if _COMPOSITE_KEY.search(translated) else "STRICT"
    return f"{translated} {options}"
