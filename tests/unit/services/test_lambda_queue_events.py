"""What a function gets of a queue's messages, and how its answer is read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.kernel.arns import parse_arn
from cumulet.services.lambda_.queue_events import MOST_EVENT_BYTES, Record, batches, entry, event, handled, packed

SOURCE_ARN = "arn:aws:sqs:eu-west-1:123456789012:orders"


def records(*message_ids: str) -> list[Record]:
    return [Record(message_id, f"handle of {message_id}", b"{}") for message_id in message_ids]


def test_a_record_shows_a_message_as_lambda_does() -> None:
    source = parse_arn(SOURCE_ARN)
    assert source is not None
    message = {
        "MessageId": "m1",
        "ReceiptHandle": "r1",
        "Body": "zwei Tauben, bitte: \u00e4",
        "MD5OfBody": "5d4",
        "MD5OfMessageAttributes": "9a1",
        "Attributes": {"ApproximateReceiveCount": "2"},
        "MessageAttributes": {
            "colour": {"DataType": "String", "StringValue": "grey"},
            "picture": {"DataType": "Binary.png", "BinaryValue": b"\x00\xff"},
        },
    }

    shown = json.loads(event([packed(entry(message, source, SOURCE_ARN))]))

    assert shown == {
        "Records": [
            {
                "messageId": "m1",
                "receiptHandle": "r1",
                "body": "zwei Tauben, bitte: \u00e4",
                "attributes": {"ApproximateReceiveCount": "2"},
                "messageAttributes": {
                    "colour": {
                        "stringValue": "grey",
                        "stringListValues": [],
                        "binaryListValues": [],
                        "dataType": "String",
                    },
                    "picture": {
                        "binaryValue": "AP8=",
                        "stringListValues": [],
                        "binaryListValues": [],
                        "dataType": "Binary.png",
                    },
                },
                "md5OfBody": "5d4",
                "md5OfMessageAttributes": "9a1",
                "eventSource": "aws:sqs",
                "eventSourceARN": SOURCE_ARN,
                "awsRegion": "eu-west-1",
            }
        ]
    }


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"null",
        b"{}",
        b'{"batchItemFailures": []}',
        b'{"batchItemFailures": null}',
        b'{"something": "else"}',
    ],
)
def test_an_answer_without_failures_leaves_all_done(answer: bytes) -> None:
    batch = records("a", "b")

    assert handled(batch, answer) == batch


@pytest.mark.parametrize(
    "answer",
    [
        b"not json",
        b'"done"',
        b"[1]",
        b'{"batchItemFailures": [{"itemIdentifier": ""}]}',
        b'{"batchItemFailures": [{"itemIdentifier": null}]}',
        b'{"batchItemFailures": [{"itemIdentifier": ["a"]}]}',
        b'{"batchItemFailures": [{"itemIdentifier": "of another batch"}]}',
        b'{"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "of another batch"}]}',
        b'{"batchItemFailures": [{"identifier": "a"}]}',
        b'{"batchItemFailures": [{}]}',
        b'{"batchItemFailures": ["a"]}',
        b'{"batchItemFailures": {"itemIdentifier": "a"}}',
        b'{"batchItemFailures": 3}',
        b'{"batchItemFailures": "a"}',
    ],
)
def test_an_answer_that_can_not_be_believed_makes_the_whole_batch_fail(answer: bytes) -> None:
    assert list(handled(records("a", "b"), answer)) == []


def test_failures_leave_the_others_done() -> None:
    batch = records("a", "b", "c")

    done = handled(batch, b'{"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "b"}]}')

    assert [entry.message_id for entry in done] == ["a", "c"]


@given(
    sizes=st.lists(st.integers(0, MOST_EVENT_BYTES // 2), max_size=30),
    most=st.integers(1, 12),
)
def test_batches_keep_all_records_in_order_and_fit_an_event(sizes: list[int], most: int) -> None:
    given_records = [Record(str(number), "", b"x" * size) for number, size in enumerate(sizes)]

    made = list(batches(given_records, most))

    assert [entry for batch in made for entry in batch] == given_records
    assert all(1 <= len(batch) <= most for batch in made)
    assert all(len(event(batch)) <= MOST_EVENT_BYTES for batch in made)
