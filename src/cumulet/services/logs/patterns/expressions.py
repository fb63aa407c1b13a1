"""Conditions joined by `&&` and `||`, in parentheses where need be: `()` binds before `&&`, and `&&` before `||`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cumulet.services.logs.patterns.scanner import Scanner, invalid_pattern

Condition = Callable[[Any], bool]


def read(scanner: Scanner, read_condition: Callable[[Scanner], Condition]) -> Condition:
    """Read an expression up to something that can't continue it.

    Without recursion: a pattern may open a thousand parentheses.
    """
    # One level for each open parenthesis: the alternatives read so far, and the conditions of the present one.
    levels: list[tuple[list[Condition], list[Condition]]] = [([], [])]
    while True:
        scanner.skip_space()
        if scanner.take("("):
            levels.append(([], []))
            continue
        levels[-1][1].append(read_condition(scanner))
        scanner.skip_space()
        while len(levels) > 1 and scanner.take(")"):
            inner = _any(*levels.pop())
            levels[-1][1].append(inner)
            scanner.skip_space()
        alternatives, conditions = levels[-1]
        if scanner.take("||"):
            alternatives.append(_all(conditions))
            conditions.clear()
        elif not scanner.take("&&"):
            break
    if len(levels) > 1:
        raise invalid_pattern()
    return _any(*levels[0])


def _any(alternatives: list[Condition], last: list[Condition]) -> Condition:
    found = (*alternatives, _all(last))
    return found[0] if len(found) == 1 else lambda value: any(condition(value) for condition in found)


def _all(conditions: list[Condition]) -> Condition:
    found = tuple(conditions)
    return found[0] if len(found) == 1 else lambda value: all(condition(value) for condition in found)
