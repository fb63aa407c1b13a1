"""SQS: sending, receiving, deleting and hiding messages of a standard queue."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sqs_queues import Queue, Queues
from sqs_wire import Refused, Wire

from cumulet.testing import Cumulet

LONGEST = 1_048_576


def attributes_md5(attributes: dict[str, Any]) -> str:
    """The MD5 of message attributes by the rule of the SQS developer guide, computed independently."""
    data = b""
    for name, attribute in sorted(attributes.items()):
        kind = attribute["DataType"]
        value = attribute["BinaryValue"] if kind.startswith("Binary") else attribute["StringValue"].encode()
        data += struct.pack(
            f">I{len(name.encode())}sI{len(kind)}s", len(name.encode()), name.encode(), len(kind), kind.encode()
        )
        data += struct.pack(f">BI{len(value)}s", 2 if kind.startswith("Binary") else 1, len(value), value)
    return hashlib.md5(data).hexdigest()


def test_sent_message_is_received_once_and_gone_after_delete(cumulet: Cumulet, queue: Queue) -> None:
    sent = queue.send("one")

    [message] = queue.receive()
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "one")
    assert queue.receive() == []

    queue.delete(message)
    cumulet.advance(days=1)
    assert queue.receive() == []


def test_received_message_has_only_the_members_that_were_asked_for(queue: Queue) -> None:
    queue.send("one", MessageAttributes={"a": {"DataType": "String", "StringValue": "x"}})

    [message] = queue.receive()

    assert message.keys() == {"MessageId", "ReceiptHandle", "MD5OfBody", "Body"}


def test_empty_receive_has_no_messages_member(wire: Wire, queue: Queue) -> None:
    assert wire.call("ReceiveMessage", QueueUrl=queue.url) == {}


def test_receive_returns_one_message_by_default_and_at_most_ten(queue: Queue) -> None:
    for number in range(12):
        queue.send(str(number))

    first = queue.sqs.receive_message(QueueUrl=queue.url)["Messages"]
    rest = queue.receive(10)

    assert (len(first), len(rest)) == (1, 10)


@pytest.mark.parametrize(
    "body", ["ünïcødé ✓ \U0001f54a", "tab\tline\nreturn\rend", "<a>&amp;'\"]]>", " ", "\ud7ff\ue000\ufffd"]
)
def test_body_comes_back_as_it_was_sent(either_wire: Wire, queue: Queue, body: str) -> None:
    sent = either_wire.call("SendMessage", QueueUrl=queue.url, MessageBody=body)
    [message] = either_wire.call("ReceiveMessage", QueueUrl=queue.url)["Messages"]

    assert message["Body"] == body
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"] == hashlib.md5(body.encode()).hexdigest()


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x0b", "\x1f", "\ufffe", "\uffff"])
def test_body_with_a_character_that_xml_forbids_is_refused(either_wire: Wire, queue: Queue, character: str) -> None:
    with pytest.raises(Refused) as refused:
        either_wire.call("SendMessage", QueueUrl=queue.url, MessageBody=f"a{character}b")

    assert (refused.value.code, refused.value.status) == ("InvalidMessageContents", 400)
    assert refused.value.message == (
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
        "#xE000 to #xFFFD | #x10000 to #x10FFFF"
    )
    assert queue.counts() == (0, 0, 0)


ATTRIBUTES = {
    "city": {"DataType": "String", "StringValue": "Anywhere ✓"},
    "Population.of": {"DataType": "Number.bigint", "StringValue": "1250800"},
    "größe": {"DataType": "Number", "StringValue": "-1.5e10"},
    "image": {"DataType": "Binary.png", "BinaryValue": bytes(range(256))},
}


def test_message_attributes_come_back_with_the_md5_that_clients_check(queue: Queue) -> None:
    # boto3 checks MD5OfMessageBody and MD5OfMessageAttributes itself, by its own code.
    sent = queue.send("one", MessageAttributes=ATTRIBUTES)

    message = queue.receive_one()

    assert message["MessageAttributes"] == ATTRIBUTES
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"] == attributes_md5(ATTRIBUTES)


@pytest.mark.parametrize(
    ("attributes", "digest"),
    [
        ({"Hello": "There"}, "a311262e065454b75da111d535b8dacd"),
        ({"Hello": "There", "Help.Me": "Me"}, None),
    ],
)
def test_attribute_md5_is_the_one_that_aws_answers(
    queue: Queue, attributes: dict[str, str], digest: str | None
) -> None:
    given = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}

    sent = queue.send("one", MessageAttributes=given)

    assert sent["MD5OfMessageAttributes"] == (digest or attributes_md5(given))


def test_trace_header_is_a_system_attribute_with_its_own_md5(queue: Queue) -> None:
    header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    given = {"AWSTraceHeader": {"DataType": "String", "StringValue": header}}

    sent = queue.send("one", MessageSystemAttributes=given)

    assert sent["MD5OfMessageSystemAttributes"] == attributes_md5(given) == "5ae4d5d7636402d80f4eb6d213245a88"
    assert "MD5OfMessageAttributes" not in sent
    assert queue.receive_one()["Attributes"]["AWSTraceHeader"] == header


def test_trace_header_of_the_request_becomes_the_messages(wire: Wire, queue: Queue) -> None:
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "AmazonSQS.SendMessage",
        "X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793",
    }
    body = f'{{"QueueUrl":"{queue.url}","MessageBody":"one"}}'

    assert wire.send("POST", "/", body, headers, signed=True).status == 200

    assert queue.receive_one()["Attributes"]["AWSTraceHeader"] == "Root=1-5759e988-bd862e3fe1be46a994272793"


@pytest.mark.parametrize(
    ("patterns", "selected"),
    [
        (["All"], {"Hello", "Help.Me", "other"}),
        ([".*"], {"Hello", "Help.Me", "other"}),
        (["*"], {"Hello", "Help.Me", "other"}),
        (["Hel.*"], {"Hello", "Help.Me"}),
        (["Help.*"], {"Help.Me"}),
        (["Hello", "unknown"], {"Hello"}),
        (["hello"], set()),
        (["AWS.", "..foo"], set()),
        ([], set()),
    ],
)
def test_message_attribute_names_select(queue: Queue, patterns: list[str], selected: set[str]) -> None:
    attributes = {name: {"DataType": "String", "StringValue": "x"} for name in ("Hello", "Help.Me", "other")}
    queue.send("one", MessageAttributes=attributes)

    [message] = queue.receive(MessageAttributeNames=patterns)

    chosen = message.get("MessageAttributes", {})
    assert set(chosen) == selected
    assert message.get("MD5OfMessageAttributes") == (attributes_md5(chosen) if chosen else None)


def test_system_attributes_of_a_standard_message(cumulet: Cumulet, queue: Queue) -> None:
    sent_ms = cumulet.now_ms()
    queue.send("one", MessageGroupId="tenant")
    cumulet.advance(seconds=5)
    first = queue.receive_one(VisibilityTimeout=0)["Attributes"]
    cumulet.advance(seconds=5)
    second = queue.receive_one()["Attributes"]

    assert first == {
        "ApproximateFirstReceiveTimestamp": str(sent_ms + 5_000),
        "ApproximateReceiveCount": "1",
        "MessageGroupId": "tenant",
        "SenderId": cumulet.account,
        "SentTimestamp": str(sent_ms),
    }
    assert second == {**first, "ApproximateReceiveCount": "2"}


@pytest.mark.parametrize("member", ["AttributeNames", "MessageSystemAttributeNames"])
def test_system_attributes_are_chosen_by_name(either_wire: Wire, queue: Queue, member: str) -> None:
    queue.send("one")

    answer = either_wire.call(
        "ReceiveMessage", QueueUrl=queue.url, **{member: ["ApproximateReceiveCount", "SequenceNumber"]}
    )

    assert answer["Messages"][0]["Attributes"] == {"ApproximateReceiveCount": "1"}


def test_of_both_lists_of_system_attributes_json_takes_the_newer_and_query_the_older(
    either_wire: Wire, queue: Queue
) -> None:
    queue.send("one")

    answer = either_wire.call(
        "ReceiveMessage", QueueUrl=queue.url, AttributeNames=["SenderId"], MessageSystemAttributeNames=["All"]
    )

    names = answer["Messages"][0]["Attributes"].keys()
    assert (names == {"SenderId"}) == (either_wire.protocol == "query")


def test_message_of_exactly_the_longest_size_is_accepted_with_its_attributes(queue: Queue) -> None:
    attributes = {"name": {"DataType": "String", "StringValue": "value"}}
    own_size = len("name") + len("String") + len("value")

    queue.send("x" * (LONGEST - own_size), MessageAttributes=attributes)
    with pytest.raises(ClientError, match=f"Reason: Message must be shorter than {LONGEST} bytes."):
        queue.send("x" * (LONGEST - own_size + 1), MessageAttributes=attributes)

    assert queue.counts() == (1, 0, 0)


def test_size_counts_bytes_of_utf8_and_not_system_attributes(queues: Queues) -> None:
    queue = queues.standard(MaximumMessageSize="1024")
    header = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}}

    queue.send("é" * 512, MessageSystemAttributes=header)
    with pytest.raises(ClientError, match="Message must be shorter than 1024 bytes"):
        queue.send("é" * 512 + "x")

    assert queue.counts() == (1, 0, 0)


def test_message_is_visible_again_after_the_queues_timeout(cumulet: Cumulet, queues: Queues) -> None:
    queue = queues.standard(VisibilityTimeout="60")
    queue.send("one")

    assert queue.bodies() == ["one"]
    cumulet.advance(milliseconds=59_999)
    assert queue.bodies() == []
    cumulet.advance(milliseconds=1)
    assert queue.bodies() == ["one"]


def test_receives_own_visibility_timeout_beats_the_queues_once(cumulet: Cumulet, queue: Queue) -> None:
    queue.send("one")

    assert queue.bodies(VisibilityTimeout=43_200) == ["one"]
    cumulet.advance(seconds=43_199)
    assert queue.bodies() == []
    cumulet.advance(seconds=1)
    assert queue.bodies() == ["one"]
    cumulet.advance(seconds=30)
    assert queue.bodies() == ["one"]


def test_receive_with_visibility_timeout_zero_leaves_the_message_in_sight(queue: Queue) -> None:
    queue.send("one")

    counts = [queue.receive_one(VisibilityTimeout=0)["Attributes"]["ApproximateReceiveCount"] for _ in range(3)]

    assert counts == ["1", "2", "3"]
    assert queue.counts() == (1, 0, 0)


def test_messages_that_always_come_back_do_not_hide_those_that_none_has_seen(cumulet: Cumulet, queue: Queue) -> None:
    for number in range(30):
        queue.send(str(number))

    seen = set()
    for _ in range(3):
        cumulet.advance(seconds=1)
        seen |= set(queue.bodies(VisibilityTimeout=0))

    assert seen == {str(number) for number in range(30)}


def test_messages_that_none_has_seen_do_not_hide_one_that_came_back(cumulet: Cumulet, queue: Queue) -> None:
    queue.send("again")
    queue.receive(VisibilityTimeout=10)
    cumulet.advance(seconds=11)
    for number in range(30):
        queue.send(str(number))

    assert "again" in queue.bodies()


def test_no_receive_returns_a_message_twice(cumulet: Cumulet, queue: Queue) -> None:
    queue.send("again")
    queue.send("new")
    queue.receive(1, VisibilityTimeout=0)
    cumulet.advance(seconds=1)

    for _ in range(4):
        received = queue.bodies(VisibilityTimeout=0)
        assert len(received) == len(set(received)) > 0


def test_visibility_can_be_extended_and_ended(cumulet: Cumulet, queue: Queue) -> None:
    queue.send("one")
    [message] = queue.receive()

    queue.hide(message, 100)
    cumulet.advance(seconds=99)
    assert queue.bodies() == []
    queue.hide(message, 0)
    assert queue.bodies() == ["one"]


def test_visibility_is_at_most_twelve_hours_from_the_receive(cumulet: Cumulet, queue: Queue) -> None:
    queue.send("one")
    [message] = queue.receive()
    cumulet.advance(seconds=20)

    queue.hide(message, 43_180)
    with pytest.raises(ClientError) as refused:
        queue.hide(message, 43_181)

    assert refused.value.response["Error"]["Message"] == (
        "Value 43181 for parameter VisibilityTimeout is invalid. "
        "Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]."
    )
    cumulet.advance(seconds=43_179)
    assert queue.bodies() == []
    cumulet.advance(seconds=1)
    assert queue.bodies() == ["one"]


def test_visibility_change_after_the_timeout_does_nothing_without_an_error(cumulet: Cumulet, queue: Queue) -> None:
    """Recorded: on a standard queue AWS answers 200 and the message stays in sight."""
    queue.send("one")
    [message] = queue.receive()
    cumulet.advance(seconds=30)

    queue.hide(message, 100)

    assert queue.bodies() == ["one"]


def test_visibility_of_a_deleted_message_cannot_be_changed(queue: Queue) -> None:
    queue.send("one")
    [message] = queue.receive()
    queue.delete(message)

    with pytest.raises(ClientError) as refused:
        queue.hide(message, 10)

    assert refused.value.response["Error"]["Message"] == (
        f"Value {message['ReceiptHandle']} for parameter ReceiptHandle is invalid. "
        "Reason: Message does not exist or is not available for visibility timeout change."
    )


def test_each_receive_has_its_own_handle_and_older_ones_stay_usable(queue: Queue) -> None:
    queue.send("one")
    [first] = queue.receive(VisibilityTimeout=0)
    [second] = queue.receive()
    assert first["ReceiptHandle"] != second["ReceiptHandle"]

    queue.hide(first, 0)
    [third] = queue.receive()
    queue.delete(first)

    assert queue.counts() == (0, 0, 0)
    assert third["MessageId"] == first["MessageId"]


def test_message_can_be_deleted_after_its_timeout_and_more_than_once(cumulet: Cumulet, queue: Queue) -> None:
    queue.send("one")
    [message] = queue.receive()
    cumulet.advance(seconds=31)

    queue.delete(message, message, message)

    assert queue.counts() == (0, 0, 0)


def test_handle_of_another_queue_is_refused(queues: Queues) -> None:
    queue, other = queues.standard(), queues.standard()
    queue.send("one")
    [message] = queue.receive()

    with pytest.raises(ClientError) as refused:
        other.delete(message)

    error = refused.value.response["Error"]
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert error["Code"] == "ReceiptHandleIsInvalid"
    assert error["Message"] == f'The receipt handle "{message["ReceiptHandle"]}" is not valid for this queue.'
    assert queue.counts() == (0, 1, 0)


def test_delayed_message_appears_when_its_delay_is_over(cumulet: Cumulet, queue: Queue) -> None:
    queue.send("late", DelaySeconds=900)
    queue.send("now")

    assert queue.counts() == (1, 0, 1)
    assert queue.bodies(VisibilityTimeout=0) == ["now"]
    cumulet.advance(milliseconds=899_999)
    assert queue.counts() == (1, 0, 1)
    cumulet.advance(milliseconds=1)
    assert sorted(queue.bodies()) == ["late", "now"]


def test_queues_delay_holds_unless_the_message_has_its_own(cumulet: Cumulet, queues: Queues) -> None:
    queue = queues.standard(DelaySeconds="60")
    queue.send("delayed")
    queue.send("at once", DelaySeconds=0)

    assert queue.bodies(VisibilityTimeout=600) == ["at once"]
    cumulet.advance(seconds=60)
    assert queue.bodies() == ["delayed"]


def test_changed_delay_does_not_touch_messages_of_a_standard_queue_that_wait(cumulet: Cumulet, queues: Queues) -> None:
    queue = queues.standard(DelaySeconds="60")
    queue.send("waits")

    queue.set(DelaySeconds="0")

    assert queue.bodies() == []
    cumulet.advance(seconds=60)
    assert queue.bodies() == ["waits"]


@pytest.mark.parametrize(
    ("retention", "attribute"),
    [(60, {"MessageRetentionPeriod": "60"}), (345_600, {}), (1_209_600, {"MessageRetentionPeriod": "1209600"})],
)
def test_message_is_gone_after_the_retention_period(
    cumulet: Cumulet, queues: Queues, retention: int, attribute: dict[str, str]
) -> None:
    queue = queues.standard(**attribute)
    queue.send("one")

    cumulet.advance(milliseconds=retention * 1000 - 1)
    assert queue.bodies(VisibilityTimeout=0) == ["one"]
    cumulet.advance(milliseconds=1)
    assert queue.counts() == (0, 0, 0)
    assert queue.bodies() == []


def test_message_in_flight_expires_and_its_handle_still_deletes(cumulet: Cumulet, queues: Queues) -> None:
    queue = queues.standard(MessageRetentionPeriod="60")
    queue.send("one")
    [message] = queue.receive(VisibilityTimeout=600)

    cumulet.advance(seconds=60)
    assert queue.counts() == (0, 0, 0)
    queue.delete(message)


def test_changed_retention_holds_for_messages_that_are_there(cumulet: Cumulet, queue: Queue) -> None:
    queue.send("one")
    cumulet.advance(seconds=120)

    queue.set(MessageRetentionPeriod="60")
    cumulet.advance(milliseconds=1)

    assert queue.counts() == (0, 0, 0)
    assert queue.bodies() == []


def test_counts_are_exact(cumulet: Cumulet, queue: Queue) -> None:
    for number in range(7):
        queue.send(str(number))
    queue.send("late", DelaySeconds=60)
    received = queue.receive(3)
    queue.delete(received[0])

    assert queue.counts() == (4, 2, 1)
    cumulet.advance(seconds=60)
    assert queue.counts() == (7, 0, 0)


def test_purge_removes_visible_delayed_and_messages_in_flight(queue: Queue) -> None:
    queue.send("in flight")
    [message] = queue.receive()
    queue.send("visible")
    queue.send("delayed", DelaySeconds=60)

    queue.sqs.purge_queue(QueueUrl=queue.url)

    assert queue.counts() == (0, 0, 0)
    assert queue.bodies() == []
    queue.delete(message)
    queue.send("after")
    assert queue.bodies() == ["after"]


def test_queue_can_be_purged_once_a_minute(cumulet: Cumulet, queue: Queue) -> None:
    queue.sqs.purge_queue(QueueUrl=queue.url)
    cumulet.advance(milliseconds=59_999)
    queue.send("one")

    with pytest.raises(ClientError) as refused:
        queue.sqs.purge_queue(QueueUrl=queue.url)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert refused.value.response["Error"]["Code"] == "AWS.SimpleQueueService.PurgeQueueInProgress"
    assert refused.value.response["Error"]["Message"] == (
        f"Only one PurgeQueue operation on {queue.name} is allowed every 60 seconds."
    )
    assert queue.counts() == (1, 0, 0)

    cumulet.advance(milliseconds=1)
    queue.sqs.purge_queue(QueueUrl=queue.url)
    assert queue.counts() == (0, 0, 0)


def test_message_size_limit_is_the_queues(queues: Queues) -> None:
    queue = queues.standard(MaximumMessageSize="1024")
    queue.send("x" * 1024)

    queue.set(MaximumMessageSize="2048")
    queue.send("x" * 2048)

    assert queue.counts() == (2, 0, 0)
