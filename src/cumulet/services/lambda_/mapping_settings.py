"""What CreateEventSourceMapping and UpdateEventSourceMapping ask for, checked as Lambda does for the kind of source."""

from __future__ import annotations

from collections.abc import Mapping as Members
from typing import Any

import msgspec

from cumulet.kernel.arns import Arn, parse_arn
from cumulet.kernel.errors import NotImplementedFailure
from cumulet.services.lambda_.errors import invalid
from cumulet.services.lambda_.filters import check
from cumulet.services.lambda_.mappings import FOREVER, Provisioned, Settings, Streaming

LARGEST_PLAIN_BATCH = 10
"""Lambda: a larger batch needs a batching window, and FIFO queues have none."""
STREAM_BATCH = 100
"""Lambda: the batch size of streams, if none is asked for."""
LEAST_AGE_SECONDS = 60
OF_STREAMS = (
    "ParallelizationFactor",
    "BisectBatchOnFunctionError",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "TumblingWindowInSeconds",
    "DestinationConfig",
)
RETRIES = "MaximumRetryAttempts"
"""Of the numbers for streams the one whose zero means something."""
OF_QUEUES = ("ScalingConfig", "ProvisionedPollerConfig")
OF_BROKERS = (
    "Topics",
    "Queues",
    "SourceAccessConfigurations",
    "SelfManagedEventSource",
    "AmazonManagedKafkaEventSourceConfig",
    "SelfManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
    "LoggingConfig",
)
QUEUES = "sqs"
STREAMS = ("kinesis", "dynamodb")
OTHER_SOURCES = ("kafka", "mq", "rds")
AT_TIMESTAMP = "AT_TIMESTAMP"


def source_of(request: Members[str, Any]) -> Arn:
    """Return the queue or stream that a request names as its source."""
    if request.get("SelfManagedEventSource"):
        raise _lacking("self-managed Apache Kafka")
    text = request.get("EventSourceArn")
    source = parse_arn(text) if text else None
    if source is None:
        raise invalid("Unrecognized event source.")
    if source.service in OTHER_SOURCES:
        raise _lacking(source.service)
    if source.service != QUEUES and source.service not in STREAMS:
        raise invalid(
            "Unrecognized event source, must be kinesis, dynamodb stream or sqs. "
            f"Unsupported source arn : {request['EventSourceArn']}"
        )
    return source


def new_settings(request: Members[str, Any], source: Arn, most_filters: int) -> Settings:
    """Return what a new mapping is to be like; raises InvalidParameterValueException."""
    if source.service == QUEUES:
        if request.get("StartingPosition") or request.get("StartingPositionTimestamp") is not None:
            raise invalid("StartingPosition is not valid for SQS event sources.")
        return settings(request, source, Settings(), most_filters)
    before = Settings(batch_size=STREAM_BATCH, stream=_position(request, source))
    return settings(request, source, before, most_filters)


def settings(request: Members[str, Any], source: Arn, before: Settings, most_filters: int) -> Settings:
    """Return `before` with what a request changes; raises InvalidParameterValueException."""
    for name in (*(OF_QUEUES if before.stream else OF_STREAMS), *OF_BROKERS):
        if _says_something(request.get(name)) or (name == RETRIES and request.get(name) == 0):
            raise invalid(f"Unsupported {name} parameter for given event source mapping type.")
    changes: dict[str, Any] = {}
    if "BatchSize" in request:
        changes["batch_size"] = request["BatchSize"]
    if "MaximumBatchingWindowInSeconds" in request:
        changes["window_seconds"] = request["MaximumBatchingWindowInSeconds"]
    if "ScalingConfig" in request:
        changes["max_concurrency"] = request["ScalingConfig"].get("MaximumConcurrency")
    if "FunctionResponseTypes" in request:
        changes["response_types"] = tuple(request["FunctionResponseTypes"])
    if "FilterCriteria" in request:
        filters = request["FilterCriteria"].get("Filters", ())
        changes["filters"] = check([entry.get("Pattern") for entry in filters], most_filters)
    if "KMSKeyArn" in request:
        changes["key_arn"] = request["KMSKeyArn"] or None
    if "MetricsConfig" in request:
        changes["metrics"] = tuple(request["MetricsConfig"].get("Metrics", ()))
    if "ProvisionedPollerConfig" in request:
        changes["provisioned"] = _provisioned(request["ProvisionedPollerConfig"])
    if before.stream is not None:
        changes["stream"] = _streaming(request, before.stream)
    wanted = msgspec.structs.replace(before, **changes)
    if wanted.stream is None:
        _check_queue(wanted, is_fifo=source.resource.endswith(".fifo"))
    return wanted


