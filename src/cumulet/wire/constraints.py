"""Finding what breaks a model's constraints.

A checker is compiled per shape and visits only members that can break something. It reports `Violation`s; the
service's writer turns them into the error that AWS answers with. A member of a structure in a list is reported
where it is (`tags.1.member.key`), an item itself at its list, with all of the item's constraints, as AWS does;
likewise keys and values of maps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cumulet.kernel.errors import SerializationException
from cumulet.wire import patterns
from cumulet.wire.model import AGGREGATES, Reach, is_document, is_sparse, is_union
from cumulet.wire.shapes import Shape
from cumulet.wire.violations import NOT_NULL, NUMBERS, Kind, MapKey, Path, Violation, texts

UNION_TEXT = "Unions must have exactly one member set"

Check = Callable[[Any, Path, list[Violation]], None]


def _has_pattern(shape: Shape) -> bool:
    return bool(shape.traits.get("pattern")) or is_union(shape)


def _has_constraint(shape: Shape) -> bool:
    if is_document(shape):
        return False
    has_limit = any(shape.traits.get(name) is not None for name in ("min", "max", "pattern"))
    # A list, map or structure can always hold a null where none may be.
    return has_limit or bool(shape.traits.get("enum")) or shape.type_name in AGGREGATES


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
                    found.append(Violation((*path, name), Kind.REQUIRED, NOT_NULL, None))
            for name, check in checks:
                if name in value:
                    check(value[name], (*path, name), found)

        return check_structure

    def _list(self, shape: Shape) -> Check:
        own = None if self.only_patterns else _limits(shape)
        check_item = self._compile(shape.member)
        allows_null = is_sparse(shape)
        tell = _teller(shape, shape.member, Kind.ITEM, "Member must satisfy constraint: [{}]")

        def check_list(value: Any, path: Path, found: list[Violation]) -> None:
            if own is not None:
                own(value, path, found)
            inside: list[Violation] = []
            for position, item in enumerate(value, 1):
                if item is None:
                    if not allows_null:
                        found.append(Violation((*path, position), Kind.REQUIRED, NOT_NULL, None))
                elif check_item is not None:
                    check_item(item, (*path, position), inside)
            if inside:
                tell(inside, value, path, found)

        return check_list

    def _map(self, shape: Shape) -> Check:
        own = None if self.only_patterns else _limits(shape)
        check_key, check_value = self._compile(shape.key), self._compile(shape.value)
        allows_null = is_sparse(shape)
        tell_key = _teller(shape, shape.key, Kind.KEY, "Map keys must satisfy constraint: [{}]")
        tell_value = _teller(shape, shape.value, Kind.VALUE, "Map value must satisfy constraint: [{}]")

        def check_map(value: Any, path: Path, found: list[Violation]) -> None:
            if own is not None:
                own(value, path, found)
            at_keys: list[Violation] = []
            inside: list[Violation] = []
            for key, item in value.items():
                if check_key is not None:
                    check_key(key, (*path, MapKey(key)), at_keys)
                if item is None:
                    if not allows_null:
                        found.append(Violation((*path, MapKey(key)), Kind.REQUIRED, NOT_NULL, None))
                elif check_value is not None:
                    check_value(item, (*path, MapKey(key)), inside)
            if at_keys:
                tell_key(at_keys, value, path, found)
            if inside:
                tell_value(inside, value, path, found)

        return check_map

    def _scalar(self, shape: Shape) -> Check:
        limits = None if self.only_patterns else _limits(shape)
        pattern = shape.traits.get("pattern")
        enum = () if self.only_patterns else shape.traits.get("enum", ())
        allowed = frozenset(enum)
        matches = patterns.matcher(pattern) if pattern else None
        is_sensitive = bool(shape.traits.get("sensitive"))

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


def _teller(
    shape: Shape, item: Shape, kind: Kind, text: str
) -> Callable[[list[Violation], Any, Path, list[Violation]], None]:
    """Return what reports violations inside a list or map: an item's own at the list, deeper ones where they are."""
    all_texts = text.format(", ".join(texts(item)))
    hides = bool(shape.traits.get("sensitive") or item.traits.get("sensitive"))

    def tell(inside: list[Violation], value: Any, path: Path, found: list[Violation]) -> None:
        level = len(path) + 1
        if any(len(violation.path) == level for violation in inside):
            found.append(Violation(path, kind, all_texts, value, hides))
        found.extend(violation for violation in inside if len(violation.path) > level)

    return tell


def _limits(shape: Shape) -> Check | None:
    most, least = shape.traits.get("max"), shape.traits.get("min")
    if most is None and least is None:
        return None
    is_number = shape.type_name in NUMBERS
    unit = "value" if is_number else "length"
    is_sensitive = bool(shape.traits.get("sensitive"))

    def check_limits(value: Any, path: Path, found: list[Violation]) -> None:
        size = value if is_number else len(value)
        if most is not None and size > most:
            text = f"Member must have {unit} less than or equal to {most}"
            found.append(Violation(path, Kind.MAX, text, value, is_sensitive))
        if least is not None and size < least:
            text = f"Member must have {unit} greater than or equal to {least}"
            found.append(Violation(path, Kind.MIN, text, value, is_sensitive))

    return check_limits
