"""What of the messages that are published a topic accepts: its data protection policy's statements for publishers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from cumulet.delivery import LogEvent
from cumulet.kernel.log import log_line
from cumulet.services.service import Platform
from cumulet.services.sns.data_protection import Denied, guard_of
from cumulet.services.sns.messages import Message
from cumulet.services.sns.metrics import metric
from cumulet.services.sns.subscriptions import Subscription
from cumulet.services.sns.topics import Topic

if TYPE_CHECKING:
    from cumulet.services.sns.guards import Report
    from cumulet.services.sns.inspections import Inspections
    from cumulet.services.sns.views import Views

NOBODY_KNOWN = ""
"""A publisher without a role; only statements about anyone are about it."""


class Admissions:
    """Audits, denies and de-identifies what is published."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    @cached_property
    def _inspections(self) -> Inspections:
        from cumulet.services.sns.inspections import Inspections  # what carries out policies, when the first needs it

        return Inspections()

    async def admitted(self, topic: Topic, message: Message, principal: str) -> Message:
        """Audit what somebody publishes, and return it as the topic accepts it; raises Denied."""
        guard = guard_of(topic)
        if guard is None:
            return message
        size = _size(message)
        report = await self._inspections.run(topic, size, lambda work: guard.report(topic, message, principal, work))
        if report is not None:
            self._tell(topic, message, report)
        return await self._inspections.run(topic, size, lambda work: guard.admitted(message, principal, work))

    def admitted_at_once(self, topic: Topic, message: Message, principal: str) -> Message:
        """Return a message as the topic accepts it within a transaction; raises Denied, also where that takes long."""
        guard = guard_of(topic)
        if guard is None:
            return message
        return self._inspections.run_at_once(topic, lambda work: guard.admitted(message, principal, work))

    def audit_soon(self, topic: Topic, message: Message, principal: str) -> None:
        """Report what somebody has published, where the policy says so."""
        self._platform.activity.spawn(f"an audit of {topic.arn}", self._audit(topic, message, principal))

    async def show(self, topic: Topic, views: Views, recipients: Sequence[Subscription], message: Message) -> None:
        """Make what the recipients of a message may see. Where that takes too long, the rest of them don't get it."""
        try:
            await self._inspections.run(topic, _size(message), lambda work: views.make(recipients, work))
        except Denied as refusal:
            log_line(f"not all who subscribe get a message: {refusal}")

    async def _audit(self, topic: Topic, message: Message, principal: str) -> None:
        guard = guard_of(topic)
        if guard is None:
            return
        try:
            report = await self._inspections.run(
                topic, _size(message), lambda work: guard.report(topic, message, principal, work)
            )
        except Denied as refusal:
            log_line(f"a message is not audited: {refusal}")
            return
        if report is not None:
            self._tell(topic, message, report)

    def _tell(self, topic: Topic, message: Message, report: Report) -> None:
        """Count and write what an audit says. It is on its way when this returns."""
        name = "MessagesWithFindings" if report.has_findings else "MessagesWithNoFindings"
        self._platform.telemetry.record(metric(topic.key, name))
        if report.group is not None:
            event = LogEvent(message.published_ms, report.line)
            self._platform.activity.spawn(f"an audit of {topic.arn}", self._write(topic, report.group, event))

    async def _write(self, topic: Topic, group: str, event: LogEvent) -> None:
        await self._platform.delivery.logs.write(topic.account, topic.region, group, topic.name, [event])


def _size(message: Message) -> int:
    return len(message.body) + sum(len(text) for text in message.structure.values())
