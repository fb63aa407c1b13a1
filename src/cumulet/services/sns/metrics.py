"""What AWS/SNS tells CloudWatch: each metric has the dimension TopicName."""

from __future__ import annotations

from functools import lru_cache

from cumulet.kernel.telemetry import Metric, Sample, Telemetry
from cumulet.services.sns import filter_policies
from cumulet.services.sns.audience import FilteredOut
from cumulet.services.sns.messages import Message
from cumulet.services.sns.topics import TopicKey

ARCHIVING = frozenset({"NumberOfMessagesArchiveProcessing", "NumberOfBytesArchiveProcessing"})
"""SNS (recorded): these have no unit."""
FILTERED_OUT = "NumberOfNotificationsFilteredOut"


@lru_cache(maxsize=10_000)
def metric(topic: TopicKey, name: str) -> Metric:
    """Return a metric of a topic."""
    unit = "Bytes" if name == "PublishSize" else "None" if name in ARCHIVING else "Count"
    return Metric(topic.account, topic.region, "AWS/SNS", name, (("TopicName", topic.name),), unit)


def record_filtered_out(telemetry: Telemetry, topic: TopicKey, message: Message, out: FilteredOut) -> None:
    """Count the subscriptions whose filter policies keep a message away from them, and why.

    SNS (observed): what can't be compared at all counts under its reason alone.
    """
    if out.by_attributes:
        if not message.attributes:
            names = ["-NoMessageAttributes"]
        elif filter_policies.attribute_event(message.attributes) is None:
            names = ["-InvalidAttributes"]
        else:
            names = ["", "-MessageAttributes"]
        _record(telemetry, topic, names, out.by_attributes)
    if out.by_body:
        is_invalid = filter_policies.body_event(message.body) is None
        _record(telemetry, topic, ["-InvalidMessageBody"] if is_invalid else ["", "-MessageBody"], out.by_body)


def _record(telemetry: Telemetry, topic: TopicKey, names: list[str], count: int) -> None:
    for name in names:
        sample = Sample(metric(topic, f"{FILTERED_OUT}{name}"), telemetry.minute_ms, count, count, 1, 1)
        telemetry.add([sample])
