"""Guards against a simple model: each statement looks at the text by itself, one after the other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.protection import Inspector, mask, redact
from cumulet.services.sns.data_protection import Denied
from cumulet.services.sns.data_protection_policies import Deidentify, Deny, Statement, read
from cumulet.services.sns.guards import Guard
from cumulet.services.sns.messages import Message
from cumulet.services.sns.topics import Topic

EXPRESSIONS = {"As": "a+", "Bs": "b+", "Ab": "ab", "Acb": "a.b", "Stars": r"\*+", "Digits": "[0-9]+"}
SOMEBODY = "arn:aws:iam::123456789012:user/anna"
OPERATIONS: list[dict[str, Any]] = [
    {"Deny": {}},
    {"Deidentify": {"RedactConfig": {}}},
    {"Deidentify": {"MaskConfig": {"MaskWithCharacter": "*"}}},
    {"Deidentify": {"MaskConfig": {"MaskWithCharacter": "a"}}},
]
PRINCIPALS = [["*"], ["123456789012"], ["111111111111"], [SOMEBODY]]
STATEMENTS = st.lists(
    st.fixed_dictionaries(
        {
            "DataDirection": st.sampled_from(["Inbound", "Outbound"]),
            "Principal": st.sampled_from(PRINCIPALS),
            "DataIdentifier": st.lists(st.sampled_from(list(EXPRESSIONS)), min_size=1, max_size=3, unique=True),
            "Operation": st.sampled_from(OPERATIONS),
        }
    ),
    min_size=1,
    max_size=4,
)
TEXTS = st.text("abc*1 ", min_size=1, max_size=12)
JSON_TEXTS = st.dictionaries(TEXTS, TEXTS | st.integers(0, 999), max_size=3).map(json.dumps)


def policy(statements: list[dict[str, Any]]) -> str:
    custom = [{"Name": name, "Regex": regex} for name, regex in EXPRESSIONS.items()]
    configuration = {"CustomDataIdentifier": custom}
    return json.dumps({"Name": "p", "Version": "2021-06-01", "Configuration": configuration, "Statement": statements})


def passed(statements: list[Statement], text: str) -> str | None:
    """Return what the model lets through."""
    for statement in statements:
        if isinstance(statement.operation, Deny) and Inspector(statement.identifiers).find(text):
            return None
    left = text
    for statement in statements:
        findings = Inspector(statement.identifiers).find(left)
        if findings and isinstance(statement.operation, Deidentify):
            character = statement.operation.mask
            left = redact(left, findings) if character is None else mask(left, findings, character)
    return left if left == text or left.strip() else None


@settings(max_examples=150, deadline=None)
@given(STATEMENTS, TEXTS | JSON_TEXTS)
def test_a_guard_does_what_its_statements_do_one_by_one(statements: list[dict[str, Any]], text: str) -> None:
    read_ones = read(policy(statements))
    guard = Guard(read_ones)
    about = [statement for statement in read_ones if statement.principals.include(SOMEBODY)]
    message = Message(id="0" * 8, topic_arn="arn", body=text, published_ms=0)

    try:
        admitted: str | None = guard.admitted(message, SOMEBODY).body
    except Denied:
        admitted = None
    shown = guard.shown(guard.rules_for(SOMEBODY), message, "sqs")

    assert admitted == passed([statement for statement in about if statement.is_inbound], text)
    assert (shown.body if shown else None) == passed([one for one in about if not one.is_inbound], text)


@pytest.mark.parametrize("direction", ["Inbound", "Outbound"])
def test_a_message_of_blanks_alone_is_not_taken_for_one_that_was_redacted(direction: str) -> None:
    statement = {"DataDirection": direction, "Principal": ["*"], "DataIdentifier": ["As"], "Operation": OPERATIONS[1]}
    guard = Guard(read(policy([statement])))
    message = Message(id="0" * 8, topic_arn="arn", body=" \n", published_ms=0)

    assert guard.admitted(message, "").body == " \n"
    assert guard.shown(guard.rules_for(""), message, "sqs") is not None


def test_a_report_counts_all_findings_and_lists_some() -> None:
    operation = {"Audit": {"SampleRate": 99, "NoFindingsDestination": {}}}
    statement = {"DataDirection": "Inbound", "Principal": ["*"], "DataIdentifier": ["As"], "Operation": operation}
    guard = Guard(read(policy([statement])))
    topic = Topic(
        id=1,
        account="123456789012",
        region="us-east-1",
        name="t",
        attributes={},
        tags={},
        data_protection="",
        created_ms=0,
    )

    report = guard.report(topic, Message(id="0" * 8, topic_arn=topic.arn, body="a " * 3000, published_ms=0), SOMEBODY)

    assert report is not None
    [found] = json.loads(report.line)["dataIdentifiers"]
    assert (found["name"], found["count"], len(found["detections"])) == ("As", 3000, 1000)
    assert found["detections"][-1] == {"start": 1999, "end": 1999}
