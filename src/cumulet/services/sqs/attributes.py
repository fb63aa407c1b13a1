"""Queue attributes: what may be set, to which values, and what follows from them.

A queue stores only what was set, as text in the form in which GetQueueAttributes shows it; defaults are applied in
`settings_of` and `shown`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cumulet.services.sqs.errors import InvalidAttributeName, InvalidAttributeValue
from cumulet.services.sqs.policies import check_policy, check_redrive_allow_policy, parse_redrive_policy

RANGES = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
    "MaximumMessageSize": (1_024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
}
"""SQS: the attributes that are whole numbers, least and greatest value."""
DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}
FIFO_DEFAULTS = {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoQueue": "true",
    "FifoThroughputLimit": "perQueue",
}
FIFO_CHOICES = {
    "DeduplicationScope": ("messageGroup", "queue"),
    "FifoThroughputLimit": ("perMessageGroupId", "perQueue"),
}
BOOLEANS = ("ContentBasedDeduplication", "FifoQueue", "SqsManagedSseEnabled")
DOCUMENTS = ("Policy", "RedriveAllowPolicy", "RedrivePolicy")
SETTABLE = frozenset([*RANGES, *DEFAULTS, *FIFO_DEFAULTS, *DOCUMENTS, "KmsMasterKeyId"])
COMPUTED = frozenset(
    [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
        "CreatedTimestamp",
        "LastModifiedTimestamp",
        "QueueArn",
    ]
)
DEFAULT_KMS_REUSE_SECONDS = "300"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the attributes of a queue mean for its messages."""

    fifo: bool
    delay_seconds: int
    maximum_bytes: int
    retention_ms: int
    wait_seconds: int
    visibility_seconds: int
    deduplicates_by_content: bool
    deduplicates_by_group: bool
    dead_letter_arn: str | None
    max_receive_count: int

    def gives_up_after(self, receive_count: int) -> bool:
        """Whether a message that is being received for the `receive_count`th time is a dead letter instead."""
        return self.dead_letter_arn is not None and receive_count > self.max_receive_count


def settings_of(attributes: Mapping[str, str]) -> Settings:
    """Return what checked attributes mean."""
    value = {**DEFAULTS, **attributes}
    redrive = parse_redrive_policy(attributes["RedrivePolicy"]) if "RedrivePolicy" in attributes else None
    return Settings(
        fifo=value.get("FifoQueue") == "true",
        delay_seconds=int(value["DelaySeconds"]),
        maximum_bytes=int(value["MaximumMessageSize"]),
        retention_ms=int(value["MessageRetentionPeriod"]) * 1000,
        wait_seconds=int(value["ReceiveMessageWaitTimeSeconds"]),
        visibility_seconds=int(value["VisibilityTimeout"]),
        deduplicates_by_content=value.get("ContentBasedDeduplication") == "true",
        deduplicates_by_group=value.get("DeduplicationScope") == "messageGroup",
        dead_letter_arn=redrive.dead_letter_arn if redrive else None,
        max_receive_count=redrive.max_receive_count if redrive else 0,
    )


def is_fifo_requested(given: Mapping[str, str]) -> bool:
    """Whether CreateQueue asks for a FIFO queue."""
    return given.get("FifoQueue", "").lower() == "true"


def merged(current: Mapping[str, str], given: Mapping[str, str], *, is_fifo: bool) -> dict[str, str]:
    """Return `current` with `given` set, every rule of a single queue checked; an empty text removes an attribute.

    Raises InvalidAttributeName, InvalidAttributeValue, or InvalidParameterValue for the policies. Rules about other
    queues (whether a dead-letter queue exists) are the caller's.
    """
    changed = dict(current)
    for name, text in given.items():
        value = _checked(name, text, is_fifo=is_fifo)
        if value:
            changed[name] = value
        else:
            changed.pop(name, None)
    _settle_encryption(changed, given)
    if (
        changed.get("FifoThroughputLimit") == "perMessageGroupId"
        and changed.get("DeduplicationScope") != "messageGroup"
    ):
        raise InvalidAttributeValue(
            "The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup"
        )
    return changed


def shown(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes with their defaults, as GetQueueAttributes shows them."""
    defaults = {**DEFAULTS, **FIFO_DEFAULTS} if attributes.get("FifoQueue") == "true" else DEFAULTS
    return {**defaults, **attributes}


def _checked(name: str, text: str, *, is_fifo: bool) -> str:
    if name not in SETTABLE:
        raise InvalidAttributeName(f"Unknown Attribute {name}.")
    if name in FIFO_DEFAULTS and not is_fifo:
        if name in FIFO_CHOICES:
            raise InvalidAttributeName(f"You can specify the {name} only when FifoQueue is set to true.")
        raise InvalidAttributeName(f"Unknown Attribute {name}.")
    if name in RANGES:
        return _checked_number(name, text)
    if name in BOOLEANS:
        return _checked_boolean(name, text)
    if name in FIFO_CHOICES and text not in FIFO_CHOICES[name]:
        raise InvalidAttributeValue(f"Invalid value for the parameter {name}.")
    if name == "Policy" and text:
        check_policy(text)
    elif name == "RedrivePolicy" and text:
        return parse_redrive_policy(text).text
    elif name == "RedriveAllowPolicy" and text:
        check_redrive_allow_policy(text)
    return text


def _checked_number(name: str, text: str) -> str:
    least, greatest = RANGES[name]
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= greatest):
        raise InvalidAttributeValue(f"Invalid value for the parameter {name}.")
    return str(int(text))


def _checked_boolean(name: str, text: str) -> str:
    value = text.lower()
    if value not in ("true", "false"):
        raise InvalidAttributeValue(f"Invalid value for the parameter {name}.")
    if name == "FifoQueue" and value == "false":
        raise InvalidAttributeValue(
            "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
        )
    return value


def _settle_encryption(changed: dict[str, str], given: Mapping[str, str]) -> None:
    """Keep one kind of server-side encryption, the one given last (recorded behaviour)."""
    managed = given.get("SqsManagedSseEnabled", "").lower() == "true"
    if given.get("KmsMasterKeyId"):
        if managed:
            raise InvalidAttributeName(
                "You can use one type of server-side encryption (SSE) at one time. "
                "You can either enable KMS SSE or SQS SSE."
            )
        changed["SqsManagedSseEnabled"] = "false"
        changed.setdefault("KmsDataKeyReusePeriodSeconds", DEFAULT_KMS_REUSE_SECONDS)
    elif managed:
        changed.pop("KmsMasterKeyId", None)
        changed.pop("KmsDataKeyReusePeriodSeconds", None)
    elif "KmsMasterKeyId" in given:
        changed.pop("KmsDataKeyReusePeriodSeconds", None)


def check_differences(existing: Mapping[str, str], given: Mapping[str, str], *, is_fifo: bool) -> str | None:
    """Return the name of the first attribute in `given` whose value differs from the queue's, or None."""
    now = shown(existing)
    return next((name for name in given if now.get(name, "") != _checked(name, given[name], is_fifo=is_fifo)), None)
