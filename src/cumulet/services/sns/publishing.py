"""From a request of Publish, or an entry of PublishBatch, to the message: every rule in SNS's words."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

import orjson

from cumulet.kernel.call import Call
from cumulet.services.sns import large_messages, message_attributes
from cumulet.services.sns.errors import invalid
from cumulet.services.sns.messages import Message
from cumulet.services.sns.topics import Topic

LONGEST_SUBJECT = 100
TOKEN = re.compile(r"[!-~]{1,128}")
"""SNS: group and deduplication ids are 1 to 128 alphanumeric and punctuation characters."""
DEFAULT = "default"


def new_message(topic: Topic | None, entry: Mapping[str, Any], call: Call, message_id: str, now_ms: int) -> Message:
    """Return the message of a request; raises InvalidParameterException or InvalidParameterValueException.

    Without a topic it is one for a single telephone.
    """
    text: str = entry.get("Message") or ""
    if not text:
        raise invalid("Empty message")
    subject = entry.get("Subject")
    if subject is not None:
        _check_subject(subject)
    group_id, dedup_id = entry.get("MessageGroupId"), entry.get("MessageDeduplicationId")
    if topic is not None:
        _check_order(topic, group_id, dedup_id)
    body, texts = structured(text, entry.get("MessageStructure"))
    attributes = message_attributes.checked(entry.get("MessageAttributes") or {})
    limit = large_messages.USUAL_BYTES if topic is None else large_messages.most_bytes(topic)
    if len(text.encode()) + message_attributes.size_bytes(attributes) > limit:
        raise invalid("Message too long")
    if topic is not None and topic.is_fifo and dedup_id is None:
        dedup_id = hashlib.sha256(text.encode()).hexdigest()
    return Message(
        id=message_id,
        topic_arn="" if topic is None else topic.arn,
        subject=subject,
        body=body,
        structure=texts,
        attributes=attributes,
        published_ms=now_ms,
        sender_id=call.identity.user_id,
        trace_header=call.trace_header,
        group_id=group_id,
        dedup_id=dedup_id,
    )


def structured(text: str, structure: str | None) -> tuple[str, dict[str, str]]:
    """Return the text for all protocols and those that some have of their own; raises InvalidParameterException.

    SNS: members that are no strings are passed over, but the default one may be a number, a truth or null (recorded).
    """
    if structure is None:
        return text, {}
    if structure != "json":
        raise invalid("MessageStructure")
    try:
        members = orjson.loads(text)
    except ValueError:
        members = None
    if not isinstance(members, dict):
        raise invalid("Message Structure - JSON message body failed to parse")
    texts = {name: value for name, value in members.items() if isinstance(value, str)}
    if DEFAULT not in members or isinstance(members[DEFAULT], dict | list):
        raise invalid("Message Structure - No default entry in JSON message body")
    default = texts.pop(DEFAULT, None)
    return orjson.dumps(members[DEFAULT]).decode() if default is None else default, texts


def size_bytes(entry: Mapping[str, Any]) -> int:
    """Return the size of a batch's entry that may break every rule."""
    size = len((entry.get("Message") or "").encode())
    for name, attribute in (entry.get("MessageAttributes") or {}).items():
        parts = (name, attribute.get("DataType") or "", attribute.get("StringValue") or "")
        size += sum(len(part.encode()) for part in parts) + len(attribute.get("BinaryValue") or b"")
    return size


def _check_subject(subject: str) -> None:
    """SNS: a subject is 1 to 100 characters of UTF-16 (recorded) without line breaks or control characters."""
    length = len(subject.encode("utf-16-le", "surrogatepass")) // 2
    if not 1 <= length <= LONGEST_SUBJECT or any(unicodedata.category(letter) == "Cc" for letter in subject):
        raise invalid("Subject")


def _check_order(topic: Topic, group_id: str | None, dedup_id: str | None) -> None:
    """Check the ids that order messages and tell them apart.

    SNS: a FIFO topic needs a group and, unless it takes the content for it, a deduplication id. A standard topic takes
    a group alone, which it hands on to queues.
    """
    if topic.is_fifo:
        if not group_id:
            raise invalid("The MessageGroupId parameter is required for FIFO topics")
        if dedup_id is None and topic.attributes.get("ContentBasedDeduplication") != "true":
            raise invalid(
                "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
                "explicitly"
            )
    elif dedup_id is not None:
        raise invalid(
            "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid "
            "for this topic type"
        )
    for name, value in (("MessageGroupId", group_id), ("MessageDeduplicationId", dedup_id)):
        if value is not None and not TOKEN.fullmatch(value):
            raise invalid(
                f"The {name} parameter can only include alphanumeric and punctuation characters. 1 to 128 in length"
            )
