"""Constraints of a model: finding what breaks them, and AWS's words for it.

A checker is compiled per shape and visits only members that can break something. It reports `Violation`s; the
service's writer turns them into the error that AWS answers with. The common writer's texts are those of most
services ("1 validation error detected: Value '...' at 'functionName' failed to satisfy constraint: Member must ...").
A structure in a list is reported where it is (`tags.1.member.key`), a string in a list at its list, with all of
the item's constraints, as AWS does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from cumulet.kernel.errors import AwsError, SerializationException, ValidationException
from cumulet.wire import patterns
from cumulet.wire.errors import ValidationError
from cumulet.wire.model import AGGREGATES, Reach, is_document, is_sparse, is_union

if TYPE_CHECKING:
    from botocore.model import Shape

UNION_TEXT = "Unions must have exactly one member set"
NUMBERS = frozenset({"integer", "long", "float", "double"})

Path = tuple[str | int, ...]


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


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken constraint. `path` holds member names, map keys and list positions from 1."""

    path: Path
    kind: Kind
    text: str
    value: Any
    is_sensitive: bool = False


Check = Callable[[Any, Path, list[Violation]], None]
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
    """Return `entries.1.member.id` for ("Entries", 1, "Id")."""
    parts: list[str] = []
    for part in path:
        parts.append(f"{part}.member" if isinstance(part, int) else part[:1].lower() + part[1:])
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
    """Return AWS's words for all constraints of a scalar."""
    unit = "value" if shape.type_name in NUMBERS else "length"
    found = []
    if (most := shape.metadata.get("max")) is not None:
        found.append(f"Member must have {unit} less than or equal to {most}")
    if (least := shape.metadata.get("min")) is not None:
        found.append(f"Member must have {unit} greater than or equal to {least}")
    if pattern := shape.metadata.get("pattern"):
        found.append(f"Member must satisfy regular expression pattern: {pattern}")
    if enum := shape.metadata.get("enum"):
        found.append(f"Member must satisfy enum value set: [{', '.join(enum)}]")
    return found


def _has_pattern(shape: Shape) -> bool:
    return bool(shape.metadata.get("pattern")) or is_union(shape)


def _has_constraint(shape: Shape) -> bool:
    if is_document(shape):
        return False
    has_limit = any(shape.metadata.get(name) is not None for name in ("min", "max", "pattern"))
    # A list, map or structure can always hold a null where none may be.
    return has_limit or bool(shape.metadata.get("enum")) or shape.type_name in AGGREGATES


