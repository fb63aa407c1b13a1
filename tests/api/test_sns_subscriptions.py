"""Subscribing to topics: what SNS answers, what it refuses, and what stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sns_administration import NO_TOPIC, Refusal, invalid, refusal

from cumulet.testing import Cumulet

QUEUE = "arn:aws:sqs:us-east-1:111122223333:orders"
FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:count"


@pytest.fixture
def sns(cumulet: Cumulet) -> Any:
    return cumulet.client("sns")


@pytest.fixture
def topic_arn(sns: Any) -> str:
    return str(sns.create_topic(Name="orders")["TopicArn"])


@pytest.fixture
def fifo_topic_arn(sns: Any) -> str:
    return str(sns.create_topic(Name="orders.fifo", Attributes={"FifoTopic": "true"})["TopicArn"])


def attributes_of(sns: Any, subscription_arn: str) -> dict[str, str]:
    return dict(sns.get_subscription_attributes(SubscriptionArn=subscription_arn)["Attributes"])


def own(topic_arn: str, endpoint: str = QUEUE) -> str:
    """Return an endpoint of the topic's account: one of another account would be asked first."""
    return endpoint.replace("111122223333", topic_arn.split(":")[4])


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [("sqs", QUEUE), ("lambda", FUNCTION), ("lambda", f"{FUNCTION}:live"), ("sms", "+14155550100")],
)
def test_an_endpoint_of_aws_is_subscribed_at_once(sns: Any, topic_arn: str, protocol: str, endpoint: str) -> None:
    endpoint = own(topic_arn, endpoint)

    arn = sns.subscribe(TopicArn=topic_arn, Protocol=protocol, Endpoint=endpoint)["SubscriptionArn"]

    assert arn.startswith(f"{topic_arn}:")
    assert attributes_of(sns, arn) == {
        "ConfirmationWasAuthenticated": "true",
        "Endpoint": endpoint,
        "Owner": topic_arn.split(":")[4],
        "PendingConfirmation": "false",
        "Protocol": protocol,
        "RawMessageDelivery": "false",
        "SubscriptionArn": arn,
        "SubscriptionPrincipal": attributes_of(sns, arn)["SubscriptionPrincipal"],
        "TopicArn": topic_arn,
    }
    assert attributes_of(sns, arn)["SubscriptionPrincipal"].startswith("arn:aws:")


@pytest.mark.parametrize("number", ["+1 (415) 555-0100", "1-415-555-0100", "+1.415.555.0100"])
def test_phone_numbers_are_kept_in_one_form(sns: Any, topic_arn: str, number: str) -> None:
    arn = sns.subscribe(TopicArn=topic_arn, Protocol="sms", Endpoint=number)["SubscriptionArn"]

    assert attributes_of(sns, arn)["Endpoint"] == "+14155550100"


def test_subscribing_again_finds_the_subscription(sns: Any, topic_arn: str) -> None:
    given = {"RawMessageDelivery": "true", "FilterPolicy": '{"kind": ["new"]}'}
    first = sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=own(topic_arn), Attributes=given)[
        "SubscriptionArn"
    ]

    again = [
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=own(topic_arn), Attributes=attributes)[
            "SubscriptionArn"
        ]
        for attributes in (given, {}, {"RawMessageDelivery": "True"}, {"FilterPolicy": '{"kind":["new"]}'})
    ]

    assert again == [first] * 4
    assert len(sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"]) == 1


@pytest.mark.parametrize(
    "attributes",
    [
        {"RawMessageDelivery": "true"},
        {"FilterPolicy": '{"kind": ["old"]}'},
        {"FilterPolicyScope": "MessageBody"},
        {"RedrivePolicy": f'{{"deadLetterTargetArn": "{QUEUE}-dead"}}'},
    ],
)
def test_subscribing_again_with_other_attributes_is_refused(
    sns: Any, topic_arn: str, attributes: dict[str, str]
) -> None:
    arn = sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=own(topic_arn))["SubscriptionArn"]
    before = attributes_of(sns, arn)

    refused = [
        refusal(sns.subscribe, TopicArn=topic_arn, Protocol="sqs", Endpoint=own(topic_arn), Attributes=attributes)
        for _ in range(2)
    ]

    assert refused == [invalid("Attributes Reason: Subscription already exists with different attributes")] * 2
    assert attributes_of(sns, arn) == before


