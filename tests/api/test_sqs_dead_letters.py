"""SQS: a message that was received too often goes to the dead-letter queue."""

from __future__ import annotations

import json

import pytest
from sqs_queues import Queue, Queues

from cumulet.testing import Cumulet


def receive_until_dead(cumulet: Cumulet, queue: Queue, times: int) -> None:
    """Receive a queue's messages `times` times, and once more."""
    for _ in range(times):
        assert queue.bodies(VisibilityTimeout=0)
    assert queue.bodies() == []


@pytest.mark.parametrize("times", [1, 3])
def test_message_is_delivered_max_receive_count_times_and_then_moved(
    cumulet: Cumulet, queues: Queues, times: int
) -> None:
    queue, dead_letters = queues.standard(), queues.standard()
    queue.bury_in(dead_letters, after=times)
    queue.send("poison")

    receive_until_dead(cumulet, queue, times)

    assert (queue.counts(), dead_letters.counts()) == ((0, 0, 0), (1, 0, 0))
    assert dead_letters.bodies() == ["poison"]


def test_dead_letter_keeps_what_it_was(cumulet: Cumulet, queues: Queues) -> None:
    queue, dead_letters = queues.standard(), queues.standard()
    queue.bury_in(dead_letters, after=1)
    queue.send(
        "poison",
        MessageAttributes={"a": {"DataType": "Number", "StringValue": "1"}},
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}},
    )
    cumulet.advance(seconds=1)
    before = queue.receive_one(VisibilityTimeout=0)
    cumulet.advance(seconds=1)
    assert queue.bodies() == []

    after = dead_letters.receive_one()

    assert before.pop("ReceiptHandle") != after.pop("ReceiptHandle")
    attributes = {**before.pop("Attributes"), "ApproximateReceiveCount": "2", "DeadLetterQueueSourceArn": queue.arn}
    assert after.pop("Attributes") == attributes
    assert after == before


def test_receive_that_buries_a_message_returns_the_next(queues: Queues) -> None:
    queue, dead_letters = queues.standard(), queues.standard()
    queue.bury_in(dead_letters, after=1)
    queue.send("poison")
    queue.receive(VisibilityTimeout=0)
    queue.send("good")

    assert queue.bodies(1) == ["good"]
    assert dead_letters.bodies() == ["poison"]


def test_many_poison_messages_do_not_hide_a_good_one(queues: Queues) -> None:
    queue, dead_letters = queues.standard(), queues.standard()
    queue.bury_in(dead_letters, after=1)
    for number in range(25):
        queue.send(str(number))
    for _ in range(3):
        queue.receive(VisibilityTimeout=1)
    queue.send("good", DelaySeconds=0)
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"VisibilityTimeout": "1"})

    received = queue.bodies()

    assert received == ["good"]


def test_handle_of_the_source_means_nothing_to_the_dead_letter(queues: Queues) -> None:
    queue, dead_letters = queues.standard(), queues.standard()
    queue.bury_in(dead_letters, after=1)
    queue.send("poison")
    [message] = queue.receive(VisibilityTimeout=0)
    queue.receive()

    queue.delete(message)

    assert dead_letters.counts() == (1, 0, 0)


def test_dead_letter_of_a_standard_queue_expires_by_the_time_it_was_sent(cumulet: Cumulet, queues: Queues) -> None:
    queue, dead_letters = queues.standard(), queues.standard(MessageRetentionPeriod="120")
    queue.bury_in(dead_letters, after=1)
    queue.send("poison")
    cumulet.advance(seconds=100)
    receive_until_dead(cumulet, queue, 1)
    assert dead_letters.counts() == (1, 0, 0)

    cumulet.advance(seconds=20)

    assert dead_letters.counts() == (0, 0, 0)


def test_dead_letter_of_a_fifo_queue_lives_anew(cumulet: Cumulet, queues: Queues) -> None:
    queue, dead_letters = queues.fifo(), queues.fifo(MessageRetentionPeriod="120")
    queue.bury_in(dead_letters, after=1)
    queue.send_to("g", "poison")
    cumulet.advance(seconds=100)
    receive_until_dead(cumulet, queue, 1)

    cumulet.advance(seconds=119)
    assert dead_letters.counts() == (1, 0, 0)
    cumulet.advance(seconds=1)
    assert dead_letters.counts() == (0, 0, 0)


def test_dead_letter_of_a_fifo_queue_keeps_its_group_and_unlocks_the_sources(queues: Queues) -> None:
    queue, dead_letters = queues.fifo(), queues.fifo()
    queue.bury_in(dead_letters, after=1)
    queue.send_to("g", "poison", "next")
    poison = queue.receive(1, VisibilityTimeout=0)[0]

    assert queue.bodies() == ["next"]

    dead = dead_letters.receive_one()
    assert dead["MessageId"] == poison["MessageId"]
    assert dead["Attributes"]["MessageGroupId"] == "g"
    assert dead["Attributes"]["MessageDeduplicationId"] == poison["MessageId"]
    assert dead["Attributes"]["DeadLetterQueueSourceArn"] == queue.arn