class Checkers:
    """Compiles the checkers of one model. A recursive shape finds its own by name when it runs."""

    only_patterns = False

    def __init__(self) -> None:
        self._reaches = Reach(_has_pattern if self.only_patterns else _has_constraint)
        self._checks: dict[str, Check] = {}
        self._under_way: set[str] = set()

    def of(self, shape: Shape) -> Callable[[Any], list[Violation]] | None:
        """Return what lists a value's violations, None when nothing can be broken.

        A union without exactly one member raises SerializationException.
        """
        check = self._compile(shape)
        if check is None:
            return None

        def violations(value: Any) -> list[Violation]:
            found: list[Violation] = []
            check(value, (), found)
            return found

        return violations

    def _compile(self, shape: Shape) -> Check | None:
        if is_document(shape) or not self._reaches(shape):
            return None
        if shape.type_name not in AGGREGATES:
            return self._scalar(shape)
        name = shape.name
        if name in self._under_way:
            checks = self._checks
            return lambda value, path, found: checks[name](value, path, found)
        if name not in self._checks:
            self._under_way.add(name)
            self._checks[name] = getattr(self, f"_{shape.type_name}")(shape)
            self._under_way.discard(name)
        return self._checks[name]

    def _structure(self, shape: Shape) -> Check:
        required = () if self.only_patterns else tuple(shape.required_members)
        compiled = [(name, self._compile(member)) for name, member in shape.members.items()]
        checks = [(name, check) for name, check in compiled if check is not None]
        union = is_union(shape)

        def check_structure(value: Any, path: Path, found: list[Violation]) -> None:
            if union and len(value) != 1:
                raise SerializationException(UNION_TEXT)
            for name in required:
                if name not in value:
                    found.append(Violation((*path, name), Kind.REQUIRED, "Member must not be null", None))
            for name, check in checks:
                if name in value:
                    check(value[name], (*path, name), found)

        return check_structure

    def _list(self, shape: Shape) -> Check:
        member = shape.member
        own = None if self.only_patterns else _limits(shape)
        check_item = self._compile(member)
        is_nested = member.type_name in AGGREGATES
        allows_null = is_sparse(shape)
        text = f"Member must satisfy constraint: [{', '.join(texts(member))}]"

        def check_list(value: Any, path: Path, found: list[Violation]) -> None:
            if own is not None:
                own(value, path, found)
            broken: list[Violation] = []
            for position, item in enumerate(value, 1):
                if item is None:
                    if not allows_null:
                        found.append(Violation((*path, position), Kind.REQUIRED, "Member must not be null", None))
                elif check_item is not None:
                    check_item(item, (*path, position), found if is_nested else broken)
            if broken:
                found.append(Violation(path, Kind.ITEM, text, value, broken[0].is_sensitive))

        return check_list

    def _map(self, shape: Shape) -> Check:
        own = None if self.only_patterns else _limits(shape)
        check_key, check_value = self._compile(shape.key), self._compile(shape.value)
        is_nested = shape.value.type_name in AGGREGATES
        allows_null = is_sparse(shape)
        key_text = f"Map keys must satisfy constraint: [{', '.join(texts(shape.key))}]"
        value_text = f"Map value must satisfy constraint: [{', '.join(texts(shape.value))}]"

        def check_map(value: Any, path: Path, found: list[Violation]) -> None:
            if own is not None:
                own(value, path, found)
            broken_keys: list[Violation] = []
            broken_values: list[Violation] = []
            for key, item in value.items():
                if check_key is not None:
                    check_key(key, path, broken_keys)
                if item is None:
                    if not allows_null:
                        found.append(Violation((*path, key), Kind.REQUIRED, "Member must not be null", None))
                elif check_value is not None:
                    check_value(item, (*path, key), found if is_nested else broken_values)
            if broken_keys:
                found.append(Violation(path, Kind.KEY, key_text, value, broken_keys[0].is_sensitive))
            if broken_values:
                found.append(Violation(path, Kind.VALUE, value_text, value, broken_values[0].is_sensitive))

        return check_map

    def _scalar(self, shape: Shape) -> Check:
        limits = None if self.only_patterns else _limits(shape)
        pattern = shape.metadata.get("pattern")
        enum = () if self.only_patterns else shape.metadata.get("enum", ())
        allowed = frozenset(enum)
        matches = patterns.matcher(pattern) if pattern else None
        is_sensitive = bool(shape.metadata.get("sensitive"))

        def check_scalar(value: Any, path: Path, found: list[Violation]) -> None:
            if limits is not None:
                limits(value, path, found)
            if matches is not None and not matches(value):
                text = f"Member must satisfy regular expression pattern: {pattern}"
                found.append(Violation(path, Kind.PATTERN, text, value, is_sensitive))
            if allowed and value not in allowed:
                text = f"Member must satisfy enum value set: [{', '.join(enum)}]"
                found.append(Violation(path, Kind.ENUM, text, value, is_sensitive))

        return check_scalar


class PatternCheckers(Checkers):
    """Compiles checkers of what msgspec leaves unchecked: patterns and unions."""

    only_patterns = True


def _limits(shape: Shape) -> Check | None:
    most, least = shape.metadata.get("max"), shape.metadata.get("min")
    if most is None and least is None:
        return None
    is_number = shape.type_name in NUMBERS
    unit = "value" if is_number else "length"
    is_sensitive = bool(shape.metadata.get("sensitive"))

    def check_limits(value: Any, path: Path, found: list[Violation]) -> None:
        size = value if is_number else len(value)
        if most is not None and size > most:
            text = f"Member must have {unit} less than or equal to {most}"
            found.append(Violation(path, Kind.MAX, text, value, is_sensitive))
        if least is not None and size < least:
            text = f"Member must have {unit} greater than or equal to {least}"
            found.append(Violation(path, Kind.MIN, text, value, is_sensitive))

    return check_limits