@pytest.mark.parametrize("name", ["DeliveryPolicy", "FilterPolicy", "RedrivePolicy"])
@pytest.mark.parametrize("value", ["", " ", "\t{ }\n", "\x0b"])
def test_subscribing_again_with_an_empty_policy_finds_the_subscription(
    sns: Any, topic_arn: str, name: str, value: str
) -> None:
    arn = sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=own(topic_arn))["SubscriptionArn"]

    again = sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=own(topic_arn), Attributes={name: value})

    assert again["SubscriptionArn"] == arn


@pytest.mark.parametrize(
    ("protocol", "endpoint", "text"),
    [
        ("ftp", "ftp://example.com", "Invalid parameter: Amazon SNS does not support this protocol string: ftp"),
        ("SQS", QUEUE, "Invalid parameter: Amazon SNS does not support this protocol string: SQS"),
        ("sqs", "", "Invalid parameter: Endpoint"),
        ("sqs", "https://sqs.us-east-1.amazonaws.com/1/orders", "Invalid parameter: SQS endpoint ARN"),
        ("sqs", FUNCTION, "Invalid parameter: SQS endpoint ARN"),
        ("sqs", "arn:aws:sqs:::orders", "Invalid parameter: SQS endpoint ARN"),
        ("lambda", QUEUE, "Invalid parameter: Lambda endpoint ARN"),
        ("lambda", "count", "Invalid parameter: Lambda endpoint ARN"),
        ("lambda", "arn:aws:lambda:us-east-1:111122223333:layer:x", "Invalid parameter: Lambda endpoint ARN"),
        ("application", "phone", "Invalid parameter: Application endpoint arn invalid"),
        ("application", QUEUE, "Invalid parameter: Application endpoint arn invalid"),
        (
            "application",
            "arn:aws:sns:us-east-1:111122223333:endpoint/GCM/app/1",
            "Invalid parameter: Endpoint Reason: Endpoint does not exist for endpoint "
            "arnarn:aws:sns:us-east-1:111122223333:endpoint/GCM/app/1",
        ),
        ("sms", "call me", "Invalid SMS endpoint: call me"),
        ("sms", "+0123456789", "Invalid SMS endpoint: +0123456789"),
        (
            "sqs",
            f"{QUEUE}.fifo",
            "Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard "
            "SNS topics",
        ),
    ],
)
def test_endpoints_that_are_refused(sns: Any, topic_arn: str, protocol: str, endpoint: str, text: str) -> None:
    refused = refusal(sns.subscribe, TopicArn=topic_arn, Protocol=protocol, Endpoint=endpoint)

    assert refused == ("InvalidParameter", 400, text)
    assert sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"] == []


@pytest.mark.parametrize("protocol", ["lambda", "sms"])
def test_a_fifo_topic_takes_queues_alone(sns: Any, fifo_topic_arn: str, protocol: str) -> None:
    endpoint = FUNCTION if protocol == "lambda" else "+14155550100"

    refused = refusal(sns.subscribe, TopicArn=fifo_topic_arn, Protocol=protocol, Endpoint=endpoint)

    assert refused == invalid(f"Invalid protocol type: {protocol}")


def test_a_fifo_topic_takes_queues_of_both_kinds(sns: Any, fifo_topic_arn: str) -> None:
    for endpoint in (QUEUE, f"{QUEUE}.fifo"):
        sns.subscribe(TopicArn=fifo_topic_arn, Protocol="sqs", Endpoint=endpoint)

    entries = sns.list_subscriptions_by_topic(TopicArn=fifo_topic_arn)["Subscriptions"]
    assert [entry["Endpoint"] for entry in entries] == [QUEUE, f"{QUEUE}.fifo"]


