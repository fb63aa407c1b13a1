"""ReceiveMessage on the wire: what a request asks for, and how messages look in its answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cumulet.kernel.call import Call
from cumulet.services.sqs import handles, message_attributes, visibility
from cumulet.services.sqs.backlog import Received, ReceivedMessage
from cumulet.services.sqs.errors import InvalidAttributeName, invalid_value
from cumulet.services.sqs.fifo import sequence_number
from cumulet.services.sqs.message import check_token
from cumulet.services.sqs.queues import Queue

if TYPE_CHECKING:
    from types_boto3_sqs import type_defs as t

MAX_MESSAGES = (1, 10)
WAIT_SECONDS = (0, 20)
SYSTEM_ATTRIBUTES = frozenset(
    {
        "All",
        "ApproximateFirstReceiveTimestamp",
        "ApproximateReceiveCount",
        "AWSTraceHeader",
        "DeadLetterQueueSourceArn",
        "MessageDeduplicationId",
        "MessageGroupId",
        "SenderId",
        "SentTimestamp",
        "SequenceNumber",
    }
)


def receive_options(queue: Queue, request: t.ReceiveMessageRequestTypeDef) -> tuple[int, int, str | None]:
    """Return how many messages are wanted, how many seconds to wait for them, and the attempt's id on a FIFO queue.

    Raises InvalidParameterValueException for what is out of range.
    """
    most = request.get("MaxNumberOfMessages")
    if most is None:
        most = 1
    elif not MAX_MESSAGES[0] <= most <= MAX_MESSAGES[1]:
        raise invalid_value(most, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
    wait_seconds = request.get("WaitTimeSeconds")
    if wait_seconds is None:
        wait_seconds = queue.settings.wait_seconds
    elif not WAIT_SECONDS[0] <= wait_seconds <= WAIT_SECONDS[1]:
        raise invalid_value(wait_seconds, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
    timeout_seconds = request.get("VisibilityTimeout")
    least, greatest = visibility.TIMEOUT_SECONDS
    if timeout_seconds is not None and not least <= timeout_seconds <= greatest:
        raise invalid_value(timeout_seconds, "VisibilityTimeout", "Must be >= 0 and <= 43200, if provided.")
    attempt_id = request.get("ReceiveRequestAttemptId") if queue.is_fifo else None
    if attempt_id is not None:
        check_token("ReceiveRequestAttemptId", attempt_id)
    return most, wait_seconds, attempt_id


def system_attribute_names(call: Call, request: t.ReceiveMessageRequestTypeDef) -> frozenset[str]:
    """Return which system attributes are asked for; of the two lists, query takes the older first (recorded)."""
    older, newer = request.get("AttributeNames"), request.get("MessageSystemAttributeNames")
    names = (older or newer) if call.protocol == "query" else (newer or older)
    if not names:
        return frozenset()
    for name in names:
        if name not in SYSTEM_ATTRIBUTES:
            raise InvalidAttributeName(f"Unknown Attribute {name}.")
    return SYSTEM_ATTRIBUTES if "All" in names else frozenset(names)


def message_entry(
    queue: Queue,
    received: Received,
    message: ReceivedMessage,
    system_names: frozenset[str],
    attribute_names: Iterable[str],
) -> dict[str, Any]:
    """Return a received message as AWS shows it, with the attributes that were asked for.

    SQS: the MD5 of message attributes covers those that are returned (recorded).
    """
    entry: dict[str, Any] = {
        "MessageId": message.message_id,
        "ReceiptHandle": handles.encode(queue.id, message.id, received.receipt),
        "MD5OfBody": message.body_md5,
        "Body": message.body,
    }
    if system_names:
        attributes = {
            name: value for name, value in _system_attributes(queue, message).items() if value and name in system_names
        }
        if attributes:
            entry["Attributes"] = attributes
    if message.attributes and attribute_names:
        chosen = message_attributes.selected(message_attributes.restored(message.attributes), attribute_names)
        if chosen:
            entry["MessageAttributes"] = chosen
            entry["MD5OfMessageAttributes"] = message_attributes.md5_of(chosen)
    return entry


def _system_attributes(queue: Queue, message: ReceivedMessage) -> dict[str, str | None]:
    return {
        "ApproximateFirstReceiveTimestamp": str(message.first_received_ms),
        "ApproximateReceiveCount": str(message.receive_count),
        "AWSTraceHeader": message.trace_header,
        "DeadLetterQueueSourceArn": message.source_arn,
        "MessageDeduplicationId": message.deduplication_id,
        "MessageGroupId": message.group_id,
        "SenderId": message.sender_id,
        "SentTimestamp": str(message.sent_ms),
        "SequenceNumber": sequence_number(message.id) if queue.is_fifo else None,
    }
