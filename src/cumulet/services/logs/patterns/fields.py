"""Patterns on space-delimited messages: `[ip, user, ..., status = 4*, bytes > 1000]`.

CloudWatch Logs: what is between brackets or quotation marks is one field, without them. `...` stands for any number
of fields. Without it a message has as many fields as the pattern; only behind a last field without a condition, and
where the pattern names none, more may follow. AWS documents both (`[w1=ERROR, w2]` takes every message whose first
word is ERROR) without saying how the two go together; this is where we chose.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from cumulet.services.logs.patterns import comparisons, expressions
from cumulet.services.logs.patterns.expressions import Condition
from cumulet.services.logs.patterns.scanner import Scanner, invalid_characters, invalid_pattern

NAME = re.compile(r"[A-Za-z0-9_-]+")
NOT_SPACE = re.compile(r"\S+")
SPACE = re.compile(r"\s*")
CLOSING = {"[": "]", '"': '"'}
ELLIPSIS = "..."
MOST_REGEXES = 2


class Field(NamedTuple):
    """One field of a pattern; without a name it is called by its number."""

    name: str
    condition: Condition | None


class FieldPattern:
    """Takes messages by their fields."""

    def __init__(self, first: Sequence[Field], last: Sequence[Field] | None) -> None:
        """Take `first` from the beginning and `last`, where the pattern has an ellipsis, from the end."""
        self._first = tuple(first)
        self._last = tuple(last or ())
        self._least = len(self._first) + len(self._last)
        self._is_open = last is not None or not first or first[-1].condition is None

    def matches(self, message: str) -> bool:
        """Has the message such fields, and do they fulfil all conditions?"""
        return self._fulfils(split(message))

    def extract(self, message: str) -> dict[str, str] | None:
        """Return all fields of the message by name or number."""
        values = split(message)
        if not self._fulfils(values):
            return None
        between = [Field("", None)] * (len(values) - self._least)
        fields = (*self._first, *between, *self._last)
        return {
            f"${field.name or number}": value
            for number, (field, value) in enumerate(zip(fields, values, strict=True), 1)
        }

    def _fulfils(self, values: list[str]) -> bool:
        if len(values) < self._least or (len(values) > self._least and not self._is_open):
            return False
        ends = values[len(values) - len(self._last) :]
        pairs = (*zip(self._first, values, strict=False), *zip(self._last, ends, strict=True))
        return all(field.condition is None or field.condition(value) for field, value in pairs)


def compiled(text: str) -> FieldPattern:
    """Return the pattern of a text in brackets."""
    scanner = Scanner(text, 1, len(text) - 1)
    scanner.skip_space()
    if scanner.at_end:
        return FieldPattern((), ())
    first: list[Field] = []
    last: list[Field] | None = None
    while True:
        scanner.skip_space()
        if not scanner.take(ELLIPSIS):
            (first if last is None else last).append(_field(scanner))
        elif last is None:
            last = []
        else:
            raise invalid_pattern()
        scanner.skip_space()
        if not scanner.take(","):
            break
    if not scanner.at_end:
        raise invalid_characters(scanner.peek())
    if scanner.regexes > MOST_REGEXES:
        raise invalid_pattern()
    return FieldPattern(first, last)


def _field(scanner: Scanner) -> Field:
    if scanner.at_end or scanner.peek() == ",":
        return Field("", None)
    names: set[str] = set()
    begin = scanner.position
    if scanner.peek() != "(":
        name = _name(scanner)
        scanner.skip_space()
        if scanner.at_end or scanner.peek() == ",":
            return Field(name, None)
        scanner.position = begin
    condition = expressions.read(scanner, partial(_condition, names))
    if len(names) > 1:
        raise invalid_pattern()
    return Field(names.pop(), condition)


def _condition(names: set[str], scanner: Scanner) -> Condition:
    names.add(_name(scanner))
    scanner.skip_space()
    return comparisons.read(scanner)


def _name(scanner: Scanner) -> str:
    name = scanner.match(NAME)
    if not name:
        raise invalid_characters(scanner.peek()) if not scanner.at_end else invalid_pattern()
    return name


def split(message: str) -> list[str]:
    """Return the fields of a message. An opening mark that nothing closes is a character like others."""
    if "[" not in message and '"' not in message:
        return message.split()
    fields: list[str] = []
    # Where no closing mark follows, none needs to be looked for again: the whole stays linear.
    unclosed: set[str] = set()
    position, end = 0, len(message)
    while True:
        found = SPACE.match(message, position)
        assert found is not None
        position = found.end()
        if position == end:
            return fields
        mark = message[position]
        if mark in CLOSING and mark not in unclosed:
            close = message.find(CLOSING[mark], position + 1)
            if close >= 0:
                fields.append(message[position + 1 : close])
                position = close + 1
                continue
            unclosed.add(mark)
        word = NOT_SPACE.match(message, position)
        assert word is not None
        fields.append(word.group())
        position = word.end()
