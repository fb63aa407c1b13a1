"""What AWS/SQS tells CloudWatch: each metric has the dimension QueueName."""

from __future__ import annotations

from functools import lru_cache

from cumulet.kernel.arns import parse_arn
from cumulet.kernel.telemetry import Metric


@lru_cache(maxsize=10_000)
def metric(queue_arn: str, name: str) -> Metric:
    """Return a metric of a queue."""
    arn = parse_arn(queue_arn)
    assert arn is not None
    unit = "Bytes" if name == "SentMessageSize" else "Count"
    return Metric(arn.account, arn.region, "AWS/SQS", name, (("QueueName", arn.resource),), unit)


@lru_cache(maxsize=10_000)
def sent_metrics(queue_arn: str) -> tuple[Metric, Metric]:
    """Return what counts and measures the messages that are sent to a queue."""
    return metric(queue_arn, "NumberOfMessagesSent"), metric(queue_arn, "SentMessageSize")
