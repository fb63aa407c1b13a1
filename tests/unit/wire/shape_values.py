"""Hypothesis strategies for values of botocore's shapes that meet the shapes' constraints."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hypothesis import strategies as st

from cumulet.wire.patterns import compiled
from cumulet.wire.timestamps import HTTP_DATE
from cumulet.wire.typed import INT_RANGES

MAX_DEPTH = 4
MAX_ITEMS = 2
XML_TEXT = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff") | st.sampled_from("\t\n\r")
ANY_TEXT = st.characters(exclude_categories=("Cs",))
HEADER_TEXT = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
LABEL_TEXT = st.characters(exclude_categories=("Cs", "Cc"))
DOCUMENTS = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.text(ANY_TEXT, max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(ANY_TEXT, max_size=3), inner, max_size=2),
    max_leaves=4,
)


class Values:
    """Strategies for the shapes of one model. `is_xml`: only what XML can carry, nothing that a form omits."""

    def __init__(self, *, is_xml: bool) -> None:
        self.is_xml = is_xml
        self._structures: dict[tuple[str, int], st.SearchStrategy[Any]] = {}

    def structure(self, shape: Any, depth: int = 0) -> st.SearchStrategy[dict[str, Any]]:
        key = (shape.name, depth)
        if key not in self._structures:
            self._structures[key] = self._structure(shape, depth)
        return self._structures[key]

    def _structure(self, shape: Any, depth: int) -> st.SearchStrategy[dict[str, Any]]:
        members = {
            name: self.value(member, depth + 1)
            for name, member in shape.members.items()
            if depth < MAX_DEPTH or name in shape.required_members or shape.metadata.get("union")
        }
        if shape.metadata.get("union"):
            if depth >= MAX_DEPTH:
                members = {name: m for name, m in members.items() if not _is_aggregate(shape.members[name])} or members
            return st.one_of([st.fixed_dictionaries({name: value}) for name, value in members.items()])
        required = {name: value for name, value in members.items() if name in shape.required_members}
        optional = {name: value for name, value in members.items() if name not in shape.required_members}
        made = _thinned(required, optional)
        if self.is_xml and depth and not required:
            scalars = [n for n, member in shape.members.items() if not _is_aggregate(member)] or list(shape.members)
            always = {scalars[0]: self.value(shape.members[scalars[0]], depth + 1)} if scalars else {}
            return _thinned(always, {name: value for name, value in optional.items() if name not in always})
        return made

    def value(self, shape: Any, depth: int) -> st.SearchStrategy[Any]:
        kind = shape.type_name
        if kind == "structure":
            if shape.metadata.get("document"):
                return DOCUMENTS
            return st.deferred(lambda: self.structure(shape, depth))
        least, most = int(shape.metadata.get("min") or 0), shape.metadata.get("max")
        largest = max(least, MAX_ITEMS if depth < MAX_DEPTH else 0)
        largest = min(largest, int(most)) if most is not None else largest
        if kind == "list":
            # A query string has no empty list.
            least, largest = (
                (1, MAX_ITEMS) if shape.serialization.get("location") == "querystring" else (least, largest)
            )
            return st.lists(self.value(shape.member, depth + 1), min_size=least, max_size=largest)
        if kind == "map":
            least = max(least, 1) if self.is_xml else least
            keys = self.value(shape.key, depth + 1)
            values = self.value(shape.value, depth + 1)
            return st.dictionaries(keys, values, min_size=least, max_size=max(largest, least))
        return self._scalar(shape, least, most)

    def _scalar(self, shape: Any, least: int, most: Any) -> st.SearchStrategy[Any]:
        kind = shape.type_name
        location = shape.serialization.get("location")
        if kind in ("string", "character"):
            return self._text(shape, least, most, location)
        if kind in INT_RANGES:
            lowest, highest = INT_RANGES[kind]
            lowest = max(lowest, least) if shape.metadata.get("min") is not None else lowest
            return st.integers(lowest, min(highest, int(most)) if most is not None else highest)
        if kind in ("float", "double"):
            return st.floats(shape.metadata.get("min"), most, allow_nan=False, allow_infinity=False)
        if kind == "boolean":
            return st.booleans()
        if kind == "blob":
            return st.binary(min_size=least, max_size=least + 5)
        is_whole = location == "header" or shape.serialization.get("timestampFormat", "").lower() == HTTP_DATE
        moments = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
        return moments.map(lambda moment: moment.replace(microsecond=0)) if is_whole else moments

    def _text(self, shape: Any, least: int, most: Any, location: str | None) -> st.SearchStrategy[str]:
        if shape.metadata.get("enum"):
            return st.sampled_from(shape.metadata["enum"])
        most = least + 8 if most is None else min(int(most), least + 8)
        if shape.metadata.get("pattern"):
            return _matching(shape.metadata["pattern"], least, shape.metadata.get("max"), location or self.is_xml)
        if location == "uri":
            return st.text(LABEL_TEXT, min_size=max(1, least), max_size=max(1, most))
        if location in ("header", "headers"):
            return st.text(HEADER_TEXT, min_size=least, max_size=most)
        return st.text(XML_TEXT if self.is_xml else ANY_TEXT, min_size=least, max_size=most)


def _thinned(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Few of many optional members: large structures would take the whole budget of a test."""
    if not optional:
        return st.fixed_dictionaries(required)
    chosen = st.sets(st.sampled_from(sorted(optional)), max_size=5)
    return chosen.flatmap(
        lambda names: st.fixed_dictionaries({**required, **{name: optional[name] for name in sorted(names)}})
    )


def _is_aggregate(shape: Any) -> bool:
    return shape.type_name in ("structure", "list", "map")


CANDIDATES = [
    "a",
    "A",
    "1",
    "0",
    "a" * 20,
    "2020-01-01",
    "arn:aws:a:us-east-1:000000000000:a/a",
    "10.0.0.0/8",
    "a@a.aa",
]


@cache
def _matching(pattern: str, least: int, most: int | None, is_plain: Any) -> st.SearchStrategy[str]:
    matches = compiled(pattern).matches

    def fits(text: str) -> bool:
        is_carried = not is_plain or (text.isascii() and text.isprintable() and text.strip() == text)
        return least <= len(text) <= (most or 10**9) and bool(matches(text)) and is_carried

    found = [text for text in CANDIDATES if fits(text)]
    if found:
        return st.sampled_from(found)
    return st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True).filter(fits)
