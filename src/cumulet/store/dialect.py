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
    """Yield the statements of `script` without comments and with single spaces, so that layout doesn't matter."""
    words: list[str] = []
    for token in _TOKEN.finditer(script):
        kind = token.lastgroup
        if kind in ("comment", "space"):
            words.append(" ")
        elif kind == "end":
            yield from _joined(words)
            words = []
        else:
            words.append(token.group())
    yield from _joined(words)


def _joined(words: list[str]) -> Iterator[str]:
    spaced = [word for index, word in enumerate(words) if word != " " or (index > 0 and words[index - 1] != " ")]
    if statement := "".join(spaced).strip():
        yield statement


def sqlite_definition(statement: str) -> str:
    """Return one statement of a schema, as `statements` yields it, in SQLite's words."""
    if not (definition := _TABLE_DEFINITION.match(statement)):
        return statement
    translated = _TYPE.sub(lambda found: _TYPES.get(found.group().upper(), found.group()), statement)
    if definition.group(1).upper() == "ALTER":
        return translated
    options = "STRICT, WITHOUT ROWID" if _COMPOSITE_KEY.search(translated) else "STRICT"
    return f"{translated} {options}"
