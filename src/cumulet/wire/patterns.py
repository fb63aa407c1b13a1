"""Patterns of the models on a linear-time engine.

AWS's patterns are Java regular expressions and match the whole value. RE2 runs them after translation: Unicode
escapes, POSIX classes by their Java names, possessive quantifiers. Look-arounds at either end become conditions of
their own. What RE2 can't say is relaxed, so that a value which AWS accepts is never refused: a look-around in the
middle and a back-reference accept anything, a repetition of more than 1,000 has no upper bound (the shape's length
has it). A pattern that can't be translated accepts everything.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import msgspec

from cumulet.wire.java_regex import relaxed, split_conditions, translated

Matches = Callable[[str], bool]

REMEMBERED_LENGTH = 256
REMEMBERED_VALUES = 512
"""A pattern remembers its verdicts on so many short values: names come again and again."""


class Pattern(msgspec.Struct, frozen=True):
    """A compiled pattern. `is_exact` is False when something had to be relaxed."""

    matches: Matches
    is_exact: bool


def matcher(pattern: str) -> Matches:
    """Return a predicate on values; the pattern is compiled when it is first called."""

    def matches(value: str) -> bool:
        return compiled(pattern).matches(value)

    remembered = lru_cache(REMEMBERED_VALUES)(matches)
    return lambda value: remembered(value) if len(value) <= REMEMBERED_LENGTH else matches(value)


@cache
def compiled(pattern: str) -> Pattern:
    """Return a pattern ready to run, compiled once per process."""
    body, conditions = split_conditions(pattern)
    main, is_exact = _compiled(body)
    checks: list[Callable[[str], Any]] = [] if main is None else [main.fullmatch]
    for condition in conditions:
        text = condition.body if condition.is_ahead else f"(?:{condition.body})$"
        found, is_exact_too = _compiled(text)
        is_exact = is_exact and is_exact_too
        # A relaxed condition accepts more: negated it would refuse what AWS accepts.
        if found is None or (condition.is_negative and not is_exact_too):
            continue
        look = found.match if condition.is_ahead else found.search
        checks.append(_negated(look) if condition.is_negative else look)
    return Pattern(lambda value: all(check(value) for check in checks), is_exact)


def _negated(look: Callable[[str], Any]) -> Callable[[str], bool]:
    return lambda value: not look(value)


def _compiled(pattern: str) -> tuple[Any, bool]:
    """Return RE2's program, None if it can't be had, and whether it is exact."""
    source, is_exact = translated(pattern)
    for candidate, exact in ((source, is_exact), (relaxed(source), False)):
        program = _program(candidate)
        if program is not None:
            return program, exact
    return None, False


def _program(source: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    try:
        return re2.compile(source, options)
    except re2.error:
        return None
