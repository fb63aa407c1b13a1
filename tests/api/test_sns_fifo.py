"""FIFO topics: order, deduplication, and both kinds of queues."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from sns_topics import Topic, fifo_topic

from cumulet.testing import Cumulet

WRONG_ID = (
    "Invalid parameter: The {} parameter can only include alphanumeric and punctuation characters. 1 to 128 in length"
)


@pytest.fixture
def topic(cumulet: Cumulet) -> Topic:
    return fifo_topic(cumulet)


def test_a_fifo_queue_gets_group_and_deduplication_id(topic: Topic) -> None:
    listener = topic.raw_listener()

    topic.publish("text", MessageGroupId="g", MessageDeduplicationId="d")

    [message] = listener.receive()
    attributes = message["Attributes"]
    assert (attributes["MessageGroupId"], attributes["MessageDeduplicationId"]) == ("g", "d")


def test_the_content_makes_the_deduplication_id_where_the_topic_says_so(cumulet: Cumulet) -> None:
    topic = fifo_topic(cumulet, ContentBasedDeduplication="true")
    listener = topic.raw_listener()

    topic.publish("Test", MessageGroupId="g")

    [message] = listener.receive()
    assert message["Attributes"]["MessageDeduplicationId"] == sha256(b"Test").hexdigest()


def test_a_given_deduplication_id_beats_the_content(cumulet: Cumulet) -> None:
    topic = fifo_topic(cumulet, ContentBasedDeduplication="true")
    listener = topic.raw_listener()

    topic.publish("same", MessageGroupId="g", MessageDeduplicationId="1")
    topic.publish("same", MessageGroupId="g", MessageDeduplicationId="2")

    assert listener.bodies() == ["same", "same"]


def test_groups_keep_their_order(topic: Topic) -> None:
    listener = topic.raw_listener()

    numbers = [
        int(topic.publish(f"{n}", MessageGroupId="g", MessageDeduplicationId=f"{n}")["SequenceNumber"])
        for n in range(10)
    ]

    assert numbers == sorted(set(numbers))
    assert [len(str(number)) for number in numbers] == [20] * 10
    assert listener.bodies() == [f"{n}" for n in range(10)]


def test_the_envelope_has_the_sequence_number(topic: Topic) -> None:
    listener = topic.listener()

    answer = topic.publish(MessageGroupId="g", MessageDeduplicationId="d")

    [envelope] = listener.envelopes()
    assert envelope["SequenceNumber"] == answer["SequenceNumber"]
    assert envelope["MessageId"] == answer["MessageId"]


def test_a_duplicate_is_answered_as_the_first_and_goes_to_nobody_for_five_minutes(topic: Topic) -> None:
    listener = topic.raw_listener()
    ids = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    first = topic.publish("first", **ids)
    topic.cumulet.advance(seconds=299)

    again = topic.publish("second", **ids)
    late_listener = topic.raw_listener()
    topic.publish("third", **ids)

    for member in ("MessageId", "SequenceNumber"):
        assert again[member] == first[member]
    assert listener.bodies() == ["first"]
    assert late_listener.bodies() == []


def test_after_five_minutes_a_message_is_new_again(topic: Topic) -> None:
    listener = topic.raw_listener()
    ids = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    first = topic.publish("first", **ids)
    topic.cumulet.advance(seconds=300)

    second = topic.publish("second", **ids)

    assert second["MessageId"] != first["MessageId"]
    assert int(second["SequenceNumber"]) > int(first["SequenceNumber"])
    assert listener.bodies() == ["first", "second"]


def test_a_duplicate_in_another_group_is_none_where_groups_are_the_scope(cumulet: Cumulet) -> None:
    by_topic = fifo_topic(cumulet, FifoThroughputScope="Topic")
    by_group = fifo_topic(cumulet, FifoThroughputScope="MessageGroup")
    high_throughput = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    counts = []

    for topic in (by_topic, by_group):
        listener = topic.listener(topic.queues.fifo(**high_throughput), RawMessageDelivery="true")
        for group in ("a", "b", "a"):
            topic.publish("text", MessageGroupId=group, MessageDeduplicationId="d")
        counts.append(len(listener.bodies()))

    assert counts == [1, 2]


def test_a_standard_queue_can_listen_to_a_fifo_topic(topic: Topic) -> None:
    listener = topic.listener(topic.queues.standard(), RawMessageDelivery="true")

    topic.publish("text", MessageGroupId="g", MessageDeduplicationId="d")

    [message] = listener.receive()
    assert message["Body"] == "text"
    assert not {"MessageDeduplicationId", "MessageGroupId"} & message["Attributes"].keys()


def test_a_standard_queue_gets_the_group_of_a_standard_topic(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)
    listener = topic.listener()

    topic.publish("text", MessageGroupId="g")

    [message] = listener.receive()
    assert message["Attributes"]["MessageGroupId"] == "g"


def test_a_fifo_dead_letter_queue_keeps_group_and_deduplication_id(topic: Topic) -> None:
    dead_letters = topic.queues.fifo()
    listener = topic.raw_listener(RedrivePolicy=f'{{"deadLetterTargetArn": "{dead_letters.arn}"}}')
    topic.cumulet.client("sqs").delete_queue(QueueUrl=listener.queue.url)

    topic.publish("text", MessageGroupId="g", MessageDeduplicationId="d")

    message = dead_letters.receive_one()
    assert message["Body"] == "text"
    assert message["Attributes"]["MessageDeduplicationId"] == "d"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"MessageDeduplicationId": "d"},
            "Invalid parameter: The MessageGroupId parameter is required for FIFO topics",
        ),
        (
            {"MessageGroupId": "g"},
            "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly",
        ),
        ({"MessageGroupId": "g g", "MessageDeduplicationId": "d"}, WRONG_ID.format("MessageGroupId")),
        ({"MessageGroupId": "g", "MessageDeduplicationId": "d d"}, WRONG_ID.format("MessageDeduplicationId")),
        ({"MessageGroupId": "g", "MessageDeduplicationId": "d" * 129}, WRONG_ID.format("MessageDeduplicationId")),
    ],
)
def test_what_a_fifo_topic_refuses_reaches_nobody(topic: Topic, members: dict[str, str], message: str) -> None:
    listener = topic.raw_listener()

    for _ in range(2):
        with pytest.raises(topic.sns.exceptions.InvalidParameterException) as refusal:
            topic.publish(**members)
        assert refusal.value.response["Error"]["Message"] == message
    topic.publish("good", MessageGroupId="g", MessageDeduplicationId="d")

    assert listener.bodies() == ["good"]


def test_duplicates_are_known_after_a_restart(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data") as cumulet:
        topic = fifo_topic(cumulet)
        listener = topic.raw_listener()
        ids = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
        first = topic.publish("first", **ids)
        cumulet.stop()
        cumulet.start()
        sns = cumulet.client("sns")

        again = sns.publish(TopicArn=topic.arn, Message="second", **ids)

        assert again["SequenceNumber"] == first["SequenceNumber"]
        found = cumulet.client("sqs").receive_message(
            QueueUrl=listener.queue.name, MaxNumberOfMessages=10, WaitTimeSeconds=0
        )
        assert [message["Body"] for message in found["Messages"]] == ["first"]
