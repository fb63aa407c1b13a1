"""SQS: batches of up to ten: what fails alone, what fails the whole request."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from sqs_queues import Queue, Queues
from sqs_wire import Refused, Wire

from cumulet.testing import Cumulet

OPERATIONS = ["SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"]
LONGEST = 1_048_576


def entries(operation: str, ids: list[str]) -> list[dict[str, Any]]:
    """Entries that fail in nothing but, perhaps, their ids."""
    rest = {
        "SendMessageBatch": {"MessageBody": "body"},
        "DeleteMessageBatch": {"ReceiptHandle": "handle"},
        "ChangeMessageVisibilityBatch": {"ReceiptHandle": "handle", "VisibilityTimeout": 1},
    }[operation]
    return [{"Id": entry_id, **rest} for entry_id in ids]


def refusal(wire: Wire, operation: str, **members: Any) -> tuple[str, int, str]:
    with pytest.raises(Refused) as refused:
        wire.call(operation, **members)
    return refused.value.legacy_code.rpartition(".")[2], refused.value.status, refused.value.message


def send_batch(queue: Queue, *batch: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=list(batch))
    answer.pop("ResponseMetadata")
    return answer


def test_ten_messages_are_sent_received_changed_and_deleted_in_batches(either_wire: Wire, queue: Queue) -> None:
    ids = [f"id-{number}" for number in range(10)]
    sent = either_wire.call("SendMessageBatch", QueueUrl=queue.url, Entries=entries("SendMessageBatch", ids))
    received = either_wire.call("ReceiveMessage", QueueUrl=queue.url, MaxNumberOfMessages=10)["Messages"]
    handles = [{"Id": i, "ReceiptHandle": m["ReceiptHandle"]} for i, m in zip(ids, received, strict=True)]

    changed = either_wire.call(
        "ChangeMessageVisibilityBatch",
        QueueUrl=queue.url,
        Entries=[{**entry, "VisibilityTimeout": 0} for entry in handles],
    )
    after_change = queue.counts()
    deleted = either_wire.call("DeleteMessageBatch", QueueUrl=queue.url, Entries=handles)

    assert [entry["Id"] for entry in sent["Successful"]] == ids
    assert {entry["MessageId"] for entry in sent["Successful"]} == {message["MessageId"] for message in received}
    assert changed == deleted == {"Successful": [{"Id": entry_id} for entry_id in ids]}
    assert (after_change, queue.counts()) == ((10, 0, 0), (0, 0, 0))


def test_entries_have_attributes_delays_and_md5s_of_their_own(cumulet: Cumulet, queue: Queue) -> None:
    attribute = {"Hello": {"DataType": "String", "StringValue": "There"}}

    answer = send_batch(
        queue,
        {"Id": "plain", "MessageBody": "plain"},
        {"Id": "late", "MessageBody": "late", "DelaySeconds": 60, "MessageAttributes": attribute},
    )

    plain, late = answer["Successful"]
    assert plain.keys() == {"Id", "MessageId", "MD5OfMessageBody"}
    assert late["MD5OfMessageAttributes"] == "a311262e065454b75da111d535b8dacd"
    assert queue.counts() == (1, 0, 1)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_empty_batch_is_refused(wire: Wire, queue: Queue, operation: str) -> None:
    assert refusal(wire, operation, QueueUrl=queue.url, Entries=[]) == (
        "EmptyBatchRequest",
        400,
        f"There should be at least one {operation}RequestEntry in the request.",
    )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_query_without_entries_is_an_empty_batch(query_wire: Wire, queue: Queue, operation: str) -> None:
    assert refusal(query_wire, operation, QueueUrl=queue.url) == (
        "EmptyBatchRequest",
        400,
        f"There should be at least one {operation}RequestEntry in the request.",
    )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_batch_without_entries_is_refused(wire: Wire, queue: Queue, operation: str) -> None:
    assert refusal(wire, operation, QueueUrl=queue.url) == (
        "MissingParameter",
        400,
        "The request must contain the parameter Entries.",
    )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_more_than_ten_entries_are_refused(either_wire: Wire, queue: Queue, operation: str) -> None:
    batch = entries(operation, [str(number) for number in range(11)])

    assert refusal(either_wire, operation, QueueUrl=queue.url, Entries=batch) == (
        "TooManyEntriesInBatchRequest",
        400,
        "Maximum number of entries per request are 10. You have sent 11.",
    )
    assert queue.counts() == (0, 0, 0)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_entry_without_id_is_refused(either_wire: Wire, queue: Queue, operation: str) -> None:
    first, second = entries(operation, ["a", "b"])
    del second["Id"]

    assert refusal(either_wire, operation, QueueUrl=queue.url, Entries=[first, second]) == (
        "MissingParameter",
        400,
        f"The request must contain the parameter {operation}RequestEntry.2.Id.",
    )
    assert queue.counts() == (0, 0, 0)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("entry_id", ["", "a b", "a.b", "ä", "x" * 81, "a\n"])
def test_entry_with_a_bad_id_is_refused(either_wire: Wire, queue: Queue, operation: str, entry_id: str) -> None:
    batch = entries(operation, ["good", entry_id])

    assert refusal(either_wire, operation, QueueUrl=queue.url, Entries=batch) == (
        "InvalidBatchEntryId",
        400,
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
        "It can be at most 80 letters long.",
    )
    assert queue.counts() == (0, 0, 0)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_repeated_id_is_refused(either_wire: Wire, queue: Queue, operation: str) -> None:
    batch = entries(operation, ["a", "b", "a"])

    assert refusal(either_wire, operation, QueueUrl=queue.url, Entries=batch) == (
        "BatchEntryIdsNotDistinct",
        400,
        "Id a repeated.",
    )
    assert queue.counts() == (0, 0, 0)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_queue_is_looked_up_before_the_entries(wire: Wire, operation: str) -> None:
    assert refusal(wire, operation, QueueUrl="missing", Entries=[])[0] == "NonExistentQueue"


def test_batch_of_exactly_the_longest_size_is_accepted(queues: Queues) -> None:
    queue = queues.standard()
    attribute = {"name": {"DataType": "String", "StringValue": "value"}}
    own_size = len("name") + len("String") + len("value")

    send_batch(
        queue,
        {"Id": "a", "MessageBody": "x" * (LONGEST // 2)},
        {"Id": "b", "MessageBody": "x" * (LONGEST // 2 - own_size), "MessageAttributes": attribute},
    )
    with pytest.raises(ClientError) as refused:
        send_batch(
            queue,
            {"Id": "a", "MessageBody": "x" * (LONGEST // 2)},
            {"Id": "b", "MessageBody": "x" * (LONGEST // 2 - own_size + 1), "MessageAttributes": attribute},
        )

    assert refused.value.response["Error"]["Code"] == "AWS.SimpleQueueService.BatchRequestTooLong"
    assert refused.value.response["Error"]["Message"] == (
        f"Batch requests cannot be longer than {LONGEST} bytes. You have sent {LONGEST + 1} bytes."
    )
    assert queue.counts() == (2, 0, 0)


def test_batch_may_exceed_the_queues_message_size_together(queues: Queues) -> None:
    queue = queues.standard(MaximumMessageSize="1024")

    answer = send_batch(queue, *({"Id": str(number), "MessageBody": "x" * 1024} for number in range(10)))

    assert len(answer["Successful"]) == 10


STANDARD_FAILURES: list[tuple[dict[str, Any], str, str]] = [
    (
        {"MessageBody": "x" * 1025},
        "InvalidParameterValue",
        "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.",
    ),
    (
        {"MessageBody": "\x00"},
        "InvalidMessageContents",
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
        "#xE000 to #xFFFD | #x10000 to #x10FFFF",
    ),
    (
        {"MessageBody": ""},
        "MissingParameter",
        "The request must contain the parameter SendMessageBatchRequestEntry.2.MessageBody.",
    ),
    (
        {"MessageBody": "body", "MessageDeduplicationId": "d"},
        "InvalidParameterValue",
        "The request include parameter that is not valid for this queue type",
    ),
    (
        {"MessageBody": "body", "DelaySeconds": 901},
        "InvalidParameterValue",
        "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
    ),
    (
        {"MessageBody": "body", "MessageGroupId": "two words"},
        "InvalidParameterValue",
        "Value two words for parameter MessageGroupId is invalid. Reason: "
        "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.",
    ),
    (
        {"MessageBody": "body", "MessageAttributes": {"a": {"DataType": "String", "StringValue": ""}}},
        "InvalidParameterValue",
        "Message (user) attribute 'a' must contain a non-empty value of type 'String'.",
    ),
]


@pytest.mark.parametrize(("entry", "code", "message"), STANDARD_FAILURES)
def test_entry_that_cannot_be_accepted_fails_alone(
    queues: Queues, either_wire: Wire, entry: dict[str, Any], code: str, message: str
) -> None:
    queue = queues.standard(MaximumMessageSize="1024")
    batch = [{"Id": "first", "MessageBody": "1"}, {"Id": "bad", **entry}, {"Id": "last", "MessageBody": "3"}]

    answer = either_wire.call("SendMessageBatch", QueueUrl=queue.url, Entries=batch)

    assert [entry["Id"] for entry in answer["Successful"]] == ["first", "last"]
    assert answer["Failed"] == [{"Id": "bad", "SenderFault": True, "Code": code, "Message": message}]
    assert queue.bodies() == ["1", "3"]


def test_batch_where_all_fail_has_no_successful_member(wire: Wire, queue: Queue) -> None:
    answer = wire.call("SendMessageBatch", QueueUrl=queue.url, Entries=[{"Id": "a", "MessageBody": ""}])

    assert answer.keys() == {"Failed"}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"MessageBody": "body", "MessageGroupId": "g"},
            "The queue should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly",
        ),
        (
            {"MessageBody": "body", "MessageDeduplicationId": "d"},
            "The request must contain the parameter MessageGroupId.",
        ),
        (
            {"MessageGroupId": "g", "MessageDeduplicationId": "d"},
            "The request must contain the parameter SendMessageBatchRequestEntry.2.MessageBody.",
        ),
        (
            {"MessageBody": "body", "MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 1},
            "Value 1 for parameter DelaySeconds is invalid. Reason: "
            "The request include parameter that is not valid for this queue type.",
        ),
        (
            {"MessageBody": "x" * 1025, "MessageGroupId": "g", "MessageDeduplicationId": "d"},
            "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
        ),
    ],
)
def test_bad_entry_fails_the_whole_batch_of_a_fifo_queue(
    queues: Queues, either_wire: Wire, entry: dict[str, Any], message: str
) -> None:
    fifo = queues.fifo(MaximumMessageSize="1024")
    good = {"Id": "good", "MessageBody": "body", "MessageGroupId": "g", "MessageDeduplicationId": "good"}

    refused = refusal(either_wire, "SendMessageBatch", QueueUrl=fifo.url, Entries=[good, {"Id": "bad", **entry}])

    is_missing = "SendMessageBatchRequestEntry" in message
    assert refused == ("MissingParameter" if is_missing else "InvalidParameterValue", 400, message)
    assert fifo.counts() == (0, 0, 0)


def test_delete_batch_fails_for_bad_handles_alone(cumulet: Cumulet, queues: Queues, either_wire: Wire) -> None:
    queue, other = queues.standard(), queues.standard()
    queue.send("mine")
    other.send("theirs")
    [mine], [theirs] = queue.receive(), other.receive()
    foreign = theirs["ReceiptHandle"]
    batch = [
        {"Id": "garbage", "ReceiptHandle": "garbage"},
        {"Id": "foreign", "ReceiptHandle": foreign},
        {"Id": "good", "ReceiptHandle": mine["ReceiptHandle"]},
        {"Id": "empty", "ReceiptHandle": ""},
        {"Id": "again", "ReceiptHandle": mine["ReceiptHandle"]},
    ]

    answer = either_wire.call("DeleteMessageBatch", QueueUrl=queue.url, Entries=batch)

    assert answer["Successful"] == [{"Id": "good"}, {"Id": "again"}]
    assert [(failure["Id"], failure["Code"], failure["Message"]) for failure in answer["Failed"]] == [
        (
            "garbage",
            "ReceiptHandleIsInvalid",
            'The input receipt handle "garbage" is not a valid receipt handle.',
        ),
        ("foreign", "ReceiptHandleIsInvalid", f'The receipt handle "{foreign}" is not valid for this queue.'),
        ("empty", "MissingParameter", "The request must contain the parameter ReceiptHandle."),
    ]
    assert all(failure["SenderFault"] is True for failure in answer["Failed"])
    assert (queue.counts(), other.counts()) == ((0, 0, 0), (0, 1, 0))


def test_expired_handle_of_a_fifo_queue_fails_alone(cumulet: Cumulet, fifo: Queue) -> None:
    fifo.send_to("g", "one")
    [message] = fifo.receive()
    cumulet.advance(seconds=30)
    batch = [{"Id": "expired", "ReceiptHandle": message["ReceiptHandle"]}]

    deleted = fifo.sqs.delete_message_batch(QueueUrl=fifo.url, Entries=batch)

    assert deleted["Failed"] == [
        {
            "Id": "expired",
            "SenderFault": True,
            "Code": "ReceiptHandleIsInvalid",
            "Message": "The receipt handle has expired",
        }
    ]
    assert fifo.counts() == (1, 0, 0)


def test_visibility_batch_fails_for_bad_entries_alone(queue: Queue, either_wire: Wire) -> None:
    queue.send("one")
    [message] = queue.receive()
    handle = message["ReceiptHandle"]
    batch = [
        {"Id": "no-timeout", "ReceiptHandle": handle},
        {"Id": "too-long", "ReceiptHandle": handle, "VisibilityTimeout": 43_201},
        {"Id": "negative", "ReceiptHandle": handle, "VisibilityTimeout": -1},
        {"Id": "garbage", "ReceiptHandle": "garbage", "VisibilityTimeout": 1},
        {"Id": "no-handle", "VisibilityTimeout": 1},
        {"Id": "good", "ReceiptHandle": handle, "VisibilityTimeout": 0},
    ]

    answer = either_wire.call("ChangeMessageVisibilityBatch", QueueUrl=queue.url, Entries=batch)

    limits = "VisibilityTimeout must be an integer between 0 and 43200."
    assert answer["Successful"] == [{"Id": "good"}]
    assert [(failure["Id"], failure["Code"], failure["Message"]) for failure in answer["Failed"]] == [
        (
            "no-timeout",
            "MissingParameter",
            "The request must contain the parameter ChangeMessageVisibilityBatchRequestEntry.1.VisibilityTimeout.",
        ),
        (
            "too-long",
            "InvalidParameterValue",
            f"Value 43201 for parameter VisibilityTimeout is invalid. Reason: {limits}",
        ),
        (
            "negative",
            "InvalidParameterValue",
            f"Value -1 for parameter VisibilityTimeout is invalid. Reason: {limits}",
        ),
        (
            "garbage",
            "ReceiptHandleIsInvalid",
            'The input receipt handle "garbage" is not a valid receipt handle.',
        ),
        ("no-handle", "MissingParameter", "The request must contain the parameter ReceiptHandle."),
    ]
    assert queue.counts() == (1, 0, 0)
