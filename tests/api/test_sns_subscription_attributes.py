"""What can be set on a subscription, with SNS's words for what can't."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sns_administration import Refusal, invalid, refusal

from cumulet.testing import Cumulet

QUEUE = "arn:aws:sqs:us-east-1:111122223333:orders"
FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:count"
SYNTAX = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 2]"
UNEXPECTED = f"Unexpected character ('i' (code 105)): was expecting double-quote to start field name\n at {SYNTAX}"
REFUSED = [
    ("FakeAttribute", "test-value", "AttributeName"),
    ("RawMessageDelivery", "test-ValUe", "RawMessageDelivery: Invalid value [test-ValUe]. Must be true or false."),
    ("RawMessageDelivery", "", "RawMessageDelivery: Invalid value []. Must be true or false."),
    (
        "FilterPolicyScope",
        "RandomValue",
        "FilterPolicyScope: Invalid value [RandomValue]. Please use either MessageBody or MessageAttributes",
    ),
    ("FilterPolicy", "{invalidjson}", f"FilterPolicy: failed to parse JSON. {UNEXPECTED}"),
    (
        "FilterPolicy",
        '{"object":{"key":["value"]}}',
        "Filter policy scope MessageAttributes does not support nested filter policy",
    ),
    (
        "FilterPolicy",
        json.dumps({f"key{n}": ["value"] for n in range(6)}),
        "FilterPolicy: Filter policy can not have more than 5 keys",
    ),
    (
        "FilterPolicy",
        json.dumps({"key": [f"value{n}" for n in range(151)]}),
        "FilterPolicy: Filter policy is too complex",
    ),
    ("RedrivePolicy", "{invalidjson}", f"RedrivePolicy: failed to parse JSON. {UNEXPECTED}"),
    ("RedrivePolicy", '{"deadLetterTargetArn": "fake"}', "RedrivePolicy: deadLetterTargetArn is an invalid arn"),
    ("RedrivePolicy", '{"deadLetterTargetArn": 7}', "RedrivePolicy: deadLetterTargetArn is an invalid arn"),
    (
        "RedrivePolicy",
        json.dumps({"deadLetterTargetArn": FUNCTION}),
        "RedrivePolicy: deadLetterTargetArn is an invalid arn",
    ),
    (
        "RedrivePolicy",
        json.dumps({"deadLetterTargetArn": QUEUE, "maxReceiveCount": 3}),
        "RedrivePolicy: invalid JSON. Attribute maxReceiveCount is unknown.",
    ),
    (
        "DeliveryPolicy",
        '{"healthyRetryPolicy":{"numRetries":3,"minDelayTarget":0,"maxDelayTarget":20}}',
        "DeliveryPolicy: healthyRetryPolicy.minDelayTarget must be greater than or equal to 1",
    ),
]


def own(topic_arn: str, endpoint: str = QUEUE) -> str:
    """Return an endpoint of the topic's account: one of another account would be asked first."""
    return endpoint.replace("111122223333", topic_arn.split(":")[4])


@pytest.fixture
def sns(cumulet: Cumulet) -> Any:
    return cumulet.client("sns")


@pytest.fixture
def topic_arn(sns: Any) -> str:
    return str(sns.create_topic(Name="orders")["TopicArn"])


@pytest.fixture
def subscription_arn(sns: Any, topic_arn: str) -> str:
    return str(sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=own(topic_arn))["SubscriptionArn"])


def attributes_of(sns: Any, subscription_arn: str) -> dict[str, str]:
    return dict(sns.get_subscription_attributes(SubscriptionArn=subscription_arn)["Attributes"])


def set_attribute(sns: Any, subscription_arn: str, name: str, value: str) -> None:
    sns.set_subscription_attributes(SubscriptionArn=subscription_arn, AttributeName=name, AttributeValue=value)


def refused_to_set(sns: Any, subscription_arn: str, name: str, value: str) -> Refusal:
    return refusal(
        sns.set_subscription_attributes,
        SubscriptionArn=subscription_arn,
        AttributeName=name,
        AttributeValue=value,
    )


@pytest.mark.parametrize(("name", "value", "text"), REFUSED)
def test_a_value_is_refused_when_set(sns: Any, subscription_arn: str, name: str, value: str, text: str) -> None:
    before = attributes_of(sns, subscription_arn)

    refused = [refused_to_set(sns, subscription_arn, name, value) for _ in range(2)]

    assert refused == [invalid(text)] * 2
    assert attributes_of(sns, subscription_arn) == before


