"""The attributes of a message: their rules, in SNS's words (recorded)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulet.services.sns.errors import InvalidParameterValueException, invalid
from cumulet.services.sns.messages import MessageAttribute

if TYPE_CHECKING:
    from decimal import Decimal

LONGEST_NAME_BYTES = 256
WRONG_CHARACTER = re.compile(r"[^\w.-]", re.ASCII)
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
SMALLEST_EXPONENT, LARGEST_EXPONENT = -128, 126
"""SNS (recorded): 1e-128 is taken and 1e126 is not, and the same with 0 for 1."""
MOST_DIGITS = 38
"""SNS (recorded): zeros in front don't count, those at the end do."""
LAST_CHARACTER = "\uffff"
"""Of strings; what lies beyond the basic multilingual plane, such as most emoji, is refused."""
TYPE = re.compile(r"(String|Number|Binary)(\..+)?", re.DOTALL)


def checked(given: Mapping[str, Mapping[str, Any]]) -> dict[str, MessageAttribute]:
    """Return the attributes of a request; raises InvalidParameterValueException or InvalidParameterException."""
    attributes = {}
    for name, attribute in given.items():
        _check_name(name)
        attributes[name] = MessageAttribute(attribute.get("DataType", ""), _value(name, attribute))
    return attributes


def size_bytes(attributes: Mapping[str, MessageAttribute]) -> int:
    """Return names, types and values together, as the limit of a message counts them."""
    return sum(
        len(name.encode()) + len(data_type.encode()) + len(value if isinstance(value, bytes) else value.encode())
        for name, (data_type, value) in attributes.items()
    )


def _check_name(name: str) -> None:
    if not name:
        raise InvalidParameterValueException("The request must contain non-empty message attribute name.")
    wrong = WRONG_CHARACTER.search(name)
    if wrong:
        raise InvalidParameterValueException(
            f"Invalid non-alphanumeric character '#x{ord(wrong[0]):X}' was found in the message attribute name. Can "
            "only include alphanumeric characters, hyphens, underscores, or dots."
        )
    if len(name) >= LONGEST_NAME_BYTES:
        raise InvalidParameterValueException("Length of message attribute name must be less than 256 bytes.")
    for place, is_there in (("starting", name.startswith(".")), ("ending", name.endswith("."))):
        if is_there:
            raise InvalidParameterValueException(
                f"Invalid message attribute name {place} with character '.' was found."
            )
    if ".." in name:
        raise InvalidParameterValueException("Message attribute name can not have successive '.' character.")


def _check_number(name: str, value: str) -> None:
    if not NUMBER.fullmatch(value):
        raise InvalidParameterValueException(f"Could not cast message attribute '{name}' value to number.")
    number = _parsed(value)
    if number is None or not SMALLEST_EXPONENT <= number.adjusted() < LARGEST_EXPONENT:
        raise InvalidParameterValueException(
            f"Message attribute '{name}' number value [{value}] scale must be 10^{SMALLEST_EXPONENT} and "
            f"10^{LARGEST_EXPONENT}."
        )
    if len(number.as_tuple().digits) > MOST_DIGITS:
        raise InvalidParameterValueException(
            f"Message attribute '{name}' number value [{value}] must have less than {MOST_DIGITS} precision digits."
        )


def _parsed(value: str) -> Decimal | None:
    """Return a number, or None when its exponent has very many digits."""
    from decimal import Decimal, InvalidOperation  # a start does without

    try:
        return Decimal(value)
    except InvalidOperation:
        return None


def _value(name: str, attribute: Mapping[str, Any]) -> str | bytes:
    data_type = attribute.get("DataType") or ""
    if not data_type:
        raise InvalidParameterValueException(
            f"The message attribute '{name}' must contain non-empty message attribute type."
        )
    match = TYPE.fullmatch(data_type)
    if match is None:
        raise InvalidParameterValueException(
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes "
            "is Binary, Number, and String."
        )
    field = "Binary" if match[1] == "Binary" else "String"
    values = {kind: attribute[f"{kind}Value"] for kind in ("String", "Binary") if f"{kind}Value" in attribute}
    if values and field not in values:
        raise InvalidParameterValueException(
            f"The message attribute '{name}' with type '{data_type}' must use field '{field}'."
        )
    if not values.get(field):
        raise InvalidParameterValueException(
            f"The message attribute '{name}' must contain non-empty message attribute value for message attribute type "
            f"'{data_type}'."
        )
    if match[1] == "Number":
        _check_number(name, values[field])
    elif field == "String" and max(values[field]) > LAST_CHARACTER:
        raise invalid(f"Invalid attribute value was passed in for message attribute {name}")
    return bytes(values[field]) if field == "Binary" else str(values[field])
