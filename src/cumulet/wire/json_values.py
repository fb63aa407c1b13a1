"""Conversions between decoded JSON and the model's values, compiled for the members that need one.

A finisher works on what msgspec decoded: renames members and parses timestamps. A wire form is the other way
round, for results that orjson can't write as they are.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from typing import Any

from cumulet.wire import timestamps
from cumulet.wire.model import Reach, is_document, is_sparse, wire_name
from cumulet.wire.shapes import Shape
from cumulet.wire.typed import FLOATS

Convert = Callable[[Any], Any]


def is_renamed(name: str, shape: Shape) -> bool:
    """Has the member another name on the wire?"""
    return wire_name(shape, name) != name


def _is_unfinished(shape: Shape) -> bool:
    if shape.type_name == "structure" and not is_document(shape):
        return any(is_renamed(name, member) for name, member in shape.members.items())
    return bool(shape.type_name == "timestamp")


class Converters:
    """Compiles the converters of one model; a recursive structure finds its own by name when it runs."""

    def __init__(self) -> None:
        self._made: dict[str, Convert] = {}
        self._under_way: set[str] = set()

    def structure(self, shape: Shape) -> Convert:
        name, made = shape.name, self._made
        if name in self._under_way:
            return lambda value: made[name](value)
        if name not in made:
            self._under_way.add(name)
            made[name] = self.members(shape.members)
            self._under_way.discard(name)
        return made[name]

    def members(self, members: Mapping[str, Shape]) -> Convert:
        raise NotImplementedError


class Finishers(Converters):
    """Converters that complete what msgspec decoded."""

    def __init__(self) -> None:
        super().__init__()
        self._reaches = Reach(_is_unfinished)

    def of(self, members: Mapping[str, Shape]) -> Convert | None:
        """Return what completes a decoded structure, None when there is nothing to do."""
        if any(is_renamed(name, shape) or self._reaches(shape) for name, shape in members.items()):
            return self.members(members)
        return None

    def members(self, members: Mapping[str, Shape]) -> Convert:
        steps = [(name, wire_name(shape, name), self.compile(shape)) for name, shape in members.items()]
        if any(name != wire for name, wire, _ in steps):

            def rename(value: dict[str, Any]) -> dict[str, Any]:
                return {
                    name: value[wire] if convert is None else convert(value[wire])
                    for name, wire, convert in steps
                    if wire in value
                }

            return rename
        conversions = [(name, convert) for name, _, convert in steps if convert is not None]

        def finish(value: dict[str, Any]) -> dict[str, Any]:
            for name, convert in conversions:
                if name in value:
                    value[name] = convert(value[name])
            return value

        return finish

    def compile(self, shape: Shape) -> Convert | None:
        if not self._reaches(shape):
            return None
        if shape.type_name == "structure":
            return self.structure(shape)
        if shape.type_name == "list":
            item = self.compile(shape.member)
            return lambda value: [None if x is None else item(x) for x in value]  # type: ignore[misc]
        if shape.type_name == "map":
            item = self.compile(shape.value)
            return lambda value: {k: None if x is None else item(x) for k, x in value.items()}  # type: ignore[misc]
        return timestamps.parse


def _is_foreign(shape: Shape) -> bool:
    if shape.type_name == "structure" and not is_document(shape):
        return any(is_renamed(name, member) for name, member in shape.members.items())
    return bool(shape.type_name == "timestamp" and _format(shape) != timestamps.UNIX)


def _format(shape: Shape) -> str:
    return timestamps.normalized(shape.traits.get("timestampFormat", timestamps.UNIX))


class WireForms(Converters):
    """Converters that make JSON values of results: names, formats, no nulls, NaN spelled."""

    def __init__(self) -> None:
        super().__init__()
        self._reaches = Reach(_is_foreign)

    def is_needed(self, members: Mapping[str, Shape]) -> bool:
        """Is there anything that orjson and its `default` hook would write wrongly whatever the values are?"""
        return any(is_renamed(name, shape) or self._reaches(shape) for name, shape in members.items())

    def members(self, members: Mapping[str, Shape]) -> Convert:
        # Compiled at the first use: most results never need it.
        steps: list[tuple[str, str, Convert]] = []

        def to_wire(value: Mapping[str, Any]) -> dict[str, Any]:
            if not steps:
                steps.extend((name, wire_name(shape, name), self.compile(shape)) for name, shape in members.items())
            return {wire: convert(value[name]) for name, wire, convert in steps if value.get(name) is not None}

        return to_wire

    def compile(self, shape: Shape) -> Convert:
        kind = shape.type_name
        if is_document(shape):
            return _same
        if kind == "structure":
            return self.structure(shape)
        if kind == "list":
            item, keeps_null = self.compile(shape.member), is_sparse(shape)
            return lambda value: [None if x is None else item(x) for x in value if keeps_null or x is not None]
        if kind == "map":
            item, keeps_null = self.compile(shape.value), is_sparse(shape)
            return lambda value: {
                key: None if x is None else item(x) for key, x in value.items() if keeps_null or x is not None
            }
        if kind in FLOATS:
            return spelled_float
        if kind == "timestamp":
            format_name = _format(shape)
            return timestamps.epoch if format_name == timestamps.UNIX else timestamps.FORMATTERS[format_name]
        return _base64 if kind == "blob" else _same


def spelled_float(value: float) -> Any:
    """Return the number, or the text that AWS writes for what JSON has no number for."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _base64(value: Any) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode("ascii")


def _same(value: Any) -> Any:
    return value
