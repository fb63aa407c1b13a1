"""Parameters of the query protocol as a tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.wire.errors import MalformedQueryString
from cumulet.wire.form import numbered, pairs, parameters, tree


def test_decoding() -> None:
    assert parameters(b"a=b+c%26&d&=e&&f=%C3%A9") == {"a": "b c&", "d": "", "f": "é"}
    assert parameters(b"a=1", b"a=2&b=3") == {"a": "1", "b": "3"}
    assert pairs(b"a=1&a=2") == [("a", "1"), ("a", "2")]
    assert parameters(b"a=%zz%") == {"a": "%zz%"}


@pytest.mark.parametrize("form", [b"a=%ff", b"\xff=a"])
def test_what_is_not_utf8(form: bytes) -> None:
    with pytest.raises(MalformedQueryString):
        parameters(form)
    with pytest.raises(MalformedQueryString):
        pairs(form)


def test_names_spell_a_tree() -> None:
    assert tree({"a.1.b": "x", "a.2.b": "y", "c": "z"}) == {"a": {"1": {"b": "x"}, "2": {"b": "y"}}, "c": "z"}
    assert tree({"a": "x", "a.1": "y"}) == {"a": {"": "x", "1": "y"}}
    assert tree({"a.1": "y", "a": "x"}) == {"a": {"": "x", "1": "y"}}


def test_numbers_are_in_order_and_gaps_cost_nothing() -> None:
    assert numbered({"10": "c", "2": "b", "1": "a", "x": "-", "99999999999999999999": "d", "²": "-"}) == list("abcd")


def test_a_name_with_too_many_parts() -> None:
    with pytest.raises(MalformedQueryString):
        tree({"a." * 100_000: "x"})


@given(st.dictionaries(st.text(alphabet="ab.1", max_size=8), st.text(max_size=3), max_size=8))
def test_any_names_make_a_tree(flat: dict[str, str]) -> None:
    tree(flat)
