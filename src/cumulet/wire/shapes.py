"""A model's operations and shapes, resolved as they are asked for.

What botocore's own classes do for a client, as far as codecs need it: importing those takes as long as all of the
rest of the platform, for they bring a client's HTTP with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

Description = Mapping[str, Any]


class Shape:
    """A type of a model, as it is where something refers to it: the traits of a reference win over its own.

    `type_name` is the model's word (`structure`, `list`, `map`, `string`, ...). Members are those of a structure; a
    list has `member`, a map `key` and `value`.
    """

    def __init__(self, name: str, traits: Description, shapes: Mapping[str, Description]) -> None:
        self.name = name
        self.traits = traits
        self.type_name: str = traits["type"]
        self._shapes = shapes

    @cached_property
    def members(self) -> dict[str, Shape]:
        """Those of a structure, in the model's order."""
        return {name: self._at(reference) for name, reference in self.traits.get("members", {}).items()}

    @cached_property
    def required_members(self) -> tuple[str, ...]:
        """The names of those that a structure can't do without."""
        return tuple(self.traits.get("required", ()))

    @cached_property
    def member(self) -> Shape:
        """The items of a list."""
        return self._at(self.traits["member"])

    @cached_property
    def key(self) -> Shape:
        """The keys of a map."""
        return self._at(self.traits["key"])

    @cached_property
    def value(self) -> Shape:
        """The values of a map."""
        return self._at(self.traits["value"])

    def _at(self, reference: Description) -> Shape:
        return referred(reference, self._shapes)


def referred(reference: Description, shapes: Mapping[str, Description]) -> Shape:
    """Return the shape that a reference means."""
    name = reference["shape"]
    own = shapes[name]
    return Shape(name, {**own, **reference} if len(reference) > 1 else own, shapes)


class OperationModel:
    """An operation of a model."""

    def __init__(self, name: str, traits: Description, shapes: Mapping[str, Description]) -> None:
        self.name = name
        self._traits = traits
        self._shapes = shapes

    @property
    def http(self) -> Description:
        """`method`, `requestUri`, and `responseCode` where it is another than 200."""
        found: Description = self._traits["http"]
        return found

    @property
    def is_compressible(self) -> bool:
        """May clients compress its requests?"""
        return "requestcompression" in self._traits

    @property
    def input_shape(self) -> Shape | None:
        """The structure of its requests."""
        return self._shape("input")

    @property
    def output_shape(self) -> Shape | None:
        """The structure of its answers."""
        return self._shape("output")

    def _shape(self, of: str) -> Shape | None:
        return referred(self._traits[of], self._shapes) if of in self._traits else None


class ServiceModel:
    """A service's description."""

    def __init__(self, description: Description) -> None:
        self._operations: Mapping[str, Description] = description["operations"]
        self._shapes: Mapping[str, Description] = description["shapes"]
        self.metadata: Description = description["metadata"]
        self.operation_names = frozenset(self._operations)
        self.shape_names = tuple(self._shapes)

    def operation_model(self, name: str) -> OperationModel:
        """Return an operation. KeyError without one."""
        return OperationModel(name, self._operations[name], self._shapes)

    def shape_for(self, name: str) -> Shape:
        """Return a shape. KeyError without one."""
        return Shape(name, self._shapes[name], self._shapes)

    @cached_property
    def errors(self) -> dict[str, Shape]:
        """The shapes of errors by their names."""
        return {name: self.shape_for(name) for name, traits in self._shapes.items() if traits.get("exception")}
