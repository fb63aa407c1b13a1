"""The three documents that a queue carries as attributes: access policy, redrive policy, redrive allow policy."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from cumulet import policies as resource_policies
from cumulet.kernel.arns import Arn, parse_arn
from cumulet.kernel.errors import AwsError
from cumulet.policies import MalformedPolicy
from cumulet.services.sqs.errors import InvalidAttributeValue, OverLimit, invalid_value

MOST_STATEMENTS = 20
MOST_SOURCE_QUEUES = 10
MAX_RECEIVE_COUNTS = (1, 1_000)


class RedrivePolicy(msgspec.Struct, frozen=True):
    """Where messages go that were received too often; `text` is the document as it is shown."""

    dead_letter_arn: str
    max_receive_count: int
    text: str


def check_policy(text: str) -> None:
    """Check the form of an access policy; raises InvalidAttributeValue, OverLimit beyond 20 statements."""
    try:
        count = len(resource_policies.read(text).statements)
    except MalformedPolicy:
        raise InvalidAttributeValue("Invalid value for the parameter Policy.") from None
    if count > MOST_STATEMENTS:
        raise OverLimit(f"{count} statements were found in the submitted policy, max allowed is {MOST_STATEMENTS}")


def statements_of(policy: dict[str, Any]) -> list[Any]:
    """Return a policy's statements; a single one may stand without a list."""
    statements = policy.get("Statement", [])
    return statements if isinstance(statements, list) else [statements]


def parse_redrive_policy(text: str) -> RedrivePolicy:
    """Return what a redrive policy says; raises the errors of its form, in AWS's order of checks."""
    policy = _mapping(text)
    if policy is None:
        raise InvalidAttributeValue(
            "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map."
        )
    for key in ("maxReceiveCount", "deadLetterTargetArn"):
        if key not in policy:
            raise _bad_redrive(text, f"Redrive policy does not contain mandatory attribute: {key}.")
    count = _whole_number(policy["maxReceiveCount"])
    if count is None or not MAX_RECEIVE_COUNTS[0] <= count <= MAX_RECEIVE_COUNTS[1]:
        given = str(policy["maxReceiveCount"]).encode("utf-8", "replace").decode()
        raise _bad_redrive(
            text,
            f"Invalid value for maxReceiveCount: {given}, valid values are from 1 to 1000 both inclusive.",
        )
    target = str(policy["deadLetterTargetArn"])
    arn = parse_arn(target)
    if arn is None or not target.isascii():  # JSON can name halves of characters, which no database takes
        raise _bad_redrive(text, "Invalid value for deadLetterTargetArn.")
    if arn.service != "sqs":
        raise _bad_redrive(text, "Only SQS queues are valid resources for deadLetterTargetArn.")
    if policy.keys() - {"maxReceiveCount", "deadLetterTargetArn"}:
        raise _bad_redrive(text, "Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn].")
    if isinstance(policy["maxReceiveCount"], str):
        text = json.dumps({**policy, "maxReceiveCount": count}, separators=(",", ":"))
    return RedrivePolicy(str(arn), count, text)


def check_dead_letter_queue(
    text: str, source: Arn, target: Arn, *, target_is_fifo: bool | None, allow_policy: str | None
) -> None:
    """Check a redrive policy `text` of queue `source` against its dead-letter queue.

    `target_is_fifo` is None when the queue doesn't exist; `allow_policy` is that queue's RedriveAllowPolicy.
    """
    if target_is_fifo is None:
        raise _bad_redrive(text, "Dead letter target does not exist.")
    if target_is_fifo != source.resource.endswith(".fifo"):
        raise _bad_redrive(text, "Dead-letter queue must be same type of queue as the source..")
    if target.account != source.account:
        raise _bad_redrive(text, "Dead-letter target owner should be same as the source.")
    allow = json.loads(allow_policy) if allow_policy else {"redrivePermission": "allowAll"}
    permission = allow["redrivePermission"]
    if permission == "denyAll" or (permission == "byQueue" and str(source) not in allow["sourceQueueArns"]):
        # The text for this is not documented; the reason is.
        raise _bad_redrive(text, "The dead-letter queue's redrive allow policy doesn't permit this source queue.")


def check_redrive_allow_policy(text: str) -> None:
    """Check the form of a redrive allow policy."""
    policy = _mapping(text)
    prefix = "Amazon SQS can't create the redrive allow policy"
    if (
        policy is None
        or policy.get("redrivePermission") not in ("allowAll", "denyAll", "byQueue")
        or policy.keys() - {"redrivePermission", "sourceQueueArns"}
        or not _are_texts(policy.get("sourceQueueArns", []))
    ):
        raise InvalidAttributeValue(
            f"Invalid value for the parameter RedriveAllowPolicy. Reason: {prefix}, as it’s in an unsupported format."
        )
    arns = policy.get("sourceQueueArns")
    reason = None
    if policy["redrivePermission"] == "byQueue":
        if not arns:
            reason = (
                "When you specify the byQueue permission type, you must also specify one or more "
                "sourceQueueArns values."
            )
        elif len(arns) > MOST_SOURCE_QUEUES:
            reason = f"The maximum number of source queue ARNs you can specify is {MOST_SOURCE_QUEUES}."
    elif arns:
        reason = "To specify one or more source queue ARNs, you must set redrivePermission to byQueue."
    if reason:
        raise invalid_value(text, "RedriveAllowPolicy", f"{prefix}. {reason}")


def _bad_redrive(text: str, reason: str) -> AwsError:
    return invalid_value(text, "RedrivePolicy", reason)


def _mapping(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _whole_number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