@pytest.mark.parametrize("operation", ["subscribe", "list_subscriptions_by_topic"])
@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("topic", invalid("TopicArn Reason: An ARN must have at least 6 elements, not 1")),
        ("arn:aws:sns:us-east-1:{account}:missing", NO_TOPIC),
    ],
)
def test_topics_that_are_not_there(cumulet: Cumulet, sns: Any, operation: str, topic: str, expected: Refusal) -> None:
    arguments = {"Protocol": "sqs", "Endpoint": QUEUE} if operation == "subscribe" else {}

    assert refusal(getattr(sns, operation), TopicArn=topic.format(account=cumulet.account), **arguments) == expected


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("get_subscription_attributes", {}),
        ("set_subscription_attributes", {"AttributeName": "RawMessageDelivery", "AttributeValue": "true"}),
        ("unsubscribe", {}),
    ],
)
def test_subscriptions_are_out_of_reach_from_other_regions(
    cumulet: Cumulet, sns: Any, topic_arn: str, operation: str, members: dict[str, str]
) -> None:
    arn = sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=own(topic_arn))["SubscriptionArn"]
    before = attributes_of(sns, arn)
    elsewhere = getattr(cumulet.client("sns", region="eu-west-1"), operation)

    refused = [refusal(elsewhere, SubscriptionArn=arn, **members) for _ in range(2)]

    assert refused == [invalid("SubscriptionArn")] * 2
    assert attributes_of(sns, arn) == before


def test_what_has_ended_is_gone_and_ending_it_twice_is_no_error(sns: Any, topic_arn: str) -> None:
    arn = sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=own(topic_arn))["SubscriptionArn"]

    sns.unsubscribe(SubscriptionArn=arn)
    sns.unsubscribe(SubscriptionArn=arn)

    assert sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"] == []
    missing = ("NotFound", 404, "Subscription does not exist")
    assert refusal(sns.get_subscription_attributes, SubscriptionArn=arn) == missing
    set_raw = {"AttributeName": "RawMessageDelivery", "AttributeValue": "true"}
    assert refusal(sns.set_subscription_attributes, SubscriptionArn=arn, **set_raw) == missing
    assert sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=own(topic_arn))["SubscriptionArn"] != arn


@pytest.mark.parametrize("operation", ["unsubscribe", "get_subscription_attributes", "set_subscription_attributes"])
@pytest.mark.parametrize(
    ("arn", "text"),
    [
        ("pending confirmation", "SubscriptionArn Reason: An ARN must have at least 6 elements, not 1"),
        ("arn:aws:sns", "SubscriptionArn Reason: An ARN must have at least 6 elements, not 3"),
        ("arn:aws:sns:us-east-1:111122223333:orders", "SubscriptionId"),
        (QUEUE, "SubscriptionArn"),
    ],
)
def test_arns_of_no_subscription(sns: Any, operation: str, arn: str, text: str) -> None:
    arguments = {"AttributeName": "FilterPolicy"} if operation == "set_subscription_attributes" else {}

    refused = refusal(getattr(sns, operation), SubscriptionArn=arn, **arguments)

    assert refused == invalid(text)


def test_the_subscriptions_of_a_deleted_topic_are_gone_at_once(sns: Any, topic_arn: str) -> None:
    arn = sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=own(topic_arn))["SubscriptionArn"]

    sns.delete_topic(TopicArn=topic_arn)
    sns.create_topic(Name="orders")

    assert sns.list_subscriptions()["Subscriptions"] == []
    assert sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"] == []
    assert refusal(sns.get_subscription_attributes, SubscriptionArn=arn)[0] == "NotFound"
    sns.unsubscribe(SubscriptionArn=arn)


def test_lists_have_pages_of_a_hundred_in_the_order_of_subscribing(sns: Any, topic_arn: str) -> None:
    endpoints = [f"{QUEUE}-{number}" for number in range(205)]
    for endpoint in endpoints:
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=endpoint)

    for operation, arguments in (
        ("list_subscriptions", {}),
        ("list_subscriptions_by_topic", {"TopicArn": topic_arn}),
    ):
        pages = list(sns.get_paginator(operation).paginate(**arguments))
        assert [len(page["Subscriptions"]) for page in pages] == [100, 100, 5]
        assert [entry["Endpoint"] for page in pages for entry in page["Subscriptions"]] == endpoints


@pytest.mark.parametrize("operation", ["list_subscriptions", "list_subscriptions_by_topic"])
def test_a_list_refuses_a_token_that_it_did_not_give(sns: Any, topic_arn: str, operation: str) -> None:
    arguments = {"TopicArn": topic_arn} if operation == "list_subscriptions_by_topic" else {}

    refused = refusal(getattr(sns, operation), NextToken="bm9uZQ==", **arguments)

    assert refused == invalid("NextToken")


