"""The slow path of JSON decoding: read what msgspec refused as AWS's servers read it.

A null member is absent, an integral float is an integer, a timestamp may be a number or text in any format,
unknown members are ignored. What is wrong even so raises SerializationException with AWS's words for the token
that was found. Constraints are not checked here.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from cumulet.kernel.errors import SerializationException
from cumulet.wire import timestamps
from cumulet.wire.model import is_document, wire_name
from cumulet.wire.shapes import Shape
from cumulet.wire.typed import FLOATS, INT_RANGES, STRINGS

STRUCTURE_FOUND = "Start of structure or map found where not expected."
LIST_FOUND = "Start of list found where not expected"
STRUCTURE_EXPECTED = "Expected start of structure or map"
LIST_EXPECTED = "Expected list or null"
WRONG_TOKEN = "{token} can not be converted to {target}"
INVALID_BASE64 = "Invalid base64 encoded value"
INVALID_TIMESTAMP = "Invalid timestamp: {value}"
OUT_OF_RANGE = "Number {value} is out of the range of {target}"

SPECIAL_FLOATS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
TARGETS = {
    "string": "a String",
    "character": "a String",
    "integer": "an Integer",
    "long": "a Long",
    "float": "a Float",
    "double": "a Double",
    "boolean": "a Boolean",
    "blob": "a ByteBuffer",
    "timestamp": "a Timestamp",
}


def read_members(members: Mapping[str, Shape], value: Any) -> dict[str, Any]:
    """Return the members found in a JSON object, under the model's names."""
    if not isinstance(value, dict):
        raise SerializationException(STRUCTURE_EXPECTED)
    found = {}
    for name, shape in members.items():
        item = value.get(wire_name(shape, name))
        if item is not None:
            found[name] = read(shape, item)
    return found


def read(shape: Shape, value: Any) -> Any:
    """Return a JSON value as the model's type."""
    kind = shape.type_name
    if is_document(shape):
        return value
    if kind == "structure":
        return read_members(shape.members, value)
    if kind == "list":
        if not isinstance(value, list):
            raise SerializationException(STRUCTURE_FOUND if isinstance(value, dict) else LIST_EXPECTED)
        return [None if item is None else read(shape.member, item) for item in value]
    if kind == "map":
        if not isinstance(value, dict):
            raise SerializationException(LIST_FOUND if isinstance(value, list) else STRUCTURE_EXPECTED)
        return {key: None if item is None else read(shape.value, item) for key, item in value.items()}
    return _scalar(kind, value)


def _scalar(kind: str, value: Any) -> Any:
    if isinstance(value, dict):
        raise SerializationException(STRUCTURE_FOUND)
    if isinstance(value, list):
        raise SerializationException(LIST_FOUND)
    if kind in STRINGS and isinstance(value, str):
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "blob" and isinstance(value, str):
        return decode_base64(value)
    if kind == "timestamp" and not isinstance(value, bool):
        return _timestamp(value)
    if kind in INT_RANGES and _is_number(value) and value == value // 1:
        return in_range(kind, int(value))
    if kind in FLOATS:
        if _is_number(value):
            return _float(value)
        if isinstance(value, str) and value in SPECIAL_FLOATS:
            return SPECIAL_FLOATS[value]
    raise SerializationException(WRONG_TOKEN.format(token=_token(value), target=TARGETS[kind]))


def in_range(kind: str, value: int) -> int:
    """Return an integer if it fits into the model's type."""
    lowest, highest = INT_RANGES[kind]
    if not lowest <= value <= highest:
        raise SerializationException(OUT_OF_RANGE.format(value=value, target=TARGETS[kind]))
    return value


def decode_base64(text: str) -> bytes:
    """Return the bytes of a blob; SerializationException when it is not base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SerializationException(INVALID_BASE64) from None


def _timestamp(value: str | float) -> Any:
    try:
        return timestamps.parse(value)
    except timestamps.InvalidTimestamp:
        raise SerializationException(INVALID_TIMESTAMP.format(value=value)) from None


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise SerializationException(OUT_OF_RANGE.format(value=value, target=TARGETS["double"])) from None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _token(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    if isinstance(value, str):
        return "STRING_VALUE"
    return "NUMBER_VALUE" if isinstance(value, int) else "DECIMAL_VALUE"
