"""What CreateEventSourceMapping and UpdateEventSourceMapping ask for, checked as Lambda does."""

from __future__ import annotations

from collections.abc import Mapping as Members
from typing import Any

import msgspec

from cumulet.kernel.arns import Arn, parse_arn
from cumulet.kernel.errors import NotImplementedFailure
from cumulet.services.lambda_.errors import invalid
from cumulet.services.lambda_.mappings import Settings

LARGEST_PLAIN_BATCH = 10
"""Lambda: a larger batch needs a batching window, and FIFO queues have none."""
OF_STREAMS = (
    "ParallelizationFactor",
    "BisectBatchOnFunctionError",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "TumblingWindowInSeconds",
    "DestinationConfig",
)
OF_BROKERS = (
    "Topics",
    "Queues",
    "SourceAccessConfigurations",
    "SelfManagedEventSource",
    "AmazonManagedKafkaEventSourceConfig",
    "SelfManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
)
NOT_YET = ("FilterCriteria", "ProvisionedPollerConfig", "MetricsConfig", "LoggingConfig", "KMSKeyArn")
OTHER_SOURCES = ("kinesis", "dynamodb", "kafka", "mq", "rds")


def source_of(request: Members[str, Any]) -> Arn:
    """Return the queue that a request names as its source."""
    if request.get("SelfManagedEventSource"):
        raise _lacking("self-managed Apache Kafka")
    text = request.get("EventSourceArn")
    source = parse_arn(text) if text else None
    if source is None:
        raise invalid("Unrecognized event source.")
    if source.service in OTHER_SOURCES:
        raise _lacking(source.service)
    if source.service != "sqs":
        raise invalid(
            "Unrecognized event source, must be kinesis, dynamodb stream or sqs. "
            f"Unsupported source arn : {request['EventSourceArn']}"
        )
    return source


def settings(request: Members[str, Any], source: Arn, before: Settings) -> Settings:
    """Return `before` with what a request changes; raises InvalidParameterValueException."""
    if request.get("StartingPosition") or request.get("StartingPositionTimestamp"):
        raise invalid("StartingPosition is not valid for SQS event sources.")
    for name in (*OF_STREAMS, *OF_BROKERS):
        if request.get(name):
            raise invalid(f"Unsupported {name} parameter for given event source mapping type.")
    for name in NOT_YET:
        if _says_something(request.get(name)):
            raise NotImplementedFailure(f"Cumulet does not implement {name} of event source mappings yet.")
    changes: dict[str, Any] = {}
    if "BatchSize" in request:
        changes["batch_size"] = request["BatchSize"]
    if "MaximumBatchingWindowInSeconds" in request:
        changes["window_seconds"] = request["MaximumBatchingWindowInSeconds"]
    if "ScalingConfig" in request:
        changes["max_concurrency"] = request["ScalingConfig"].get("MaximumConcurrency")
    if "FunctionResponseTypes" in request:
        changes["response_types"] = tuple(request["FunctionResponseTypes"])
    wanted = msgspec.structs.replace(before, **changes)
    _check(wanted, is_fifo=source.resource.endswith(".fifo"))
    return wanted


def _check(wanted: Settings, *, is_fifo: bool) -> None:
    if is_fifo and wanted.window_seconds:
        raise invalid("Batching window is not supported for FIFO queues")
    if is_fifo and wanted.batch_size > LARGEST_PLAIN_BATCH:
        # AWS documents the limit; its words are not known.
        raise invalid(f"Batch size must not exceed {LARGEST_PLAIN_BATCH} for FIFO queues")
    if wanted.batch_size > LARGEST_PLAIN_BATCH and not wanted.window_seconds:
        raise invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")


def _says_something(value: Any) -> bool:
    return any(value.values()) if isinstance(value, dict) else bool(value)


def _lacking(source: str) -> NotImplementedFailure:
    return NotImplementedFailure(f"Cumulet does not implement event source mappings of {source} yet.")