def test_a_list_shows_the_subscriptions_of_one_account(cumulet: Cumulet, sns: Any, topic_arn: str) -> None:
    arn = sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=own(topic_arn))["SubscriptionArn"]

    assert sns.list_subscriptions()["Subscriptions"] == [
        {
            "SubscriptionArn": arn,
            "Owner": cumulet.account,
            "Protocol": "sqs",
            "Endpoint": own(topic_arn),
            "TopicArn": topic_arn,
        }
    ]


def test_ending_nothing_is_refused(sns: Any) -> None:
    refused = refusal(sns.unsubscribe, SubscriptionArn="")

    assert refused == invalid("SubscriptionArn Reason: no value for required parameter")


@pytest.mark.parametrize("token", ["", "random", "randomtoken", "abc", "ABCD", "é" * 160])
def test_confirming_with_what_is_no_token_is_refused(sns: Any, topic_arn: str, token: str) -> None:
    refused = refusal(sns.confirm_subscription, TopicArn=topic_arn, Token=token)

    assert refused == ("InvalidParameter", 400, "Invalid token")


@pytest.mark.parametrize("token", ["abc123", "51b2ff3edb475b7d91550e0ab6edf0c1", "0" * 160, "0" * 288])
def test_confirming_with_an_unknown_token_is_refused(sns: Any, topic_arn: str, token: str) -> None:
    refused = refusal(sns.confirm_subscription, TopicArn=topic_arn, Token=token)

    assert refused == invalid("Token")


def test_subscriptions_are_there_after_a_restart(tmp_path: Path) -> None:
    with Cumulet(tmp_path, durability="full") as cumulet:
        sns = cumulet.client("sns")
        topic_arn = sns.create_topic(Name="orders")["TopicArn"]
        arn = sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=own(topic_arn),
            Attributes={"FilterPolicy": '{"kind": ["new"]}'},
        )["SubscriptionArn"]
        before = attributes_of(sns, arn)

    with Cumulet(tmp_path, durability="full") as cumulet:
        assert attributes_of(cumulet.client("sns"), arn) == before


def test_another_account_subscribes_to_a_topic(cumulet: Cumulet, sns: Any, topic_arn: str) -> None:
    """A subscription is its subscriber's; the topic's owner sees it by topic."""
    others = cumulet.client("sns", account="444455556666")
    queue = "arn:aws:sqs:us-east-1:444455556666:orders"

    arn = others.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue)["SubscriptionArn"]

    assert sns.list_subscriptions()["Subscriptions"] == []
    by_topic = sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"]
    assert [(entry["SubscriptionArn"], entry["Owner"]) for entry in by_topic] == [(arn, "444455556666")]
    assert arn in [entry["SubscriptionArn"] for entry in others.list_subscriptions()["Subscriptions"]]
    sns.unsubscribe(SubscriptionArn=arn)
    assert sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"] == []


def test_a_topic_is_subscribed_to_in_its_region(cumulet: Cumulet, topic_arn: str) -> None:
    elsewhere = cumulet.client("sns", region="eu-west-1")

    refused = refusal(elsewhere.subscribe, TopicArn=topic_arn, Protocol="sqs", Endpoint=own(topic_arn))

    assert refused == invalid("TopicArn")


def test_a_queue_of_another_region_is_subscribed(sns: Any, topic_arn: str) -> None:
    queue = own(topic_arn).replace("us-east-1", "eu-west-1")

    arn = sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue)["SubscriptionArn"]

    assert attributes_of(sns, arn)["Endpoint"] == queue


def test_the_topic_counts_its_subscriptions(sns: Any, topic_arn: str) -> None:
    arns = [
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=f"{own(topic_arn)}-{number}")["SubscriptionArn"]
        for number in range(3)
    ]
    sns.unsubscribe(SubscriptionArn=arns[0])
    sns.unsubscribe(SubscriptionArn=arns[0])

    shown = sns.get_topic_attributes(TopicArn=topic_arn)["Attributes"]

    counts = [shown[f"Subscriptions{state}"] for state in ("Confirmed", "Pending", "Deleted")]
    assert counts == ["2", "0", "1"]


def test_the_same_endpoint_subscribed_at_once_by_many_is_one_subscription(cumulet: Cumulet, topic_arn: str) -> None:
    def subscribe(_: int) -> str:
        client = cumulet.client("sns")
        return str(client.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=own(topic_arn))["SubscriptionArn"])

    with ThreadPoolExecutor(8) as threads:
        arns = set(threads.map(subscribe, range(24)))

    assert len(arns) == 1
