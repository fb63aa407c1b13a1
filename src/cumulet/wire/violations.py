"""Broken constraints and AWS's words for them.

The common writer's texts are those of most services ("1 validation error detected: Value '...' at 'functionName'
failed to satisfy constraint: Member must ..."). A service that words them otherwise names its writer in its overlay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from cumulet.kernel.errors import AwsError, ValidationException
from cumulet.wire.errors import ValidationError
from cumulet.wire.shapes import Shape

NOT_NULL = "Member must not be null"
NUMBERS = frozenset({"integer", "long", "float", "double"})

Path = tuple[str | int, ...]


class MapKey(str):
    """A map's key in a path; unlike a member's name it is shown as it is."""

    __slots__ = ()


class Kind(StrEnum):
    """Which constraint is broken; `ITEM`, `KEY` and `VALUE` are told at the list or map that holds the value."""

    REQUIRED = "required"
    MIN = "min"
    MAX = "max"
    PATTERN = "pattern"
    ENUM = "enum"
    ITEM = "item"
    KEY = "key"
    VALUE = "value"


class Violation(msgspec.Struct, frozen=True):
    """One broken constraint. `path` holds member names, map keys and list positions from 1."""

    path: Path
    kind: Kind
    text: str
    value: Any
    is_sensitive: bool = False


Writer = Callable[[str, str, Sequence[Violation]], AwsError]


def common_writer(protocol: str, operation: str, violations: Sequence[Violation]) -> AwsError:
    """Write violations as most services do; the query protocol's code is `ValidationError`."""
    texts = [
        f"{_shown(violation)} at '{dotted(violation.path)}' failed to satisfy constraint: {violation.text}"
        for violation in violations
    ]
    noun = "error" if len(texts) == 1 else "errors"
    kind = ValidationError if protocol == "query" else ValidationException
    return kind(f"{len(texts)} validation {noun} detected: {'; '.join(texts)}")


def dotted(path: Path) -> str:
    """Return `entries.1.member.id` for ("Entries", 1, "Id"), and the same with a map's key instead of the 1."""
    parts: list[str] = []
    for part in path:
        if isinstance(part, int | MapKey):
            parts.append(f"{part}.member")
        else:
            parts.append(part[:1].lower() + part[1:])
    return ".".join(parts)


def _shown(violation: Violation) -> str:
    if violation.is_sensitive:
        return "Value"
    return "Value null" if violation.value is None else f"Value '{shown(violation.value)}'"


def shown(value: Any) -> str:
    """Return a value as Java's `toString` prints it in AWS's messages."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    if isinstance(value, bytes):
        return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
    return str(value)


def texts(shape: Shape) -> list[str]:
    """Return AWS's words for all constraints of a value and, in a list, of its items."""
    unit = "value" if shape.type_name in NUMBERS else "length"
    found = []
    if (most := shape.traits.get("max")) is not None:
        found.append(f"Member must have {unit} less than or equal to {most}")
    if (least := shape.traits.get("min")) is not None:
        found.append(f"Member must have {unit} greater than or equal to {least}")
    if pattern := shape.traits.get("pattern"):
        found.append(f"Member must satisfy regular expression pattern: {pattern}")
    if enum := shape.traits.get("enum"):
        found.append(f"Member must satisfy enum value set: [{', '.join(enum)}]")
    if shape.type_name == "list" and (of_items := texts(shape.member)):
        found.append(f"Member must satisfy constraint: [{', '.join(of_items)}]")
    return found
