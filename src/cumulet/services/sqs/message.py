"""A message on its way in: checked against every rule of SendMessage, with its MD5s made."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from cumulet.services.sqs import message_attributes
from cumulet.services.sqs.characters import check_characters
from cumulet.services.sqs.errors import InvalidMessageContents, InvalidParameterValueException, invalid_value, missing

if TYPE_CHECKING:
    from cumulet.services.sqs.queues import Queue

DELAY_SECONDS = (0, 900)
LONGEST_TOKEN = 128
TOKEN = re.compile(r"[!-~]{1,128}")
"""SQS: group, deduplication and receive attempt ids are 1 to 128 alphanumeric and punctuation characters."""
NOT_FOR_THIS_TYPE = "The request include parameter that is not valid for this queue type."


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that may be put on its queue."""

    id: str
    sender_id: str
    body: str
    body_md5: str
    size_bytes: int
    """Body and message attributes, as the limits count them."""
    delay_seconds: int | None = None
    """None where the queue's own delay holds."""
    attributes: str | None = None
    """The message attributes as JSON text."""
    attributes_md5: str | None = None
    trace_header: str | None = None
    system_attributes_md5: str | None = None
    group_id: str | None = None
    deduplication_id: str | None = None


def new_message(
    queue: Queue, entry: Mapping[str, Any], message_id: str, sender_id: str, trace_header: str | None = None
) -> NewMessage:
    """Return the message that a SendMessage request, or an entry of a batch, describes.

    `trace_header` is that of the request; one among the message's system attributes beats it.

    Raises MissingRequiredParameterException, InvalidParameterValueException, InvalidMessageContents or
    UnsupportedOperation. Its length is for `check_length`, which words it differently in batches.
    """
    body: str = entry.get("MessageBody") or ""
    if not body:
        raise missing("MessageBody")
    data = body.encode("utf-8", "surrogatepass")
    check_characters(body, data, InvalidMessageContents)
    group_id = entry.get("MessageGroupId")
    if group_id is not None:
        check_token("MessageGroupId", group_id)
    if queue.is_fifo:
        deduplication_id = _fifo_deduplication_id(queue, entry, data)
    else:
        deduplication_id = None
        if (value := entry.get("MessageDeduplicationId")) is not None:
            raise invalid_value(value, "MessageDeduplicationId", NOT_FOR_THIS_TYPE)
    delay_seconds: int | None = entry.get("DelaySeconds")
    if delay_seconds is not None and not DELAY_SECONDS[0] <= delay_seconds <= DELAY_SECONDS[1]:
        raise invalid_value(delay_seconds, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
    if delay_seconds and queue.is_fifo:
        raise invalid_value(delay_seconds, "DelaySeconds", NOT_FOR_THIS_TYPE)
    given, system = entry.get("MessageAttributes"), entry.get("MessageSystemAttributes")
    attributes = message_attributes.checked(given) if given else None
    if system:
        trace_header = message_attributes.checked_trace_header(system)
    return NewMessage(
        id=message_id,
        sender_id=sender_id,
        body=body,
        body_md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
        size_bytes=len(data) + (attributes.size_bytes if attributes else 0),
        delay_seconds=delay_seconds,
        attributes=attributes.text if attributes else None,
        attributes_md5=attributes.md5 if attributes else None,
        trace_header=trace_header,
        system_attributes_md5=message_attributes.md5_of(system) if system else None,
        group_id=group_id,
        deduplication_id=deduplication_id,
    )


def check_length(queue: Queue, message: NewMessage, problem: str = "are invalid") -> None:
    """Raise InvalidParameterValueException when body and attributes together exceed the queue's MaximumMessageSize."""
    if message.size_bytes > queue.settings.maximum_bytes:
        raise InvalidParameterValueException(
            f"One or more parameters {problem}. "
            f"Reason: Message must be shorter than {queue.settings.maximum_bytes} bytes."
        )


def check_token(parameter: str, value: str) -> None:
    """Raise InvalidParameterValueException unless `value` may be a group, deduplication or receive attempt id."""
    if not TOKEN.fullmatch(value):
        raise invalid_value(
            value,
            parameter,
            f"{parameter} can only include alphanumeric and punctuation characters. 1 to {LONGEST_TOKEN} in length.",
        )


def _fifo_deduplication_id(queue: Queue, entry: Mapping[str, Any], body: bytes) -> str:
    if entry.get("MessageGroupId") is None:
        raise missing("MessageGroupId")
    given: str | None = entry.get("MessageDeduplicationId")
    if given is not None:
        check_token("MessageDeduplicationId", given)
        return given
    if not queue.settings.deduplicates_by_content:
        raise InvalidParameterValueException(
            "The queue should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly"
        )
    return hashlib.sha256(body).hexdigest()
