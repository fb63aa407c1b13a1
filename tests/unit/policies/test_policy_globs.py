"""Wildcards of policies, against regular expressions that mean the same."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.policies.globs import Glob, pieces
from cumulet.policies.texts import Text

PATTERNS = st.text("ab:*?\n", max_size=12)
TEXTS = st.text("ab:*?\n", max_size=12)


@settings(max_examples=500, deadline=None)
@given(PATTERNS, TEXTS)
def test_wildcards_are_any_characters_and_one(pattern: str, text: str) -> None:
    same = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")

    assert Glob(pieces(pattern)).matches(text) is (re.fullmatch(same, text, re.DOTALL) is not None)


@settings(max_examples=500, deadline=None)
@given(PATTERNS, TEXTS)
def test_each_part_of_an_arn_is_matched_alone(pattern: str, text: str) -> None:
    parts, wanted = text.split(":", 5), pattern.split(":", 5)
    each = [Glob(pieces(part)) for part in wanted]
    expected = len(parts) == len(wanted) and all(glob.matches(part) for glob, part in zip(each, parts, strict=True))

    assert Text(pattern, has_variables=True).is_like_arn(text, {}) is expected


@given(st.text("ab*?${}:,' ", max_size=15), st.text("ab*", max_size=4))
def test_a_text_with_any_variables_takes_every_value(source: str, value: str) -> None:
    facts = {"a": value, "b": value, "ab": value}
    text = Text(source, has_variables=True)

    plain = text.plain(facts)

    assert plain is None or text.equals(plain, facts)
    assert isinstance(text.is_like(value, facts), bool)
    assert isinstance(text.is_like_arn(value, facts), bool)
