"""What a property or field is compared with: `= "x*"`, `!= 4*`, `>= 1e3`, `= %regex%`.

`*` at either end of a value stands for any text, elsewhere for itself. A number that is not in quotation marks equals
whatever spells the same number.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

from cumulet.services.logs.patterns.scanner import Scanner, invalid_characters, invalid_pattern

Scalar = str | int | float
Test = Callable[[Scalar], bool]

OPERATOR = re.compile(r"!=|<=|>=|=|<|>")
BARE = re.compile(r"[A-Za-z0-9_.*+\-]+")
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
LONGEST_NUMBER = 64

ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def read(scanner: Scanner) -> Test:
    """Read an operator and a value."""
    symbol = scanner.match(OPERATOR)
    if not symbol:
        raise invalid_characters(scanner.peek()) if not scanner.at_end else invalid_pattern()
    scanner.skip_space()
    if symbol in ORDERS:
        limit = number(scanner.match(BARE))
        if limit is None:
            raise invalid_pattern()
        return _ordered(ORDERS[symbol], limit)
    test = _equality(scanner)
    return test if symbol == "=" else lambda value: not test(value)


def _equality(scanner: Scanner) -> Test:
    first = scanner.peek()
    if first == "%":
        search = scanner.regex()
        return lambda value: search(text_of(value))
    if first == '"':
        return _text_test(scanner.quoted())
    bare = scanner.match(BARE)
    if not bare:
        raise invalid_characters(first) if first else invalid_pattern()
    wanted = number(bare)
    return _text_test(bare) if wanted is None else _number_test(wanted)


def _text_test(pattern: str) -> Test:
    """Return a test for text that begins, ends, or is as `pattern` says."""
    if pattern == "*":
        return lambda value: True
    from_start, to_end = not pattern.startswith("*"), not pattern.endswith("*")
    text = pattern[not from_start : len(pattern) - (not to_end)]
    if from_start and to_end:
        return lambda value: text_of(value) == text
    if from_start:
        return lambda value: text_of(value).startswith(text)
    if to_end:
        return lambda value: text_of(value).endswith(text)
    return lambda value: text in text_of(value)


def _number_test(wanted: float) -> Test:
    return lambda value: number(value) == wanted


def _ordered(order: Callable[[float, float], bool], limit: float) -> Test:
    def is_in_order(value: Scalar) -> bool:
        found = number(value)
        return found is not None and order(found, limit)

    return is_in_order


def number(value: Scalar) -> float | None:
    """Return the number that a value is or spells, None for other text."""
    if not isinstance(value, str):
        return value
    if len(value) > LONGEST_NUMBER or not NUMBER.fullmatch(value):
        return None
    return int(value) if value.lstrip("+-").isdigit() else float(value)


def text_of(value: Scalar) -> str:
    """Return a value as text."""
    return value if isinstance(value, str) else str(value)