def test_dead_letters_keep_the_order_of_their_group(cumulet: Cumulet, queues: Queues) -> None:
    queue, dead_letters = queues.fifo(), queues.fifo()
    queue.bury_in(dead_letters, after=1)
    queue.send_to("g", "m1", "m2", "m3")

    receive_until_dead(cumulet, queue, 1)

    assert dead_letters.bodies() == ["m1", "m2", "m3"]


def test_message_stays_when_its_dead_letter_queue_is_gone(queues: Queues) -> None:
    queue, dead_letters = queues.standard(), queues.standard()
    queue.bury_in(dead_letters, after=1)
    queue.send("poison")
    queue.sqs.delete_queue(QueueUrl=dead_letters.url)

    assert [queue.bodies(VisibilityTimeout=0) for _ in range(3)] == [["poison"]] * 3


def test_dead_letters_of_dead_letters_are_buried_again(queues: Queues) -> None:
    queue, first, second = queues.standard(), queues.standard(), queues.standard()
    queue.bury_in(first, after=1)
    first.bury_in(second, after=2)
    queue.send("poison")
    queue.receive(VisibilityTimeout=0)
    queue.receive()

    assert first.bodies(VisibilityTimeout=0) == ["poison"]
    assert first.bodies() == []

    assert second.receive_one()["Attributes"]["DeadLetterQueueSourceArn"] == first.arn


@pytest.mark.parametrize("kind", ["standard", "fifo"])
def test_queue_that_is_its_own_dead_letter_queue_keeps_delivering(queues: Queues, kind: str) -> None:
    """AWS documents nothing for it; moved to where it is, the message would never be delivered again."""
    queue = queues.fifo() if kind == "fifo" else queues.standard()
    queue.bury_in(queue, after=1)
    queue.send("poison", **({"MessageGroupId": "g", "MessageDeduplicationId": "1"} if kind == "fifo" else {}))

    assert [queue.bodies(VisibilityTimeout=0) for _ in range(3)] == [["poison"]] * 3


def test_queues_that_are_each_others_dead_letter_queue_do_not_pass_a_message_to_and_fro(queues: Queues) -> None:
    """AWS documents nothing for it; the message ends in the second queue and is delivered there."""
    queue, other = queues.standard(), queues.standard()
    queue.bury_in(other, after=1)
    other.bury_in(queue, after=1)
    queue.send("poison")
    queue.receive(VisibilityTimeout=0)
    assert queue.bodies() == []

    assert [other.bodies(VisibilityTimeout=0) for _ in range(3)] == [["poison"]] * 3
    assert queue.bodies() == []


def test_lowered_count_holds_for_messages_that_were_received_before(queues: Queues) -> None:
    queue, dead_letters = queues.standard(), queues.standard()
    queue.bury_in(dead_letters, after=10)
    queue.send("poison")
    for _ in range(3):
        queue.receive(VisibilityTimeout=0)

    queue.bury_in(dead_letters, after=2)

    assert queue.bodies() == []
    assert dead_letters.bodies() == ["poison"]


def test_removed_redrive_policy_ends_the_burying(queues: Queues) -> None:
    queue, dead_letters = queues.standard(), queues.standard()
    queue.bury_in(dead_letters, after=1)
    queue.send("poison")
    queue.receive(VisibilityTimeout=0)

    queue.set(RedrivePolicy="")

    assert queue.bodies() == ["poison"]


def test_sources_of_a_dead_letter_queue_are_listed_in_pages(queues: Queues) -> None:
    dead_letters = queues.standard()
    sources = [queues.standard(f"source-{number}") for number in range(5)]
    for source in sources:
        source.bury_in(dead_letters, after=1)
    sqs = dead_letters.sqs

    first = sqs.list_dead_letter_source_queues(QueueUrl=dead_letters.url, MaxResults=3)
    rest = sqs.list_dead_letter_source_queues(QueueUrl=dead_letters.url, MaxResults=3, NextToken=first["NextToken"])

    assert first["queueUrls"] + rest["queueUrls"] == [source.url for source in sources]
    assert "NextToken" not in rest
    assert sqs.list_dead_letter_source_queues(QueueUrl=sources[0].url)["queueUrls"] == []


def test_source_is_listed_as_long_as_its_policy_names_the_queue(queues: Queues) -> None:
    source, dead_letters = queues.standard(), queues.standard()
    policy = {"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": "5"}
    source.set(RedrivePolicy=json.dumps(policy))
    sqs = source.sqs
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead_letters.url)["queueUrls"] == [source.url]

    source.set(RedrivePolicy="")

    assert sqs.list_dead_letter_source_queues(QueueUrl=dead_letters.url)["queueUrls"] == []