def _check_queue(wanted: Settings, *, is_fifo: bool) -> None:
    if is_fifo and wanted.window_seconds:
        raise invalid("Batching window is not supported for FIFO queues")
    if is_fifo and wanted.batch_size > LARGEST_PLAIN_BATCH:
        # AWS documents the limit; its words are not known.
        raise invalid(f"Batch size must not exceed {LARGEST_PLAIN_BATCH} for FIFO queues")
    if wanted.batch_size > LARGEST_PLAIN_BATCH and not wanted.window_seconds:
        raise invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
    if wanted.provisioned is not None and wanted.max_concurrency is not None:
        # AWS documents that they exclude each other; its words are not known.
        raise invalid("ScalingConfig can't be used together with ProvisionedPollerConfig.")


def _provisioned(config: Members[str, Any]) -> Provisioned | None:
    least, most = config.get("MinimumPollers"), config.get("MaximumPollers")
    if least is not None and most is not None and least > most:
        raise invalid("MinimumPollers must be less than or equal to MaximumPollers")
    if not _says_something(config):
        return None
    return Provisioned(least=least, most=most, group=config.get("PollerGroupName"))


def _position(request: Members[str, Any], source: Arn) -> Streaming:
    position, timestamp = request.get("StartingPosition"), request.get("StartingPositionTimestamp")
    if position is None:
        raise invalid(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
            "Member must not be null."
        )
    if position != AT_TIMESTAMP:
        if timestamp is not None:
            raise invalid("Timestamp only valid with StartingPosition AT_TIMESTAMP")
        return Streaming(starting_position=position)
    if source.service != "kinesis":
        raise invalid(f"Unsupported starting position for arn type: {source}")
    if timestamp is None:
        raise invalid("StartingPositionTimestamp must be given with StartingPosition AT_TIMESTAMP")
    starting_ms = round(timestamp.timestamp() * 1000)
    if starting_ms < 0:
        raise invalid(
            "Received Exception while reading from provided stream. "
            "class java.lang.Long can not be converted to a Timestamp"
        )
    return Streaming(starting_position=position, starting_ms=starting_ms)


_STREAM_MEMBERS = {
    "ParallelizationFactor": "lanes",
    "BisectBatchOnFunctionError": "bisects",
    "MaximumRecordAgeInSeconds": "most_age_seconds",
    "MaximumRetryAttempts": "most_retries",
    "TumblingWindowInSeconds": "tumbling_seconds",
}


def _streaming(request: Members[str, Any], before: Streaming) -> Streaming:
    changes = {field: request[member] for member, field in _STREAM_MEMBERS.items() if member in request}
    age_seconds = changes.get("most_age_seconds", FOREVER)
    if age_seconds != FOREVER and age_seconds < LEAST_AGE_SECONDS:
        # AWS documents the limit; its words are not known.
        raise invalid(f"MaximumRecordAgeInSeconds must be -1, or {LEAST_AGE_SECONDS} at least.")
    if "DestinationConfig" in request:
        config = request["DestinationConfig"]
        if config.get("OnSuccess", {}).get("Destination"):
            raise invalid("Unsupported DestinationConfig parameter for given event source mapping type.")
        changes["on_failure"] = config.get("OnFailure", {}).get("Destination") or None
    return msgspec.structs.replace(before, **changes)


def _says_something(value: Any) -> bool:
    return any(map(_says_something, value.values())) if isinstance(value, dict) else bool(value)


def _lacking(source: str) -> NotImplementedFailure:
    return NotImplementedFailure(f"Cumulet does not implement event source mappings of {source} yet.")