@pytest.mark.parametrize(("name", "value", "text"), REFUSED)
def test_a_value_is_refused_when_subscribing(sns: Any, topic_arn: str, name: str, value: str, text: str) -> None:
    refused = refusal(
        sns.subscribe, TopicArn=topic_arn, Protocol="sqs", Endpoint=own(topic_arn), Attributes={name: value}
    )

    assert refused == invalid(f"Attributes Reason: {text}")
    assert sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"] == []


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("RawMessageDelivery", "True", {"RawMessageDelivery": "true"}),
        ("FilterPolicyScope", "MessageBody", {}),
        (
            "FilterPolicy",
            '{"kind": [null, {"anything-but": "old"}]}',
            {
                "FilterPolicy": '{"kind":[null,{"anything-but":"old"}]}',
                "FilterPolicyScope": "MessageAttributes",
            },
        ),
        (
            "RedrivePolicy",
            json.dumps({"deadLetterTargetArn": f"{QUEUE}-dead"}),
            {"RedrivePolicy": json.dumps({"deadLetterTargetArn": f"{QUEUE}-dead"})},
        ),
    ],
)
def test_an_attribute_that_is_set_is_shown(
    sns: Any, subscription_arn: str, name: str, value: str, shown: dict[str, str]
) -> None:
    before = attributes_of(sns, subscription_arn)

    for _ in range(2):
        set_attribute(sns, subscription_arn, name, value)

    assert attributes_of(sns, subscription_arn) == before | shown


def test_a_nested_policy_needs_the_scope_of_the_body(sns: Any, subscription_arn: str) -> None:
    nested = '{"object": {"key": [{"prefix": "auto-"}]}}'
    set_attribute(sns, subscription_arn, "FilterPolicyScope", "MessageBody")

    set_attribute(sns, subscription_arn, "FilterPolicy", nested)
    refused = refused_to_set(sns, subscription_arn, "FilterPolicyScope", "MessageAttributes")

    shown = attributes_of(sns, subscription_arn)
    assert (shown["FilterPolicy"], shown["FilterPolicyScope"]) == (nested.replace(" ", ""), "MessageBody")
    assert refused == invalid("Filter policy scope MessageAttributes does not support nested filter policy")


@pytest.mark.parametrize("empty", ["", "{}", "{ }"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FilterPolicy", '{"kind": ["new"]}'),
        ("RedrivePolicy", json.dumps({"deadLetterTargetArn": f"{QUEUE}-dead"})),
    ],
)
def test_an_empty_policy_unsets_it(sns: Any, subscription_arn: str, name: str, value: str, empty: str) -> None:
    before = attributes_of(sns, subscription_arn)
    set_attribute(sns, subscription_arn, name, value)

    set_attribute(sns, subscription_arn, name, empty)

    assert attributes_of(sns, subscription_arn) == before


def test_raw_delivery_is_not_for_functions(sns: Any, topic_arn: str) -> None:
    arn = sns.subscribe(TopicArn=topic_arn, Protocol="lambda", Endpoint=own(topic_arn, FUNCTION))["SubscriptionArn"]

    set_attribute(sns, arn, "RawMessageDelivery", "false")
    refused = refused_to_set(sns, arn, "RawMessageDelivery", "true")

    assert refused == invalid("Delivery protocol [lambda] does not support raw message delivery.")


@pytest.mark.parametrize(("kind", "end", "other"), [("FIFO", ".fifo", ""), ("Standard", "", ".fifo")])
def test_a_dead_letter_queue_on_a_fifo_topic_is_of_the_kind_of_the_queue(
    sns: Any, kind: str, end: str, other: str
) -> None:
    topic_arn = sns.create_topic(Name="orders.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    arn = sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=f"{own(topic_arn)}{end}")["SubscriptionArn"]

    refused = refused_to_set(sns, arn, "RedrivePolicy", json.dumps({"deadLetterTargetArn": f"{QUEUE}-dead{other}"}))
    set_attribute(sns, arn, "RedrivePolicy", json.dumps({"deadLetterTargetArn": f"{QUEUE}-dead{end}"}))

    text = f"RedrivePolicy: must use a {kind} queue as DLQ for a {kind} Subscription to a FIFO Topic."
    assert refused == invalid(text)
    assert json.loads(attributes_of(sns, arn)["RedrivePolicy"]) == {"deadLetterTargetArn": f"{QUEUE}-dead{end}"}
