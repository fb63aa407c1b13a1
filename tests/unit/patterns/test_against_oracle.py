"""Random patterns and events: the compiled form agrees with a reading of the rules that looks at every leaf."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cumulet import patterns

NAMES = st.sampled_from(["a", "b", "c"])
TEXTS = st.text("ab*", max_size=3)
NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, -1.5, 2.0])
SCALARS = TEXTS | NUMBERS | st.booleans() | st.none()
EVENTS = st.dictionaries(
    NAMES,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=3,
)
WILDCARDS = st.text("ab*", max_size=4).filter(lambda text: "**" not in text)
BUT = (
    TEXTS
    | NUMBERS
    | st.lists(TEXTS, min_size=1, max_size=2)
    | st.builds(lambda text: {"prefix": text}, st.text("ab", min_size=1, max_size=2))
    | st.builds(lambda text: {"equals-ignore-case": text}, st.sampled_from(["A", "aB", ""]))
)
EXPRESSIONS = st.one_of(
    st.builds(lambda text: {"prefix": text}, TEXTS),
    st.builds(lambda text: {"suffix": text}, TEXTS),
    st.builds(lambda text: {"equals-ignore-case": text.upper()}, TEXTS),
    st.builds(lambda text: {"wildcard": text}, WILDCARDS),
    st.builds(lambda value: {"exists": value}, st.booleans()),
    st.builds(
        lambda operator, value: {"numeric": [operator, value]}, st.sampled_from(["=", "<", "<=", ">", ">="]), NUMBERS
    ),
    st.builds(lambda low, high: {"numeric": [">", low, "<=", low + high]}, NUMBERS, st.integers(1, 3)),
    st.builds(lambda value: {"anything-but": value}, BUT),
)
LISTS = st.lists(SCALARS | EXPRESSIONS, min_size=1, max_size=3)
OBJECTS = st.recursive(
    st.dictionaries(NAMES, LISTS, min_size=1, max_size=2),
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner | LISTS, min_size=1, max_size=2),
        st.builds(lambda alternatives: {"$or": alternatives}, st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=6,
)


def leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        return [leaf for name, below in value.items() for leaf in leaves(below, (*path, name))]
    if isinstance(value, list):
        return [leaf for element in value for leaf in leaves(element, path)]
    return [(path, value)]


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(value: Any, wanted: Any) -> bool:
    return (
        value == wanted
        if is_number(value) and is_number(wanted)
        else (value is wanted or value == wanted) and (type(value) is type(wanted))
    )


def accepts(entry: Any, value: Any) -> bool:
    if not isinstance(entry, dict):
        return same(value, entry)
    [(kind, wanted)] = entry.items()
    if kind == "exists":
        return bool(wanted)
    if kind == "anything-but":
        if isinstance(wanted, dict):
            return not accepts(wanted, value)
        return not any(same(value, but) for but in (wanted if isinstance(wanted, list) else [wanted]))
    if kind == "numeric":
        pairs = zip(wanted[::2], wanted[1::2], strict=True)
        compared = {"=": "__eq__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}
        return is_number(value) and all(getattr(float(value), compared[how])(float(limit)) for how, limit in pairs)
    if not isinstance(value, str):
        return False
    expressions = {
        "prefix": f"{re.escape(str(wanted))}.*",
        "suffix": f".*{re.escape(str(wanted))}",
        "equals-ignore-case": f"(?i:{re.escape(str(wanted))})",
        "wildcard": ".*".join(map(re.escape, str(wanted).split("*"))),
    }
    return re.fullmatch(expressions[kind], value) is not None


def oracle(pattern: Any, event: Any, path: tuple[str, ...] = ()) -> bool:
    for name, below in pattern.items():
        if name == "$or":
            if not any(oracle(alternative, event, path) for alternative in below):
                return False
        elif isinstance(below, dict):
            if not oracle(below, event, (*path, name)):
                return False
        else:
            values = [value for where, value in leaves(event) if where == (*path, name)]
            is_met = any(accepts(entry, value) for entry in below for value in values)
            if not is_met and (values or {"exists": False} not in below):
                return False
    return True


@given(OBJECTS, EVENTS)
def test_compiled_patterns_agree_with_the_rules(pattern: dict[str, Any], event: dict[str, Any]) -> None:
    assert patterns.compile(pattern).matches(event) is oracle(pattern, event)


@given(st.text(max_size=40) | st.text('{}[]":,$or prefixnumeric-1', max_size=60))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    try:
        patterns.compile(text)
    except patterns.PatternError as error:
        assert error.reason


@given(st.dictionaries(st.text(min_size=1), st.lists(st.text() | st.floats(allow_nan=False), min_size=1), min_size=1))
def test_a_pattern_of_plain_values_matches_an_event_of_the_same(pattern: dict[str, Any]) -> None:
    text = json.dumps(pattern)
    if "Infinity" not in text:
        assert patterns.compile(text).matches(json.loads(text))
