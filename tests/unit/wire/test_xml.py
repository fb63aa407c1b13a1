"""XML that parses whatever the values hold."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from cumulet.wire.service import load
from cumulet.wire.xml import escaped


@given(st.text(alphabet=st.characters()))
def test_any_text_makes_well_formed_xml(text: str) -> None:
    read = ElementTree.fromstring(f"<a>{escaped(text)}</a>").text or ""
    assert len(read) == len(text)
    assert all(got in (sent, "\ufffd") for got, sent in zip(read, text, strict=True))


@given(
    st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff") | st.just("\r"))
)
def test_text_that_xml_can_carry_survives(text: str) -> None:
    assert (ElementTree.fromstring(f"<a>{escaped(text)}</a>").text or "") == text


def test_members_that_are_none_are_left_out() -> None:
    response = load("cloudformation").operation("DescribeStacks").encode("query", {"Stacks": None}, "the-id")
    assert b"<DescribeStacksResult></DescribeStacksResult>" in response.body
