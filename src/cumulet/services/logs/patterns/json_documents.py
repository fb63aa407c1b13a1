"""Patterns on JSON messages: `{ $.level = "ERROR" && ($.users[0].id > 3 || $.cause IS NULL) }`.

CloudWatch Logs: a selector points to a string or number; what points to nothing, or to an array or object, fulfils no
comparison, not even `!=`. One wildcard in a selector, three in a pattern, two regular expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple

import orjson

from cumulet.services.logs.patterns import comparisons, expressions
from cumulet.services.logs.patterns.comparisons import Test
from cumulet.services.logs.patterns.expressions import Condition
from cumulet.services.logs.patterns.scanner import Scanner, invalid_characters, invalid_pattern

NAME = re.compile(r"[A-Za-z0-9_-]+")
KEYWORD = re.compile(r"[A-Z]+")
INDEX = re.compile(r"[0-9]{1,9}")
MOST_WILDCARDS = 3
MOST_REGEXES = 2
NO_JSON: Any = object()
IS: dict[str, Any] = {"NULL": None, "TRUE": True, "FALSE": False}


class AnyStep:
    """The step `*`: to every element of an array or property of an object."""


ANY = AnyStep()
Step = str | int | AnyStep


class Selector(NamedTuple):
    """The way from the root to a value."""

    text: str
    steps: tuple[Step, ...]


class JsonPattern:
    """Takes messages that are JSON and fulfil an expression."""

    def __init__(self, condition: Condition, selectors: Iterable[Selector]) -> None:
        self._condition = condition
        self._selectors = tuple(selectors)

    def matches(self, message: str) -> bool:
        """Is the message JSON that fulfils the expression?"""
        document = _parsed(message)
        return document is not NO_JSON and self._condition(document)

    def extract(self, message: str) -> dict[str, str] | None:
        """Return the strings and numbers at the pattern's selectors, without those that have a wildcard."""
        document = _parsed(message)
        if document is NO_JSON or not self._condition(document):
            return None
        found = {}
        for selector in self._selectors:
            for value in _values(document, selector.steps) if ANY not in selector.steps else ():
                if _is_scalar(value):
                    found[selector.text] = comparisons.text_of(value)
        return found


def compiled(text: str) -> JsonPattern:
    """Return the pattern of a text in braces."""
    scanner = Scanner(text, 1, len(text) - 1)
    selectors: list[Selector] = []
    condition = expressions.read(scanner, partial(_condition, selectors))
    scanner.skip_space()
    if not scanner.at_end:
        raise invalid_characters(scanner.peek())
    wildcards = [selector.steps.count(ANY) for selector in selectors]
    if max(wildcards) > 1 or sum(wildcards) > MOST_WILDCARDS or scanner.regexes > MOST_REGEXES:
        raise invalid_pattern()
    return JsonPattern(condition, selectors)


def _condition(selectors: list[Selector], scanner: Scanner) -> Condition:
    selector = _selector(scanner)
    selectors.append(selector)
    scanner.skip_space()
    keyword = scanner.match(KEYWORD)
    if not keyword:
        return _compared(selector.steps, comparisons.read(scanner))
    scanner.skip_space()
    operand = scanner.match(KEYWORD)
    if keyword == "NOT" and operand == "EXISTS":
        return lambda document: not _values(document, selector.steps)
    if keyword == "IS" and operand in IS:
        wanted = IS[operand]
        return lambda document: any(value is wanted for value in _values(document, selector.steps))
    raise invalid_pattern()


def _compared(steps: tuple[Step, ...], test: Test) -> Condition:
    return lambda document: any(_is_scalar(value) and test(value) for value in _values(document, steps))


def _selector(scanner: Scanner) -> Selector:
    if not scanner.take("$"):
        raise invalid_characters(scanner.peek()) if not scanner.at_end else invalid_pattern()
    text, steps = "$", list[Step]()
    while True:
        dot = scanner.take(".")
        if scanner.take("["):
            step = _bracketed(scanner)
            text += f"[{step}]" if isinstance(step, int) else "[*]" if isinstance(step, AnyStep) else f"['{step}']"
        elif not dot:
            break
        elif scanner.take("*"):
            step = ANY
            text += ".*"
        else:
            step = scanner.match(NAME)
            if not step:
                raise invalid_characters(f"$.{scanner.peek()}")
            text += f".{step}"
        steps.append(step)
    if not steps:
        raise invalid_pattern()
    return Selector(text, tuple(steps))


def _bracketed(scanner: Scanner) -> Step:
    mark = scanner.peek()
    step: Step
    if scanner.take("*"):
        step = ANY
    elif mark in ("'", '"') and mark:
        step = scanner.quoted(mark)
    else:
        index = scanner.match(INDEX)
        if not index:
            raise invalid_pattern()
        step = int(index)
    if not scanner.take("]"):
        raise invalid_pattern()
    return step


def _values(document: Any, steps: tuple[Step, ...]) -> list[Any]:
    """Return what the steps lead to: nothing, one value, or several where one of the steps is `*`."""
    values = [document]
    for step in steps:
        found: list[Any] = []
        for value in values:
            if isinstance(value, dict):
                if isinstance(step, AnyStep):
                    found.extend(value.values())
                elif step in value:
                    found.append(value[step])
            elif isinstance(value, list):
                if isinstance(step, AnyStep):
                    found.extend(value)
                elif isinstance(step, int) and step < len(value):
                    found.append(value[step])
        values = found
    return values


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _parsed(message: str) -> Any:
    """Return the message's JSON object or array, `NO_JSON` for any other message."""
    if message.lstrip()[:1] not in ("{", "["):
        return NO_JSON
    try:
        return orjson.loads(message)
    except ValueError:
        return NO_JSON
