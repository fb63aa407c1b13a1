"""Every managed identifier against its own examples, which are the table of docs/sensitive-data.md."""

import pytest

from cumulet.protection import Identifier, Inspector
from cumulet.protection.catalogue import IDENTIFIERS

EACH = pytest.mark.parametrize("identifier", IDENTIFIERS.values(), ids=IDENTIFIERS)


def found(identifier: Identifier, text: str) -> list[str]:
    findings = Inspector([identifier]).find(text)
    assert {finding.identifier for finding in findings} <= {identifier.name}
    return [text[finding.start : finding.end] for finding in findings]


@EACH
def test_data_is_found(identifier):
    assert len(identifier.matches) >= 2
    for text, data in identifier.matches:
        assert found(identifier, text)[:1] == [data]


@EACH
def test_what_only_looks_like_data_is_not_found(identifier):
    assert len(identifier.misses) >= 2
    for text in identifier.misses:
        assert found(identifier, text) == []


@pytest.mark.parametrize(
    "identifier",
    [pytest.param(each, id=each.name) for each in IDENTIFIERS.values() if each.keywords and not each.unaided],
)
def test_data_without_its_keyword_is_not_found(identifier):
    for _, data in identifier.matches:
        assert found(identifier, f"it is {data} indeed") == []


def test_identifiers_have_the_categories_of_aws():
    assert {each.category for each in IDENTIFIERS.values()} == {
        "Credentials", "Device", "Financial", "Health", "Personal",
    }  # fmt: skip
