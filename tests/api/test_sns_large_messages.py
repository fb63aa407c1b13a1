"""SNS: how large the messages of a topic may be, and who may then subscribe."""

from __future__ import annotations

from typing import Any

import pytest
from sns_administration import Refusal, invalid, refusal
from sns_topics import Topic

from cumulet.testing import Cumulet

KIB = 1024
NAME = "MaximumMessageSize"
TOO_LONG = invalid("Message too long")


@pytest.fixture
def topic(cumulet: Cumulet) -> Topic:
    return Topic(cumulet)


def set_size(topic: Topic, size: object) -> None:
    topic.sns.set_topic_attributes(TopicArn=topic.arn, AttributeName=NAME, AttributeValue=str(size))


def refused_size(topic: Topic, size: object) -> Refusal:
    return refusal(topic.sns.set_topic_attributes, TopicArn=topic.arn, AttributeName=NAME, AttributeValue=str(size))


def publishing(topic: Topic, message: str, **members: Any) -> Refusal:
    return refusal(topic.sns.publish, TopicArn=topic.arn, Message=message, **members)


def test_large_messages_arrive_where_a_queue_takes_them(topic: Topic) -> None:
    set_size(topic, 1024 * KIB)
    listener = topic.raw_listener(queue=topic.queues.standard(MaximumMessageSize=str(1024 * KIB)))
    text = "x" * (1024 * KIB)

    topic.publish(text)

    assert listener.bodies() == [text]
    assert publishing(topic, text + "x") == TOO_LONG


def test_a_limit_below_the_usual_one_holds_at_once(topic: Topic) -> None:
    listener = topic.raw_listener()
    set_size(topic, KIB)
    attributes = {"size": {"DataType": "String", "StringValue": "x"}}

    topic.publish("x" * KIB)

    assert publishing(topic, "x" * (KIB + 1)) == TOO_LONG
    assert publishing(topic, "x" * KIB, MessageAttributes=attributes) == TOO_LONG
    assert len(listener.bodies()) == 1


def test_the_limit_is_that_of_a_batch_too(topic: Topic) -> None:
    set_size(topic, KIB)
    entries = [{"Id": str(number), "Message": "x" * (KIB // 2)} for number in range(3)]

    topic.publish_batch(*entries[:2])
    code, status, _ = refusal(topic.sns.publish_batch, TopicArn=topic.arn, PublishBatchRequestEntries=entries)

    assert (code, status) == ("BatchRequestTooLong", 400)


@pytest.mark.parametrize("size", ["1023", "1048577", "-1", "1e5", "many", "2048.0", ""])
def test_sizes_that_are_refused(topic: Topic, size: str) -> None:
    """SNS documents the range; its words are not documented."""
    words = f"{NAME} Reason: must be an integer between 1024 and 1048576"

    assert [refused_size(topic, size) for _ in range(2)] == [invalid(words)] * 2
    refused = refusal(topic.sns.create_topic, Name="other", Attributes={NAME: size})
    assert refused == invalid(f"Attributes Reason: {words}")
    assert NAME not in topic.sns.get_topic_attributes(TopicArn=topic.arn)["Attributes"]


def test_a_topic_is_made_with_a_size_and_found_again(cumulet: Cumulet) -> None:
    topic = Topic(cumulet, **{NAME: "2048"})

    again = topic.sns.create_topic(Name=topic.name, Attributes={NAME: "2048"})

    assert again["TopicArn"] == topic.arn
    assert topic.sns.get_topic_attributes(TopicArn=topic.arn)["Attributes"][NAME] == "2048"


@pytest.mark.parametrize(("protocol", "endpoint"), [("sms", "+15555550100"), ("email", "ann@example.com")])
def test_large_messages_are_for_queues_functions_and_streams(topic: Topic, protocol: str, endpoint: str) -> None:
    expected = invalid(f"{NAME} Reason: above 262144 bytes there can be no subscription of protocol {protocol}")
    topic.subscribe(protocol, endpoint)

    assert refused_size(topic, 262_145) == expected
    set_size(topic, 262_144)

    other = Topic(topic.cumulet, **{NAME: "262145"})
    assert refusal(other.sns.subscribe, TopicArn=other.arn, Protocol=protocol, Endpoint=endpoint) == expected


def test_large_messages_have_a_hundred_subscriptions(topic: Topic) -> None:
    expected = invalid(f"{NAME} Reason: above 262144 bytes there can be 100 subscriptions")
    endpoints = [f"arn:aws:lambda:us-east-1:{topic.cumulet.account}:function:f{number}" for number in range(101)]
    for endpoint in endpoints[:100]:
        topic.subscribe("lambda", endpoint)
    set_size(topic, 300_000)

    assert refusal(topic.sns.subscribe, TopicArn=topic.arn, Protocol="lambda", Endpoint=endpoints[100]) == expected
    topic.subscribe("lambda", endpoints[0])

    set_size(topic, 262_144)
    topic.subscribe("lambda", endpoints[100])
    assert refused_size(topic, 300_000) == expected
