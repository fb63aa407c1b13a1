"""Message attributes and message system attributes: their rules, and the MD5 that SDKs check."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypedDict

import msgspec

from cumulet.services.sqs.characters import check_characters
from cumulet.services.sqs.errors import InvalidParameterValueException, UnsupportedOperation

MOST_ATTRIBUTES = 10
LONGEST_NAME_BYTES = 256
RESERVED_PREFIXES = ("aws.", "amazon.")
NAME = re.compile(r"[\w.-]+")
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
SMALLEST_EXPONENT, LARGEST_EXPONENT = -128, 126
"""SQS (recorded): 1e126 is refused."""
MOST_DIGITS = 38
TYPES = ("Binary", "Number", "String")
TRACE_HEADER = "AWSTraceHeader"

Attribute = Mapping[str, Any]


class _Stored(TypedDict, total=False):
    DataType: str
    StringValue: str
    BinaryValue: bytes


_STORED = msgspec.json.Decoder(dict[str, _Stored])


class CheckedAttributes(NamedTuple):
    """Message attributes that may be stored."""

    text: str
    """JSON, as `restored` reads it."""
    md5: str
    size_bytes: int
    """Names, types and values, as the message's length counts them."""


def checked(attributes: Mapping[str, Attribute]) -> CheckedAttributes:
    """Check message attributes; raises InvalidParameterValueException or UnsupportedOperation."""
    if len(attributes) > MOST_ATTRIBUTES:
        raise InvalidParameterValueException(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{MOST_ATTRIBUTES}]."
        )
    size_bytes = 0
    for name, attribute in attributes.items():
        _check_name(name)
        value = _checked_value(name, attribute)
        size_bytes += len(name.encode()) + len(attribute["DataType"].encode()) + len(value)
    text = msgspec.json.encode(attributes).decode()
    return CheckedAttributes(text, md5_of(attributes), size_bytes)


def checked_trace_header(attributes: Mapping[str, Attribute]) -> str:
    """Check message system attributes, of which there is one, and return its value."""
    for name, attribute in attributes.items():
        if name != TRACE_HEADER:
            raise InvalidParameterValueException(f"Message system attribute name '{name}' is invalid.")
        _checked_value(name, attribute)
        if attribute["DataType"] != "String":
            raise InvalidParameterValueException(
                f"The type of message system attribute '{name}' is invalid. You must use only the String type."
            )
    value: str = attributes[TRACE_HEADER]["StringValue"]
    return value


def restored(text: str) -> Mapping[str, Attribute]:
    """Return the attributes that `checked` made into text."""
    return _STORED.decode(text)


def selected(attributes: Mapping[str, Attribute], patterns: Iterable[str]) -> dict[str, Attribute]:
    """Return the attributes that ReceiveMessage's MessageAttributeNames select.

    SQS: `All`, `.*` and `*` select all of them, `prefix.*` those that begin with the prefix.
    """
    chosen: dict[str, Attribute] = {}
    for pattern in patterns:
        if pattern in ("All", ".*", "*"):
            return dict(attributes)
        if pattern.endswith(".*"):
            chosen.update({name: value for name, value in attributes.items() if name.startswith(pattern[:-2])})
        elif pattern in attributes:
            chosen[pattern] = attributes[pattern]
    return chosen


def md5_of(attributes: Mapping[str, Attribute]) -> str:
    """Return the MD5 of a map of attributes, by the rule of the SQS developer guide."""
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        data_type: str = attribute["DataType"]
        is_binary = data_type.startswith("Binary")
        value = attribute["BinaryValue"] if is_binary else attribute["StringValue"].encode()
        for part in (name.encode(), data_type.encode()):
            digest.update(len(part).to_bytes(4, "big") + part)
        digest.update(b"\x02" if is_binary else b"\x01")
        digest.update(len(value).to_bytes(4, "big") + value)
    return digest.hexdigest()


def _check_name(name: str) -> None:
    if not name:
        raise InvalidParameterValueException("The request must contain non-empty message (user) attribute names.")
    if len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME_BYTES:
        raise InvalidParameterValueException("Message (user) attribute name must be shorter than 256 bytes.")
    if not NAME.fullmatch(name):
        raise InvalidParameterValueException(
            "Message (user) attributes name can only contain upper and lower score characters, digits, periods, "
            "hyphens and underscores. "
        )
    if name.lower().startswith(RESERVED_PREFIXES) or name.startswith(".") or name.endswith("."):
        raise InvalidParameterValueException(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for "
            "internal use. Additionally, they cannot start or end with '.'."
        )


def _checked_value(name: str, attribute: Attribute) -> bytes:
    data_type: str = attribute.get("DataType") or ""
    if not data_type:
        raise InvalidParameterValueException(
            f"The message (user) attribute '{name}' must contain a non-empty message attribute value."
        )
    if len(data_type.encode("utf-8", "surrogatepass")) > LONGEST_NAME_BYTES:
        raise InvalidParameterValueException("Message (user) attribute type must be shorter than 256 bytes.")
    base = data_type.split(".", 1)[0]
    if base not in TYPES:
        raise InvalidParameterValueException(
            f"The type of message (user) attribute '{name}' is invalid. You must use only the following supported "
            "type prefixes: Binary, Number, String."
        )
    if attribute.get("StringListValues") or attribute.get("BinaryListValues"):
        raise UnsupportedOperation("Message attribute list values in SendMessage operation are not supported.")
    value = attribute.get("BinaryValue" if base == "Binary" else "StringValue")
    if not value:
        raise InvalidParameterValueException(
            f"Message (user) attribute '{name}' must contain a non-empty value of type '{data_type}'."
        )
    if base == "Binary":
        return bytes(value)
    data = value.encode("utf-8", "surrogatepass")
    check_characters(value, data, InvalidParameterValueException)
    if base == "Number":
        _check_number(name, value)
    return bytes(data)


def _check_number(name: str, value: str) -> None:
    match = NUMBER.fullmatch(value)
    if match is None:
        raise InvalidParameterValueException(f"Can't cast the value of message (user) attribute '{name}' to a number.")
    if match[3] and not _is_in_range(value):
        raise InvalidParameterValueException(
            f"Message (user) attribute '{name}' number value [{value}] must be between 10^{SMALLEST_EXPONENT} and "
            f"10^{LARGEST_EXPONENT}."
        )
    if sum(map(str.isdigit, match[1])) > MOST_DIGITS:
        raise InvalidParameterValueException(
            f"Message (user) attribute '{name}' number value [{value}] must contain fewer than {MOST_DIGITS} precision "
            "digits."
        )


def _is_in_range(value: str) -> bool:
    from decimal import Decimal, InvalidOperation  # a start does without

    try:
        return SMALLEST_EXPONENT <= Decimal(value).adjusted() < LARGEST_EXPONENT
    except InvalidOperation:  # very many digits in its exponent
        return False
