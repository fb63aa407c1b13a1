"""Filter policies decide which messages come: published for real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sns_topics import Topic

from cumulet.testing import Cumulet


def attribute(kind: str, value: str | bytes) -> dict[str, Any]:
    field = "BinaryValue" if isinstance(value, bytes) else "StringValue"
    return {"DataType": kind, field: value}


MESSAGES: dict[str, dict[str, Any]] = {
    "none": {},
    "rugby": {"sport": attribute("String", "rugby")},
    "tennis": {"sport": attribute("String", "tennis"), "price": attribute("Number", "100")},
    "both": {"sport": attribute("String.Array", '["rugby","tennis"]')},
    "cheap": {"price": attribute("Number", "9.99")},
    "binary": {"sport": attribute("Binary", b"rugby")},
}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"sport": ["rugby"]}, {"rugby", "both"}),
        ({"sport": ["rugby", "tennis"]}, {"rugby", "tennis", "both"}),
        ({"sport": [{"anything-but": "rugby"}]}, {"tennis", "both"}),
        ({"sport": [{"anything-but": {"prefix": "ru"}}]}, {"tennis", "both"}),
        ({"sport": [{"prefix": "ten"}]}, {"tennis", "both"}),
        ({"sport": [{"suffix": "by"}]}, {"rugby", "both"}),
        ({"sport": [{"equals-ignore-case": "RUGBY"}]}, {"rugby", "both"}),
        ({"sport": [{"exists": True}]}, {"rugby", "tennis", "both"}),
        ({"sport": [{"exists": False}]}, {"cheap", "binary"}),
        ({"price": [{"numeric": [">", 0, "<=", 100]}]}, {"tennis", "cheap"}),
        ({"price": [100]}, {"tennis"}),
        ({"sport": ["tennis"], "price": [{"numeric": [">=", 100]}]}, {"tennis"}),
        ({"sport": ["rugby"], "price": [{"exists": True}]}, set()),
        ({"$or": [{"sport": ["rugby"]}, {"price": [{"numeric": ["<", 10]}]}]}, {"rugby", "both", "cheap"}),
        ({"sport": ["rugby", {"exists": False}]}, {"rugby", "both", "cheap", "binary"}),
    ],
)
def test_a_policy_on_attributes_lets_some_messages_through(
    cumulet: Cumulet, policy: object, expected: set[str]
) -> None:
    topic = Topic(cumulet)
    listener = topic.raw_listener(FilterPolicy=json.dumps(policy))

    for name, attributes in MESSAGES.items():
        topic.publish(name, MessageAttributes=attributes)

    assert set(listener.bodies()) == expected


BODIES = (
    "not json",
    '["auto-test"]',
    '{"object":{"key":"auto-test"}}',
    '{"object":{"key":"hardcodedvalue"}}',
    '{"object":{"key":"test-auto"}}',
    '{"object":{"key":"auto-test"},"test":"just-exists"}',
    '{"object":{"key":"auto-test","nested_key":"just-exists"}}',
    '{"Records":[{"name":"a"},{"name":"b"}]}',
)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (
            {
                "object": {"key": [{"prefix": "auto-"}, "hardcodedvalue"], "nested_key": [{"exists": False}]},
                "test": [{"exists": False}],
            },
            {2, 3},
        ),
        ({"object": {"key": [{"anything-but": {"prefix": "auto-"}}]}}, {3, 4}),
        ({"Records": {"name": ["b"]}}, {7}),
        ({"test": [{"exists": False}]}, {2, 3, 4, 6, 7}),
        ({"$or": [{"test": ["just-exists"]}, {"object": {"nested_key": ["just-exists"]}}]}, {5, 6}),
    ],
)
def test_a_policy_on_bodies_lets_some_messages_through(cumulet: Cumulet, policy: object, expected: set[int]) -> None:
    topic = Topic(cumulet)
    listener = topic.raw_listener(FilterPolicyScope="MessageBody", FilterPolicy=json.dumps(policy))

    for body in BODIES:
        topic.publish(body)

    assert set(listener.bodies()) == {BODIES[number] for number in expected}


def test_a_changed_policy_holds_for_the_next_message(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)
    listener = topic.raw_listener(FilterPolicy='{"sport": ["rugby"]}')

    def publish_with(policy: str, text: str) -> None:
        topic.sns.set_subscription_attributes(
            SubscriptionArn=listener.arn, AttributeName="FilterPolicy", AttributeValue=policy
        )
        topic.publish(text, MessageAttributes=MESSAGES["rugby"])

    publish_with('{"sport": ["tennis"]}', "1")
    publish_with('{"sport": ["rugby"]}', "2")
    publish_with('{"sport": [{"exists": false}]}', "3")
    publish_with("{}", "4")

    assert set(listener.bodies()) == {"2", "4"}


def test_each_subscription_has_its_own_policy(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)
    everything = topic.raw_listener()
    rugby = topic.raw_listener(FilterPolicy='{"sport": ["rugby"]}')
    tennis = topic.raw_listener(FilterPolicy='{"sport": ["tennis"]}')

    for name in ("rugby", "tennis", "none"):
        topic.publish(name, MessageAttributes=MESSAGES[name])

    assert set(everything.bodies()) == {"rugby", "tennis", "none"}
    assert rugby.bodies() == ["rugby"]
    assert tennis.bodies() == ["tennis"]


def test_what_has_ended_gets_nothing(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)
    listener = topic.raw_listener()
    topic.publish("before")

    topic.sns.unsubscribe(SubscriptionArn=listener.arn)
    topic.publish("after")

    assert listener.bodies() == ["before"]


def test_policies_hold_after_a_restart(tmp_path: Path) -> None:
    with Cumulet(tmp_path, durability="full") as cumulet:
        topic = Topic(cumulet)
        listener = topic.raw_listener(FilterPolicy='{"sport": ["rugby"]}')
        queue_name = listener.queue.arn.rsplit(":", 1)[1]

    with Cumulet(tmp_path, durability="full") as cumulet:
        sns, sqs = cumulet.client("sns"), cumulet.client("sqs")
        for name in ("rugby", "tennis"):
            sns.publish(TopicArn=topic.arn, Message=name, MessageAttributes=MESSAGES[name])
        url = sqs.get_queue_url(QueueName=queue_name)["QueueUrl"]
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]

    assert [message["Body"] for message in received] == ["rugby"]
