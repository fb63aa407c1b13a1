"""Compiled patterns, and how they meet an event.

A pattern is a list of branches, of which one must match ($or makes more than one); a branch has conditions for fields,
all of which must hold. A field is a path of names joined by dots; a dot in a name of the event is the same as a step.
EventBridge: arrays are looked through: any element's value will do, and different fields may be met by different
elements. What is asked is asked of leaves: an object or an empty array is no value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from cumulet.patterns.conditions import Condition, Exactly, Missing, Scalar

_NOTHING = object()


class Field:
    """The conditions of a field, one of which must hold."""

    __slots__ = ("_allows_missing", "_names", "_others", "_strings", "path")

    def __init__(self, path: str, conditions: Sequence[Condition]) -> None:
        self.path = path
        self._names = tuple(path.split("."))
        self._strings = frozenset(condition.text for condition in conditions if isinstance(condition, Exactly))
        self._others = [condition for condition in conditions if not isinstance(condition, Exactly | Missing)]
        self._allows_missing = any(isinstance(condition, Missing) for condition in conditions)

    @property
    def required_strings(self) -> frozenset[str] | None:
        """The strings of which the field must have one; None where other values, or none, will do."""
        return None if self._others or self._allows_missing else self._strings

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Return whether the event's values for this field have one that is as asked for."""
        is_missing = True
        for value in _values(event, self._names):
            is_missing = False
            if isinstance(value, str) and value in self._strings:
                return True
            for condition in self._others:
                if condition.accepts(value):
                    return True
        return is_missing and self._allows_missing


class Branch(msgspec.Struct, frozen=True):
    """Fields that must match together."""

    fields: tuple[Field, ...]

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Return whether all fields match."""
        return all(field.matches(event) for field in self.fields)


class Pattern(msgspec.Struct, frozen=True):
    """What an event must be like."""

    branches: tuple[Branch, ...]

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Return whether an event, as JSON is parsed, is like this."""
        return any(branch.matches(event) for branch in self.branches)

    def paths(self) -> set[str]:
        """Return all fields that the pattern asks for."""
        return {field.path for branch in self.branches for field in branch.fields}


def _values(node: Mapping[str, Any], names: Sequence[str]) -> Iterator[Scalar]:
    """Yield the leaves that a path leads to; its first names may be one name with dots in it."""
    yield from _below(node, names[0], names[1:])
    for count in range(2, len(names) + 1):
        yield from _below(node, ".".join(names[:count]), names[count:])


def _below(node: Mapping[str, Any], name: str, names: Sequence[str]) -> Iterator[Scalar]:
    value = node.get(name, _NOTHING)
    if value is _NOTHING:
        return
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += reversed(value)
        elif isinstance(value, dict):
            if names:
                yield from _values(value, names)
        elif not names:
            yield value
