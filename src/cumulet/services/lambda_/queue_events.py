"""What a function gets of a queue's messages, and what its answer says about them."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import orjson

from cumulet.kernel.arns import Arn

MOST_EVENT_BYTES = 6 * 1024 * 1024
"""Lambda: a synchronous invocation takes 6 MB; a batch ends before."""
_HEAD, _TAIL = b'{"Records":[', b"]}"


class Record(msgspec.Struct, frozen=True):
    """A message as an entry of an event."""

    message_id: str
    receipt_handle: str
    text: bytes
    """JSON."""
    trace_header: str | None = None


def packed(shown: Mapping[str, Any]) -> Record:
    """Return an entry of an event as a record."""
    trace_header = shown["attributes"].get("AWSTraceHeader")
    return Record(shown["messageId"], shown["receiptHandle"], orjson.dumps(shown), trace_header)


def entry(message: Mapping[str, Any], source: Arn, source_arn: str) -> dict[str, Any]:
    """Return the entry in an event for a message as ReceiveMessage shows it."""
    shown = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": source_arn,
        "awsRegion": source.region,
    }
    if "MD5OfMessageAttributes" in message:
        shown["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return shown


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message attribute as events show it (recorded): binary values in base64, lists always there, empty."""
    shown: dict[str, Any] = {}
    if "StringValue" in value:
        shown["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        shown["binaryValue"] = b2a_base64(value["BinaryValue"], newline=False).decode()
    return {**shown, "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


def batches(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    """Yield the records in batches of at most `size` that fit an event, in their order."""
    batch: list[Record] = []
    total_bytes = empty_bytes = len(_HEAD) + len(_TAIL)
    for entry in records:
        if batch and (len(batch) == size or total_bytes + len(entry.text) > MOST_EVENT_BYTES):
            yield batch
            batch, total_bytes = [], empty_bytes
        batch.append(entry)
        total_bytes += len(entry.text) + 1
    if batch:
        yield batch


def event(batch: Sequence[Record]) -> bytes:
    """Return the event that a function is invoked with."""
    return _HEAD + b",".join([entry.text for entry in batch]) + _TAIL


def handled(batch: Sequence[Record], answer: bytes) -> Sequence[Record]:
    """Return the records that an answer with `batchItemFailures` leaves as done.

    Lambda: no failures are reported by an empty or null list, an empty answer or null; an answer that can't be read, an
    identifier that is empty, null or of no message of the batch makes all of them fail.
    """
    try:
        said = orjson.loads(answer or b"null")
        failures = (said.get("batchItemFailures") if said is not None else None) or []
        failed = {failure["itemIdentifier"] for failure in failures}
    except (AttributeError, KeyError, TypeError, ValueError):
        return ()
    if not failed <= {entry.message_id for entry in batch}:
        return ()
    return [entry for entry in batch if entry.message_id not in failed]
