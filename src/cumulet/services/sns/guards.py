"""What a topic's data protection policy does to its messages.

SNS: what is published is audited first, then denied or de-identified; what is delivered is looked at for each principal
that has subscribed, as it was accepted. Statements are applied in their order, the denying ones first. Texts are looked
at: that of a message, or those that it has for the protocols; subjects and attributes are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

import msgspec
import orjson

from cumulet.protection import Finding, Inspector, Work, mask, redact
from cumulet.services.sns.data_protection import Denied
from cumulet.services.sns.data_protection_policies import Audit, Deidentify, Deny, Statement, read
from cumulet.services.sns.messages import Message
from cumulet.services.sns.topics import Topic

MOST_GUARDS = 128
"""So many are kept compiled. One takes a megabyte or so, with all identifiers 12 MB; to make one takes 5 to 40 ms."""
MOST_DETECTIONS = 1_000
"""So many are listed in one report; with all of them it might not fit into an event of a log."""


class Report(NamedTuple):
    """What an audit has found in one message."""

    has_findings: bool
    group: str | None
    """The log group that gets it."""
    line: str


class Rule:
    """A statement, with the names of the data that it is about."""

    def __init__(self, statement: Statement) -> None:
        self.principals = statement.principals
        self.operation = statement.operation
        self.names = frozenset(identifier.name for identifier in statement.identifiers)


class Rules:
    """The statements for one direction. A text without sensitive data is read once, however many they are."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.all = tuple(Rule(statement) for statement in statements)
        self._inspector = Inspector(identifier for statement in statements for identifier in statement.identifiers)

    def about(self, principal: str) -> tuple[Rule, ...]:
        """Return those that are about who has this ARN."""
        return tuple(rule for rule in self.all if rule.principals.include(principal))

    def found(self, text: str, work: Work | None) -> list[Finding]:
        """Return all sensitive data of a text."""
        return self._inspector.find(text, work)

    def passed(self, rules: Sequence[Rule], text: str, work: Work | None) -> str | None:
        """Return a text as it passes some of the rules, None where it doesn't.

        SNS: one that is sensitive as a whole can't be redacted.
        """
        findings = self.found(text, work)
        if not findings:
            return text
        if any(isinstance(rule.operation, Deny) and _of(rule, findings) for rule in rules):
            return None
        left = text
        for rule in rules:
            mine = _of(rule, findings)
            if mine and isinstance(rule.operation, Deidentify):
                character = rule.operation.mask
                left = redact(left, mine) if character is None else mask(left, mine, character)
                findings = self.found(left, work)
        return left if left.strip() or left == text else None


class Guard:
    """A policy, compiled. `work` bounds what looking at a message may cost; what is beyond raises TooExpensive."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        audits = [statement for statement in statements if isinstance(statement.operation, Audit)]
        others = [statement for statement in statements if not isinstance(statement.operation, Audit)]
        self._audits = Rules(audits)
        self._inbound = Rules([statement for statement in others if statement.is_inbound])
        self._outbound = Rules([statement for statement in others if not statement.is_inbound])

    @property
    def is_about_deliveries(self) -> bool:
        """Is there anything that not every subscription may see?"""
        return bool(self._outbound.all)

    def report(self, topic: Topic, message: Message, principal: str, work: Work | None = None) -> Report | None:
        """Return what the audit says of a message that somebody publishes; None where it isn't one of the sample."""
        operations = [rule.operation for rule in self._audits.about(principal) if isinstance(rule.operation, Audit)]
        if not operations or int(message.id[:8], 16) % 100 >= operations[0].sample_percent:
            return None
        findings = [finding for text in _texts(message) for finding in self._audits.found(text, work)]
        found = Counter(finding.identifier for finding in findings)
        listed: dict[str, list[dict[str, int]]] = {name: [] for name in found}
        for finding in findings[:MOST_DETECTIONS]:
            listed[finding.identifier].append({"start": finding.start + 1, "end": finding.end})
        record = {
            "messageId": message.id,
            "auditTimestamp": f"{datetime.fromtimestamp(message.published_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}",
            "callerPrincipal": principal,
            "resourceArn": topic.arn,
            "dataIdentifiers": [
                {"name": name, "count": count, "detections": listed[name]} for name, count in found.items()
            ],
        }
        group = operations[0].findings_group if found else operations[0].no_findings_group
        return Report(bool(found), group, orjson.dumps(record).decode())

    def admitted(self, message: Message, principal: str, work: Work | None = None) -> Message:
        """Return a message as the topic accepts it from somebody; raises Denied."""
        rules = self._inbound.about(principal)
        if not rules:
            return message
        names = list(message.structure)
        body, *texts = [self._inbound.passed(rules, text, work) for text in _texts(message)]
        if body is None or None in texts:
            raise Denied(
                f"The topic's data protection policy prohibits this message from being published to {message.topic_arn}"
            )
        return msgspec.structs.replace(message, body=body, structure=dict(zip(names, texts, strict=True)))

    def rules_for(self, principal: str) -> tuple[Rule, ...]:
        """Return what holds for the deliveries to somebody's subscriptions."""
        return self._outbound.about(principal)

    def shown(self, rules: Sequence[Rule], message: Message, protocol: str, work: Work | None = None) -> Message | None:
        """Return a message as some rules let subscriptions of a protocol have it, None where they must not."""
        text = self._outbound.passed(rules, message.body_for(protocol), work)
        return None if text is None else msgspec.structs.replace(message, body=text, structure={})


@lru_cache(maxsize=MOST_GUARDS)
def compiled(text: str) -> Guard:
    """Return the guard of a policy's document; raises InvalidParameterException."""
    return Guard(read(text))


def _of(rule: Rule, findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.identifier in rule.names]


def _texts(message: Message) -> list[str]:
    return [message.body, *message.structure.values()]
