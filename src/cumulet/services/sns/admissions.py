"""What of the messages that are published a topic accepts: its data protection policy's statements for publishers."""

from __future__ import annotations

from cumulet.delivery import LogEvent
from cumulet.services.service import Platform
from cumulet.services.sns.data_protection import guard_of
from cumulet.services.sns.messages import Message
from cumulet.services.sns.metrics import metric
from cumulet.services.sns.topics import Topic

NOBODY_KNOWN = ""
"""A publisher without a role; only statements about anyone are about it."""


class Admissions:
    """Audits, denies and de-identifies what is published."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def audit(self, topic: Topic, message: Message, principal: str) -> None:
        """Report what somebody publishes, where the policy says so. The report is on its way when this returns."""
        guard = guard_of(topic)
        report = None if guard is None else guard.report(topic, message, principal)
        if report is None:
            return
        name = "MessagesWithFindings" if report.has_findings else "MessagesWithNoFindings"
        self._platform.telemetry.record(metric(topic.key, name))
        if report.group is not None:
            event = LogEvent(message.published_ms, report.line)
            self._platform.activity.spawn(f"an audit of {topic.arn}", self._write(topic, report.group, event))

    def admitted(self, topic: Topic, message: Message, principal: str) -> Message:
        """Return a message as the topic accepts it from somebody; raises Denied."""
        guard = guard_of(topic)
        return message if guard is None else guard.admitted(message, principal)

    async def _write(self, topic: Topic, group: str, event: LogEvent) -> None:
        await self._platform.delivery.logs.write(topic.account, topic.region, group, topic.name, [event])
