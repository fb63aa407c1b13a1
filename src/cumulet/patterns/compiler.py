"""From a pattern's text to its compiled form.

EventBridge: all fields of an object must match, the entries of a field's list are alternatives, and `$or` with a list
of at least two objects makes alternatives of whole objects. `$or` that is anything else is a field of that name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from cumulet.patterns.conditions import Condition
from cumulet.patterns.errors import PatternError
from cumulet.patterns.expressions import Expressions
from cumulet.patterns.json_reader import SCALARS, JsonReader, Token
from cumulet.patterns.pattern import Branch, Field, Pattern

OR = "$or"
MOST_BRANCHES = 1000
"""EventBridge: so many combinations of `$or` alternatives at most."""
RESERVED_IN_OR = frozenset(
    {
        *("exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr"),
        *("=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case"),
        *("date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"),
        *("ip-address-in-range", "ip-address-not-in-range"),
    }
)
"""EventBridge: names that a field inside `$or` can't have."""

Fields = dict[str, list[Condition]]


def compile_pattern(pattern: str | Mapping[str, Any]) -> Pattern:
    """Compile a pattern, given as JSON or parsed; raises PatternError."""
    text = pattern if isinstance(pattern, str) else orjson.dumps(pattern).decode()
    try:
        return _Compiler(text, has_or=True).pattern()
    except PatternError:
        if OR not in text:
            raise
        try:
            return _Compiler(text, has_or=False).pattern()
        except PatternError:
            pass
        raise


class _Compiler:
    def __init__(self, text: str, *, has_or: bool) -> None:
        self._reader = JsonReader(text)
        self._has_or = has_or

    def pattern(self) -> Pattern:
        if self._reader.next() is not Token.OBJECT:
            self._reader.refuse("Filter is not an object")
        branches = self._object([{}], "", is_inside_or=False)
        known: dict[tuple[str, int], Field] = {}
        return Pattern(tuple(self._branch(branch, known) for branch in branches))

    def _branch(self, fields: Fields, known: dict[tuple[str, int], Field]) -> Branch:
        """Return a branch; those that share a list of conditions share the field."""
        for path, conditions in fields.items():
            if (path, id(conditions)) not in known:
                known[path, id(conditions)] = Field(path, conditions)
        return Branch(tuple(known[path, id(conditions)] for path, conditions in fields.items()))

    def _object(self, branches: list[Fields], path: str, *, is_inside_or: bool) -> list[Fields]:
        """Return the branches with what an object that has just begun asks for."""
        is_empty = True
        while self._reader.next() is Token.NAME:
            is_empty = False
            name = self._reader.name
            if name == OR and self._has_or:
                branches = self._alternatives(branches, path)
                continue
            if is_inside_or and name in RESERVED_IN_OR:
                self._reader.refuse(f"{name} is Ruler reserved fieldName which cannot be used inside {OR}.", path)
            below = f"{path}.{name}" if path else name
            match self._reader.next():
                case Token.OBJECT:
                    branches = self._object(branches, below, is_inside_or=is_inside_or)
                case Token.ARRAY:
                    conditions = self._conditions(below)
                    for branch in branches:
                        branch[below] = conditions
                case _:
                    self._reader.refuse(f'"{name}" must be an object or an array', below)
        if is_empty:
            self._reader.refuse("Empty objects are not allowed", path)
        return branches

    def _alternatives(self, branches: list[Fields], path: str) -> list[Fields]:
        if self._reader.next() is not Token.ARRAY:
            self._reader.refuse(f"It must be an Array followed with {OR}.", path)
        found: list[Fields] = []
        count = 0
        while (token := self._reader.next()) is not Token.END_ARRAY:
            if token is not Token.OBJECT:
                self._reader.refuse(f"Only JSON object is allowed in array of {OR} relationship.", path)
            count += 1
            found += self._object([dict(branch) for branch in branches], path, is_inside_or=True)
            if len(found) > MOST_BRANCHES:
                # AWS documents the limit; its words are not known.
                raise PatternError(f"Rule is too complex - more than {MOST_BRANCHES} combinations in {OR}", path)
        if count < 2:
            self._reader.refuse(f"There must have at least 2 Objects in {OR} relationship.", path)
        return found

    def _conditions(self, path: str) -> list[Condition]:
        expressions = Expressions(self._reader, path)
        found: list[Condition] = []
        while (token := self._reader.next()) is not Token.END_ARRAY:
            if token is Token.OBJECT:
                found.append(expressions.expression())
            elif token in SCALARS:
                found.append(expressions.scalar(token))
            else:
                self._reader.refuse("Match value must be String, number, true, false, or null", path)
        if not found:
            self._reader.refuse("Empty arrays are not allowed", path)
        return found
