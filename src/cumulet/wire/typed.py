"""The shapes of a model as Python types that msgspec decodes and validates in C.

Structures become TypedDicts with the names on the wire; lengths, ranges, enums and required members are part of
the type. Patterns are not: msgspec would run them on Python's backtracking `re`. Timestamps stay what they are in
JSON and are converted afterwards. Recursive structures refer to themselves by name, so every model's types live in
a module of their own, made at run time.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Annotated, Any, ForwardRef, Literal, Required, TypedDict, Union

import msgspec

from cumulet.wire import timestamps
from cumulet.wire.model import is_document, is_sparse, wire_name
from cumulet.wire.shapes import Shape

INT_RANGES = {"integer": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}
FLOATS = frozenset({"float", "double"})
STRINGS = frozenset({"string", "character"})

# Called under another name because type checkers accept only literals from `TypedDict`.
make_typed_dict: Any = TypedDict
_module_numbers = itertools.count()


class Types:
    """The types of one model, made as they are asked for."""

    def __init__(self, service: str) -> None:
        self._module = ModuleType(f"{__name__}.{service.replace('-', '_')}_{next(_module_numbers)}")
        sys.modules[self._module.__name__] = self._module
        self._structures: dict[str, Any] = {}

    def structure(self, name: str, members: Mapping[str, Shape], required: Iterable[str]) -> Any:
        """Return a TypedDict of the members; `name` is only for messages."""
        needed = set(required)
        fields: dict[str, Any] = {}
        for member, shape in members.items():
            field = self.type_of(shape)
            fields[wire_name(shape, member)] = Required[field] if member in needed else field
        made = make_typed_dict(name, fields, total=False)
        made.__module__ = self._module.__name__
        return made

    def type_of(self, shape: Shape) -> Any:
        """Return the type of a shape."""
        kind = shape.type_name
        if is_document(shape):
            return Any
        if kind == "structure":
            return self._named(shape)
        if kind == "list":
            item = self.type_of(shape.member)
            return _limited(list[_item(shape, item)], _lengths(shape))  # type: ignore[misc]
        if kind == "map":
            key, value = self.type_of(shape.key), self.type_of(shape.value)
            return _limited(dict[key, _item(shape, value)], _lengths(shape))  # type: ignore[misc, valid-type]
        return _scalar(shape)

    def _named(self, shape: Shape) -> Any:
        reference = "S" + "".join(c if c.isalnum() else "_" for c in shape.name)
        if shape.name not in self._structures:
            self._structures[shape.name] = ForwardRef(reference, module=self._module.__name__)
            made = self.structure(reference, shape.members, shape.required_members)
            setattr(self._module, reference, made)
            self._structures[shape.name] = made
        return self._structures[shape.name]


def _scalar(shape: Shape) -> Any:
    kind = shape.type_name
    if kind in STRINGS:
        enum = shape.traits.get("enum")
        return Literal[tuple(enum)] if enum else _limited(str, _lengths(shape))
    if kind in INT_RANGES:
        lowest, highest = INT_RANGES[kind]
        least, most = shape.traits.get("min"), shape.traits.get("max")
        lowest = lowest if least is None else max(lowest, int(least))
        highest = highest if most is None else min(highest, int(most))
        return Annotated[int, msgspec.Meta(ge=lowest, le=highest)]
    if kind in FLOATS:
        bounds = {"ge": shape.traits.get("min"), "le": shape.traits.get("max")}
        return _limited(float, {name: bound for name, bound in bounds.items() if bound is not None})
    if kind == "boolean":
        return bool
    if kind == "blob":
        return _limited(bytes, _lengths(shape))
    if kind == "timestamp":
        format_name = timestamps.normalized(shape.traits.get("timestampFormat", timestamps.UNIX))
        return float if format_name == timestamps.UNIX else str
    raise ValueError(f"shape {shape.name} has the unknown type {kind}")


def _lengths(shape: Shape) -> dict[str, Any]:
    least, most = shape.traits.get("min"), shape.traits.get("max")
    limits = {}
    if least:
        limits["min_length"] = int(least)
    if most is not None:
        limits["max_length"] = int(most)
    return limits


def _limited(plain: Any, limits: dict[str, Any]) -> Any:
    return Annotated[plain, msgspec.Meta(**limits)] if limits else plain


def _item(shape: Shape, item: Any) -> Any:
    # `item | None` fails for names of types that are still being made.
    return Union[item, None] if is_sparse(shape) else item  # noqa: UP007
