"""Policy documents: what is none, and which statements break the grammar."""

from __future__ import annotations

from typing import Any

import pytest
from policy_texts import QUEUE, SEND, document, statement

from cumulet import policies
from cumulet.policies import Asker, Decision, MalformedPolicy


def test_a_policy_that_has_lost_its_statements_says_nothing() -> None:
    assert policies.compiled('{"Statement": []}').decision(SEND, QUEUE, Asker()) is Decision.SILENT


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is not JSON"),
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", "it is not an object with Statement"),
        ("{}", "it is not an object with Statement"),
        ('{"Statement": []}', "Statement must be an object, or a list of some"),
        ('{"Statement": [7]}', "Statement must be an object, or a list of some"),
        ('{"Statement": {}, "Version": "2024-01-01"}', "Version must be one of 2012-10-17, 2008-10-17"),
        ('{"Statement": {}, "Version": []}', "Version must be one of 2012-10-17, 2008-10-17"),
        ('{"Statement": {}, "Id": 7}', "Id must be a string"),
        ('{"Statement": {}, "Author": "me"}', "it has the unknown element Author"),
    ],
)
def test_a_document_that_is_none_is_refused(text: str, reason: str) -> None:
    with pytest.raises(MalformedPolicy, match=f"^{reason}$"):
        policies.read(text)


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"Effect": None}, "a statement has no Effect"),
        ({"Effect": "allow"}, "an Effect must be Allow or Deny"),
        ({"Effect": []}, "an Effect must be Allow or Deny"),
        ({"Sid": 7}, "a Sid must be a string"),
        ({"Principal": None}, "a statement has no Principal"),
        ({"Principal": "bob"}, r"a Principal must be \* or an object"),
        ({"Principal": {}}, r"a Principal must be \* or an object"),
        ({"Principal": ["*"]}, r"a Principal must be \* or an object"),
        ({"Principal": {"Aws": "*"}}, "it has the unknown element Aws"),
        ({"Principal": {"AWS": []}}, "AWS must be a string, or a list of some"),
        ({"Principal": {"AWS": [7]}}, "AWS must be a string, or a list of some"),
        ({"NotPrincipal": "*"}, "a statement can't have both Principal and NotPrincipal"),
        ({"Action": None}, "a statement has no Action"),
        ({"Action": []}, "Action must be a string, or a list of some"),
        ({"Action": {}}, "Action must be a string, or a list of some"),
        ({"NotAction": "*"}, "a statement can't have both Action and NotAction"),
        ({"Resource": 7}, "Resource must be a string, or a list of some"),
        ({"NotResource": "*"}, "a statement can't have both Resource and NotResource"),
        ({"Condition": []}, "a Condition must be an object of operators, each with an object of keys"),
        ({"Condition": {"Bool": []}}, "a Condition must be an object of operators, each with an object of keys"),
        ({"Condition": {"Equals": {"a": "b"}}}, "Equals is no operator of a Condition"),
        ({"Condition": {"NullIfExists": {"a": "true"}}}, "NullIfExists is no operator of a Condition"),
        ({"Condition": {"ForAllValues:Null": {"a": "true"}}}, "ForAllValues:Null is no operator of a Condition"),
        ({"Condition": {"ForSomeValues:Bool": {"a": "true"}}}, "ForSomeValues:Bool is no operator of a Condition"),
        ({"Condition": {"Bool": {"a": {}}}}, "a value of a Condition must be a string, a number or a boolean"),
        ({"Condition": {"Bool": {"a": [None]}}}, "a value of a Condition must be a string, a number or a boolean"),
        ({"Conditions": {}}, "it has the unknown element Conditions"),
    ],
)
def test_a_statement_that_breaks_the_grammar_is_refused(elements: dict[str, Any], reason: str) -> None:
    with pytest.raises(MalformedPolicy, match=f"^{reason}$"):
        policies.read(document(statement(), statement(**elements)))
