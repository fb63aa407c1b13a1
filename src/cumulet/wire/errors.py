"""Errors as the models describe them: classes to raise, and the traits that an answer needs.

A class is made once per service and shape; its `code` is the shape's name, which is what JSON clients see. Clients
of the query protocol see the code that the model or its overlay gives (`AWS.SimpleQueueService.NonExistentQueue`).
To make a class costs nothing: the model is loaded when the first error is answered.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from cumulet.kernel.errors import AwsError
from cumulet.wire.shapes import ServiceModel, Shape


class ValidationError(AwsError):
    """The input breaks a constraint of the operation's model (query protocol)."""

    code = "ValidationError"


class MalformedInput(AwsError):
    """A parameter of the query protocol is not of its type."""

    code = "MalformedInput"


class MalformedQueryString(AwsError):
    """The parameters are not form-encoded UTF-8."""

    code = "MalformedQueryString"


class ErrorTrait(msgspec.Struct, frozen=True):
    """What an error looks like on the wire; `shape` is None for an error that the service doesn't model."""

    name: str
    query_code: str
    status: int
    is_sender_fault: bool
    shape: Shape | None


@cache
def modeled(service: str, shape_name: str) -> type[AwsError]:
    """Return the exception class of an error shape, which the model must have.

    Further members of the shape are given as keyword arguments: `modeled("dynamodb",
    "ConditionalCheckFailedException")("The conditional request failed", Item=item)`.
    """
    members: dict[str, Any] = {
        "__module__": __name__,
        "__doc__": f"{service}: {shape_name}.",
        "code": shape_name,
        "status": _FromModel(service, lambda trait: trait.status),
        "sender_fault": _FromModel(service, lambda trait: trait.is_sender_fault),
    }
    return type(shape_name, (AwsError,), members)


class _FromModel:
    """A class's attribute that is looked up in the model. KeyError when the model has no such error."""

    def __init__(self, service: str, of: Callable[[ErrorTrait], Any]) -> None:
        self._service = service
        self._of = of

    def __get__(self, error: AwsError | None, kind: type[AwsError]) -> Any:
        from cumulet.wire.service import load

        return self._of(load(self._service).errors[kind.code])


@cache
def modeled_traits(model: ServiceModel) -> dict[str, ErrorTrait]:
    """Return the traits of all errors of a model by shape name."""
    return {name: _trait(shape) for name, shape in model.errors.items()}


def _trait(shape: Shape) -> ErrorTrait:
    error = shape.traits.get("error", {})
    is_fault = bool(shape.traits.get("fault"))
    return ErrorTrait(
        name=shape.name,
        query_code=error.get("code", shape.name),
        status=error.get("httpStatusCode", 500 if is_fault else 400),
        is_sender_fault=error.get("senderFault", not is_fault),
        shape=shape,
    )


def trait_of(model: ServiceModel | None, error: AwsError) -> ErrorTrait:
    """Return how `error` is written: the model's word first, the class's otherwise."""
    found = modeled_traits(model).get(error.code) if model is not None else None
    return found or ErrorTrait(error.code, error.query_code or error.code, error.status, error.sender_fault, None)
