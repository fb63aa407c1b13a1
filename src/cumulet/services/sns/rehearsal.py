"""What a data protection policy would do to a message, without a topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cumulet.protection import Finding, Inspector
from cumulet.services.sns.data_protection import Denied
from cumulet.services.sns.data_protection_policies import Statement, read
from cumulet.services.sns.guards import Guard
from cumulet.services.sns.messages import Message
from cumulet.services.sns.principals import ACCOUNT, ANYONE, Principals, of_caller

NOBODY = "00000000-0000-4000-8000-000000000000"


class Found(NamedTuple):
    """What one statement finds in the message as it was published, whoever it is about."""

    statement: Statement
    findings: list[Finding]


class Delivery(NamedTuple):
    """What somebody's subscriptions get; None where they get nothing."""

    principal: str
    text: str | None


class Rehearsal(NamedTuple):
    """What happens to one message."""

    found: list[Found]
    accepted: str | None
    """What the topic accepts; None where it refuses the message."""
    deliveries: list[Delivery]


def rehearse(policy: str, text: str, publisher: str, subscribers: Sequence[str]) -> Rehearsal:
    """Publish a text as somebody, and deliver it to others.

    Without subscribers those stand for them whom statements are about, and anyone else. Raises
    InvalidParameterException for a bad policy, and ValueError with who can't be a principal.
    """
    Principals([publisher, *subscribers])
    statements = read(policy)
    guard = Guard(statements)
    found = [Found(statement, Inspector(statement.identifiers).find(text)) for statement in statements]
    try:
        accepted = guard.admitted(Message(id=NOBODY, topic_arn="", body=text, published_ms=0), _arn(publisher))
    except Denied:
        return Rehearsal(found, None, [])
    deliveries = []
    for subscriber in subscribers or _stated(statements):
        shown = guard.shown(guard.rules_for(_arn(subscriber)), accepted, "sqs")
        deliveries.append(Delivery(subscriber, None if shown is None else shown.body))
    return Rehearsal(found, accepted.body, deliveries)


def _stated(statements: Sequence[Statement]) -> list[str]:
    outbound = [principal for one in statements if not one.is_inbound for principal in one.principals.stated]
    return list(dict.fromkeys([*(principal for principal in outbound if principal != ANYONE), ANYONE]))


def _arn(principal: str) -> str:
    """Return the ARN that stands for a principal; anyone has none."""
    if principal == ANYONE:
        return ""
    return f"arn:aws:iam::{principal}:root" if ACCOUNT.fullmatch(principal) else of_caller(principal)
