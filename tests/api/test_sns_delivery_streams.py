"""SNS: delivery streams are subscribed with a role; until there is a service that takes records, none is reached."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sns_administration import Refusal, invalid, refusal
from sns_topics import Topic, fifo_topic

from cumulet.testing import Cumulet

NAME = "SubscriptionRoleArn"
OTHER = "444455556666"


class Tickets:
    """A topic, and the names of a delivery stream and a role of its account."""

    def __init__(self, cumulet: Cumulet, topic: Topic) -> None:
        self.topic = topic
        self.stream = f"arn:aws:firehose:us-east-1:{cumulet.account}:deliverystream/tickets"
        self.role = f"arn:aws:iam::{cumulet.account}:role/subscriber"

    def subscribe(self, **attributes: str) -> str:
        return self.topic.subscribe("firehose", self.stream, SubscriptionRoleArn=self.role, **attributes)

    def refused(self, endpoint: str, protocol: str = "firehose", **attributes: str) -> Refusal:
        sns, arn = self.topic.sns, self.topic.arn
        return refusal(sns.subscribe, TopicArn=arn, Protocol=protocol, Endpoint=endpoint, Attributes=attributes)


@pytest.fixture
def tickets(cumulet: Cumulet) -> Tickets:
    return Tickets(cumulet, Topic(cumulet))


def attributes_of(topic: Topic, arn: str) -> dict[str, Any]:
    attributes: dict[str, Any] = topic.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    return attributes


def test_a_stream_is_subscribed_at_once_with_its_role(tickets: Tickets) -> None:
    arn = tickets.subscribe(RawMessageDelivery="true")

    shown = attributes_of(tickets.topic, arn)
    assert (shown["Endpoint"], shown[NAME], shown["RawMessageDelivery"]) == (tickets.stream, tickets.role, "true")
    assert shown["PendingConfirmation"] == "false"
    assert tickets.subscribe() == arn


def test_another_role_is_set(tickets: Tickets) -> None:
    arn = tickets.subscribe()

    tickets.topic.sns.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName=NAME, AttributeValue=f"{tickets.role}-2"
    )

    assert attributes_of(tickets.topic, arn)[NAME] == f"{tickets.role}-2"


@pytest.mark.parametrize("is_raw", ["true", "false"])
def test_what_no_service_takes_is_a_dead_letter(tickets: Tickets, is_raw: str) -> None:
    topic = tickets.topic
    letters = topic.queues.standard()
    policy = json.dumps({"deadLetterTargetArn": letters.arn})
    tickets.subscribe(RedrivePolicy=policy, RawMessageDelivery=is_raw)

    topic.publish("hello", Subject="greeting")

    [body] = letters.bodies()
    if is_raw == "true":
        assert body == "hello"
        return
    assert body.count("\n") == 1
    assert json.loads(body).keys() == {
        *("Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "UnsubscribeURL")
    }


@pytest.mark.parametrize("role", ["", "role", "arn:aws:iam::111122223333:user/a", "arn:aws:sqs:us-east-1:1:role/a"])
def test_what_is_no_role_is_refused(tickets: Tickets, role: str) -> None:
    expected = f"{NAME}: {role} is not a valid role to be assumed by SNS"
    refused = [tickets.refused(tickets.stream, SubscriptionRoleArn=role) for _ in range(2)]
    arn = tickets.subscribe()

    assert refused == [invalid(f"Attributes Reason: {expected}")] * 2
    assert refusal(
        tickets.topic.sns.set_subscription_attributes, SubscriptionArn=arn, AttributeName=NAME, AttributeValue=role
    ) == invalid(expected)
    assert attributes_of(tickets.topic, arn)[NAME] == tickets.role


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("firehose", "kinesis", "Firehose endpoint ARN"),
        ("deliverystream/", "stream/", "Firehose endpoint ARN"),
        ("arn:aws:", "", "Firehose endpoint ARN"),
        ("", "", "Delivery protocol firehose can only be subscribed with subscription role arn"),
    ],
)
def test_what_is_refused(tickets: Tickets, old: str, new: str, expected: str) -> None:
    endpoint = tickets.stream.replace(old, new)

    assert [tickets.refused(endpoint) for _ in range(2)] == [invalid(expected)] * 2
    assert tickets.topic.sns.list_subscriptions_by_topic(TopicArn=tickets.topic.arn)["Subscriptions"] == []


def test_streams_and_roles_are_of_the_callers_account(tickets: Tickets) -> None:
    stream = f"arn:aws:firehose:us-east-1:{OTHER}:deliverystream/tickets"
    not_its_owner = f"The account {tickets.topic.cumulet.account} is not the owner of the endpoint {stream}"
    role = f"arn:aws:iam::{OTHER}:role/subscriber"

    for given, words in (
        ({}, not_its_owner),
        ({NAME: tickets.role}, not_its_owner),
        ({NAME: role}, "Cross-account pass role is not allowed."),
    ):
        assert tickets.refused(stream, **given) == ("AuthorizationError", 403, words)


def test_roles_are_for_streams_alone(tickets: Tickets) -> None:
    queue = tickets.topic.queues.standard()

    assert tickets.refused(queue.arn, "sqs", SubscriptionRoleArn=tickets.role) == invalid(
        f"Attributes Reason: Delivery protocol [sqs] does not support {NAME}."
    )


def test_fifo_topics_have_no_streams(cumulet: Cumulet) -> None:
    tickets = Tickets(cumulet, fifo_topic(cumulet))

    assert tickets.refused(tickets.stream) == invalid("Invalid protocol type: firehose")
