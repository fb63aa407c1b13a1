"""Data protection policies that are refused; nothing changes by them."""

from __future__ import annotations

from typing import Any

import pytest
from sns_administration import NO_TOPIC, Topic, fifo, invalid, refusal
from sns_protection import DENY, audit, policy, statement

from cumulet.testing import Cumulet

GOOD = policy(statement(DENY))
REASON = "DataProtectionPolicy Reason: "


@pytest.fixture
def topic(cumulet: Cumulet) -> Topic:
    return Topic(cumulet)


def shown(topic: Topic) -> str:
    answer = topic.client.get_data_protection_policy(ResourceArn=topic.arn)
    return str(answer["DataProtectionPolicy"])


BAD_POLICIES = [
    ("no JSON", "invalid JSON"),
    (policy(), "Statement must be a list that is not empty"),
    (policy(statement(DENY), Version="2012-10-17"), "Version must be 2021-06-01"),
    (policy(statement(DENY, DataIdentifier=["EmployeeId"])), "unknown data identifier EmployeeId"),
    (
        policy(statement(audit(100, FindingsDestination={}))),
        "SampleRate must be an integer between 0 and 99",
    ),
    (" " * 30_720 + GOOD, "must have at most 30720 characters"),
]


@pytest.mark.parametrize(("text", "why"), BAD_POLICIES)
def test_a_bad_policy_is_refused_and_changes_nothing(topic: Topic, text: str, why: str) -> None:
    topic.client.put_data_protection_policy(ResourceArn=topic.arn, DataProtectionPolicy=GOOD)

    for _ in range(2):
        refused = refusal(topic.client.put_data_protection_policy, ResourceArn=topic.arn, DataProtectionPolicy=text)
        assert refused == invalid(REASON + why)

    assert shown(topic) == GOOD


@pytest.mark.parametrize(("text", "why"), BAD_POLICIES)
def test_a_topic_is_not_made_with_a_bad_policy(cumulet: Cumulet, text: str, why: str) -> None:
    sns = cumulet.client("sns")

    assert refusal(sns.create_topic, Name="new", DataProtectionPolicy=text) == invalid(REASON + why)

    assert sns.list_topics()["Topics"] == []


@pytest.mark.parametrize(
    ("destination", "service"), [({"S3": {"Bucket": "b"}}, "S3"), ({"Firehose": {"DeliveryStream": "s"}}, "Firehose")]
)
def test_buckets_and_delivery_streams_are_refused_by_name(
    topic: Topic, destination: dict[str, Any], service: str
) -> None:
    text = policy(statement(audit(FindingsDestination=destination)))

    code, status, message = refusal(
        topic.client.put_data_protection_policy, ResourceArn=topic.arn, DataProtectionPolicy=text
    )

    assert (code, status) == ("InternalFailure", 501)
    assert message == f"SNS: {service} as a destination of findings is not implemented yet"


@pytest.mark.parametrize("is_there", [True, False])
def test_fifo_topics_take_no_policy(cumulet: Cumulet, is_there: bool) -> None:
    sns = cumulet.client("sns")
    arn = fifo(cumulet).arn if is_there else f"arn:aws:sns:us-east-1:{cumulet.account}:none.fifo"

    for text in (GOOD, ""):
        putting = refusal(sns.put_data_protection_policy, ResourceArn=arn, DataProtectionPolicy=text)
        assert putting == ("InvalidAction", 400, "Operation (PutDataProtectionPolicy) is not supported on FIFO topics")
    getting = refusal(sns.get_data_protection_policy, ResourceArn=arn)
    assert getting == ("InvalidAction", 400, "Operation (GetDataProtectionPolicy) is not supported on FIFO topics")


def test_a_fifo_topic_is_not_made_with_a_policy(cumulet: Cumulet) -> None:
    sns, attributes = cumulet.client("sns"), {"FifoTopic": "true"}

    refused = refusal(sns.create_topic, Name="new.fifo", Attributes=attributes, DataProtectionPolicy=GOOD)

    assert refused == invalid(f"{REASON}Data protection functionality is not supported on FIFO topics")
    assert sns.list_topics()["Topics"] == []
    sns.create_topic(Name="new.fifo", Attributes=attributes, DataProtectionPolicy="")


@pytest.mark.parametrize("name", ["no arn", "arn:aws:sns:us-east-1:1:topic:more", "arn:aws:sqs:us-east-1:1:topic"])
def test_what_is_no_topic_is_refused(cumulet: Cumulet, name: str) -> None:
    sns = cumulet.client("sns")

    putting = refusal(sns.put_data_protection_policy, ResourceArn=name, DataProtectionPolicy=GOOD)
    getting = refusal(sns.get_data_protection_policy, ResourceArn=name)

    assert putting[:2] == getting[:2] == ("InvalidParameter", 400)


def test_a_topic_that_is_gone_has_no_policy(cumulet: Cumulet, topic: Topic) -> None:
    topic.client.put_data_protection_policy(ResourceArn=topic.arn, DataProtectionPolicy=GOOD)
    topic.client.delete_topic(TopicArn=topic.arn)

    putting = refusal(topic.client.put_data_protection_policy, ResourceArn=topic.arn, DataProtectionPolicy=GOOD)
    getting = refusal(topic.client.get_data_protection_policy, ResourceArn=topic.arn)

    assert (putting, getting) == (NO_TOPIC, NO_TOPIC)
    assert shown(Topic(cumulet)) == ""


@pytest.mark.parametrize(
    ("operation", "members", "missing"),
    [
        ("put_data_protection_policy", {"DataProtectionPolicy": GOOD}, "resourceArn"),
        ("put_data_protection_policy", {"ResourceArn": "arn:aws:sns:us-east-1:1:t"}, "dataProtectionPolicy"),
        ("get_data_protection_policy", {}, "resourceArn"),
    ],
)
def test_members_that_are_missing_are_named(
    cumulet: Cumulet, operation: str, members: dict[str, str], missing: str
) -> None:
    sns = cumulet.client("sns", parameter_validation=False)

    _, status, message = refusal(getattr(sns, operation), **members)

    assert status == 400
    assert f"Value null at '{missing}' failed to satisfy constraint: Member must not be null" in message
