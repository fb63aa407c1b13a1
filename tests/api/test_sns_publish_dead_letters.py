"""What endpoints do not take: a subscription's dead-letter queue gets it, as its RedrivePolicy says."""

from __future__ import annotations

import json

import pytest
from sns_topics import Listener, Topic
from sqs_queues import Queue

from cumulet.testing import Cumulet

BINARY = {"DataType": "Binary", "BinaryValue": b"\x02\x03\x04"}
NUMBER = {"DataType": "Number", "StringValue": "111"}


@pytest.fixture
def topic(cumulet: Cumulet) -> Topic:
    return Topic(cumulet)


def dead_letters_of(topic: Topic, *, is_raw: bool) -> tuple[Listener, Queue]:
    """Subscribe a queue that is gone; return it and the dead-letter queue."""
    dead_letters = topic.queues.standard()
    policy = json.dumps({"deadLetterTargetArn": dead_letters.arn})
    listener = topic.listener(RedrivePolicy=policy, RawMessageDelivery="true" if is_raw else "false")
    topic.cumulet.client("sqs").delete_queue(QueueUrl=listener.queue.url)
    return listener, dead_letters


def test_a_dead_letter_is_the_envelope(topic: Topic) -> None:
    _, dead_letters = dead_letters_of(topic, is_raw=False)

    topic.publish("text", MessageAttributes={"count": NUMBER})

    message = dead_letters.receive_one()
    envelope = json.loads(message["Body"])
    assert envelope["Message"] == "text"
    assert envelope["MessageAttributes"] == {"count": {"Type": "Number", "Value": "111"}}
    assert "MessageAttributes" not in message


def test_a_dead_letter_of_raw_delivery_is_the_message(topic: Topic) -> None:
    _, dead_letters = dead_letters_of(topic, is_raw=True)

    topic.publish("text", MessageAttributes={"count": NUMBER, "photo": BINARY})

    message = dead_letters.receive_one()
    assert message["Body"] == "text"
    assert message["MessageAttributes"] == {"count": NUMBER, "photo": BINARY}


def test_the_others_get_what_one_does_not(topic: Topic) -> None:
    before = topic.raw_listener()
    _, dead_letters = dead_letters_of(topic, is_raw=True)
    after = topic.raw_listener()

    topic.publish("text")

    assert before.bodies() == after.bodies() == dead_letters.bodies() == ["text"]


def test_a_message_that_nobody_takes_is_dropped_and_the_publish_is_good(topic: Topic) -> None:
    listener, other = topic.raw_listener(), topic.raw_listener()
    topic.cumulet.client("sqs").delete_queue(QueueUrl=listener.queue.url)

    topic.publish("text")

    assert other.bodies() == ["text"]


def test_a_dead_letter_queue_that_is_gone_too_is_no_error(topic: Topic) -> None:
    _, dead_letters = dead_letters_of(topic, is_raw=True)
    other = topic.raw_listener()
    topic.cumulet.client("sqs").delete_queue(QueueUrl=dead_letters.url)

    topic.publish("text")

    assert other.bodies() == ["text"]


def test_a_message_with_more_attributes_than_a_queue_takes_is_undeliverable_raw_alone(topic: Topic) -> None:
    """SNS documents: with raw delivery, messages with more than ten attributes are discarded as client errors."""
    raw, wrapped = topic.raw_listener(), topic.listener()

    topic.publish("text", MessageAttributes={f"name-{number}": NUMBER for number in range(11)})

    assert raw.bodies() == []
    [envelope] = wrapped.envelopes()
    assert len(envelope["MessageAttributes"]) == 11


def test_a_message_that_is_too_large_for_the_queue_is_a_dead_letter(topic: Topic) -> None:
    dead_letters = topic.queues.standard()
    policy = json.dumps({"deadLetterTargetArn": dead_letters.arn})
    small = topic.queues.standard(MaximumMessageSize="1024")
    listener = topic.listener(small, RawMessageDelivery="true", RedrivePolicy=policy)

    topic.publish("x" * 1025)
    topic.publish("y" * 1024)

    assert dead_letters.bodies() == ["x" * 1025]
    assert listener.bodies() == ["y" * 1024]
