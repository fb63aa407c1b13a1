"""SQS: FIFO queues: order and locks of groups, deduplication, sequence numbers, receive attempts."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from sqs_queues import Queue, Queues
from sqs_wire import Refused, Wire

from cumulet.testing import Cumulet


def test_messages_of_a_group_come_in_order(fifo: Queue) -> None:
    bodies = [str(number) for number in range(25)]
    fifo.send_to("g", *bodies)

    received = []
    while batch := fifo.receive(7):
        received += [message["Body"] for message in batch]
        fifo.delete(*batch)

    assert received == bodies


def test_receive_takes_what_one_group_has_before_the_next(fifo: Queue) -> None:
    fifo.send_to("g1", "g1-m1")
    fifo.send_to("g2", "g2-m1")
    fifo.send_to("g1", "g1-m2", "g1-m3")

    assert fifo.bodies() == ["g1-m1", "g1-m2", "g1-m3", "g2-m1"]


def test_group_is_blocked_while_a_message_is_in_flight(cumulet: Cumulet, fifo: Queue) -> None:
    fifo.send_to("g1", "g1-m1", "g1-m2", "g1-m3")
    fifo.send_to("g2", "g2-m1")

    assert fifo.bodies(2) == ["g1-m1", "g1-m2"]
    assert fifo.bodies() == ["g2-m1"]
    fifo.send_to("g1", "g1-m4")
    assert fifo.bodies() == []
    assert fifo.counts() == (2, 3, 0)
    cumulet.advance(seconds=30)
    assert fifo.bodies() == ["g1-m1", "g1-m2", "g1-m3", "g1-m4", "g2-m1"]


def test_group_is_unlocked_by_the_deletion_of_the_last_message_in_flight(fifo: Queue) -> None:
    fifo.send_to("g", "m1", "m2", "m3")
    first, second = fifo.receive(2)

    fifo.delete(second)
    assert fifo.bodies() == []
    fifo.delete(first)
    assert fifo.bodies() == ["m3"]


@pytest.mark.parametrize(
    ("extended", "visible"), [(0, []), (1, ["m1"]), (2, ["m1", "m2"]), (None, ["m1", "m2", "m3", "m4"])]
)
def test_messages_behind_one_that_is_in_flight_are_not_received(
    cumulet: Cumulet, fifo: Queue, extended: int | None, visible: list[str]
) -> None:
    fifo.send_to("g", "m1", "m2", "m3", "m4")
    messages = fifo.receive(3)
    if extended is not None:
        fifo.hide(messages[extended], 60)

    cumulet.advance(seconds=30)

    assert fifo.bodies() == visible


def test_message_that_is_given_back_is_received_though_later_ones_are_in_flight(fifo: Queue) -> None:
    fifo.send_to("g", "m1", "m2", "m3")
    messages = fifo.receive(2)

    fifo.hide(messages[0], 0)

    assert fifo.bodies() == ["m1"]


def test_expired_batch_comes_back_in_its_order(cumulet: Cumulet, fifo: Queue) -> None:
    fifo.send_to("g", "m1", "m2", "m3")
    messages = fifo.receive()
    fifo.hide(messages[2], 10)
    fifo.hide(messages[0], 20)

    cumulet.advance(seconds=30)

    assert fifo.bodies() == ["m1", "m2", "m3"]


def test_group_that_was_received_goes_behind_the_others(cumulet: Cumulet, fifo: Queue) -> None:
    for group in ("g1", "g2", "g3"):
        fifo.send_to(group, f"{group}-m1")
        cumulet.advance(milliseconds=3)
    assert fifo.bodies(2, VisibilityTimeout=0) == ["g1-m1", "g2-m1"]

    assert fifo.bodies() == ["g3-m1", "g1-m1", "g2-m1"]


def test_group_that_was_unlocked_goes_behind_those_that_wait_and_before_those_that_come_later(
    cumulet: Cumulet, fifo: Queue
) -> None:
    fifo.send_to("g1", "g1-m1", "g1-m2", "g1-m3", "g1-m4")
    cumulet.advance(milliseconds=3)
    fifo.send_to("g2", "g2-m1", "g2-m2")
    cumulet.advance(milliseconds=3)
    messages = fifo.receive(2)

    fifo.delete(*messages)
    fifo.send_to("g3", "g3-m1")

    assert fifo.bodies() == ["g2-m1", "g2-m2", "g1-m3", "g1-m4", "g3-m1"]


def test_no_group_starves_behind_one_with_many_messages(cumulet: Cumulet, fifo: Queue) -> None:
    fifo.send_to("long", *(str(number) for number in range(6)))
    cumulet.advance(seconds=1)
    fifo.send_to("short", "short")

    received = []
    for _ in range(3):
        batch = fifo.receive(2)
        received += [message["Body"] for message in batch]
        fifo.delete(*batch)

    assert "short" in received


def test_sequence_numbers_have_twenty_digits_and_grow(fifo: Queue) -> None:
    sent = [
        fifo.send("body", MessageGroupId=f"g{number % 2}", MessageDeduplicationId=str(number))["SequenceNumber"]
        for number in range(20)
    ]
    received = [
        message["Attributes"]["SequenceNumber"]
        for _ in range(2)
        for message in fifo.receive(MessageSystemAttributeNames=["SequenceNumber"])
    ]

    assert all(len(number) == 20 and number.isdigit() for number in sent)
    assert sent == sorted(set(sent))
    assert sorted(received) == sent


def test_system_attributes_of_a_fifo_message(cumulet: Cumulet, fifo: Queue) -> None:
    sent = fifo.send("one", MessageGroupId="g", MessageDeduplicationId="d")
    now = str(cumulet.now_ms())

    assert fifo.receive_one()["Attributes"] == {
        "ApproximateFirstReceiveTimestamp": now,
        "ApproximateReceiveCount": "1",
        "MessageDeduplicationId": "d",
        "MessageGroupId": "g",
        "SenderId": cumulet.account,
        "SentTimestamp": now,
        "SequenceNumber": sent["SequenceNumber"],
    }


def test_same_deduplication_id_is_accepted_once_in_five_minutes(cumulet: Cumulet, fifo: Queue) -> None:
    first = fifo.send("one", MessageGroupId="g", MessageDeduplicationId="d")
    cumulet.advance(milliseconds=299_999)

    second = fifo.send("two", MessageGroupId="g", MessageDeduplicationId="d")

    assert (second["MessageId"], second["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    assert second["MD5OfMessageBody"] != first["MD5OfMessageBody"]
    assert fifo.counts() == (1, 0, 0)
    cumulet.advance(milliseconds=1)
    third = fifo.send("three", MessageGroupId="g", MessageDeduplicationId="d")
    assert third["MessageId"] != first["MessageId"]
    assert fifo.bodies() == ["one", "three"]


def test_duplicate_is_dropped_after_the_first_was_received_and_deleted(fifo: Queue) -> None:
    fifo.send("one", MessageGroupId="g", MessageDeduplicationId="d")
    fifo.delete(*fifo.receive())

    fifo.send("one", MessageGroupId="g", MessageDeduplicationId="d")

    assert fifo.counts() == (0, 0, 0)


def test_duplicates_within_one_batch_are_dropped(fifo: Queue) -> None:
    entries = [
        {"Id": str(number), "MessageBody": str(number), "MessageGroupId": "g", "MessageDeduplicationId": "d"}
        for number in range(3)
    ]

    answer = fifo.sqs.send_message_batch(QueueUrl=fifo.url, Entries=entries)

    assert len({entry["MessageId"] for entry in answer["Successful"]}) == 1
    assert fifo.bodies() == ["0"]


def test_deduplication_by_content_looks_at_the_body_alone(queues: Queues) -> None:
    fifo = queues.fifo(ContentBasedDeduplication="true")
    attribute = {"a": {"DataType": "String", "StringValue": "x"}}

    fifo.send("one", MessageGroupId="g")
    fifo.send("one", MessageGroupId="g", MessageAttributes=attribute)
    fifo.send("two", MessageGroupId="g")

    assert fifo.bodies() == ["one", "two"]


def test_explicit_id_beats_content_and_equals_a_generated_one(queues: Queues) -> None:
    fifo = queues.fifo(ContentBasedDeduplication="true")
    fifo.send("one", MessageGroupId="g")
    fifo.send("one", MessageGroupId="g", MessageDeduplicationId="other")
    generated = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"  # SHA-256 of "one"
    fifo.send("two", MessageGroupId="g", MessageDeduplicationId=generated)

    received = fifo.receive(MessageSystemAttributeNames=["MessageDeduplicationId"])

    assert [(m["Body"], m["Attributes"]["MessageDeduplicationId"]) for m in received] == [
        ("one", generated),
        ("one", "other"),
    ]


@pytest.mark.parametrize(("scope", "accepted"), [("queue", 1), ("messageGroup", 2)])
def test_deduplication_scope(queues: Queues, scope: str, accepted: int) -> None:
    fifo = queues.fifo(DeduplicationScope=scope)

    for group in ("g1", "g2", "g1"):
        fifo.send("one", MessageGroupId=group, MessageDeduplicationId="d")

    assert fifo.counts() == (accepted, 0, 0)


def test_high_throughput_queue_shows_its_attributes(queues: Queues) -> None:
    fifo = queues.fifo(DeduplicationScope="messageGroup", FifoThroughputLimit="perMessageGroupId")

    assert fifo.attributes("DeduplicationScope", "FifoThroughputLimit") == {
        "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId",
    }


def test_purge_forgets_deduplication_and_locks(fifo: Queue) -> None:
    fifo.send("one", MessageGroupId="g", MessageDeduplicationId="d")
    fifo.receive()

    fifo.sqs.purge_queue(QueueUrl=fifo.url)
    fifo.send("again", MessageGroupId="g", MessageDeduplicationId="d")

    assert fifo.bodies() == ["again"]


def test_queue_delay_holds_for_each_message_and_its_change_for_those_that_wait(
    cumulet: Cumulet, queues: Queues
) -> None:
    fifo = queues.fifo(DelaySeconds="60")
    fifo.send_to("g", "one")
    assert fifo.counts() == (0, 0, 1)
    cumulet.advance(seconds=59)
    assert fifo.bodies() == []

    fifo.set(DelaySeconds="120")
    cumulet.advance(seconds=60)
    assert fifo.bodies() == []
    cumulet.advance(seconds=1)
    assert fifo.bodies(VisibilityTimeout=0) == ["one"]

    fifo.send_to("h", "two")
    fifo.set(DelaySeconds="0")
    assert sorted(fifo.bodies()) == ["one", "two"]


def test_expired_handle_neither_deletes_nor_changes(cumulet: Cumulet, fifo: Queue) -> None:
    fifo.send_to("g", "one")
    [message] = fifo.receive()
    cumulet.advance(seconds=30)
    reason = (
        f"Value {message['ReceiptHandle']} for parameter ReceiptHandle is invalid. "
        "Reason: The receipt handle has expired."
    )

    with pytest.raises(ClientError) as delete:
        fifo.delete(message)
    with pytest.raises(ClientError) as change:
        fifo.hide(message, 10)

    assert delete.value.response["Error"]["Message"] == change.value.response["Error"]["Message"] == reason
    assert fifo.bodies() == ["one"]


def test_handle_lives_on_when_the_visibility_was_extended_in_time(cumulet: Cumulet, fifo: Queue) -> None:
    fifo.send_to("g", "one")
    [message] = fifo.receive()
    fifo.hide(message, 60)
    cumulet.advance(seconds=59)

    fifo.delete(message)

    assert fifo.counts() == (0, 0, 0)


def test_handle_of_an_earlier_receive_has_expired(cumulet: Cumulet, fifo: Queue) -> None:
    fifo.send_to("g", "one")
    [earlier] = fifo.receive(VisibilityTimeout=1)
    cumulet.advance(seconds=1)
    [later] = fifo.receive()

    with pytest.raises(ClientError, match="The receipt handle has expired"):
        fifo.delete(earlier)
    fifo.delete(later)
    fifo.delete(later)

    assert fifo.counts() == (0, 0, 0)


def test_messages_expire_by_retention_and_unlock_their_group(cumulet: Cumulet, queues: Queues) -> None:
    fifo = queues.fifo(MessageRetentionPeriod="60")
    fifo.send_to("g", "old")
    fifo.receive(VisibilityTimeout=600)
    cumulet.advance(seconds=30)
    fifo.send_to("g", "new")
    assert fifo.bodies() == []

    cumulet.advance(seconds=30)

    assert fifo.counts() == (1, 0, 0)
    assert fifo.bodies() == ["new"]


def test_repeated_attempt_gets_the_same_messages_with_the_same_handles(cumulet: Cumulet, fifo: Queue) -> None:
    fifo.send_to("g", "m1", "m2", "m3")
    first = fifo.receive(2, ReceiveRequestAttemptId="attempt", MessageSystemAttributeNames=["All"])
    cumulet.advance(seconds=20)

    again = fifo.receive(2, ReceiveRequestAttemptId="attempt", MessageSystemAttributeNames=["All"])

    assert again == first
    assert fifo.receive(2, ReceiveRequestAttemptId="another") == []
    cumulet.advance(seconds=29)
    assert fifo.bodies() == [], "the repeated attempt has begun the visibility timeout anew"
    fifo.delete(*again)
    assert fifo.bodies() == ["m3"]


@pytest.mark.parametrize("use", ["delete", "hide", "keep"])
def test_attempt_cannot_be_repeated_once_a_message_was_deleted_or_changed(fifo: Queue, use: str) -> None:
    fifo.send_to("g", "m1", "m2")
    first, _ = fifo.receive(ReceiveRequestAttemptId="attempt")
    if use == "delete":
        fifo.delete(first)
    else:
        fifo.hide(first, 10 if use == "hide" else 30)

    with pytest.raises(ClientError) as refused:
        fifo.receive(ReceiveRequestAttemptId="attempt")

    assert refused.value.response["Error"]["Message"] == (
        "Value attempt for parameter ReceiveRequestAttemptId is invalid. Reason: "
        "The receiveRequestAttemptId is not valid anymore since the receive call is not retryable."
    )


def test_attempt_id_may_be_used_anew_after_five_minutes(cumulet: Cumulet, fifo: Queue) -> None:
    fifo.send_to("g", "m1")
    [first] = fifo.receive(ReceiveRequestAttemptId="attempt")
    fifo.delete(first)
    fifo.send_to("g", "m2")

    cumulet.advance(minutes=5)

    assert fifo.bodies(ReceiveRequestAttemptId="attempt") == ["m2"]


def test_attempt_that_received_nothing_is_not_remembered(fifo: Queue) -> None:
    assert fifo.bodies(ReceiveRequestAttemptId="attempt") == []
    fifo.send_to("g", "m1")

    assert fifo.bodies(ReceiveRequestAttemptId="attempt") == ["m1"]


def test_attempt_id_means_nothing_to_a_standard_queue(queue: Queue) -> None:
    queue.send("one")

    assert queue.bodies(ReceiveRequestAttemptId="attempt") == ["one"]
    assert queue.bodies(ReceiveRequestAttemptId="attempt") == []


def test_delay_of_zero_is_accepted_and_the_queues_still_holds(queues: Queues) -> None:
    fifo = queues.fifo(DelaySeconds="60")

    fifo.send("one", MessageGroupId="g", MessageDeduplicationId="d", DelaySeconds=0)

    assert fifo.counts() == (0, 0, 1)


@pytest.mark.parametrize("name", ["MessageGroupId", "MessageDeduplicationId"])
def test_every_punctuation_character_is_allowed_in_ids(fifo: Queue, name: str) -> None:
    value = "azAZ09!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
    ids = {"MessageGroupId": "g", "MessageDeduplicationId": "d", name: value}

    fifo.send("one", **ids)
    fifo.send("two", **{"MessageGroupId": "g", "MessageDeduplicationId": "d2", name: "x" * 128})

    messages = fifo.receive(MessageSystemAttributeNames=[name])
    assert {message["Attributes"][name] for message in messages} == {value, "x" * 128}


def test_duplicate_is_answered_alike_in_both_protocols(either_wire: Wire, fifo: Queue) -> None:
    members = {"QueueUrl": fifo.url, "MessageBody": "one", "MessageGroupId": "g", "MessageDeduplicationId": "d"}

    assert either_wire.call("SendMessage", **members) == either_wire.call("SendMessage", **members)

    with pytest.raises(Refused):
        either_wire.call("SendMessage", **{**members, "MessageGroupId": "two words"})
    assert fifo.counts() == (1, 0, 0)
