"""What a pattern asks of one value of a field.

Each condition is data with a method, so that the conditions of many patterns can be merged into one automaton later.
A value is what JSON has for leaves: a string, a number, true, false or null.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from cumulet.patterns import wildcards
from cumulet.patterns.addresses import Address, address

MOST_NUMBER = 5_000_000_000
"""EventBridge: numbers are compared between -5.0e9 and 5.0e9,"""
MICRO = 1_000_000
"""with six digits behind the point."""

Scalar = str | int | float | bool | None


class Condition(Protocol):
    """One entry of a pattern's list."""

    def accepts(self, value: Scalar) -> bool:
        """Return whether the value is as asked for."""


def micros(value: Scalar) -> int | None:
    """Return a number in millionths, or None for what is not comparable."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -MOST_NUMBER <= value <= MOST_NUMBER:
        return None
    return round(value * MICRO)


def folded(text: str) -> str:
    """Return a text without its case."""
    return text.lower()


class Exactly(msgspec.Struct, frozen=True):
    """This string."""

    text: str

    def accepts(self, value: Scalar) -> bool:
        """Return whether the value is this string."""
        return value == self.text


class Number(msgspec.Struct, frozen=True):
    """This number, however it is written. Numbers beyond the comparable ones are equal to themselves only."""

    number: int | float

    def accepts(self, value: Scalar) -> bool:
        """Return whether the value is this number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return value == self.number or (micros(value) is not None and micros(value) == micros(self.number))


class Constant(msgspec.Struct, frozen=True):
    """true, false or null."""

    constant: bool | None

    def accepts(self, value: Scalar) -> bool:
        """Return whether the value is this constant."""
        return value is self.constant


class Addresses(msgspec.Struct, frozen=True):
    """An IP address between two."""

    first: Address
    last: Address

    def accepts(self, value: Scalar) -> bool:
        """Return whether the value is an address between them."""
        if not isinstance(value, str) or (found := address(value)) is None:
            return False
        return found[0] == self.first[0] and self.first <= found <= self.last


class Prefix(msgspec.Struct, frozen=True):
    """A string that begins so."""

    text: str
    ignores_case: bool = False

    def accepts(self, value: Scalar) -> bool:
        """Return whether the value begins so."""
        return isinstance(value, str) and (folded(value) if self.ignores_case else value).startswith(self.text)


class Suffix(msgspec.Struct, frozen=True):
    """A string that ends so."""

    text: str
    ignores_case: bool = False

    def accepts(self, value: Scalar) -> bool:
        """Return whether the value ends so."""
        return isinstance(value, str) and (folded(value) if self.ignores_case else value).endswith(self.text)


class IgnoringCase(msgspec.Struct, frozen=True):
    """This string in whatever case; `text` is folded."""

    text: str

    def accepts(self, value: Scalar) -> bool:
        """Return whether the value is this string but for its case."""
        return isinstance(value, str) and folded(value) == self.text


class Wildcard(msgspec.Struct, frozen=True):
    """A string with anything in certain places."""

    parts: tuple[str, ...]

    def accepts(self, value: Scalar) -> bool:
        """Return whether the value has these parts."""
        return isinstance(value, str) and wildcards.matches(self.parts, value)


class Range(msgspec.Struct, frozen=True):
    """A number between two, in millionths."""

    bottom: int
    is_bottom_open: bool
    top: int
    is_top_open: bool

    def accepts(self, value: Scalar) -> bool:
        """Return whether the value is a number between them."""
        number = micros(value)
        if number is None or not self.bottom <= number <= self.top:
            return False
        is_open_end = (self.is_bottom_open and number == self.bottom) or (self.is_top_open and number == self.top)
        return not is_open_end


class AnythingBut(msgspec.Struct, frozen=True):
    """Any value, of whatever type, that none of the conditions accepts."""

    conditions: tuple[Condition, ...]

    def accepts(self, value: Scalar) -> bool:
        """Return whether no condition accepts the value."""
        return not any(condition.accepts(value) for condition in self.conditions)


class Exists(msgspec.Struct, frozen=True):
    """Any value."""

    def accepts(self, value: Scalar) -> bool:
        """Return True: there is a value."""
        return True


class Missing(msgspec.Struct, frozen=True):
    """No value: accepts none, a field without values is asked for it."""

    def accepts(self, value: Scalar) -> bool:
        """Return False: there is a value."""
        return False
